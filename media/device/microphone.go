package device

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"scanside/media"
)

// MicrophoneConfig says which microphone and what it should produce.
type MicrophoneConfig struct {
	// Device is the id of an ALSA card ("scanside devices" lists them), or "pcm:" and the name of an ALSA PCM; "" takes the
	// first card that records.
	Device  string
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

	// digitalSilence is how long samples of exactly zero are believed. A room is never that quiet: somebody muted the
	// microphone, or it is broken.
	digitalSilence = 3 * time.Second
)

// Microphone is the room's microphone as a source. See the package's promises 1, 3, 4 and 5.
type Microphone struct {
	voiceStream
	cfg   MicrophoneConfig
	find  func() (pcm, label string, err error)
	start time.Time // RTP time counts from here
	zeros int       // samples of exactly zero since one that was not
}

// NewMicrophone returns a source that is ready to Run once; the microphone need not be there. It refuses ALSA's null
// device, which records silence for ever.
func NewMicrophone(cfg MicrophoneConfig) (*Microphone, error) {
	if err := refuseNull(cfg.Device); err != nil {
		return nil, err
	}
	m := &Microphone{cfg: cfg}
	m.condition = newCondition(media.Voice, cmp.Or(cfg.Device, "first microphone"), cfg.Log)
	m.find = func() (string, string, error) { return findMicrophone("/", cfg.Device) }
	m.SetRate(orDefault(cfg.Bitrate, defaultVoiceBitrate))
	return m, nil
}

// Run captures, encodes and sends until ctx ends, then returns nil. While the microphone gives nothing, nothing is sent.
// It fails only if there is no encoder.
func (m *Microphone) Run(ctx context.Context, out media.Sink) error {
	if err := m.open(); err != nil {
		return err
	}
	m.start = time.Now()
	library := &soundLibrary{}
	defer library.Close()
	wait := retryFirst
	for ctx.Err() == nil {
		open, release := m.await(ctx, func() { m.closed(time.Now()) })
		worked, err := m.session(open, library, out)
		if worked {
			wait = retryFirst
		}
		if err != nil && open.Err() == nil {
			m.bad(time.Now(), err.Error())
			select {
			case <-open.Done():
			case <-time.After(wait):
			}
			wait = min(2*wait, retryMost)
		}
		release()
	}
	return nil
}

// session opens the microphone and keeps it going until it fails or ctx ends, which is no error. It says whether there
// was sound.
func (m *Microphone) session(ctx context.Context, library *soundLibrary, out media.Sink) (worked bool, err error) {
	if ctx.Err() != nil {
		return false, nil
	}
	pcm, name, err := m.find()
	if err != nil {
		return false, err
	}
	r := newRing(bufferedVoice)
	ended := make(chan struct{}, 1)
	closeDevice, err := library.capture(pcm, r.write, func() { post(ended) })
	if err != nil {
		return false, explainMicrophone(name, err)
	}
	defer closeDevice()
	m.edit(func(h *media.Health) { h.Device = name; h.Opens++ })
	return m.listen(ctx, name, r, ended, out)
}

// listen encodes what comes until nothing does.
func (m *Microphone) listen(ctx context.Context, name string, r *ring, ended <-chan struct{}, out media.Sink) (worked bool, err error) {
	pcm := make([]int16, voiceFrame)
	patience := firstSound
	watchdog := time.NewTimer(patience)
	defer watchdog.Stop()
	for {
		select {
		case <-ctx.Done():
			return worked, nil
		case <-ended:
			return worked, fmt.Errorf("microphone %s stopped: check its cable", name)
		case <-watchdog.C:
			return worked, fmt.Errorf("microphone %s gave no sound for %v: check its cable", name, patience)
		case <-r.wake:
			if !worked {
				m.catchUp(time.Now())
			}
			worked, patience = true, nextSound
			watchdog.Reset(patience)
			m.drain(r, pcm, out)
		}
	}
}

// catchUp moves the RTP time to now: a microphone that comes back goes on where the clock is, not where it stopped.
func (m *Microphone) catchUp(now time.Time) {
	if should := uint64(ticks(now.Sub(m.start), voiceClock)); should > m.samples {
		m.skip(should - m.samples)
	}
}

// drain encodes all whole packets that the ring holds.
func (m *Microphone) drain(r *ring, pcm []int16, out media.Sink) {
	for {
		lost, ok := r.read(pcm)
		if !ok || m.muted() {
			return
		}
		m.skip(lost)
		m.edit(func(h *media.Health) { h.Dropped += lost })
		now := time.Now()
		m.encoder(now, m.put(pcm, out))
		m.frame(now)
		if m.listenForZeros(pcm) {
			m.bad(now, "the microphone gives digital silence: it is muted, or broken")
		} else {
			m.good(now)
		}
	}
}

// listenForZeros says whether the microphone has given nothing but zeros for digitalSilence.
func (m *Microphone) listenForZeros(pcm []int16) bool {
	for _, s := range pcm {
		if s != 0 {
			m.zeros = 0
			return false
		}
	}
	m.zeros += len(pcm)
	return m.zeros >= int(digitalSilence*voiceClock/time.Second)
}

func post(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
