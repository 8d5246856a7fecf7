package scenario

import (
	"fmt"
	"slices"
	"time"

	"scanside/lab/emu"
)

// Scenario is one story.
type Scenario struct {
	Name    string
	Story   string // plain words, without the comment signs
	Length  time.Duration
	Uplinks []Uplink
	Voice   string // protection: always, on-doubt or never
	Video   string
	Events  []Event // in the order of their times
	Expect  []Expectation
	End     []Route
}

// Uplink is a way out of the room at rest.
type Uplink struct {
	Name      string
	RoundTrip time.Duration
	Metered   bool
}

// Verb is what can happen to an uplink.
type Verb string

// The verbs.
const (
	Cut     Verb = "cut"
	Loss    Verb = "loss"
	Delay   Verb = "delay"
	Jitter  Verb = "jitter"
	Rate    Verb = "rate"
	Restore Verb = "restore"
	IfDown  Verb = "ifdown"
	IfUp    Verb = "ifup"
)

// Event happens to one uplink.
type Event struct {
	At        time.Duration
	Verb      Verb
	Uplink    string
	Direction emu.Direction
	Share     float64       // of Loss
	By        time.Duration // of Delay and Jitter
	Rate      int           // bit/s
}

// Route says which uplinks carry a stream at the end: exactly these.
type Route struct {
	Stream  string // voice or video
	Uplinks []string
}

// Paths gives the uplinks at rest as the emulator wants them.
func (s Scenario) Paths() []emu.Path {
	var paths []emu.Path
	for _, u := range s.Uplinks {
		paths = append(paths, emu.Symmetric(u.Name, u.RoundTrip))
	}
	return paths
}

// Struck is the first uplink that something bad happens to, and when; false for a story in which nothing happens.
func (s Scenario) Struck() (uplink string, at time.Duration, ok bool) {
	i := slices.IndexFunc(s.Events, func(e Event) bool { return e.Verb != Restore && e.Verb != IfUp })
	if i < 0 {
		return "", 0, false
	}
	return s.Events[i].Uplink, s.Events[i].At, true
}

// Apply does the event to the emulated uplinks. IfDown and IfUp are the world's own: Apply reports them as an error.
func (e Event) Apply(set *emu.Set) error {
	change := func(f func(base, now emu.Shape) emu.Shape) error { return set.Change(e.Uplink, e.Direction, f) }
	switch e.Verb {
	case Cut:
		return change(func(_, now emu.Shape) emu.Shape { now.Cut = true; return now })
	case Loss:
		return change(func(_, now emu.Shape) emu.Shape { now.Loss = e.Share; return now })
	case Delay:
		return change(func(base, now emu.Shape) emu.Shape { now.Delay = base.Delay + e.By; return now })
	case Jitter:
		return change(func(_, now emu.Shape) emu.Shape { now.Jitter = e.By; return now })
	case Rate:
		return change(func(_, now emu.Shape) emu.Shape { now.Rate = e.Rate; return now })
	case Restore:
		return change(func(base, _ emu.Shape) emu.Shape { return base })
	}
	return fmt.Errorf("%s is not done to the emulator but to the interface itself", e.Verb)
}

// String is the event as the file has it.
func (e Event) String() string { return fmt.Sprintf("at %v %s", e.At, e.What()) }

// What is the event without its time; ParseEvent reads it.
func (e Event) What() string {
	text := fmt.Sprintf("%s %s", e.Verb, e.Uplink)
	switch e.Verb {
	case Loss:
		text += fmt.Sprintf(" %g%%", e.Share*100)
	case Delay, Jitter:
		text += " " + e.By.String()
	case Rate:
		text += fmt.Sprintf(" %d", e.Rate/1000)
	}
	return text + map[emu.Direction]string{emu.Up: " up", emu.Down: " down"}[e.Direction]
}
