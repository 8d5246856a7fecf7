package media

import "time"

// Bounds of the time a missing packet is waited for before it is asked for. Below the least, the jitter of any real path
// causes requests for packets that are on their way; beyond the most, the answer comes too late for the viewer's buffer.
const (
	leastWait = 20 * time.Millisecond
	mostWait  = 150 * time.Millisecond
)

// lateness estimates how long a packet may still come by itself: the smoothed mean of what was observed plus four times its
// smoothed deviation, as TCP does for its retransmission time (RFC 6298 section 2). The zero value is ready.
type lateness struct{ mean, dev time.Duration }

// add takes an observation. It is capped, so that a packet held up for seconds does not count as a path's habit.
func (l *lateness) add(d time.Duration) {
	diff := min(d, mostWait) - l.mean
	l.mean += diff / 16
	if diff < 0 {
		diff = -diff
	}
	l.dev += (diff - l.dev) / 16
}

// wait is how long to wait, within bounds.
func (l *lateness) wait() time.Duration {
	const margin = 5 * time.Millisecond // a steady path's deviation goes to zero, its jitter does not
	return min(max(l.mean+4*l.dev+margin, leastWait), mostWait)
}
