package emu

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Shape says what one direction of an uplink does to what is sent through it. The zero value delivers everything at once.
type Shape struct {
	Delay   time.Duration // one way, for every packet
	Jitter  time.Duration // up to this much more, drawn evenly for each packet
	Reorder bool          // jitter may let a packet overtake another; false keeps the order, as one radio bearer does
	Loss    float64       // share of datagrams lost, 0…1, drawn for each on its own
	Rate    int           // bit/s; 0 is without limit
	Queue   int           // bytes that may wait for the rate, then the tail is dropped; 0 means DefaultQueue
	Cut     bool          // black hole: nothing passes, nobody is told
}

// DefaultQueue is what waits before a thin rate unless the shape says otherwise: 64 KiB, a quarter of a second of 2 Mbit/s,
// as shallow as a well-kept access router.
const DefaultQueue = 64 << 10

// Check reports everything wrong with the shape at once.
func (s Shape) Check() error {
	var errs []error
	if s.Delay < 0 || s.Jitter < 0 {
		errs = append(errs, fmt.Errorf("delay %v and jitter %v: neither can be negative", s.Delay, s.Jitter))
	}
	if s.Loss < 0 || s.Loss > 1 || s.Loss != s.Loss {
		errs = append(errs, fmt.Errorf("loss %v: give a share from 0 to 1", s.Loss))
	}
	if s.Rate < 0 || s.Queue < 0 {
		errs = append(errs, fmt.Errorf("rate %d bit/s with a queue of %d bytes: neither can be negative", s.Rate, s.Queue))
	}
	return errors.Join(errs...)
}

// against describes what differs from base, in the words of the status page; empty when nothing does.
func (s Shape) against(base Shape) string {
	if s.Cut {
		return "cut"
	}
	var parts []string
	if s.Loss != base.Loss {
		parts = append(parts, fmt.Sprintf("%.0f %% loss", s.Loss*100))
	}
	if d := s.Delay - base.Delay; d != 0 {
		parts = append(parts, fmt.Sprintf("%+d ms", d.Milliseconds()))
	}
	if s.Jitter != base.Jitter {
		parts = append(parts, fmt.Sprintf("%d ms jitter", s.Jitter.Milliseconds()))
	}
	if s.Rate != base.Rate {
		parts = append(parts, fmt.Sprintf("%d kbit/s", s.Rate/1000))
	}
	return strings.Join(parts, ", ")
}
