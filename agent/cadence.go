package agent

import "scanside/failover"

// cadence tells the links how often to probe.
func (l *loop) cadence() {
	for i := range l.links {
		l.pace(failover.Link(i))
	}
}

// pace tells one link.
func (l *loop) pace(i failover.Link) {
	s := &l.links[i]
	every, brief := l.engine.ProbeEvery(i), l.brief(i)
	l.agent.uplinks[i].every.Store(int64(every))
	wordy := l.agent.uplinks[i].brief.Swap(brief) && !brief
	if (every < s.every || wordy) && s.conn != nil {
		s.conn.session.Hurry()
	}
	s.every = every
}

// brief reports whether a link's probes may leave out what the best link's say as well: its bytes cost money, neither is in any
// doubt, and it carries no picture, whose room is measured by what they say.
func (l *loop) brief(i failover.Link) bool {
	e := l.engine.Snapshot()
	clear := func(i failover.Link) bool {
		v := &e.Links[i]
		return v.Verdict == failover.Up && !v.Suspect && v.Echoes.Misses == 0
	}
	return l.agent.cfg.Uplinks[i].Metered && e.Plan.HasBest && e.Plan.Best != i && clear(i) && clear(e.Plan.Best) &&
		!e.Plan.Route[failover.Video].Has(i)
}
