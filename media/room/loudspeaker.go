package room

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
	"scanside/media/device"
	"scanside/media/playout"
)

// Config says which loudspeaker, and how loud.
type Config struct {
	// Devices are ids of ALSA cards ("scanside devices" lists them), or "pcm:" and the name of an ALSA PCM; the first that is
	// there plays. Empty, or "" in it: the first card that plays.
	Devices []string
	Volume  int                 // percent; 0 means 70
	Most    int                 // the volume that nobody may pass, percent; 0 means 100
	Played  func(pcm []int16)   // told of each 10 ms as it goes to the device, on the sound library's thread; nil: nobody is
	Delay   playout.Config      // of the buffer
	Log     *slog.Logger        // nil: silent
	open    func() outputDevice // tests'; nil: ALSA

	betterFor, betterRest time.Duration // tests'; 0: the constants
}

// outputDevice is what opens loudspeakers: device.Output.
type outputDevice interface {
	Open(pcm, label string, fill func(out []byte), ended func()) (close func(), err error)
	Close()
}

const (
	// LeastVolume is the lowest volume in percent, -40 dB: quieter is no voice, and a loudspeaker that works shall be heard.
	LeastVolume   = 10
	defaultVolume = 70
	mostTone      = 10 * rate // samples that are waiting to be played besides voice
	glide         = 0.002     // how fast the volume follows, a sample: 10 ms, so that it does not click
)

// Loudspeaker plays the physician's voice in the room. Run it once; all else may be called by any goroutine.
type Loudspeaker struct {
	cfg   Config
	log   *slog.Logger
	begun time.Time

	volume atomic.Int64
	asked  atomic.Int64 // when the device last asked for sound, since begun
	taken  atomic.Uint64
	meter  media.Meter // of what goes to the device

	mu     sync.Mutex
	buffer *playout.Buffer
	state  media.Playback
	tone   []int16 // to be played besides the voice
	heard  []chan struct{}
}

// New returns a loudspeaker that is ready to Run; the device need not be there. It refuses ALSA's null device.
func New(cfg Config) (*Loudspeaker, error) {
	if len(cfg.Devices) == 0 {
		cfg.Devices = []string{""}
	}
	for _, d := range cfg.Devices {
		if err := device.RefuseNullLoudspeaker(d); err != nil {
			return nil, err
		}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.open == nil {
		cfg.open = func() outputDevice { return &device.Output{} }
	}
	cfg.betterFor, cfg.betterRest = cmp.Or(cfg.betterFor, betterFor), cmp.Or(cfg.betterRest, betterRest)
	cfg.Most = min(max(cmp.Or(cfg.Most, 100), LeastVolume), 100)
	l := &Loudspeaker{cfg: cfg, log: cfg.Log, begun: time.Now(), buffer: playout.New(cfg.Delay)}
	l.state.Device = cmp.Or(cfg.Devices[0], "first loudspeaker")
	l.SetVolume(cmp.Or(cfg.Volume, defaultVolume))
	return l, nil
}

// WriteRTP takes a packet of the merged return path. It never waits and never fails.
func (l *Loudspeaker) WriteRTP(p *rtp.Packet) error {
	at := time.Since(l.begun)
	l.mu.Lock()
	l.buffer.Put(at, p.Timestamp, p.Payload)
	l.mu.Unlock()
	return nil
}

// SetVolume sets the volume in percent, held between LeastVolume and the configured maximum.
func (l *Loudspeaker) SetVolume(percent int) {
	l.volume.Store(int64(min(max(percent, LeastVolume), l.cfg.Most)))
}

// Playback is how it is now.
func (l *Loudspeaker) Playback() media.Playback {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.state
	s.Volume, s.Most = int(l.volume.Load()), l.cfg.Most
	s.Buffer = l.buffer.Stats()
	s.Frames = s.Buffer.Played
	if at := l.asked.Load(); at > 0 {
		s.LastFrame = l.begun.Add(time.Duration(at))
	}
	return s
}

// Play plays samples besides the voice, at the volume that is set. The channel is closed when the last of them went to the
// device, or never if there is none: see Playback. It refuses what would take too long.
func (l *Loudspeaker) Play(pcm []int16) (<-chan struct{}, error) {
	done := make(chan struct{})
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.state.OK:
		return nil, fmt.Errorf("the loudspeaker does not play: %s", cmp.Or(l.state.Reason, "it has not been opened yet"))
	case len(l.tone)+len(pcm) > mostTone:
		return nil, fmt.Errorf("the loudspeaker is still playing another sound; try again in a few seconds")
	}
	l.tone = append(l.tone, pcm...)
	l.heard = append(l.heard, done)
	return done, nil
}

// Loudness is how loud what goes to the device is.
func (l *Loudspeaker) Loudness() media.Loudness { return l.meter.Loudness() }

// gain is what a volume multiplies samples with: at 50 % a quarter of the amplitude, which sounds about half as loud.
func gain(percent int64) float64 {
	share := float64(percent) / 100
	return share * share
}

// session is one opening of a device, as its thread sees it.
type session struct {
	l     *Loudspeaker
	voice *voice
	ready []int16 // decoded, not yet played
	loud  float64 // the volume as it is played
	over  atomic.Bool
}

// fill is called by the sound library's thread.
func (s *session) fill(out []byte) {
	if s.over.Load() {
		clear(out) // a driver that hung and was given up
		return
	}
	l, n := s.l, len(out)/2
	now := time.Since(l.begun)
	for len(s.ready) < n {
		l.mu.Lock()
		step := l.buffer.Next(now)
		l.mu.Unlock()
		s.ready = s.voice.play(s.ready, step)
	}
	pcm := s.ready[:n]
	l.mix(pcm)
	want := gain(l.volume.Load())
	for i, v := range pcm {
		s.loud += (want - s.loud) * glide
		pcm[i] = int16(math.Round(float64(v) * s.loud))
		binary.LittleEndian.PutUint16(out[2*i:], uint16(pcm[i]))
	}
	l.meter.Hear(time.Now(), pcm)
	if l.cfg.Played != nil {
		l.cfg.Played(pcm)
	}
	s.ready = append(s.ready[:0], s.ready[n:]...)
	l.asked.Store(int64(now))
	l.taken.Add(uint64(n))
}

// mix adds what is to be played besides the voice.
func (l *Loudspeaker) mix(pcm []int16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tone) == 0 {
		return
	}
	n := min(len(pcm), len(l.tone))
	for i, v := range l.tone[:n] {
		pcm[i] = int16(min(max(int(pcm[i])+int(v), math.MinInt16), math.MaxInt16))
	}
	if l.tone = l.tone[n:]; len(l.tone) > 0 {
		return
	}
	l.tone = nil
	l.told()
}

// told ends the waiting of those whose sound was played, or never will be. The caller holds mu.
func (l *Loudspeaker) told() {
	for _, c := range l.heard {
		close(c)
	}
	l.heard = nil
}
