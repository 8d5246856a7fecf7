package drill

import "time"

// Phase of a drill.
type Phase uint8

// The phases. The zero value is Looking.
const (
	Looking   Phase = iota // every uplink is examined before anything is cut
	Cutting                // the uplink is cut
	Returning              // it is given back, and has to prove itself
	Over
)

var phaseWords = [...]string{"looking", "cutting", "returning", "over"}

func (p Phase) String() string {
	if int(p) < len(phaseWords) {
		return phaseWords[p]
	}
	return "over"
}

const (
	// LookWithin is how long the examinations may take: each 10 s at most, and one may be under way already.
	LookWithin = 15 * time.Second
	// BackWithin is how long the uplink may take to carry everything again: it has to carry copies well for 10 s, doubled by each fall of
	// the last minutes, and one such doubling is no fault.
	BackWithin = 90 * time.Second
	// settling is how long after the return the far end's last figures take to come.
	settling = 3 * time.Second
)

// Drill is one drill. It belongs to one goroutine. Make it with Begin.
type Drill struct {
	order   Order
	phase   Phase
	begun   time.Time
	cutAt   time.Time // zero: nothing was cut
	givenAt time.Time
	back    time.Time // when it carried everything again; zero: not yet
	ended   time.Time
	broke   Reason
	cost    Cost
}

// Begin makes a drill; Refusal was asked before. A length of 0 is Usual.
func Begin(now time.Time, o Order) *Drill {
	if o.For == 0 {
		o.For = Usual
	}
	o.For = min(max(o.For, Shortest), Longest)
	return &Drill{order: o, begun: now}
}

// Order is what was asked for.
func (d *Drill) Order() Order { return d.order }

// Phase is where the drill is.
func (d *Drill) Phase() Phase { return d.phase }

// Begun is when it was asked for.
func (d *Drill) Begun() time.Time { return d.begun }

// Cuts reports whether the uplink is to be cut now. It is the whole truth: making it true twice is harmless.
func (d *Drill) Cuts() bool { return d.phase == Cutting }

// CutAt is when the cut began; zero: it has not.
func (d *Drill) CutAt() time.Time { return d.cutAt }

// Until is when the present phase ends at the latest.
func (d *Drill) Until() time.Time {
	switch d.phase {
	case Looking:
		return d.begun.Add(LookWithin)
	case Cutting:
		return d.cutAt.Add(d.order.For)
	case Returning:
		return d.givenAt.Add(BackWithin)
	}
	return d.ended
}

// Step takes in what is seen now. Any number of calls may come, at any times.
func (d *Drill) Step(now time.Time, s Seen) {
	switch d.phase {
	case Looking:
		d.look(now, s)
	case Cutting:
		d.cost = s.Cost
		if why := d.hazard(s); why != None {
			d.give(now)
			d.end(now, why)
		} else if now.Sub(d.cutAt) >= d.order.For {
			d.give(now)
		}
	case Returning:
		d.cost = s.Cost
		d.waitForReturn(now, s)
	}
}

// look waits until every uplink was examined, and begins the cut if all are still well.
func (d *Drill) look(now time.Time, s Seen) {
	switch late := now.Sub(d.begun) >= LookWithin; {
	case s.Stopping:
		d.end(now, Stopped)
	case s.Procedure:
		d.end(now, ProcedureOpened)
	case !d.looked(s) && late:
		d.end(now, NotExamined)
	case !d.looked(s):
	case d.faulty(s):
		d.end(now, FaultFound)
	case s.Refusal() != "" && late:
		d.end(now, NotReady)
	case s.Refusal() != "": // an examination may have cost a probe; a moment later it may be well
	case s.Uplinks[0].Name != d.order.Uplink:
		d.end(now, NotReady)
	default:
		d.phase, d.cutAt = Cutting, now
	}
}

func (d *Drill) looked(s Seen) bool {
	for _, u := range s.Uplinks {
		if u.Looked.Before(d.begun) {
			return false
		}
	}
	return len(s.Uplinks) > 0
}

func (d *Drill) faulty(s Seen) bool {
	for _, u := range s.Uplinks {
		if u.Fault != "" {
			return true
		}
	}
	return false
}

// hazard is why the cut must end at once (R2).
func (d *Drill) hazard(s Seen) Reason {
	switch {
	case s.Stopping:
		return Stopped
	case s.Procedure:
		return ProcedureOpened
	case !s.spare(d.order.Uplink, func(u Uplink) bool { return u.Usable && !u.Suspect }):
		return SpareFailed
	case s.Pinned != "":
		return OperatorPinned
	}
	return None
}

func (d *Drill) give(now time.Time) { d.phase, d.givenAt = Returning, now }

func (d *Drill) end(now time.Time, why Reason) { d.phase, d.ended, d.broke = Over, now, why }

// waitForReturn ends the drill when the uplink carries everything again, and the far end's last figures are in.
func (d *Drill) waitForReturn(now time.Time, s Seen) {
	u, _ := s.find(d.order.Uplink)
	if d.back.IsZero() && u.stands() && u.Best {
		d.back = now
	}
	switch {
	case !d.back.IsZero() && now.Sub(d.back) >= settling:
		d.end(now, None)
	case s.Stopping:
		d.end(now, Stopped)
	case s.Procedure && d.back.IsZero(): // the engine does not go back while one is open, and need not
		d.end(now, ProcedureOpened)
	case d.back.IsZero() && now.Sub(d.givenAt) >= BackWithin:
		d.end(now, None) // judged by its bound
	}
}
