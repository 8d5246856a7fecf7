package link

import "time"

const (
	// doubtAfter unanswered probes in a row, and doubtSilence without an answer, make us ask the far end over HTTP whether
	// it still knows us: early enough to be back 2 s after it was restarted, rarely under 30 % loss (one time in 1000).
	doubtAfter   = 2
	doubtSilence = 500 * time.Millisecond
	askPause     = time.Second // between two such questions
	// brokenAfter is how long the far end must have answered over HTTP alone before the media path is given up: a new
	// session costs half a second, and a burst of loss is over sooner. A NAT that forgot the path is cured long before (consent.go).
	brokenAfter = 5 * time.Second
	// restartAfter is the same for a new path by ICE restart, where the far end takes one: that keeps the session, and whoever
	// watches it. Longer than any hole in the air that ends by itself.
	restartAfter = 3 * time.Second
)

// measurePlain is for a far end that does not answer probes: it answers ICE's checks, and reports on what it receives.
func (s *Session) measurePlain() {
	p := &plain{tell: s.sampled, uplink: s.cfg.Uplink}
	for k, l := range s.legs {
		p.streams[k].ssrc = l.ssrc()
		l.plain = p
	}
	p.checked = s.pub.check(s.sends, s.cfg.ProbeEvery, s.sampled)
	s.pub.plain.Store(p)
	s.pub.run(func() { p.run(s.pub.done, s.pub.sendRTCP) })
}

// sampled takes the outcome of a probe on the publish path.
func (s *Session) sampled(sample Sample) {
	if sample.Answered {
		s.missing.Store(0)
		s.answered.Store(time.Now().UnixNano())
	} else if s.missing.Add(1) >= doubtAfter {
		s.affirm()
		if time.Since(time.Unix(0, s.answered.Load())) >= doubtSilence {
			select {
			case s.doubt <- struct{}{}:
			default:
			}
		}
	}
	if s.ev.Sample != nil {
		s.ev.Sample(sample)
	}
}

// affirm shows the far end both halves' present addresses: it may have seen another one until now.
func (s *Session) affirm() {
	now := time.Now()
	s.pub.affirm(now)
	if p := s.nowPlaying(); p != nil {
		p.affirm(now)
	}
}

// Doubt has the far end asked at once whether it still knows the session: this machine slept, say. Connections that were open before
// are not used for it.
func (s *Session) Doubt() {
	s.signal.client.CloseIdleConnections()
	s.affirm()
	s.doubted.Store(true)
	select {
	case s.doubt <- struct{}{}:
	default:
	}
}

// inquire asks the far end over HTTP whether it still knows the session while probes stay unanswered. One that was
// restarted answers 404 within a round trip or two, where ICE would wait its 30 s out; one that knows the session, again
// and again, while its media path stays silent, says that only a new path will help. On a dead uplink the question fails,
// which is no news.
func (s *Session) inquire() {
	var known time.Time // since when the far end answers that it knows the session, without a probe answered
	restarted := false  // since then
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.doubt:
		}
		if s.missing.Load() < doubtAfter && !s.doubted.Swap(false) {
			continue
		}
		asked := time.Now()
		switch s.signal.ask(s.ctx, s.pub.resource) {
		case gone:
			s.end(ErrForgotten)
			return
		case silent:
			known = time.Time{}
		case there:
			if last := time.Unix(0, s.answered.Load()); known.IsZero() || last.After(known) {
				known, restarted = asked, false
			} else if time.Since(known) >= brokenAfter {
				s.end(ErrPathBroken)
				return
			} else if !restarted && s.pub.canRestart() && time.Since(known) >= restartAfter {
				restarted = true
				if err := s.pub.restart(s.ctx, s.signal); err != nil {
					s.log.Debug("no new path by ICE restart", "error", err)
					s.end(ErrPathBroken)
					return
				}
			}
		}
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(askPause):
		}
	}
}
