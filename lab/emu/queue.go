package emu

import "time"

type entry struct {
	due    time.Time
	number uint64 // order of acceptance: decides between equal times
	pkt    Packet
}

func (a entry) before(b entry) bool {
	if a.due.Equal(b.due) {
		return a.number < b.number
	}
	return a.due.Before(b.due)
}

// queue is a binary heap with the entry due first in front. container/heap would cost an allocation for each packet.
type queue []entry

func (q *queue) push(e entry) {
	*q = append(*q, e)
	h := *q
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h[i].before(h[parent]) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

func (q *queue) pop() entry {
	h := *q
	first, n := h[0], len(h)-1
	h[0] = h[n]
	h[n] = entry{} // lets go of the packet
	*q = h[:n]
	h = h[:n]
	for i := 0; ; {
		child := 2*i + 1
		if child >= n {
			return first
		}
		if right := child + 1; right < n && h[right].before(h[child]) {
			child = right
		}
		if !h[child].before(h[i]) {
			return first
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}
