package emu

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Path is an emulated uplink at rest.
type Path struct {
	Name     string
	Up, Down Shape // up: away from the room
}

// Symmetric is a path with half the round trip in each direction and nothing else wrong with it.
func Symmetric(name string, roundTrip time.Duration) Path {
	return Path{Name: name, Up: Shape{Delay: roundTrip / 2}, Down: Shape{Delay: roundTrip / 2}}
}

// Direction of an uplink, seen from the room. Both is the zero value.
type Direction uint8

// The directions.
const (
	Both Direction = iota
	Up
	Down
)

// The demo's impairments: what DESIGN calls merely degraded.
const (
	demoLoss  = 0.30
	demoDelay = 300 * time.Millisecond
	demoRate  = 600_000 // bit/s
)

// Set is all emulated uplinks of one room by name. Any goroutine may call its methods.
type Set struct {
	members []*member  // fixed
	mu      sync.Mutex // makes Change one step
}

type member struct {
	path      Path
	up, down  *Line
	unplugged atomic.Bool
}

// NewSet starts two lines for each path; Close ends them. The seed makes losses and jitter repeatable.
func NewSet(seed uint64, paths ...Path) *Set {
	s := &Set{}
	for i, p := range paths {
		base := seed*1000 + uint64(i)*2
		s.members = append(s.members, &member{path: p, up: NewLine(p.Up, base), down: NewLine(p.Down, base+1)})
	}
	return s
}

// Close ends all lines and waits for them.
func (s *Set) Close() {
	for _, m := range s.members {
		m.up.Close()
		m.down.Close()
	}
}

// Wrap leads a network through the named uplink's lines.
func (s *Set) Wrap(uplink string, inner Inner) (*Net, error) {
	m, err := s.member(uplink)
	if err != nil {
		return nil, err
	}
	return &Net{inner: inner, up: m.up, down: m.down, unplugged: &m.unplugged}, nil
}

// Lines gives both lines of an uplink, for forwarders and for counters.
func (s *Set) Lines(uplink string) (up, down *Line, err error) {
	m, err := s.member(uplink)
	if err != nil {
		return nil, nil, err
	}
	return m.up, m.down, nil
}

// Change sets the named uplink's present shape from its base and its present one.
func (s *Set) Change(uplink string, d Direction, change func(base, now Shape) Shape) error {
	m, err := s.member(uplink)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	up, down := change(m.path.Up, m.up.Shape()), change(m.path.Down, m.down.Shape())
	for _, shape := range []Shape{up, down} {
		if err := shape.Check(); err != nil {
			return fmt.Errorf("change uplink %s: %w", uplink, err)
		}
	}
	if d != Down {
		m.up.Reshape(up)
	}
	if d != Up {
		m.down.Reshape(down)
	}
	return nil
}

// Unplug makes the named uplink fail loudly (see Net.Unplug), or plugs it in again. The lines stay as they are.
func (s *Set) Unplug(uplink string, on bool) error {
	m, err := s.member(uplink)
	if err != nil {
		return err
	}
	m.unplugged.Store(on)
	return nil
}

// Impair does what the demo's buttons say: "cut", "loss" (30 %), "delay" (+300 ms) or "restore", both directions, and "thin"
// (600 kbit/s), away from the room: what comes back is not the room's to make smaller.
func (s *Set) Impair(uplink, what string) error {
	switch what {
	case "cut":
		return s.Change(uplink, Both, func(_, now Shape) Shape { now.Cut = true; return now })
	case "loss":
		return s.Change(uplink, Both, func(_, now Shape) Shape { now.Loss = demoLoss; return now })
	case "delay":
		return s.Change(uplink, Both, func(base, now Shape) Shape { now.Delay = base.Delay + demoDelay; return now })
	case "thin":
		return s.Change(uplink, Up, func(_, now Shape) Shape { now.Rate = demoRate; return now })
	case "restore":
		return s.Change(uplink, Both, func(base, _ Shape) Shape { return base })
	}
	return fmt.Errorf("impair uplink %s: %q is not known; use cut, loss, delay, thin or restore", uplink, what)
}

// State says in a few words what is wrong with the uplink: "cut", "30 % loss, +300 ms", "up: cut"; empty when nothing is,
// or when there is no such uplink.
func (s *Set) State(uplink string) string {
	m, err := s.member(uplink)
	if err != nil {
		return ""
	}
	if m.unplugged.Load() {
		return "unplugged"
	}
	up, down := m.up.Shape().against(m.path.Up), m.down.Shape().against(m.path.Down)
	if up == down {
		return up
	}
	var parts []string
	if up != "" {
		parts = append(parts, "up: "+up)
	}
	if down != "" {
		parts = append(parts, "down: "+down)
	}
	return strings.Join(parts, "; ")
}

// Names lists the uplinks in their order.
func (s *Set) Names() []string {
	var names []string
	for _, m := range s.members {
		names = append(names, m.path.Name)
	}
	return names
}

func (s *Set) member(uplink string) (*member, error) {
	for _, m := range s.members {
		if m.path.Name == uplink {
			return m, nil
		}
	}
	return nil, fmt.Errorf("there is no emulated uplink %q", uplink)
}
