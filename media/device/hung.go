package device

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"scanside/media"
)

// A driver can hang inside the kernel: open, read and close of its file then never return, and nothing in this program can
// make them. Such a session is left behind with its goroutine and its file, and the device is opened anew.

const (
	// openPatience is how long opening a device may take: USB cameras with many errors on their cable need up to 5 s.
	openPatience = 8 * time.Second
	// readPatience is how long one read may take, which itself gives up after ReadTimeout.
	readPatience = ReadTimeout + time.Second
	// closePatience is how long a session may take to end when it is told to.
	closePatience = ReadTimeout + time.Second/2
	// mostHung bounds the sessions left behind of one device; when so many hang it is not opened until one has returned.
	mostHung = 3
	// hungEvery is how often the sessions are looked after.
	hungEvery = 100 * time.Millisecond
)

// Back-off between attempts to open a device. The longest is short: an attempt costs one open(2), and a device plugged back in
// should be seen within a second or two.
const (
	retryFirst = 250 * time.Millisecond
	retryMost  = 2 * time.Second
)

var errHung = errors.New("its driver hangs: unplug it and plug it in again")

// sessions are the openings of one device. The zero value is ready; run belongs to one goroutine.
type sessions struct {
	mu      sync.Mutex
	hanging int    // left behind and not returned yet
	hung    uint64 // left behind ever
}

// keep opens the device, uses it until it fails, and starts again, until ctx ends; while the room has muted it, it is closed.
// use is one session, and failed says what its error means for people.
func (a *sessions) keep(ctx context.Context, room *shutter, c *condition, use func(context.Context, *session) (bool, error), failed func(error) string) {
	wait := retryFirst
	for ctx.Err() == nil {
		open, release := room.await(ctx, func() { a.closed(c) })
		if open.Err() == nil {
			worked, err := a.run(open, use)
			if worked {
				wait = retryFirst
			}
			if open.Err() == nil {
				c.bad(time.Now(), failed(err))
				_, hung := a.counts()
				c.edit(func(h *media.Health) { h.Hung = hung })
				select {
				case <-open.Done():
				case <-time.After(wait):
				}
				wait = min(2*wait, retryMost)
			}
		}
		release()
	}
}

// closed says that the device is closed, if it is: a driver that hangs keeps it open.
func (a *sessions) closed(c *condition) {
	if now, _ := a.counts(); now > 0 {
		c.bad(time.Now(), "it could not be closed, its driver hangs: pull its plug, or what it captures may still reach this box")
		return
	}
	c.closed(time.Now())
}

// session is one opening. The goroutine inside it says that it is alive; what it does after it was left behind counts for
// nothing, which it learns from left.
type session struct {
	mu   sync.Mutex
	due  time.Time
	left bool
}

// alive says that the session lives, and within which time it will say so again. False: it was left behind.
func (s *session) alive(patience time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = time.Now().Add(patience)
	return !s.left
}

func (s *session) overdue(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.After(s.due)
}

// run runs do as a session and returns what it does; errHung if it had to be left behind, nil if ctx ended.
func (a *sessions) run(ctx context.Context, do func(context.Context, *session) (worked bool, err error)) (worked bool, err error) {
	if n, _ := a.counts(); n >= mostHung {
		return false, fmt.Errorf("%w (%d attempts hang in it)", errHung, n)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &session{}
	s.alive(openPatience)
	type result struct {
		worked bool
		err    error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r.err = fmt.Errorf("it could not be read: %v", p) // a fault of ours, which must not end the other device's stream
			}
			a.returned(s)
			done <- r
		}()
		r.worked, r.err = do(ctx, s)
	}()
	tick := time.NewTicker(hungEvery)
	defer tick.Stop()
	ended := ctx.Done()
	for {
		select {
		case r := <-done:
			return r.worked, r.err
		case <-ended:
			ended = nil
			s.alive(closePatience)
		case now := <-tick.C:
			if s.overdue(now) && a.leave(s) {
				return false, errHung
			}
		}
	}
}

// leave leaves s behind, unless it has just returned.
func (a *sessions) leave(s *session) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return false
	}
	s.left = true
	a.hanging++
	a.hung++
	return true
}

// returned takes a session off the books; from now on it cannot be left behind.
func (a *sessions) returned(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		a.hanging--
	}
	s.left = true
}

// counts is how many sessions hang now, and how many ever did.
func (a *sessions) counts() (now int, ever uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hanging, a.hung
}
