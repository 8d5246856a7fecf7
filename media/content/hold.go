package content

import "time"

// held is one fault with its hysteresis. The zero value is not ruled.
type held struct {
	on      bool
	pending time.Time // since when there is evidence for the opposite; zero: there is none
}

// step takes what was seen at a time: evidence that it is so, or that it is not; neither ends what is pending.
func (h *held) step(at time.Time, yes, no bool, rule Rule) {
	against, wait := yes, rule.Come
	if h.on {
		against, wait = no, rule.Go
	}
	switch {
	case !against:
		h.pending = time.Time{}
	case h.pending.IsZero():
		h.pending = at
	}
	if against && at.Sub(h.pending) >= wait {
		h.on, h.pending = !h.on, time.Time{}
	}
}

// gap voids what is pending (T2).
func (h *held) gap() { h.pending = time.Time{} }

// Verdict is the worst that is ruled now, and since when. The zero value is that nothing was looked at yet.
type Verdict struct {
	Fault Fault
	Since time.Time
}

func (v *Verdict) set(at time.Time, f Fault) {
	if v.Since.IsZero() || v.Fault != f {
		*v = Verdict{f, at}
	}
}
