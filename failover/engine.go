package failover

import (
	"fmt"
	"slices"
)

// Engine rules on links and says what they should carry. It belongs to one goroutine. Make it with New or Restore.
type Engine struct {
	p Policy
	s Snapshot
}

// Plan is what should be true: which links carry each stream. Plans compare with ==.
type Plan struct {
	Route   [NumStreams]LinkSet
	Best    Link // the link a single copy takes
	HasBest bool // false while every link is Down

	Rate      int  // bit/s wanted of the picture; 0: as configured
	VoiceOnly bool // no picture is sent for now, for voice's sake; it keeps its route (F1)
}

// Decision is the whole plan, and what was ruled and rerouted by this Step to get there. Making the plan true twice is
// harmless; the lists only explain. All are empty, and nothing was allocated, when nothing changed.
type Decision struct {
	Plan        Plan
	Rulings     []Ruling
	Switchovers []Switchover
	Resizings   []Resizing // one at most
}

// Ruling is one link's change of verdict, or of suspicion: then From equals To.
type Ruling struct {
	Link     Link
	From, To Verdict
	Suspect  bool // the link is now suspect
	Reason   Reason
	At       Instant
	LastGood Instant // last proof that the link, or the direction in question, worked; At-LastGood is the time to detect
}

// Switchover is one stream's change of links.
type Switchover struct {
	Stream   Stream
	From, To LinkSet
	Link     Link // the link that Reason speaks of
	Reason   Reason
	At       Instant
	LastGood Instant // of Link
}

// New makes an engine in which no link has connected. The error holds every mistake of the policy.
func New(p Policy) (*Engine, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("make the failover engine: %w", err)
	}
	p.Links = slices.Clone(p.Links)
	e := &Engine{p: p}
	e.s.Links = make([]LinkView, len(p.Links))
	for i := range e.s.Links {
		e.s.Links[i] = LinkView{Name: p.Links[i].Name, Reason: NotConnected, Dwell: p.Dwell}
	}
	for s := range e.s.Plan.Route {
		e.s.Plan.Route[s] = e.all() // blind, call everywhere
	}
	e.s.Why = AllDown
	return e, nil
}

// Policy is the policy the engine runs by.
func (e *Engine) Policy() Policy {
	p := e.p
	p.Links = slices.Clone(e.p.Links)
	return p
}

// Deadline is when Step wants to be called at the latest, with Tick if nothing else happened. False before the first Step.
func (e *Engine) Deadline() (Instant, bool) {
	return e.s.At.Add(e.p.Heartbeat), e.s.Started
}

// Step takes in what happened at that instant and answers with what should now be true. Time does not run backwards: an
// instant before the last one counts as the last. Events about links that the policy does not name are ignored.
func (e *Engine) Step(at Instant, ev Event) Decision {
	if !e.s.Started {
		e.s.Started, e.s.At = true, max(at, 0)
	}
	at = min(max(at, e.s.At), endOfTime)
	e.stall(at)
	e.s.At = at

	t := turn{Engine: e, at: at}
	t.take(ev)
	for l := range e.s.Links {
		t.judge(Link(l))
	}
	t.plan()
	t.rate()
	t.d.Plan = e.s.Plan
	return t.d
}

// endOfTime keeps sums of instants from overflowing: 146 years.
const endOfTime = Instant(1 << 62)

// turn is one Step: the engine, and what has come of it so far.
type turn struct {
	*Engine
	at    Instant
	d     Decision
	fell  cause // the first link that fell to Down in this turn
	rose  cause // the first that came out of it
	eased cause // the first link that is no longer too thin for the picture
	told  cause // what people or a budget asked for

	calmed bool // doubt was withdrawn in this turn
}

// cause is a reason and the link it speaks of.
type cause struct {
	reason Reason
	link   Link
}

func (c *cause) note(r Reason, l Link) {
	if c.reason == noReason {
		*c = cause{r, l}
	}
}

// stall notices that we ourselves slept: whoever cannot call Step in time could not receive either. Everything that is
// measured in silence, or in time carried, moves on by the time slept.
func (e *Engine) stall(at Instant) {
	due := e.s.At.Add(e.p.Heartbeat)
	if at.Sub(due) <= e.p.Stall {
		return
	}
	slept := at.Sub(due)
	e.s.StallEnd = at
	e.s.Stalls++
	for l := range e.s.Links {
		v := &e.s.Links[l]
		v.Echoes.MissedSince = v.Echoes.MissedSince.Add(slept)
		v.Echoes.Last = v.Echoes.Last.Add(slept)
		v.Arrivals.LostSince = v.Arrivals.LostSince.Add(slept)
		v.Refused.Since = v.Refused.Since.Add(slept)
		v.ProofAt = v.ProofAt.Add(slept)
		v.Capacity.QueuedSince = v.Capacity.QueuedSince.Add(slept)
		v.Capacity.ShortSince = v.Capacity.ShortSince.Add(slept)
		v.Capacity.Charged = v.Capacity.Charged.Add(slept)
		for s := range e.s.Carried {
			e.s.Carried[s][l] = e.s.Carried[s][l].Add(slept)
		}
	}
	e.s.CalmSince = e.s.CalmSince.Add(slept)
}

func (e *Engine) all() LinkSet { return firstLinks(len(e.s.Links)) }

// usable is the set of links that are not Down.
func (e *Engine) usable() LinkSet {
	var s LinkSet
	for l := range e.s.Links {
		if e.s.Links[l].Verdict != Down {
			s = s.With(Link(l))
		}
	}
	return s
}

// carries reports whether the plan puts anything on the link.
func (e *Engine) carries(l Link) bool {
	for _, r := range e.s.Plan.Route {
		if r.Has(l) {
			return true
		}
	}
	return false
}
