package device

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"scanside/devices"
	"scanside/media"
	"scanside/media/content"
)

// ear is one of a Microphone's devices: opened and watched whether it is the one in use or stands by.
type ear struct {
	*condition
	sessions
	find    func() (pcm, label string, err error)
	wake    chan<- struct{}
	ring    atomic.Pointer[ring] // what the present session hears; nil: nothing yet
	library soundSource
	load    func() soundSource

	// The rest belongs to the goroutine that listens.
	hearing *content.Sound
	of      *ring // whose samples hearing heard
}

// soundSource opens microphones: ALSA, or a test's.
type soundSource interface {
	capture(pcm string, write func([]byte), ended func()) (close func(), err error)
	Close()
}

// how is what the choice goes by.
func (e *ear) how() (devices.Condition, media.Health) {
	h := e.Health()
	switch {
	case h.OK && h.Fault == content.None:
		return devices.OK, h
	case h.OK:
		return devices.Doubtful, h
	case h.Muted, h.Reason == "":
		return devices.Unknown, h
	}
	return devices.Failed, h
}

// open keeps the microphone open until ctx ends.
func (e *ear) open(ctx context.Context, room *shutter) {
	e.library = e.load()
	e.keep(ctx, room, e.condition, e.session, e.failed)
	if hanging, _ := e.counts(); hanging == 0 {
		e.library.Close()
	}
}

// failed says what an error means for people.
func (e *ear) failed(err error) string {
	if n, _ := e.counts(); n > 0 {
		return fmt.Sprintf("microphone %s does not answer: %v", e.Health().Device, errHung)
	}
	return err.Error()
}

// session opens the microphone and watches it until it fails or ctx ends, which is no error. It says whether there was sound.
func (e *ear) session(ctx context.Context, s *session) (worked bool, err error) {
	pcm, name, err := e.find()
	if err != nil {
		return false, err
	}
	if n, _ := e.counts(); n > 0 {
		e.library = e.load() // the other one is where it hangs
	}
	r := newRing(bufferedVoice, e.wake)
	ended := make(chan struct{}, 1)
	closeDevice, err := e.library.capture(pcm, r.write, func() { post(ended) })
	if err != nil {
		return false, explainMicrophone(name, err)
	}
	defer closeDevice()
	if !s.alive(readPatience) {
		return false, nil
	}
	e.edit(func(h *media.Health) { h.Device = name; h.Opens++ })
	e.ring.Store(r)
	if worked, err = e.watch(ctx, s, name, r, ended); err != nil {
		e.bad(time.Now(), err.Error()) // before it is closed, in which a driver can hang
	}
	return worked, err
}

// watch waits until no sound comes any more.
func (e *ear) watch(ctx context.Context, s *session, name string, r *ring, ended <-chan struct{}) (worked bool, err error) {
	tick := time.NewTicker(hungEvery)
	defer tick.Stop()
	var heard uint64
	patience, last := firstSound, time.Now()
	for {
		select {
		case <-ctx.Done():
			return worked, nil
		case <-ended:
			return worked, fmt.Errorf("microphone %s stopped: check its cable", name)
		case now := <-tick.C:
			if !s.alive(readPatience) {
				return worked, nil
			}
			if n := r.written(); n > heard {
				heard, worked, patience, last = n, true, nextSound, now
			}
			if now.Sub(last) > patience {
				return worked, fmt.Errorf("microphone %s gave no sound for %v: check its cable", name, patience)
			}
		}
	}
}

// hear takes one packet's samples from r in, whether they are sent or not.
func (e *ear) hear(pcm []int16, lost uint64, r *ring, now time.Time) {
	if r != e.of { // opened anew
		e.hearing, e.of = content.NewSound(content.DefaultPolicy()), r
	}
	e.edit(func(h *media.Health) { h.Dropped += lost })
	e.frame(now)
	e.good(now)
	e.found(now, e.hearing.Hear(now, pcm).Fault)
}

func post(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
