package failover

import (
	"fmt"
	"time"
)

// Protection says when a stream is sent over more than the best link, the most copies first.
type Protection uint8

const (
	Always  Protection = iota // a copy on every link that is not Down
	OnDoubt                   // copies while the best link, or a link's proof, is in doubt
	Never                     // one copy; only a hand-over sends two for a moment
	ByCost                    // Always on a link that is not metered, OnDoubt on one that is
	numProtections
)

// Allowance is how much of its data budget a link has left, and so which copies it still carries. What is shed first is
// what is missed least: a copy of the picture, then one of voice, then frequent probes.
type Allowance uint8

const (
	Enough Allowance = iota // or there is no budget: everything
	Low                     // no copies of video; while a procedure is open they come on doubt alone
	Short                   // no copies of video, and none of voice unless a procedure is open
	Spent                   // the same, and it is probed every SpentProbe while it carries nothing and no procedure is open
	numAllowances
)

// Phase is what goes on in the room: copies cost money, and not everything is worth the same.
type Phase uint8

const (
	Idle        Phase = iota // no procedure is open
	InProcedure              // contrast or observation is open
	NumPhases   = 2
)

// Protect sets a stream's protection in every phase.
func (p *Policy) Protect(s Stream, how Protection) {
	for phase := range p.Protection {
		p.Protection[phase][s] = how
	}
}

// Phase is the present one.
func (s *Snapshot) Phase() Phase {
	if s.Procedure {
		return InProcedure
	}
	return Idle
}

// protection is what the policy says of a stream's copies on one link, before its budget is looked at. It is never ByCost.
func (p *Policy) protection(s Stream, l Link, phase Phase) Protection {
	how := p.Protection[phase][s]
	switch {
	case how != ByCost:
		return how
	case p.Links[l].Metered:
		return OnDoubt
	}
	return Always
}

// sheds reports whether so little is left that a link carries no copies of the stream at all (F7).
func (a Allowance) sheds(s Stream, phase Phase) bool {
	if s == Video {
		return a >= Short || a == Low && phase == Idle
	}
	return a >= Short && phase == Idle
}

// copies is when a link that is not the best carries the stream: the policy's word, less what its budget takes away.
func (p *Policy) copies(s Stream, l Link, v *LinkView, phase Phase) Protection {
	how := p.protection(s, l, phase)
	switch {
	case v.Allowance.sheds(s, phase):
		return Never
	case s == Video && v.Allowance == Low && how == Always:
		return OnDoubt
	}
	return how
}

// Copies is when a link that is not the best carries the stream in the present phase. It is never ByCost.
func (e *Engine) Copies(s Stream, l Link) Protection {
	return e.p.copies(s, l, &e.s.Links[l], e.s.Phase())
}

// idleProbe is how often a link that carries nothing and is well is probed.
func (p *Policy) idleProbe(l Link, v *LinkView, phase Phase) time.Duration {
	switch {
	case v.Allowance == Spent && phase == Idle:
		return p.SpentProbe
	case p.Links[l].Metered && v.Verdict == Up:
		return p.MeteredProbe
	}
	return p.IdleProbe
}

// sampleDue is how long a link may be without any probe's outcome before that is suspect: it does not depend on what the
// link carries now, for the last outcome may be of a time when it carried nothing.
func (p *Policy) sampleDue(l Link, v *LinkView) time.Duration {
	switch {
	case v.Allowance == Spent:
		return max(p.SampleDue, idleDue*p.SpentProbe)
	case p.Links[l].Metered:
		return max(p.SampleDue, idleDue*p.MeteredProbe)
	}
	return p.SampleDue
}

// idleDue is how many intervals of an idle link without an outcome are suspect.
const idleDue = 3

// reason is why an allowance that fell to this sheds what it sheds.
func (a Allowance) reason() Reason {
	switch a {
	case Low:
		return BudgetLow
	case Short:
		return BudgetShort
	case Spent:
		return BudgetSpent
	}
	return BudgetBack
}

// The words of the closed sets: constant tables.
var (
	protectionWords = [...]string{"always", "on-doubt", "never", "by-cost"}
	allowanceWords  = [...]string{"enough", "low", "short", "spent"}
)

func (p Protection) String() string { return wordOf(protectionWords[:], uint8(p)) }
func (a Allowance) String() string  { return wordOf(allowanceWords[:], uint8(a)) }

// MarshalText writes the word, so that JSON is readable.
func (p Protection) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
func (a Allowance) MarshalText() ([]byte, error)  { return []byte(a.String()), nil }

// UnmarshalText reads the word back.
func (p *Protection) UnmarshalText(b []byte) error {
	return readWord((*uint8)(p), protectionWords[:], "protection", b)
}
func (a *Allowance) UnmarshalText(b []byte) error {
	return readWord((*uint8)(a), allowanceWords[:], "allowance", b)
}

// protectionText writes a stream's protection as a trace has it: one word, or where the phases differ idle's first.
func (p *Policy) protectionText(s Stream) string {
	idle, open := p.Protection[Idle][s], p.Protection[InProcedure][s]
	if idle == open {
		return idle.String()
	}
	return fmt.Sprintf("%v %v", idle, open)
}
