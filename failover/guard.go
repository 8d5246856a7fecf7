package failover

import (
	"fmt"
	"time"
)

// Breach is an invariant that did not hold after a Step.
type Breach struct {
	Invariant int // the number in F1 to F11
	At        Instant
	What      string
}

func (b Breach) String() string {
	return fmt.Sprintf("%s F%d: %s", b.At, b.Invariant, b.What)
}

// Guard checks the invariants after every Step. It keeps its own memory of what the plans were, and a second engine that
// is fed the same events and must decide the same. It belongs to the engine's goroutine; make it before the first Step
// that it is to see.
type Guard struct {
	twin    *Engine
	before  Snapshot
	carried [NumStreams][MaxLinks]Instant // since when, by the plans alone
	moves   [NumStreams][]Instant         // switchovers of the engine's own will, in the last minute without a Down link
}

// NewGuard makes the guard of an engine.
func NewGuard(e *Engine) *Guard {
	g := &Guard{before: e.Snapshot()}
	g.twin, _ = Restore(e.p, g.before) // cannot fail: an engine's own snapshot
	g.carried = g.before.Carried
	return g
}

// Check reports what was broken by the Step that took ev at that instant and answered d. Nil, and nothing allocated but
// by the decisions themselves, if all is well.
func (g *Guard) Check(e *Engine, at Instant, ev Event, d Decision) []Breach {
	c := check{g: g, now: &e.s, p: &e.p, d: d}
	c.twin(at, ev)
	c.reasons()
	c.deadline(e)
	for s := range d.Plan.Route {
		c.stream(Stream(s))
	}
	c.best()
	c.rate()
	g.before.Plan = d.Plan
	copy(g.before.Links, e.s.Links)
	g.before.Procedure = e.s.Procedure
	return c.out
}

// check is one run of the Guard.
type check struct {
	g   *Guard
	now *Snapshot
	p   *Policy
	d   Decision
	out []Breach
}

func (c *check) breach(invariant int, format string, args ...any) {
	c.out = append(c.out, Breach{invariant, c.now.At, fmt.Sprintf(format, args...)})
}

// F5: same policy and trace, same decisions.
func (c *check) twin(at Instant, ev Event) {
	d := c.g.twin.Step(at, ev)
	same := d.Plan == c.d.Plan && len(d.Rulings) == len(c.d.Rulings) && len(d.Switchovers) == len(c.d.Switchovers)
	for i := 0; same && i < len(d.Rulings); i++ {
		same = d.Rulings[i] == c.d.Rulings[i]
	}
	for i := 0; same && i < len(d.Switchovers); i++ {
		same = d.Switchovers[i] == c.d.Switchovers[i]
	}
	if same = same && len(d.Resizings) == len(c.d.Resizings); same && len(d.Resizings) > 0 {
		same = d.Resizings[0] == c.d.Resizings[0]
	}
	if !same {
		c.breach(5, "the same event brought another decision in a second engine")
	}
}

// F6: every change has a reason.
func (c *check) reasons() {
	for _, r := range c.d.Rulings {
		if r.Reason == noReason || r.Reason >= numReasons {
			c.breach(6, "the ruling on %s has no reason", c.p.name(r.Link))
		}
	}
	for l := range c.now.Links {
		verdict := c.g.before.Links[l].Verdict
		for _, r := range c.d.Rulings {
			if r.Link == Link(l) && r.From == verdict {
				verdict = r.To
			}
		}
		if verdict != c.now.Links[l].Verdict {
			c.breach(6, "%s became %v without a ruling", c.p.name(Link(l)), c.now.Links[l].Verdict)
		}
	}
	for s, from := range c.g.before.Plan.Route {
		for _, w := range c.d.Switchovers {
			if w.Reason == noReason || w.Reason >= numReasons {
				c.breach(6, "the switchover of %v has no reason", w.Stream)
			}
			if w.Stream == Stream(s) && w.From == from {
				from = w.To
			}
		}
		if from != c.d.Plan.Route[s] {
			c.breach(6, "%v changed links without a switchover", Stream(s))
		}
	}
}

// F8: Deadline is never in the past after Step.
func (c *check) deadline(e *Engine) {
	if at, ok := e.Deadline(); !ok || at <= c.now.At {
		c.breach(8, "the deadline %s is not after the step at %s", at, c.now.At)
	}
}

func (c *check) down(l Link) bool { return c.now.Links[l].Verdict == Down }

// stream checks what concerns one stream's route: F1, F2, F3, F4, F7, F10.
func (c *check) stream(s Stream) {
	from, to := c.g.before.Plan.Route[s], c.d.Plan.Route[s]
	var all, up, proven LinkSet
	for l := range c.now.Links {
		all = all.With(Link(l))
		if !c.down(Link(l)) {
			up = up.With(Link(l))
		}
		if c.now.Links[l].Verdict >= Degraded {
			proven = proven.With(Link(l))
		}
	}
	switch {
	case to == 0:
		c.breach(1, "%v has no route", s)
	case up == 0 && to != all:
		c.breach(2, "every link is down, and %v is not on all of them", s)
	case up != 0 && to.Minus(up) != 0:
		c.breach(2, "%v is on a link that is down while another is not", s)
	case proven != 0 && to&proven == 0:
		c.breach(10, "%v is only on links that are still proving", s)
	}
	c.handover(s, from, to)
	c.flaps(s, up == all)
	c.budget(s, to)
}

// F3: a link leaves only after its successor has carried the stream for Overlap, unless it is Down.
func (c *check) handover(s Stream, from, to LinkSet) {
	at := c.now.At
	for l := range c.now.Links {
		if l := Link(l); to.Has(l) && !from.Has(l) {
			c.g.carried[s][l] = at
		}
	}
	for l := range c.now.Links {
		if l := Link(l); from.Has(l) && !to.Has(l) && !c.down(l) && !c.successor(s, to) {
			c.breach(3, "%v left %s before another link had carried it for %v", s, c.p.name(l), c.p.Overlap)
		}
	}
}

func (c *check) successor(s Stream, to LinkSet) bool {
	for m := range c.now.Links {
		if to.Has(Link(m)) && !c.down(Link(m)) && c.now.At.Sub(c.g.carried[s][m]) >= c.p.Overlap {
			return true
		}
	}
	return false
}

// F4: with no link Down, at most SwitchoversPerMinute, not counting what was asked for.
func (c *check) flaps(s Stream, allUp bool) {
	moves := c.g.moves[s]
	for _, v := range c.g.before.Links {
		allUp = allUp && v.Verdict != Down
	}
	if !allUp {
		c.g.moves[s] = moves[:0]
		return
	}
	for len(moves) > 0 && c.now.At.Sub(moves[0]) >= time.Minute {
		moves = moves[:copy(moves, moves[1:])]
	}
	for _, w := range c.d.Switchovers {
		if w.Stream == s && !w.Reason.commanded() {
			moves = append(moves, c.now.At)
		}
	}
	if c.g.moves[s] = moves; len(moves) > c.p.SwitchoversPerMinute {
		c.breach(4, "%v changed links %d times within a minute", s, len(moves))
	}
}

// F7: a metered link carries an OnDoubt stream only while there is doubt about the best link or about that link's proof,
// or to hand it over; a copy only while its budget allows it; and voice is never shed for budget while a procedure is open.
func (c *check) budget(s Stream, to LinkSet) {
	for l := range c.now.Links {
		l, v := Link(l), &c.now.Links[l]
		if c.down(l) || l == c.d.Plan.Best {
			continue
		}
		phase := c.now.Phase()
		how, spent := c.p.protection(s, l, phase), v.Allowance >= Short && !(s == Voice && c.now.Procedure) || s == Video && v.Allowance == Low && !c.now.Procedure
		doubt := c.now.Doubt != noReason || v.Verdict == Proving && s == Voice
		switch {
		case !to.Has(l) && s == Voice && phase == InProcedure && how == Always:
			c.breach(7, "voice was shed from %s while a procedure is open", c.p.name(l))
		case !to.Has(l) || !c.handedOver(s, l, to, spent):
		case spent:
			c.breach(7, "%s carries %v, which its budget does not allow", c.p.name(l), s)
		case c.p.Links[l].Metered && (how == OnDoubt || s == Video && v.Allowance == Low) && !doubt:
			c.breach(7, "%s is metered and carries %v without doubt", c.p.name(l), s)
		}
	}
}

// handedOver reports whether another link has carried the stream for long enough that this one needs not: the best link, or where
// that is too thin for it, those that carry it instead; and well, unless this link's budget is spent.
func (c *check) handedOver(s Stream, l Link, to LinkSet, spent bool) bool {
	heirs := to.Without(l)
	if best := c.d.Plan.Best; heirs.Has(best) {
		heirs = Links(best)
	}
	for m := range c.now.Links {
		if heirs.Has(Link(m)) && (spent || !c.now.Links[m].Suspect) && c.now.At.Sub(c.now.Carried[s][m]) >= c.p.Overlap {
			return c.d.Plan.HasBest
		}
	}
	return false
}

// F9: no switch away from a working link for preference while a procedure is open.
func (c *check) best() {
	before, now := c.g.before.Plan, c.d.Plan
	if !now.HasBest {
		for l := range c.now.Links {
			if !c.down(Link(l)) {
				c.breach(2, "%s is not down, and no link is best", c.p.name(Link(l)))
			}
		}
		return
	}
	if !before.HasBest || before.Best == now.Best || !c.now.Procedure {
		return
	}
	if old := &c.now.Links[before.Best]; old.Verdict == Up && !old.Suspect && old.Allowance < Spent && !c.now.Links[now.Best].Pinned {
		c.breach(9, "the best link went from %s, which works, to %s while a procedure is open", c.p.name(before.Best), c.p.name(now.Best))
	}
}
