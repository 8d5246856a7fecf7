package room

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"scanside/media/device"
)

const (
	betterFor  = 10 * time.Second // a preferred device must be there before it is gone back to, while nobody talks
	betterRest = time.Minute      // and so long must have passed since it failed
)

// preferred looks after the devices that are preferred to the one in use: since when one is there, and whether it plays. It belongs to
// the goroutine that watches the one in use.
type preferred struct {
	l      *Loudspeaker
	names  []string
	failed []time.Time // of each device; shared with Run
	since  time.Time   // one has been there
	trying chan error  // nil: none is being tried
	which  int         // is
}

// better reports whether a preferred device may be gone back to. It has been there for a while, nobody talks, and it was tried with silence
// while the one in use went on: what is listed, or named by a configuration of ALSA's, need not play.
func (p *preferred) better(ctx context.Context, now time.Time) bool {
	if p.trying != nil {
		select {
		case err := <-p.trying:
			p.trying, p.since = nil, time.Time{}
			if err != nil {
				p.failed[p.which] = now
			}
			return err == nil
		default:
			return false
		}
	}
	i, pcm, label := p.there(now)
	if i < 0 {
		p.since = time.Time{}
		return false
	}
	if p.since.IsZero() {
		p.since = now
	}
	if now.Sub(p.since) < p.l.cfg.betterFor || p.l.Playback().Buffer.Delay != 0 {
		return false
	}
	p.which, p.trying = i, make(chan error, 1)
	go func(result chan<- error) { result <- p.l.try(ctx, pcm, label) }(p.trying)
	return false
}

// there is the first preferred device that is there and has not failed lately; -1: none is.
func (p *preferred) there(now time.Time) (i int, pcm, label string) {
	for i, name := range p.names {
		if now.Sub(p.failed[i]) < p.l.cfg.betterRest {
			continue
		}
		if pcm, label, err := device.FindLoudspeaker(name); err == nil {
			return i, pcm, label
		}
	}
	return -1, "", ""
}

// wait waits for a trial that has begun, which ends soon after its context.
func (p *preferred) wait() {
	if p.trying != nil {
		<-p.trying
	}
}

// try plays silence on a device for long enough to know whether it takes sound at the pace of sound.
func (l *Loudspeaker) try(ctx context.Context, pcm, label string) error {
	var taken atomic.Uint64
	end, err := l.opened(pcm, label, func(out []byte) {
		clear(out)
		taken.Add(uint64(len(out) / 2))
	}, func() {})
	if err != nil {
		return err
	}
	defer end()
	const twice = 2 * countFor
	timer := time.NewTimer(twice)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	}
	if n := taken.Load(); n == 0 || float64(n) > tooFast*twice.Seconds()*rate {
		return fmt.Errorf("loudspeaker %s takes no sound, or throws it away", label)
	}
	return nil
}
