package scenario

import (
	"slices"
	"time"

	"scanside/lab/emu"
)

// Scenario is one story.
type Scenario struct {
	Name    string
	Story   string // plain words, without the comment signs
	Spaces  bool   // one of those that namespaces play too
	Length  time.Duration
	Uplinks []Uplink
	Voice   string // protection: always, on-doubt, by-cost or never; default: as a box that is told nothing
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

// Route says which uplinks carry a stream at the end: exactly these. Or, of stream "farend", at which far end the room is.
type Route struct {
	Stream  string // voice, video or farend
	Uplinks []string
}

// MovesFarEnds reports whether something happens to a far end.
func (s Scenario) MovesFarEnds() bool {
	return slices.ContainsFunc(s.Events, func(e Event) bool { return e.Verb == FarEnd })
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
	i := slices.IndexFunc(s.Events, Event.bad)
	if i < 0 {
		return "", 0, false
	}
	return s.Events[i].Uplink, s.Events[i].At, true
}
