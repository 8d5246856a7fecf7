package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/config"
	"scanside/media"
	"scanside/supervision"
)

// Loudspeaker plays the physician's voice in the room: media/room's, passed in as sources are.
type Loudspeaker interface {
	media.Sink
	// Run plays until ctx ends.
	Run(ctx context.Context) error
	// Playback is how it is now. SetVolume sets its volume in percent, within its bounds. Any goroutine may call both.
	Playback() media.Playback
	SetVolume(percent int)
	// Play plays samples at media.ToneRate besides the voice; the channel is closed when they were played, or could not be.
	Play(pcm []int16) (<-chan struct{}, error)
}

// LoudspeakerConfig names the room's loudspeakers: "auto", "none", or the stable names that `scanside devices` prints.
type LoudspeakerConfig struct {
	Device  string   `yaml:"device"`
	Devices []string `yaml:"devices"`    // several instead, in order: the first that works is used
	Volume  int      `yaml:"volume"`     // percent, until somebody changes it on the page
	Most    int      `yaml:"max_volume"` // percent: what nobody may pass
	Echo    string   `yaml:"echo"`       // of its sound in the microphone: cancel, duck, or device, which does it itself
}

// The bounds of volumes, percent; media/room has the same least one.
const (
	leastVolume = 10
	mostVolume  = 100
	toneLength  = 2 * time.Second // one phrase of media.Tone
	volumeFile  = "volume"
)

// Names are the devices in order of preference.
func (c LoudspeakerConfig) Names() []string {
	if len(c.Devices) > 0 {
		return c.Devices
	}
	return []string{c.Device}
}

func (c LoudspeakerConfig) check(m *config.Mistakes) {
	if len(c.Devices) > 0 && c.Device != DefaultConfig().Loudspeaker.Device {
		m.Add("loudspeaker.devices", "device and devices exclude each other; make device the first entry of devices and remove it")
	}
	for i, d := range c.Devices {
		if d == "" || d == "none" {
			m.Add(fmt.Sprintf("loudspeaker.devices[%d]", i), "%q is no device; `scanside devices` lists what is there", d)
		}
	}
	if !slices.Contains([]string{"cancel", "duck", "device"}, c.Echo) {
		m.Add("loudspeaker.echo", "%q is no treatment of echo; use cancel, duck, or device where a speakerphone does it itself", c.Echo)
	}
	if c.Most < leastVolume || c.Most > mostVolume {
		m.Add("loudspeaker.max_volume", "%d is out of range; use %d to %d percent", c.Most, leastVolume, mostVolume)
	} else if c.Volume < leastVolume || c.Volume > c.Most {
		m.Add("loudspeaker.volume", "%d is out of range; use %d to %d percent", c.Volume, leastVolume, c.Most)
	}
}

// listen lets the loudspeaker have the physician's voice, at the volume that was set last.
func (a *Agent) listen(speaker Loudspeaker, log *slog.Logger) {
	if speaker == nil {
		return
	}
	if percent, ok := (store{a.cfg.StateDir}).volume(log); ok {
		speaker.SetVolume(percent)
	}
	a.back.out[media.Voice].AddViewer("loudspeaker", speaker).Select(true)
}

// volume is what was set on the page in an earlier run.
func (s store) volume(log *slog.Logger) (percent int, ok bool) {
	if s.dir == "" {
		return 0, false
	}
	text, err := os.ReadFile(filepath.Join(s.dir, volumeFile))
	if err != nil {
		return 0, false
	}
	percent, err = strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		log.Warn("the loudspeaker's volume was not kept", "err", err)
	}
	return percent, err == nil
}

// Volume implements status.Box.
func (b boxed) Volume(step int) error {
	speaker := b.a.parts.Loudspeaker
	if speaker == nil {
		return status.ErrNoLoudspeaker
	}
	speaker.SetVolume(speaker.Playback().Volume + step)
	b.a.loop.offer(event{kind: heard})
	if kept := (store{b.a.cfg.StateDir}); kept.dir != "" {
		if err := kept.write(volumeFile, strconv.Itoa(speaker.Playback().Volume)+"\n"); err != nil {
			return fmt.Errorf("the volume is set, but would not be after a restart: %w", err)
		}
	}
	return nil
}

// Tone implements status.Box. A tone is nothing to hear while contrast is given.
func (b boxed) Tone() error {
	speaker := b.a.parts.Loudspeaker
	switch {
	case speaker == nil:
		return status.ErrNoLoudspeaker
	case b.a.Snapshot().Status.Procedure.Open:
		return status.ErrOpen
	}
	var tone media.Tone
	pcm := make([]int16, int(toneLength.Seconds()*media.ToneRate))
	tone.Read(pcm)
	_, err := speaker.Play(pcm)
	return err
}

// hears is the loudspeaker's part in supervision: what it does not play, the room does not hear.
func (a *Agent) hears(now time.Time) supervision.Loudspeaker {
	speaker := a.parts.Loudspeaker
	if speaker == nil {
		return supervision.Loudspeaker{Elsewhere: true}
	}
	p := speaker.Playback()
	s := supervision.Loudspeaker{Known: p.OK || p.Reason != "", Plays: p.OK}
	if p.OK {
		s.Word = max(now.Sub(p.LastFrame), 0)
	}
	return s
}

func (a *Agent) viewLoudspeaker() status.Loudspeaker {
	speaker := a.parts.Loudspeaker
	if speaker == nil {
		return status.Loudspeaker{Level: status.Unknown, Sentence: "The box plays no voice: the configuration names no loudspeaker. It is not known whether the room hears the physician by other means."}
	}
	p := speaker.Playback()
	s := status.Loudspeaker{
		Configured: true, Device: p.Device, Level: status.OK, Sentence: "Plays when the physician talks.", Volume: p.Volume, MaxVolume: p.Most,
		Plays: p.OK, Delay: *ms(p.Buffer.Delay), Target: *ms(p.Buffer.Target), Played: p.Buffer.Played, Concealed: p.Buffer.Concealed,
		Corrected: p.Buffer.Corrected, Late: p.Buffer.Late, Skipped: p.Buffer.Skipped, Underruns: p.Buffer.Underruns, Opens: p.Opens, Stalls: p.Stalls, Hung: p.Hung,
	}
	switch {
	case !p.OK && p.Reason == "":
		s.Level, s.Sentence = status.Unknown, "It is being opened."
	case !p.OK:
		s.Level, s.Sentence = status.Bad, sentence(strings.TrimRight(p.Reason, "."))
	case p.Buffer.Delay > 0:
		s.Sentence = fmt.Sprintf("Plays the physician's voice, held %d ms against the network's jitter.", p.Buffer.Delay.Milliseconds())
	}
	return s
}

func (a *Agent) loudspeakerProblems(st *status.Status, add func(id string, level status.Level, text, hint string)) {
	switch s := st.Loudspeaker; {
	case !s.Configured:
		return // said where the loudspeaker stands on the page
	case s.Level == status.Bad:
		add("loudspeaker-failed", status.Bad, "The room cannot hear the physician. "+s.Sentence, "Check the loudspeaker and its cable; it is taken up again by itself.")
	}
}
