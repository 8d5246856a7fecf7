package link

import (
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait before dialling again: doubling from Min to Max, each time somewhere in the upper half, so
// that boxes that lost the same far end do not return in step. The zero value goes from 250 ms to 15 s. Not for
// concurrent use.
type Backoff struct {
	Min, Max time.Duration
	tries    int
}

// Next returns the wait before the next try, never less than after (the far end's Retry-After; 0: not said).
func (b *Backoff) Next(after time.Duration) time.Duration {
	lo, hi := b.Min, b.Max
	if lo <= 0 {
		lo = 250 * time.Millisecond
	}
	if hi <= 0 {
		hi = 15 * time.Second
	}
	wait := lo << min(b.tries, 20)
	if wait > hi || wait <= 0 {
		wait = hi
	}
	b.tries++
	wait = wait/2 + rand.N(wait/2+1)
	if after > 0 { // RFC 9110 10.2.3: the minimum; jitter goes on top
		wait = max(wait, after+rand.N(after/4+1))
	}
	return wait
}

// Reset starts over from Min: after a success, or when the interface comes back.
func (b *Backoff) Reset() { b.tries = 0 }
