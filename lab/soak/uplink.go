package soak

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"scanside/failover"
)

// condition is what is wrong with an uplink. The zero value is a good one.
type condition struct {
	up, down float64       // share lost in each direction; 1: dead
	slow     time.Duration // more round trip
	jitter   time.Duration // up to so much more, each packet
	refused  bool          // the interface is down: sending fails
	holes    time.Duration // dead for so long every four times that
}

// String is the condition in a few words.
func (c condition) String() string {
	return fmt.Sprintf("%.0f %% lost up, %.0f %% down, %v slower, %v jitter, holes of %v", 100*c.up, 100*c.down, c.slow, c.jitter, c.holes)
}

// dead reports whether nothing can come of the uplink at that moment, in at least one direction.
func (c condition) dead(since time.Duration) bool {
	return c.up == 1 || c.down == 1 || c.refused || c.holes > 0 && since%(4*c.holes) < c.holes
}

// heavy reports whether more of the round trips are lost than target G8 speaks of: a ruling of Down is no mistake then.
func (c condition) heavy() bool { return (1-c.up)*(1-c.down) < 1-heavyLoss-1e-9 }

const heavyLoss = 0.2

// uplink is one way out and what the agent would know of it.
type uplink struct {
	link      failover.Link
	rtt       time.Duration // at rest
	is        condition
	since     time.Duration // of the condition
	died      time.Duration // last moment it was dead, or lost more than G8 speaks of
	open      bool          // an association exists
	answering time.Duration // last moment it could have had consent
	smooth    time.Duration // what the prober expects of a round trip
	sent      uint32        // voice since the last report
	arrived   uint32
}

// lost throws the dice for one direction.
func (u *uplink) lost(rng *rand.Rand, now time.Duration, share float64) bool {
	if u.is.refused || u.is.holes > 0 && u.is.dead(now-u.since) {
		return true
	}
	return share > 0 && rng.Float64() < share
}

// probe says what becomes of a probe that leaves now: its round trip, or that no answer comes.
func (u *uplink) probe(rng *rand.Rand, now time.Duration) (took time.Duration, answered bool) {
	if u.lost(rng, now, u.is.up) || u.lost(rng, now, u.is.down) {
		return 0, false
	}
	took = u.rtt + u.is.slow
	if u.is.jitter > 0 {
		took += time.Duration(rng.Int64N(int64(u.is.jitter)))
	}
	return took, true
}

// patience is how long a probe's answer is waited for: twice what it took lately, as the agent's prober does.
func (u *uplink) patience() time.Duration { return max(40*time.Millisecond, 2*u.smooth) }

// look keeps the books about the present condition.
func (u *uplink) look(now time.Duration) {
	dead := u.is.dead(now - u.since)
	if dead || u.is.heavy() {
		u.died = now
	}
	if !dead {
		u.answering = now
	}
}

// well reports whether nothing has been wrong with the uplink, and an association open, for long enough that it is in use.
func (u *uplink) well(now time.Duration) bool {
	return u.open && u.is == condition{} && now-u.since > settled
}

// settled is how long after a fault an uplink may take to be carrying again; proof takes longer, but copies prove.
const settled = 5 * time.Second

// draw makes a fault and how long it lasts: mostly seconds, sometimes minutes.
func draw(rng *rand.Rand) (c condition, lasts time.Duration) {
	lasts = min(time.Duration(rng.ExpFloat64()*float64(20*time.Second))+200*time.Millisecond, 10*time.Minute)
	part := func(from, to float64) float64 { return from + rng.Float64()*(to-from) }
	switch rng.IntN(10) {
	case 0, 1:
		c.up, c.down = 1, 1
	case 2:
		c.up = 1
	case 3:
		c.down = 1
	case 4:
		c.refused = true
	case 5:
		c.up, c.down = part(.01, .1), part(.01, .1)
	case 6:
		c.up, c.down = part(.1, .9), part(.1, .9)
	case 7:
		c.slow, c.jitter = time.Duration(part(50, 600))*time.Millisecond, time.Duration(part(1, 100))*time.Millisecond
	case 8:
		c.holes = time.Duration(part(50, 700)) * time.Millisecond
	case 9:
		each := 1 - math.Sqrt(1-heavyLoss) // so that the round trip loses what G8 speaks of
		c.up, c.down, c.jitter = each, each, 100*time.Millisecond
		lasts *= 10
	}
	return c, lasts
}
