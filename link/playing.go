package link

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// The play path is probed more slowly than the publish path: it shares the uplink, only the session could be dead. Once a second
	// as long as anything is sent over the link.
	playProbeFactor = 5
	minPlayProbe    = time.Second
	// After playDoubt unanswered probes in a row they come faster, and playMisses in a row end a play half whose publish half
	// is answered: 5 s after its death while media flows. A link that is merely bad must keep its second leg: with 30 % lost
	// each way (half of all probes) 16 in a row come by chance once in 14 hours.
	playDoubt      = 2
	playDoubtEvery = 200 * time.Millisecond
	playMisses     = 16
)

var errPlaySilent = errors.New("the play session does not answer while the publish session does")

// keepPlaying dials the play half again whenever it ends, until the session is over. The session does not end with it:
// without return media the room's picture still reaches the physician.
func (s *Session) keepPlaying(p *player, err error) {
	wait := Backoff{Max: 5 * time.Second}
	for {
		if p != nil {
			wait.Reset()
			select {
			case <-p.done:
				err = p.reason()
			case <-s.ctx.Done():
			}
			s.playing(nil)
			s.takeDownPlayer(p)
		}
		if s.ctx.Err() != nil {
			return
		}
		s.tellWaiting(err)
		var problem *Problem
		var after time.Duration
		if errors.As(err, &problem) {
			after = problem.After
		}
		select {
		case <-time.After(wait.Next(after)):
		case <-s.ctx.Done():
			return
		}
		ctx, cancel := context.WithTimeout(s.ctx, dialLimit)
		p, err = s.dialPlay(ctx)
		cancel()
		if err == nil {
			s.playing(p)
		}
	}
}

func (s *Session) takeDownPlayer(p *player) {
	var down sync.WaitGroup
	down.Go(func() { s.unmake(p.resource) })
	down.Go(p.shut)
	down.Wait()
}

// playing makes p the player (nil: none) and tells.
func (s *Session) playing(p *player) {
	s.mu.Lock()
	s.player = p
	s.mu.Unlock()
	if p == nil {
		return
	}
	if s.ev.Playing != nil {
		s.ev.Playing(true, "")
	}
}

func (s *Session) tellWaiting(err error) {
	reason := "the play session ended"
	switch {
	case nobodyThere(err):
		reason = "nobody there yet"
	case err != nil:
		reason = err.Error()
	}
	s.log.Debug("not playing", "reason", reason)
	if s.ev.Playing != nil {
		s.ev.Playing(false, reason)
	}
}

// probePlay probes a play half, and ends it when it is silent while the publish path is answered: same uplink, so the
// session is dead.
func (s *Session) probePlay(h *half, ssrc uint32) {
	var misses atomic.Int32
	every := func() time.Duration {
		if misses.Load() >= playDoubt {
			return playDoubtEvery
		}
		return s.playProbeEvery()
	}
	h.probe(ssrc, every, nil, wordless, nil, func(sample Sample) {
		if sample.Answered {
			misses.Store(0)
		} else if n := misses.Add(1); n >= playMisses && s.missing.Load() == 0 {
			h.end(errPlaySilent)
		} else if n >= playDoubt {
			h.affirm(time.Now())
		}
	})
}

func (s *Session) playProbeEvery() time.Duration {
	every := defaultProbeEvery
	if s.cfg.ProbeEvery != nil {
		every = s.cfg.ProbeEvery()
	}
	return min(max(every*playProbeFactor, minPlayProbe), maxProbeEvery)
}

func (s *Session) nowPlaying() *player {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.player
}

// Playing reports whether the play half is connected now.
func (s *Session) Playing() bool { return s.nowPlaying() != nil }
