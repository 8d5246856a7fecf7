package devices

import (
	"fmt"
	"time"
)

// Invariants is how many there are, D1 first.
const Invariants = 7

// Breach is an invariant that did not hold.
type Breach struct {
	Invariant int // 1 is D1
	Text      string
}

func (b Breach) String() string { return fmt.Sprintf("D%d: %s", b.Invariant, b.Text) }

// Guard checks the invariants from what went in and what came out alone. Use NewGuard.
type Guard struct {
	used   int
	routed time.Duration // the last change for preference, or the start of calm
	since  []since
}

// since is since when a device is what it is, and since when it is usable without a break.
type since struct {
	is         Condition
	at, usable time.Duration
}

// NewGuard watches a choice among n devices from its start on.
func NewGuard(n int, now time.Duration) *Guard {
	return &Guard{routed: now - Dwell, since: make([]since, max(n, 1))}
}

// Check looks at one step: what was seen at instant at, what was decided, and the deadline after it.
func (g *Guard) Check(at time.Duration, seen Seen, d Decision, deadline time.Duration) []Breach {
	var all []Breach
	breach := func(n int, format string, args ...any) {
		all = append(all, Breach{n, fmt.Sprintf(format, args...)})
	}
	for i := range g.since {
		is := Unknown
		if i < len(seen.Conditions) {
			is = seen.Conditions[i]
		}
		g.hear(i, is, at)
	}
	if deadline <= at {
		breach(7, "the deadline %v is not behind %v", deadline, at)
	}
	if d.Used < 0 || d.Used >= len(g.since) {
		breach(1, "device %d of %d", d.Used, len(g.since))
		return all
	}
	if d.Changed != (d.Used != g.used) || d.Changed != (d.Why != None) || d.Changed && d.From != g.used {
		breach(1, "from %d to %d, and it says %+v", g.used, d.Used, d)
	}
	for i, s := range g.since {
		if i != d.Used && g.since[d.Used].is == Failed && s.is.worth() >= Doubtful.worth() && at-s.usable >= Settle {
			breach(2, "device %d failed and is used while device %d is %v", d.Used, i, s.is)
		}
	}
	if d.Changed {
		g.changed(at, seen, d, breach)
	}
	g.used = d.Used
	return all
}

func (g *Guard) hear(i int, is Condition, at time.Duration) {
	s := &g.since[i]
	if is == s.is {
		return
	}
	if s.is.worth() < Doubtful.worth() {
		s.usable = at
	}
	s.is, s.at = is, at
}

func (g *Guard) changed(at time.Duration, seen Seen, d Decision, breach func(int, string, ...any)) {
	from, to := g.since[d.From], g.since[d.Used]
	better := to.is.worth() > from.is.worth()
	if to.is == Failed || to.is == Unknown || !better && d.Why != Preferred {
		breach(3, "from device %d (%v) to device %d (%v) because of %v", d.From, from.is, d.Used, to.is, d.Why)
	}
	if d.Why == Preferred {
		if d.Used > d.From || to.is != OK || at-to.at < Dwell || from.is != OK {
			breach(4, "to device %d (%v for %v) from %d (%v) for preference", d.Used, to.is, at-to.at, d.From, from.is)
		}
		if seen.Open {
			breach(5, "to device %d for preference while a procedure is open", d.Used)
		}
		if at-g.routed < Dwell {
			breach(6, "a change for preference %v after the last change", at-g.routed)
		}
	}
	g.routed = at
}
