package emu

import (
	"math/rand/v2"
	"time"
)

// holes is burst loss after Gilbert (1960), in time rather than in packets: the line is well and dead in turns, and how long
// each lasts is drawn anew (exponentially). It has its own dice, so that the same seed makes the same holes whatever is
// sent; a hole is as long for an idle line as for a busy one.
type holes struct {
	rng   *rand.Rand
	share float64
	mean  time.Duration
	dead  bool
	until time.Time // of the present turn
}

// at reports whether the line is dead at now; now must not run backwards.
func (h *holes) at(now time.Time, share float64, mean time.Duration) bool {
	if h.share != share || h.mean != mean {
		h.share, h.mean, h.dead = share, mean, false
		h.until = now
		if share > 0 && share < 1 {
			h.until = now.Add(h.draw(h.pause()))
		}
	}
	switch {
	case share <= 0:
		return false
	case share >= 1:
		return true
	}
	for !h.until.After(now) {
		h.dead = !h.dead
		turn := h.pause()
		if h.dead {
			turn = mean
		}
		h.until = h.until.Add(h.draw(turn))
	}
	return h.dead
}

// pause is how long the line is well between two holes, on average.
func (h *holes) pause() time.Duration {
	return time.Duration(float64(h.mean) * (1 - h.share) / h.share)
}

// draw is never 0, so that turns end.
func (h *holes) draw(mean time.Duration) time.Duration {
	return time.Duration(h.rng.ExpFloat64()*float64(mean)) + time.Microsecond
}
