package emu

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Shape says what one direction of an uplink does to what is sent through it. The zero value delivers everything at once.
type Shape struct {
	Delay     time.Duration // one way, for every packet
	Jitter    time.Duration // up to this much more, drawn evenly for each packet
	Reorder   bool          // jitter may let a packet overtake another; false keeps the order, as one radio bearer does
	Loss      float64       // share of datagrams lost, 0…1, drawn for each on its own
	Burst     float64       // share of the time, 0…1, in which all are lost: holes
	BurstMean time.Duration // how long a hole is on average; 0 means DefaultBurst
	Duplicate float64       // share of datagrams delivered twice, 0…1
	MTU       int           // bytes; what is larger vanishes and nobody is told (RFC 2923); 0 is without limit
	Rate      int           // bit/s; 0 is without limit
	Trace     *Trace        // recorded capacity instead of Rate, begun TraceFrom after its beginning
	TraceFrom time.Duration
	Queue     int  // bytes that may wait for the rate, then the tail is dropped; 0 means DefaultQueue
	NoGrams   bool // a firewall: datagrams vanish, streams pass
	NoStreams bool // the other way round: streams stand still, datagrams pass
	Cut       bool // black hole: nothing passes, nobody is told
}

const (
	// DefaultQueue is what waits before a thin rate unless the shape says otherwise: 64 KiB, a quarter of a second of
	// 2 Mbit/s, as shallow as a well-kept access router.
	DefaultQueue = 64 << 10
	// DefaultBurst is a hole's mean length: a short fade of a radio bearer.
	DefaultBurst = 200 * time.Millisecond
)

// Check reports everything wrong with the shape at once.
func (s Shape) Check() error {
	var errs []error
	if s.Delay < 0 || s.Jitter < 0 || s.BurstMean < 0 || s.TraceFrom < 0 {
		errs = append(errs, fmt.Errorf("delay %v, jitter %v, burst length %v, place in the trace %v: none can be negative", s.Delay, s.Jitter, s.BurstMean, s.TraceFrom))
	}
	for _, share := range []float64{s.Loss, s.Burst, s.Duplicate} {
		if !(share >= 0 && share <= 1) { // NaN too
			errs = append(errs, fmt.Errorf("loss, burst or duplicate %v: give a share from 0 to 1", share))
		}
	}
	if s.Rate < 0 || s.Queue < 0 || s.MTU < 0 {
		errs = append(errs, fmt.Errorf("rate %d bit/s with a queue of %d bytes, MTU %d bytes: none can be negative", s.Rate, s.Queue, s.MTU))
	}
	return errors.Join(errs...)
}

// thin reports whether packets wait for a transmitter.
func (s Shape) thin() bool { return s.Rate > 0 || s.Trace != nil }

// against describes what differs from base, in the words of the status page; empty when nothing does.
func (s Shape) against(base Shape) string {
	if s.Cut {
		return "cut"
	}
	var parts []string
	say := func(differs bool, format string, args ...any) {
		if differs {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	say(s.NoGrams, "UDP blocked")
	say(s.NoStreams, "TCP blocked")
	say(s.Loss != base.Loss, "%.0f %% loss", s.Loss*100)
	say(s.Burst != base.Burst, "%.0f %% loss in bursts", s.Burst*100)
	say(s.Duplicate != base.Duplicate, "%.0f %% twice", s.Duplicate*100)
	say(s.Delay != base.Delay, "%+d ms", (s.Delay - base.Delay).Milliseconds())
	say(s.Jitter != base.Jitter, "%d ms jitter", s.Jitter.Milliseconds())
	say(s.Reorder && !base.Reorder, "out of order")
	say(s.MTU != base.MTU, "nothing above %d bytes", s.MTU)
	say(s.Rate != base.Rate, "%d kbit/s", s.Rate/1000)
	say(s.Trace != nil, "recorded capacity")
	return strings.Join(parts, ", ")
}
