package failover

import "time"

// plan derives what should be carried where from what is known, and says what changed.
func (t *turn) plan() {
	old := t.s.Plan
	t.s.Plan.Best, t.s.Plan.HasBest = t.best()
	t.doubt()
	for s := range old.Route {
		t.s.Plan.Route[s] = t.route(Stream(s), old.Route[s])
	}
	for s, from := range old.Route {
		to := t.s.Plan.Route[s]
		if from == to {
			continue
		}
		for l := range t.s.Links {
			if to.Has(Link(l)) && !from.Has(Link(l)) {
				t.s.Carried[s][l] = t.at
			}
		}
		why := t.why(Stream(s), from, to, old)
		t.d.Switchovers = append(t.d.Switchovers, Switchover{
			Stream(s), from, to, why.link, why.reason, t.at, t.s.Links[why.link].LastGood})
	}
}

// rank orders links for the part of the best. A spent budget costs a link its place among the proven ones, never more: a
// link that is Proving is relied on only where there is no other.
func (v *LinkView) rank() int {
	switch {
	case v.Verdict == Down:
		return 0
	case v.Verdict == Proving && v.Allowance == Spent:
		return 1
	case v.Verdict == Proving:
		return 2
	case v.Allowance == Spent:
		return 1 + int(v.Verdict) // 3, 4
	}
	return 3 + int(v.Verdict) // 5, 6
}

// best chooses the link that a single copy takes, and notes in Why why it moved.
func (t *turn) best() (Link, bool) {
	now, has := t.s.Plan.Best, t.s.Plan.HasBest
	next, pin := t.candidate()
	c := &t.s.Links[next]
	if c.Verdict == Down {
		t.s.Why = AllDown
		return 0, false
	}
	if !has {
		t.s.Why = c.Reason
		return next, true
	}
	if next == now {
		return now, true
	}
	b := &t.s.Links[now]
	switch {
	case b.Verdict == Down:
		t.s.Why = b.Reason
	case pin:
		t.s.Why = OperatorPin
	case b.Verdict == Proving && c.Verdict > Proving:
		t.s.Why = c.Reason
	case b.Allowance == Spent && c.rank() > b.rank():
		t.s.Why = BudgetSpent
	case c.Suspect:
		return now, true
	case c.rank() > b.rank() && t.act():
		t.s.Why = b.Reason
	case c.rank() == b.rank() && c.Verdict == Up && !t.s.Procedure && t.act():
		t.s.Why = Preferred
	default:
		return now, true
	}
	return next, true
}

// candidate is the link that would be best if nothing were before. An operator's pin outranks everything once its link is
// proven; before that it is a preference among equals.
func (t *turn) candidate() (next Link, pin bool) {
	for l := range t.s.Links {
		v, best := &t.s.Links[l], &t.s.Links[next]
		if v.Pinned && v.Verdict >= Degraded {
			return Link(l), true
		}
		if v.rank() > best.rank() || v.rank() == best.rank() && v.Pinned {
			next = Link(l)
		}
	}
	return next, t.s.Links[next].Pinned
}

// act takes one of the changes that the engine may make of its own will in a minute (F4), if there is one left.
func (t *turn) act() bool {
	if n := uint64(t.p.acts()); t.s.ActCount >= n && t.at.Sub(t.s.Acts[(t.s.ActCount-n)%maxActs]) < time.Minute {
		return false
	}
	t.s.Acts[t.s.ActCount%maxActs] = t.at
	t.s.ActCount++
	return true
}

// doubt decides whether OnDoubt streams have copies: at once if anything is wrong with the best link, and no longer once
// all has been well for a while.
func (t *turn) doubt() {
	now := noReason
	switch v := &t.s.Links[t.s.Plan.Best]; {
	case !t.s.Plan.HasBest:
		now = AllDown
	case v.Suspect:
		now = v.SuspectReason
	case v.Verdict != Up:
		now = v.Reason
	case v.Capacity.Charge != noReason:
		now = v.Capacity.Charge
	}
	switch {
	case now != noReason:
		t.s.Doubt, t.s.CalmSince = now, t.at
	case t.s.Doubt == noReason || t.at.Sub(t.s.CalmSince) < t.p.DoubtHold:
	case t.usable().Len() == 1 || t.act(): // with one link there are no copies to end
		t.s.Doubt, t.calmed = noReason, true
	}
}

// route is where one stream should go, given where it goes.
func (t *turn) route(s Stream, old LinkSet) LinkSet {
	usable := t.usable()
	if usable == 0 {
		return t.all() // F2: blind, call everywhere
	}
	var want LinkSet
	for l := range t.s.Links {
		if l := Link(l); usable.Has(l) && t.wants(s, l) {
			want = want.With(l)
		}
	}
	leaving := old.Minus(want) & usable
	for l := range t.s.Links {
		if l := Link(l); leaving.Has(l) && !t.succeeded(s, want&old, t.s.Links[l].Allowance.sheds(s, t.s.Phase())) {
			want = want.With(l) // F3: make before break
		}
	}
	return want
}

// wants reports whether a usable link should carry the stream.
func (t *turn) wants(s Stream, l Link) bool {
	v := &t.s.Links[l]
	if other, has := t.instead(); s == Video && has && t.s.Links[t.s.Plan.Best].Capacity.Thin && l == other {
		return true
	} else if s == Video && has && v.Capacity.Thin {
		return false // it would delay the voice beside it, and the picture would not come through
	}
	if l == t.s.Plan.Best {
		return true
	}
	switch t.p.copies(s, l, v, t.s.Phase()) {
	case Always:
		return true
	case OnDoubt:
		return t.s.Doubt != noReason || v.Verdict == Proving && (s == Voice || !t.p.Links[l].Metered)
	}
	return false
}

// succeeded reports whether one of these links has carried the stream long enough to be left alone, and well; a leg that
// costs too much does not wait for the latter.
func (t *turn) succeeded(s Stream, links LinkSet, hurry bool) bool {
	for l := range t.s.Links {
		if links.Has(Link(l)) && (hurry || !t.s.Links[l].Suspect) && t.at.Sub(t.s.Carried[s][l]) >= t.p.Overlap {
			return true
		}
	}
	return false
}

// why explains one stream's change of links (F6): the first of these that applies.
func (t *turn) why(s Stream, from, to LinkSet, old Plan) cause {
	best := t.s.Plan.Best
	came, left, changed := to.Minus(from), from.Minus(to), to^from
	switch {
	case !t.s.Plan.HasBest:
		return cause{AllDown, t.fell.link}
	case t.fell.reason != noReason && (left.Has(t.fell.link) || !old.HasBest):
		return t.fell
	case t.rose.reason != noReason:
		return t.rose
	case t.told.reason.ofBudget():
		if changed.Has(t.told.link) {
			return t.told
		}
	case t.told.reason == ProcedureOpened || t.told.reason == ProcedureClosed:
		if l := changed.first(); best == old.Best && t.turned(s, l) {
			return cause{t.told.reason, l}
		}
	}
	switch {
	case old.HasBest && best != old.Best:
		return t.moved(old.Best)
	case s == Video && came.Has(t.eased.link) && t.eased.reason != noReason:
		return t.eased
	case came != 0 && t.s.Doubt != noReason:
		return cause{t.s.Doubt, best}
	case came != 0:
		return cause{t.s.Links[came.first()].Reason, came.first()}
	}
	gone := left.first()
	switch v := &t.s.Links[gone]; {
	case v.Verdict == Down:
		return cause{v.Reason, gone}
	case s == Video && v.Capacity.Thin:
		return cause{TooThin, gone}
	case v.Allowance.sheds(s, t.s.Phase()):
		return cause{v.Allowance.reason(), gone}
	case v.Reason == Proven && v.Since == t.at:
		return cause{Proven, gone}
	case t.calmed:
		return cause{DoubtOver, best}
	}
	return t.moved(gone)
}

// turned reports whether a procedure's beginning and end make a difference to the stream's copies on a link.
func (t *turn) turned(s Stream, l Link) bool {
	v := &t.s.Links[l]
	return t.p.copies(s, l, v, Idle) != t.p.copies(s, l, v, InProcedure)
}

// moved explains why the best link changed: by the old link's failing, or the new one's merit.
func (t *turn) moved(from Link) cause {
	switch t.s.Why {
	case Preferred, OperatorPin, Proven:
		return cause{t.s.Why, t.s.Plan.Best}
	}
	return cause{t.s.Why, from}
}
