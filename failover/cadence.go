package failover

import "time"

// ProbeEvery is how often the link should be probed now: at the full cadence while anything depends on the answer, faster yet
// where nobody would notice its death but by the answers (lone), and rarely while it idles as a proven spare, most rarely where its bytes
// cost money; in between where copies prove it (copying). A degraded one that idles is probed at the full cadence, so that its healing shows
// within seconds; but not where that costs money, unless a procedure is open.
func (e *Engine) ProbeEvery(l Link) time.Duration {
	if int(l) >= len(e.s.Links) {
		return e.p.IdleProbe
	}
	if v := &e.s.Links[l]; e.idles(l, v) && !v.Suspect && v.Echoes.Misses == 0 {
		return e.p.idleProbe(l, v, e.s.Phase())
	}
	switch {
	case e.lone(l):
		return time.Second / time.Duration(e.p.LoneProbes)
	case e.copying(l):
		return e.p.CopyProbe
	}
	return time.Second / time.Duration(e.p.ProbesPerSecond)
}

// idles reports whether the link carries nothing, and nothing that would cost nothing to know is to be learned of it.
func (e *Engine) idles(l Link, v *LinkView) bool {
	return !e.carries(l) && (v.Verdict == Up || v.Verdict == Degraded && e.p.Links[l].Metered && e.s.Phase() == Idle)
}

// copying reports whether the link carries nothing but copies of what the best link brings, at a price, and the far end counts them in (one packet
// may be under way when it counts): 50 of voice a second are better evidence than 20 probes. Whatever is wrong, with either link, ends that.
func (e *Engine) copying(l Link) bool {
	if !e.s.Plan.HasBest || e.s.Plan.Best == l || !e.p.Links[l].Metered || !e.carries(l) {
		return false
	}
	for _, r := range e.s.Plan.Route {
		if r.Has(l) && !r.Has(e.s.Plan.Best) {
			return false
		}
	}
	a := &e.s.Links[l].Arrivals
	return e.s.Links[l].well() && e.s.Links[e.s.Plan.Best].well() && a.Any && a.LostRun <= 1 && e.s.At.Sub(a.Last) <= e.p.CopyProbe
}

// well reports whether nothing at all speaks against the link.
func (v *LinkView) well() bool { return v.Verdict == Up && !v.Suspect && v.Echoes.Misses == 0 }

// lone reports whether the link alone carries a stream that another could take, and bytes on it cost nothing: a picture
// stands still from its death until that is noticed, and 50 probes a second are a fiftieth of the picture's own bytes.
func (e *Engine) lone(l Link) bool {
	var only LinkSet
	only = only.With(l)
	if e.p.Links[l].Metered || e.usable().Minus(only) == 0 {
		return false
	}
	for _, r := range e.s.Plan.Route {
		if r == only {
			return true
		}
	}
	return false
}
