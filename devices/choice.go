package devices

import (
	"math"
	"time"
)

// The times that the rules speak of.
const (
	// Settle is how long a device must have been ok before a failed one is left for it: one that comes and goes is no help,
	// and takeover is due within a second of the ruling (TARGETS G17).
	Settle = 300 * time.Millisecond
	// DoubtFor is how long the device used must be in doubt, and the other ok, before it is left: doubts come and go with people
	// who walk past.
	DoubtFor = 2 * time.Second
	// Dwell is how long a preferred device must have been ok without a break before it is taken again: as for links (G9).
	Dwell = 10 * time.Second
	// LongestDwell bounds the doubling.
	LongestDwell = 5 * time.Minute
	// FlapMemory is how long the loss of a device in use makes its next dwell longer.
	FlapMemory = 30 * time.Minute
	// StartPatience is how long a device is waited for that has not been heard of yet: at the start, or after a mute.
	StartPatience = 3 * time.Second
)

// Never is no deadline.
const Never time.Duration = math.MaxInt64

// Seen is what is true at a moment: the condition of each device, in the configured order, and whether a procedure is open.
type Seen struct {
	Conditions []Condition
	Open       bool
}

// Decision is the whole truth of what should be: level, not edge.
type Decision struct {
	Used    int
	Changed bool // in this step; then From and Why say how
	From    int
	Why     Reason
}

// Choice holds the decision from step to step. Use New.
type Choice struct {
	used    int
	now     time.Duration
	changed time.Duration // when the device used was last changed
	served  bool          // the one used has given something since it is used
	open    bool
	devices []history
}

// history is what the rules need to remember of a device.
type history struct {
	is     Condition
	since  time.Duration   // when it became so
	usable time.Duration   // since when it is ok or doubtful without a break; meaningless while it is neither
	losses []time.Duration // when it was lost while in use, at most maxLosses of the last
}

// maxLosses is enough for LongestDwell.
const maxLosses = 8

// New is a choice among n devices (at least one), the first one used, at instant now.
func New(n int, now time.Duration) *Choice {
	c := &Choice{now: now, changed: now, devices: make([]history, max(n, 1))}
	for i := range c.devices {
		c.devices[i].since = now
	}
	return c
}

// Step decides. Instants never go back; conditions that are missing are unknown.
func (c *Choice) Step(at time.Duration, seen Seen) Decision {
	c.now, c.open = max(c.now, at), seen.Open
	for i := range c.devices {
		is := Unknown
		if i < len(seen.Conditions) {
			is = seen.Conditions[i]
		}
		c.hear(i, is)
	}
	to, why := c.wanted()
	d := Decision{Used: c.used}
	if why != None {
		d = Decision{Used: to, Changed: true, From: c.used, Why: why}
		c.used, c.changed = to, c.now
		c.served = true // only what works is changed to
	}
	return d
}

// hear notes a device's condition.
func (c *Choice) hear(i int, is Condition) {
	h := &c.devices[i]
	works := is == OK || is == Doubtful
	if i == c.used && works {
		c.served = true
	}
	for len(h.losses) > 0 && c.now-h.losses[0] >= FlapMemory {
		h.losses = h.losses[1:]
	}
	if is == h.is {
		return
	}
	worked := h.is == OK || h.is == Doubtful
	if works && !worked {
		h.usable = c.now
	}
	if i == c.used && worked && is == Failed {
		h.losses = append(h.losses, c.now)
		h.losses = h.losses[max(0, len(h.losses)-maxLosses):]
	}
	h.is, h.since = is, c.now
}

// wanted is the device to change to, and why; None: stay.
func (c *Choice) wanted() (to int, why Reason) {
	switch used := &c.devices[c.used]; used.is {
	case OK:
		return c.preferred()
	case Doubtful:
		if c.now-used.since >= DoubtFor {
			to = c.certain()
			return to, reason(to, Doubt)
		}
		return 0, None
	case Unknown:
		if c.now-used.since < StartPatience {
			return 0, None
		}
	}
	why = Better
	if c.served {
		why = LostDevice
	}
	to = c.usable(OK)
	if to < 0 {
		to = c.usable(Doubtful)
	}
	return to, reason(to, why)
}

// reason is why, unless there is nothing to change to.
func reason(to int, why Reason) Reason {
	if to < 0 {
		return None
	}
	return why
}

// usable is the first other device in that condition that has been usable for Settle; -1: none.
func (c *Choice) usable(is Condition) int {
	for i := range c.devices {
		if h := &c.devices[i]; i != c.used && h.is == is && c.now-h.usable >= Settle {
			return i
		}
	}
	return -1
}

// certain is the first other device that has been ok for DoubtFor; -1: none.
func (c *Choice) certain() int {
	for i := range c.devices {
		if h := &c.devices[i]; i != c.used && h.is == OK && c.now-h.since >= DoubtFor {
			return i
		}
	}
	return -1
}

// preferred is the first device above the one used that has proven itself, if one may be changed to for preference now.
func (c *Choice) preferred() (to int, why Reason) {
	if c.open || c.now-c.changed < Dwell {
		return 0, None
	}
	for i := range c.used {
		if h := &c.devices[i]; h.is == OK && c.now-h.since >= h.dwell() {
			return i, Preferred
		}
	}
	return 0, None
}

// dwell is how long the device must have been ok before it is preferred again.
func (h *history) dwell() time.Duration {
	return min(Dwell<<max(0, len(h.losses)-1), LongestDwell)
}

// Deadline is the next instant at which a decision may change although nothing new is heard; Never: there is none.
func (c *Choice) Deadline() time.Duration {
	next := Never
	due := func(at time.Duration) {
		if at > c.now {
			next = min(next, at)
		}
	}
	due(c.devices[c.used].since + StartPatience)
	due(c.changed + Dwell)
	for i := range c.devices {
		h := &c.devices[i]
		for _, d := range [...]time.Duration{DoubtFor, h.dwell()} {
			due(h.since + d)
		}
		due(h.usable + Settle)
		if len(h.losses) > 0 {
			due(h.losses[0] + FlapMemory)
		}
	}
	return next
}

// Return says what keeps a preferred device, which is ok again, from being used: so much time, and an open procedure. False:
// none is ok.
func (c *Choice) Return() (device int, left time.Duration, open, ok bool) {
	for i := range c.used {
		if h := &c.devices[i]; h.is == OK {
			return i, max(0, h.since+h.dwell()-c.now, c.changed+Dwell-c.now), c.open, true
		}
	}
	return 0, 0, false, false
}
