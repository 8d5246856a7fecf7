package device

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"scanside/devices"
	"scanside/media"
)

// selection makes the choice of package devices for one source: it hears how the devices are, and keeps what is told of it.
// step belongs to one goroutine, the rest may be called by any.
type selection struct {
	log   *slog.Logger
	kind  media.Kind
	names []string
	ask   func(device int) (devices.Condition, media.Health)

	mu        sync.Mutex
	procedure bool // one is open
	began     time.Time
	choice    *devices.Choice // nil: Run has not begun
	guard     *devices.Guard
	heard     []devices.Condition
	used      int
	since     time.Time
	why       string
	takeovers map[devices.Reason]uint64
	breaches  uint64
	trace     devices.Trace
	whole     bool // trace holds everything since the start
}

func newSelection(kind media.Kind, names []string, log *slog.Logger, ask func(int) (devices.Condition, media.Health)) *selection {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &selection{log: log, kind: kind, names: names, ask: ask, takeovers: map[devices.Reason]uint64{}}
}

// begin starts anew; call it when Run begins.
func (s *selection) begin(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began, s.choice, s.guard, s.used = now, devices.New(len(s.names), 0), devices.NewGuard(len(s.names), 0), 0
	s.heard, s.whole = make([]devices.Condition, len(s.names)), true
	s.trace = devices.Trace{Names: traceNames(s.names)}
}

// step asks each device how it is and decides. It says which device to use, and whether that is another one than before.
func (s *selection) step(now time.Time) (used int, changed bool) {
	at := now.Sub(s.began)
	conditions := make([]devices.Condition, len(s.names))
	for i := range s.names {
		conditions[i], _ = s.ask(i)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	news := false
	for i, is := range conditions { // one at a time, as a trace has it
		if is != s.heard[i] {
			s.heard[i], news = is, true
			changed = s.decide(now, at, i) || changed
		}
	}
	if !news {
		changed = s.decide(now, at, -1)
	}
	return s.used, changed
}

// mostTraced bounds the trace kept: hours of a room in which nothing happens, minutes of a loose plug.
const mostTraced = 4096

// decide takes one step; device is the one whose condition is new.
func (s *selection) decide(now time.Time, at time.Duration, device int) (changed bool) {
	seen := devices.Seen{Conditions: s.heard, Open: s.procedure}
	d := s.choice.Step(at, seen)
	s.breaches += uint64(min(1, len(s.guard.Check(at, seen, d, s.choice.Deadline()))))
	if d.Changed || device >= 0 || len(s.trace.Records) > 0 && s.trace.Records[len(s.trace.Records)-1].Open != s.procedure {
		r := devices.Record{At: at, Device: device, Open: s.procedure}
		if device >= 0 {
			r.Is = s.heard[device]
		}
		if len(s.trace.Records) < mostTraced {
			s.trace.Records = append(s.trace.Records, r)
		} else {
			s.whole = false
		}
	}
	if !d.Changed {
		return false
	}
	s.used, s.since, s.why = d.Used, now, d.Why.Sentence(s.names[d.From], s.names[d.Used])
	if _, h := s.ask(d.From); d.Why != devices.Preferred && h.Reason != "" {
		s.why += ": " + h.Reason
	}
	s.takeovers[d.Why]++
	s.log.Info("another device is used", "stream", s.kind.String(), "device", s.names[d.Used], "before", s.names[d.From], "reason", d.Why.String())
	return true
}

// Used is the device in use. Any goroutine may call it.
func (s *selection) Used() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// SetOpen is part of media.Chooser.
func (s *selection) SetOpen(open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.procedure = open
}

// Trace is part of media.Chooser.
func (s *selection) Trace() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() || !s.whole {
		return nil
	}
	t := s.trace
	t.Want, _ = t.Replay()
	t.HasWant = true
	return t.Text()
}

// Choice is part of media.Chooser.
func (s *selection) Choice() media.Choice {
	c := media.Choice{}
	for i, name := range s.names {
		is, h := s.ask(i)
		c.Devices = append(c.Devices, media.Device{Name: name, Condition: is.String(), Health: h})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Used, c.Since, c.Why, c.Breaches = s.used, s.since, s.why, s.breaches
	for _, r := range devices.Reasons() {
		c.Takeovers = append(c.Takeovers, media.Takeovers{Reason: r.String(), N: s.takeovers[r]})
	}
	if s.choice == nil {
		return c
	}
	if i, left, open, ok := s.choice.Return(); ok {
		switch {
		case open:
			c.Return = fmt.Sprintf("%s works again; it is used again after the procedure", s.names[i])
		default:
			c.Return = fmt.Sprintf("%s works again; it is used again when it has worked for %v more", s.names[i], left.Round(time.Second))
		}
	}
	return c
}

// traceNames makes the names words of a trace: short, and each its own.
func traceNames(names []string) []string {
	out := make([]string, len(names))
	for i := range names {
		out[i] = fmt.Sprintf("device%d", i+1)
	}
	return out
}
