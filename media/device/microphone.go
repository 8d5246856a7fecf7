package device

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"scanside/devices"
	"scanside/media"
	"scanside/media/content"
)

// MicrophoneConfig says which microphones and what they should produce.
type MicrophoneConfig struct {
	// Devices are microphones in the order of preference: each the id of an ALSA card ("scanside devices" lists them), or "pcm:"
	// and the name of an ALSA PCM; "", or an empty list, takes the first card that records.
	Devices []string
	Bitrate int          // bit/s; 0 means 30 kbit/s; SetRate changes it
	Log     *slog.Logger // nil: silent
}

const (
	// bufferedVoice bounds what waits between the sound library and the encoder: 200 ms.
	bufferedVoice = voiceClock / 5

	// firstSound is how long a microphone may take to give its first samples: sound servers need up to 2 s.
	firstSound = 4 * time.Second

	// nextSound is how long it may be quiet after that before it is opened anew. A pulled USB microphone shows in nothing
	// else: the library then spins without a word.
	nextSound = time.Second
)

// Microphone is the room's voice as a source: one microphone, or the first of several that works. See the package's promises.
type Microphone struct {
	voiceStream
	*selection
	ears  []*ear
	wake  chan struct{} // some ear has sound
	start time.Time     // RTP time counts from here
	last  *ring         // what was sent last
}

// NewMicrophone returns a source that is ready to Run once; the microphones need not be there. It refuses ALSA's null
// device, which records silence for ever.
func NewMicrophone(cfg MicrophoneConfig) (*Microphone, error) {
	if len(cfg.Devices) == 0 {
		cfg.Devices = []string{""}
	}
	m := &Microphone{wake: make(chan struct{}, 1)}
	var names []string
	for _, device := range cfg.Devices {
		if err := refuseNull(device); err != nil {
			return nil, err
		}
		name := cmp.Or(device, "first microphone")
		names = append(names, name)
		m.ears = append(m.ears, &ear{
			condition: newCondition(media.Voice, name, cfg.Log), wake: m.wake,
			load: func() soundSource { return &soundLibrary{} },
			find: func() (string, string, error) { return findMicrophone("/", device) },
		})
	}
	m.selection = newSelection(media.Voice, names, cfg.Log, func(i int) (devices.Condition, media.Health) { return m.ears[i].how() })
	m.condition = newCondition(media.Voice, names[0], nil)
	m.SetRate(orDefault(cfg.Bitrate, defaultVoiceBitrate))
	return m, nil
}

// Health is what is known of the microphone in use, and whether its sound could be encoded.
func (m *Microphone) Health() media.Health {
	h := m.ears[m.Used()].Health()
	if _, fault := m.stream(); fault != "" {
		h.OK, h.Reason, h.Fault = false, fault, content.Absent
	}
	return h
}

// Run captures, encodes and sends until ctx ends, then returns nil, at the latest after closePatience. While no microphone gives
// anything, nothing is sent. It fails only if there is no encoder.
func (m *Microphone) Run(ctx context.Context, out media.Sink) error {
	if err := m.open(); err != nil {
		return err
	}
	m.start = time.Now()
	m.selection.begin(m.start)
	var running sync.WaitGroup
	defer running.Wait()
	for _, e := range m.ears {
		running.Go(func() { e.open(ctx, &m.shutter) })
	}
	tick := time.NewTicker(choiceEvery)
	defer tick.Stop()
	pcm := make([]int16, voiceFrame)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if !m.muted() {
				m.step(time.Now())
			}
		case <-m.wake:
			m.listen(pcm, out)
		}
	}
}

// choiceEvery is how often the choice of the microphone is made anew.
const choiceEvery = 100 * time.Millisecond

// listen takes in what all ears have heard, and sends that of the one in use.
func (m *Microphone) listen(pcm []int16, out media.Sink) {
	used := m.Used()
	for i, e := range m.ears {
		if r := e.ring.Load(); r != nil {
			m.drain(e, r, i == used, pcm, out)
		}
	}
}

// drain takes in all whole packets that the ring holds, and encodes them if its microphone is the one in use.
func (m *Microphone) drain(e *ear, r *ring, used bool, pcm []int16, out media.Sink) {
	for {
		lost, ok := r.read(pcm)
		if !ok || m.muted() {
			return
		}
		now := time.Now()
		e.hear(pcm, lost, r, now)
		if !used {
			continue
		}
		if r != m.last { // opened anew, or another one
			m.catchUp(now)
			m.last = r
		}
		m.skip(lost)
		m.encoder(now, m.put(pcm, out))
	}
}

// catchUp moves the RTP time to now: a microphone that comes back goes on where the clock is, not where the last one stopped.
func (m *Microphone) catchUp(now time.Time) {
	if should := uint64(ticks(now.Sub(m.start), voiceClock)); should > m.samples {
		m.skip(should - m.samples)
	}
}
