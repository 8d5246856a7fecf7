package farend

import (
	"time"

	"scanside/failover"
)

// The times that the rules speak of.
const (
	// Patience is how long the present far end may be out of reach before the room leaves it: a gateway that restarts is back
	// after a second or two, and its supervisor with it.
	Patience = 5 * time.Second
	// LookAfter is when the others begin to be dialled, so that one is proven when the patience ends.
	LookAfter = 3 * time.Second
	// Confirm is how long another far end must have been held before it counts: an uplink that comes back after a long outage
	// reaches every far end, and within this time the present one too (G12).
	Confirm = 2 * time.Second
	// LongestPatience bounds the doubling by flaps.
	LongestPatience = 40 * time.Second
	// FlapMemory is how long a move counts as a flap.
	FlapMemory = 10 * time.Minute
	// WishTime is how long an operator's wish is tried.
	WishTime = 15 * time.Second
)

// Reason is why the room moved: a closed set.
type Reason uint8

// The reasons.
const (
	None        Reason = iota
	Unreachable        // no link reached the present far end, and another one answered
	Operator           // somebody asked for it
)

var reasonWords = [...]string{None: "none", Unreachable: "unreachable", Operator: "operator"}

// String is the code word of a metric's label.
func (r Reason) String() string { return reasonWords[r] }

// Reasons lists all that move a room.
func Reasons() []Reason { return []Reason{Unreachable, Operator} }

// Seen is what is true at a moment.
type Seen struct {
	Reached  failover.LinkSet   // links at the present far end that are not Down
	Held     []failover.LinkSet // by far end: links over which it was dialled with success and is held; may be nil
	Conflict bool               // the present far end refuses because another box serves the room there
	Open     bool               // a procedure is open
}

// Decision is the whole truth of what should be: level, not edge.
type Decision struct {
	At      int   // the far end where the room is
	Look    []int // dial these too, in this order; nil: none
	Moved   bool  // in this step; then From and Why say how
	From    int
	Why     Reason
	Away    time.Duration // for how long the one that was left had been out of reach
	Over    failover.LinkSet
	GivenUp bool // an operator's wish, in this step: that far end could not be reached, or a procedure is open
}

// Choice holds the decision from step to step. Use New.
type Choice struct {
	n, at int
	now   failover.Instant
	lost  failover.Instant // when the present one was last reached, or became the present one
	held  []since          // by far end
	moves []failover.Instant
	wish  int // -1: none
	until failover.Instant
}

// since is from when on something has been true without a break.
type since struct {
	on bool
	at failover.Instant
}

// New is a choice among n far ends, at one of them at instant now.
func New(n, at int, now failover.Instant) *Choice {
	if at < 0 || at >= n {
		at = 0
	}
	return &Choice{n: n, at: at, now: now, lost: now, held: make([]since, n), wish: -1}
}

// Wish notes that an operator wants the room at a far end; the one where it is takes an earlier wish back. False: there is no
// such far end.
func (c *Choice) Wish(now failover.Instant, to int) bool {
	if to < 0 || to >= c.n {
		return false
	}
	c.wish, c.until = to, now.Add(WishTime)
	if to == c.at {
		c.wish = -1
	}
	return true
}

// Step decides. Instants never go back.
func (c *Choice) Step(now failover.Instant, seen Seen) Decision {
	c.now = max(c.now, now)
	if seen.Reached != 0 || seen.Conflict {
		c.lost = c.now
	}
	for i := range c.held {
		on := i < len(seen.Held) && seen.Held[i] != 0
		if on && !c.held[i].on {
			c.held[i].at = c.now
		}
		c.held[i].on = on
	}
	for len(c.moves) > 0 && c.now.Sub(c.moves[0]) >= FlapMemory {
		c.moves = c.moves[1:]
	}
	d := Decision{At: c.at}
	if c.wish >= 0 {
		switch {
		case c.now >= c.until, seen.Open && seen.Reached != 0:
			c.wish, d.GivenUp = -1, true
		case c.held[c.wish].on:
			return c.move(c.wish, Operator, seen)
		default:
			d.Look = []int{c.wish}
			return d
		}
	}
	away := c.now.Sub(c.lost)
	if c.n < 2 || away < c.lookAfter() {
		return d
	}
	for i := range c.n {
		if i == c.at {
			continue
		}
		if h := c.held[i]; h.on && away >= c.Patience() && c.now.Sub(h.at) >= Confirm {
			return c.move(i, Unreachable, seen)
		}
		d.Look = append(d.Look, i)
	}
	return d
}

// Patience is how long the present far end may be out of reach now.
func (c *Choice) Patience() time.Duration {
	return min(Patience<<min(len(c.moves), 8), LongestPatience)
}

func (c *Choice) lookAfter() time.Duration { return c.Patience() - (Patience - LookAfter) }

func (c *Choice) move(to int, why Reason, seen Seen) Decision {
	d := Decision{At: to, Moved: true, From: c.at, Why: why, Away: c.now.Sub(c.lost), Over: seen.Held[to]}
	if why == Unreachable { // what a person wants is no flap
		c.moves = append(c.moves, c.now)
	}
	c.at, c.lost, c.wish = to, c.now, -1
	clear(c.held)
	return d
}
