package link

import (
	"sync"
	"time"
)

// When voice that came in is taken to have fallen silent. It comes every 20 ms.
const (
	voiceEvery  = 20 * time.Millisecond
	leastHush   = 30 * time.Millisecond // one packet missing, and half an interval of jitter
	mostHush    = 100 * time.Millisecond
	hushFor     = time.Second            // after that nobody speaks any more
	flowsAfter  = 500 * time.Millisecond // before, its habits are not known
	hushForgets = 128                    // packets in which the longest gap is all but forgotten: 2.5 s
)

// ears listens for voice on the way back of one link. Where probes are rare it is evidence that costs nothing: when it falls silent a
// probe asks why. The zero value is ready; a nil one hears nothing. Any goroutine may use it.
type ears struct {
	mu          sync.Mutex
	since, last time.Time     // of voice without a silence of hushFor
	gap         time.Duration // the longest lately
}

// heard takes in a packet of voice.
func (e *ears) heard(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	gap := now.Sub(e.last)
	if e.last.IsZero() || gap >= hushFor {
		e.since, e.gap = now, voiceEvery
	} else {
		e.gap = max(e.gap-(e.gap-voiceEvery)/hushForgets, min(gap, mostHush))
	}
	e.last = now
}

// hush is when voice falls silent if nothing more comes; false where none flows. It is waited for half as long again as the longest gap
// lately.
func (e *ears) hush() (at, over time.Time, flows bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	wait := min(max(e.gap*3/2, leastHush), mostHush)
	return e.last.Add(wait), e.last.Add(hushFor), e.last.Sub(e.since) >= flowsAfter
}

// hushed reports whether voice has just fallen silent.
func (e *ears) hushed(now time.Time) bool {
	if e == nil {
		return false
	}
	at, over, flows := e.hush()
	return flows && !now.Before(at) && now.Before(over)
}

// before is the earlier of a moment and the one at which voice falls silent.
func (e *ears) before(at time.Time) time.Time {
	if e == nil {
		return at
	}
	if hush, _, flows := e.hush(); flows && hush.Before(at) && time.Now().Before(hush) {
		return hush
	}
	return at
}
