package emu

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// opportunity is what one line of a trace may carry, in bytes (mahimahi's packet).
const opportunity = 1500

// traceLines bounds a trace: ten minutes of 200 Mbit/s.
const traceLines = 10_000_000

// Trace is the recorded capacity of a real link: moments at which it could carry 1500 bytes each, over and over again. It
// never changes, so that any number of pipes may share one.
type Trace struct {
	moments []time.Duration // in order
	period  time.Duration
}

// ReadTrace reads mahimahi's format: each line a millisecond, in order; the same one twice means two packets; the last line
// is also the period after which the trace begins anew.
func ReadTrace(r io.Reader) (*Trace, error) {
	t := &Trace{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		word := strings.TrimSpace(lines.Text())
		if word == "" {
			continue
		}
		ms, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("line %d: %q is not a millisecond; a trace has one whole number a line", n, word)
		}
		at := time.Duration(ms) * time.Millisecond
		if at < t.period {
			return nil, fmt.Errorf("line %d: %v lies before the line above; a trace is in order", n, at)
		}
		t.moments, t.period = append(t.moments, at), at
		if len(t.moments) > traceLines {
			return nil, fmt.Errorf("line %d: a trace has %d lines at most", n, traceLines)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if t.period == 0 {
		return nil, errors.New("the trace is empty or lasts no time; its last line is its length in milliseconds")
	}
	return t, nil
}

// moment is when opportunity number k comes, after the trace's beginning.
func (t *Trace) moment(k int) time.Duration {
	n := len(t.moments)
	return time.Duration(k/n)*t.period + t.moments[k%n]
}

// next is the first opportunity at or after a time.
func (t *Trace) next(at time.Duration) int {
	turn := int(at / t.period)
	i, _ := slices.BinarySearch(t.moments, at%t.period)
	return turn*len(t.moments) + i
}

// course is where a pipe stands in its trace.
type course struct {
	trace *Trace
	zero  time.Time // when the trace began
	turn  int       // the opportunity in use
	left  int       // bytes left of it
}

// follow begins a trace at now, unless it is on its way.
func (c *course) follow(t *Trace, now time.Time, from time.Duration) {
	if c.trace != t {
		*c = course{trace: t, zero: now.Add(-from), turn: t.next(from), left: opportunity}
	}
}

// sent books size bytes and says when the last of them leaves. An opportunity that nobody used is gone.
func (c *course) sent(now time.Time, size int) time.Time {
	if first := c.trace.next(now.Sub(c.zero)); c.turn < first {
		c.turn, c.left = first, opportunity
	}
	for {
		if size <= c.left {
			c.left -= size
			return c.zero.Add(c.trace.moment(c.turn))
		}
		size -= c.left
		c.turn, c.left = c.turn+1, opportunity
	}
}
