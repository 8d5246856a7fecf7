package media

import (
	"slices"
	"time"
)

const (
	// maxHole is the longest run of missing packets that is asked for: 1 s of 2 Mbit/s video. For a longer one the repair would fill a
	// link that has just come back, and a key frame costs less.
	maxHole = 256
	// maxMissing bounds what is waited for at once; the oldest beyond it are given up.
	maxMissing = 512
	// maxAsks is how often a packet is asked for. With 20 % loss each way a request and its answer get through with 0.64: three tries miss
	// 1 in 21, five 1 in 165.
	maxAsks = 5
	// askAgain is the time from the first request to the second: above the round trip of a cellular link (60-90 ms). The further ones are
	// twice that apart, for those that are slower.
	askAgain = 100 * time.Millisecond
	// giveUpAfter ends the wait for a packet that could not be asked for, no leg being alive: no viewer's buffer is longer.
	giveUpAfter = 2 * time.Second
)

// missing is what a merged stream lacks: numbers below the highest that no leg has brought yet, lowest first. Not safe for
// concurrent use.
type missing struct {
	holes []hole
}

type hole struct {
	num     uint64
	noticed time.Duration // when a higher number arrived
	asked   time.Duration // when it was last asked for
	asks    int
}

// add notes from ... to-1 as missing since at, and returns how many numbers were given up at once.
func (m *missing) add(from, to uint64, at time.Duration) (lost uint64) {
	if to-from > maxHole {
		return to - from
	}
	if over := len(m.holes) + int(to-from) - maxMissing; over > 0 {
		m.holes = slices.Delete(m.holes, 0, over)
		lost = uint64(over)
	}
	for n := from; n < to; n++ {
		m.holes = append(m.holes, hole{num: n, noticed: at})
	}
	return lost
}

// take removes num because it arrived; false when it was not waited for.
func (m *missing) take(num uint64) (hole, bool) {
	i, ok := slices.BinarySearchFunc(m.holes, num, func(h hole, n uint64) int {
		switch {
		case h.num < n:
			return -1
		case h.num > n:
			return 1
		}
		return 0
	})
	if !ok {
		return hole{}, false
	}
	h := m.holes[i]
	m.holes = slices.Delete(m.holes, i, i+1)
	return h, true
}

// due returns the numbers to ask for at at and marks them asked; wait says how long number num is to be waited for first.
// What was asked often enough, or waited for too long, is given up and counted.
func (m *missing) due(at time.Duration, wait func(num uint64) time.Duration) (ask []uint16, lost uint64) {
	keep := m.holes[:0]
	for _, h := range m.holes {
		next := h.noticed
		if h.asks == 0 {
			next += wait(h.num)
		} else {
			next = h.asked + askAgain<<min(h.asks-1, 1)
		}
		switch {
		case h.asks == maxAsks && at >= next, at >= h.noticed+giveUpAfter:
			lost++
			continue
		case at >= next:
			h.asks++
			h.asked = at
			ask = append(ask, uint16(h.num))
		}
		keep = append(keep, h)
	}
	m.holes = keep
	return ask, lost
}
