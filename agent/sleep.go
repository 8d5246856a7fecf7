package agent

import (
	"fmt"
	"time"

	linux "golang.org/x/sys/unix"

	"scanside/agent/status"
	"scanside/audit"
	"scanside/link"
)

// longSleep is how long the box must have done nothing before what it knew is void: the far end's word is believed for as long.
const longSleep = presenceFresh

// suspended is how long this machine has been suspended since it was started: what the clock that goes on meanwhile is ahead of the one
// that does not (clock_gettime(2)). All other time in this program is the latter's, to which a suspension is nothing at all.
func suspended() time.Duration {
	var all, awake linux.Timespec
	if linux.ClockGettime(linux.CLOCK_BOOTTIME, &all) != nil || linux.ClockGettime(linux.CLOCK_MONOTONIC, &awake) != nil {
		return 0
	}
	return time.Duration(all.Nano() - awake.Nano())
}

// rest is how the loop learns that the box did nothing for a while: the machine was suspended, or the process was stopped.
type rest struct {
	suspended func() time.Duration
	before    time.Duration // as of the last look
}

// since is how long the box has done nothing since a moment shortly ago.
func (r *rest) since(looked, now time.Time) time.Duration {
	total := r.suspended()
	slept := total - r.before
	r.before = total
	return max(slept, 0) + max(now.Sub(looked)-houseEvery, 0)
}

// woke is called when the box did nothing for long. Whatever was known is old now, though by the clock it may look fresh; the sessions
// may be over at the far end, which is asked at once.
func (l *loop) woke(now time.Time, slept time.Duration) {
	l.log.Warn("the box stood still", "for", slept)
	l.tale.say(now, status.Warning, fmt.Sprintf("The box stood still for %s: nothing that it knew before is believed.", lasted(slept)))
	l.note(audit.Asleep{Seconds: slept.Seconds()})
	l.present = nil
	for k := range l.flows {
		f := &l.flows[k]
		f.far, f.heard, f.moved = link.StreamReport{}, time.Time{}, time.Time{}
	}
	for i := range l.links {
		l.links[i].words = ledger{}
		if c := l.links[i].conn; c != nil {
			c.session.Doubt()
		}
	}
	l.tale.forget()
	l.agent.asker.doubt()
	l.news = true
}
