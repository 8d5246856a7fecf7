package media

import "time"

// GapWindow is how far back MergerStats.RecentGap looks: longer than it takes to leave a dead link on suspicion, and short
// enough that a minute with two outages tells them apart.
const GapWindow = 2 * time.Second

// gapMeter keeps the longest time between two hits. Times are since any fixed moment. The zero value is ready.
type gapMeter struct {
	last, longest time.Duration
	started       bool
}

func (g *gapMeter) hit(at time.Duration) {
	if g.started {
		g.longest = max(g.longest, at-g.last)
	}
	g.last, g.started = at, true
}

// upTo is the longest gap, that since the last hit included.
func (g *gapMeter) upTo(at time.Duration) time.Duration {
	if !g.started {
		return 0
	}
	return max(g.longest, at-g.last)
}

const gapSlots = 8 // of GapWindow: it looks back up to an eighth less

// recentGap keeps the longest time between two hits of those that ended within GapWindow. The zero value is ready.
type recentGap struct {
	gapMeter
	slots [gapSlots]struct {
		turn int64 // which eighth of a window since the fixed moment
		gap  time.Duration
	}
}

func (g *recentGap) hit(at time.Duration) {
	if g.started {
		turn := int64(at / (GapWindow / gapSlots))
		s := &g.slots[turn%gapSlots]
		if s.turn != turn {
			s.turn, s.gap = turn, 0
		}
		s.gap = max(s.gap, at-g.last)
	}
	g.last, g.started = at, true
}

// upTo is the longest gap that ended within GapWindow before at, that since the last hit included.
func (g *recentGap) upTo(at time.Duration) time.Duration {
	longest := g.gapMeter.upTo(at)
	turn := int64(at / (GapWindow / gapSlots))
	for _, s := range g.slots {
		if turn-s.turn < gapSlots {
			longest = max(longest, s.gap)
		}
	}
	return longest
}
