package failover

import "strconv"

// Resizing is one change of the rate that is asked of the picture, or its stop.
type Resizing struct {
	From, To  int // bit/s; 0: as configured
	VoiceOnly bool
	Link      Link // the link that Reason speaks of
	Reason    Reason
	At        Instant
}

// rate says what the plan asks of the picture, for traces.
func (p Plan) rate() string {
	switch {
	case p.VoiceOnly:
		return "none"
	case p.Rate == 0:
		return "as configured"
	}
	return strconv.Itoa(p.Rate/1000) + " kbit/s"
}

// instead is the link that carries the picture in place of those that are too thin: the best, or else the most preferred, that is
// proven, has budget and is not thin. False if there is none; then the picture stays where it is (F1).
func (t *turn) instead() (Link, bool) {
	if t.s.spares(t.s.Plan.Best) {
		return t.s.Plan.Best, true
	}
	for l := range t.s.Links {
		if t.s.spares(Link(l)) {
			return Link(l), true
		}
	}
	return 0, false
}

// spares reports whether a link can carry the picture in place of one that is too thin.
func (s *Snapshot) spares(l Link) bool {
	v := &s.Links[l]
	return v.Verdict >= Degraded && !v.Capacity.Thin && (l == s.Plan.Best || !v.Allowance.sheds(Video, s.Phase()))
}

// rate decides what is asked of the picture: at once less where a link that carries it cannot take it or has a queue of ours,
// and after RateHold more where there is room. A link that has shown no limit sets none.
func (t *turn) rate() {
	old := t.s.Plan
	var why cause
	if old.HasBest {
		why = t.fit()
	} else if t.fell.reason != noReason && (t.measured() || old.VoiceOnly) {
		// Blind, and it may be a queue of ours that no answer comes out of: the least is sent, over everything.
		t.s.Plan.VoiceOnly, t.s.Plan.Rate = false, t.p.given(t.p.VideoFloor)
		why = cause{AllDown, t.fell.link}
	}
	if t.s.Plan.Rate != old.Rate || t.s.Plan.VoiceOnly != old.VoiceOnly {
		t.resized(old, why)
	}
}

// measured reports whether there are estimates of any link.
func (t *turn) measured() bool {
	for l := range t.s.Links {
		if t.s.Links[l].Capacity.Measured {
			return true
		}
	}
	return false
}

func (t *turn) resized(old Plan, why cause) {
	t.s.RateAt = t.at
	t.d.Resizings = append(t.d.Resizings, Resizing{old.Rate, t.s.Plan.Rate, t.s.Plan.VoiceOnly, why.link, why.reason, t.at})
}

// fit sets Rate and VoiceOnly and says why.
func (t *turn) fit() cause {
	now := t.p.asked(t.s.Plan)
	most, tightest, queued := t.room()
	held := t.at.Sub(t.s.RateAt) >= t.p.RateHold
	if held && !t.s.Plan.VoiceOnly {
		t.proved(now)
	}
	stop := t.stops()
	switch {
	case stop != t.s.Plan.VoiceOnly:
		t.s.Plan.VoiceOnly, t.s.Plan.Rate = stop, t.p.given(t.p.VideoFloor)
		if stop {
			return cause{TooThin, t.s.Plan.Best}
		}
		return cause{RateRises, t.s.Plan.Best}
	case stop:
	case most < now-now/20:
		t.s.Plan.Rate = t.p.given(most)
		if queued {
			return cause{Queueing, tightest}
		}
		return cause{RateFits, tightest}
	case queued || !held:
	case most == t.p.VideoRate && most > now || most > now+now/20:
		t.s.Plan.Rate = t.p.given(min(most, t.step(now)))
		return cause{RateRises, tightest}
	}
	return cause{}
}

// step is how far the rate may rise at once: as far as every link that carries the picture has shown its limit, or has carried
// it before; else by RateStep.
func (t *turn) step(now int) int {
	most := t.p.VideoRate
	for l := range t.s.Links {
		if c := &t.s.Links[l].Capacity; t.s.Plan.Route[Video].Has(Link(l)) && c.Rate == 0 {
			most = min(most, max(c.Proved, now+int(float64(now)*t.p.RateStep)))
		}
	}
	return most
}

// proved notes which links have carried the picture at this rate for a while, without a queue.
func (t *turn) proved(now int) {
	for l := range t.s.Links {
		c := &t.s.Links[l].Capacity
		if t.s.Plan.Route[Video].Has(Link(l)) && c.Queue == 0 && c.Charge == noReason && t.at.Sub(t.s.Carried[Video][l]) >= t.p.RateHold {
			c.Proved = max(c.Proved, now)
		}
	}
}

// asked is a plan's rate in bit/s; given is the reverse.
func (p *Policy) asked(plan Plan) int {
	if plan.Rate == 0 {
		return p.VideoRate
	}
	return plan.Rate
}

func (p *Policy) given(rate int) int {
	if rate >= p.VideoRate {
		return 0
	}
	return rate
}

// room is what the links that carry the picture, and go on to, all have room for; the link that has least; and whether there
// is a queue of ours on any.
func (t *turn) room() (most int, tightest Link, queued bool) {
	most, tightest = t.p.VideoRate, t.s.Plan.Best
	_, spared := t.instead()
	for l := range t.s.Links {
		c := &t.s.Links[l].Capacity
		if !t.s.Plan.Route[Video].Has(Link(l)) || c.Rate == 0 || c.Thin && spared {
			continue
		}
		queued = queued || c.Queue > 0
		if share := max(t.p.share(c), t.p.VideoFloor); share < most {
			most, tightest = share, Link(l)
		}
	}
	return most, tightest, queued
}

// stops reports whether the picture has to stop so that voice gets through: when every link that is left has for StopAfter been
// known to carry less than both.
func (t *turn) stops() bool {
	for l := range t.s.Links {
		if v := &t.s.Links[l]; v.Verdict != Down && (!v.Capacity.Thin || t.at.Sub(v.Capacity.ShortSince) < t.p.StopAfter) {
			return false
		}
	}
	return true
}
