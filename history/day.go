package history

import "time"

// Kept is how many minutes a Day holds.
const Kept = 24 * 60

// Note is what is true now, and since the note before it.
type Note struct {
	Verdict Grade
	Open    bool          // a procedure is open
	Gap     time.Duration // the longest silence of voice at the far end lately; 0: none, or not known
	Lost    [2]uint64     // packets of voice and picture that the far end has missed since the note before
	Links   []LinkNote
}

// Grade is how good the verdict is, from good to bad. The zero value is Unknown.
type Grade uint8

// The grades, as the page's levels.
const (
	Unknown Grade = iota
	OK
	Notice
	Warning
	Bad
)

// LinkNote is one uplink now.
type LinkNote struct {
	Name  string
	State State
	Loss  float64 // of its probes, 0 to 1; less than 0: not measured
}

// State is what an uplink does.
type State uint8

// The states. The zero value is one that is down.
const (
	Down     State = iota
	StandsBy       // connected, and carries nothing
	Carries        // voice, picture or both
)

// Minute is what was noted in one minute.
type Minute struct {
	At      time.Time  `json:"at"`              // its first moment, UTC
	Seen    float64    `json:"seen_s"`          // seconds in which the box looked
	Verdict [5]float64 `json:"verdict"`         // seconds by Grade
	Open    float64    `json:"open_s,omitzero"` // seconds in which a procedure was open
	Gap     float64    `json:"gap_ms,omitzero"` // longest silence of voice at the far end
	Lost    [2]uint64  `json:"lost,omitzero"`   // packets of voice and picture
	Links   []Link     `json:"links"`
}

// Link is one uplink in one minute.
type Link struct {
	Name     string  `json:"name"`
	Carried  float64 `json:"carried_s,omitzero"`
	Down     float64 `json:"down_s,omitzero"`
	Loss     float64 `json:"loss,omitzero"` // mean, where it was measured
	Measured float64 `json:"loss_of_s"`     // seconds
}

// Worst is the worst grade that lasted a second or more; Unknown when the box did not look.
func (m Minute) Worst() Grade {
	for g := Bad; g > Unknown; g-- {
		if m.Verdict[g] >= 1 {
			return g
		}
	}
	return Unknown
}

// Day is the last day. The zero value is empty. It belongs to one goroutine.
type Day struct {
	minutes []Minute // oldest first; the last is under way
	last    time.Time
}

// longest is how far apart two notes may be for the time between them to count as looked at; they are made once a second.
const longest = 3 * time.Second

// Note takes in what is true at a moment. It returns the minute that was finished by it, if one was.
func (d *Day) Note(at time.Time, n Note) (finished Minute, done bool) {
	at = at.UTC()
	passed := at.Sub(d.last)
	if d.last.IsZero() || passed < 0 || passed > longest {
		passed = 0
	}
	d.last = at
	start := at.Truncate(time.Minute)
	if k := len(d.minutes); k == 0 || start.After(d.minutes[k-1].At) {
		if k > 0 {
			finished, done = d.minutes[k-1], true
		}
		d.add(Minute{At: start})
	}
	d.minutes[len(d.minutes)-1].note(passed.Seconds(), n)
	return finished, done
}

func (d *Day) add(m Minute) {
	if len(d.minutes) == Kept {
		copy(d.minutes, d.minutes[1:])
		d.minutes = d.minutes[:Kept-1]
	}
	d.minutes = append(d.minutes, m)
}

// Minutes are those from a moment on, oldest first; the last is under way. The caller must not change them; they do not change.
func (d *Day) Minutes(from time.Time) []Minute {
	all := []Minute{}
	for _, m := range d.minutes {
		if !m.At.Before(from) {
			m.Links = append([]Link(nil), m.Links...)
			all = append(all, m)
		}
	}
	return all
}

func (m *Minute) note(s float64, n Note) {
	m.Seen += s
	m.Verdict[min(n.Verdict, Bad)] += s
	if n.Open {
		m.Open += s
	}
	m.Gap = max(m.Gap, float64(n.Gap.Microseconds())/1000)
	m.Lost[0] += n.Lost[0]
	m.Lost[1] += n.Lost[1]
	for _, l := range n.Links {
		m.link(l.Name).note(s, l)
	}
}

func (m *Minute) link(name string) *Link {
	for i := range m.Links {
		if m.Links[i].Name == name {
			return &m.Links[i]
		}
	}
	m.Links = append(m.Links, Link{Name: name})
	return &m.Links[len(m.Links)-1]
}

func (l *Link) note(s float64, n LinkNote) {
	switch n.State {
	case Carries:
		l.Carried += s
	case Down:
		l.Down += s
	}
	if n.Loss >= 0 && s > 0 {
		l.Loss = (l.Loss*l.Measured + n.Loss*s) / (l.Measured + s)
		l.Measured += s
	}
}
