package emu

import "time"

// transmitter is what sends one packet after the other: at a rate, along a trace, or everything at once.
type transmitter struct {
	free    time.Time // everything accepted so far has left
	waiting []departure
	bytes   int // of waiting
	course  course
}

type departure struct {
	at   time.Time
	size int
}

// backlog is how many bytes have not left at now.
func (t *transmitter) backlog(now time.Time) int {
	gone := 0
	for gone < len(t.waiting) && !t.waiting[gone].at.After(now) {
		t.bytes -= t.waiting[gone].size
		gone++
	}
	t.waiting = t.waiting[:copy(t.waiting, t.waiting[gone:])]
	return t.bytes
}

// sent books size bytes and says when the last bit has left. What waits already leaves as it was booked, also after a
// change of shape.
func (t *transmitter) sent(now time.Time, s Shape, size int) time.Time {
	t.backlog(now) // forgets what has left, so that waiting stays as short as the queue
	switch {
	case s.Trace != nil:
		t.course.follow(s.Trace, now, s.TraceFrom)
		t.free = later(t.free, t.course.sent(now, size))
	case s.Rate > 0:
		t.free = later(t.free, now).Add(time.Duration(float64(size*8) / float64(s.Rate) * float64(time.Second)))
	default:
		t.free, t.course = now, course{}
		return now
	}
	t.waiting, t.bytes = append(t.waiting, departure{t.free, size}), t.bytes+size
	return t.free
}
