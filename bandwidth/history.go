package bandwidth

import "time"

const (
	kept     = 64                     // words: 3 s of probes
	newest   = 100 * time.Millisecond // the shortest way of so long is what a packet waits at the least
	baseHalf = 30 * time.Second       // the base is the shortest way of the last one to two of these (RFC 6817 3.4.1)
)

// history is the newest words, a ring.
type history struct {
	ring [kept]Word
	n    int
}

func (h *history) add(w Word) { h.ring[h.n%kept] = w; h.n++ }

// at is the i-th newest word, from 0.
func (h *history) at(i int) (Word, bool) {
	if i >= min(h.n, kept) {
		return Word{}, false
	}
	return h.ring[(h.n-1-i)%kept], true
}

func (h *history) last() (Word, bool) { return h.at(0) }

// lowest is the shortest way of the newest words, two at least.
func (h *history) lowest() time.Duration {
	now, _ := h.last()
	low := now.Way
	for i := 1; ; i++ {
		w, ok := h.at(i)
		if !ok || i > 1 && now.At-w.At > newest {
			return low
		}
		low = min(low, w.Way)
	}
}

// growing says whether the way becomes longer from word to word: three of the last four times, or the last two by much.
func (h *history) growing() bool {
	longer, total := 0, 0
	for i := range 4 {
		a, _ := h.at(i)
		b, ok := h.at(i + 1)
		if !ok || a.At-b.At > tooFar {
			break
		}
		total++
		if a.Way-b.Way > growthMin {
			longer++
		}
		if i == 1 && longer == 2 {
			c, _ := h.at(2)
			mid, _ := h.at(1)
			now, _ := h.at(0)
			if now.Way-mid.Way > growthBig && mid.Way-c.Way > growthBig {
				return true
			}
		}
	}
	return total == 4 && longer >= 3
}

// measure is what happened between two words.
type measure struct {
	sent, acked float64 // bit/s: what left, and what of it arrived, each by its own clock
	loss        float64 // share; below 0 where packets overtook a probe
	packets     uint64
}

// measure compares the newest word with the one that is at least so much older. False if there is none that says anything.
func (h *history) measure(atLeast time.Duration) (m measure, ok bool) {
	now, _ := h.last()
	for i := 1; ; i++ {
		w, there := h.at(i)
		if !there || now.At-w.At > tooFar {
			return measure{}, false
		}
		if now.At-w.At < atLeast {
			continue
		}
		left, arrived := now.Left.Packets-w.Left.Packets, now.Arrived-w.Arrived
		bits := 8 * float64(now.Left.Bytes-w.Left.Bytes)
		took := now.At - w.At
		m.packets = left
		m.sent = bits / took.Seconds()
		if left > 0 {
			m.loss = 1 - float64(arrived)/float64(left)
		}
		if there := took + now.Way - w.Way; there > 0 {
			m.acked = bits * (1 - m.loss) / there.Seconds()
		}
		return m, true
	}
}

// baseline is the shortest way of the last minute: what the way is without a queue.
type baseline struct {
	begun     time.Duration
	now, then time.Duration
	has, had  bool
}

func (b *baseline) take(w Word) {
	if b.has && w.At-b.begun >= baseHalf {
		b.then, b.had, b.has = b.now, true, false
	}
	if !b.has {
		b.begun, b.now, b.has = w.At, w.Way, true
	}
	b.now = min(b.now, w.Way)
}

func (b *baseline) least() time.Duration {
	if b.had {
		return min(b.now, b.then)
	}
	return b.now
}

// restart takes the present way for the base.
func (b *baseline) restart(w Word) { *b = baseline{begun: w.At, now: w.Way, has: true} }
