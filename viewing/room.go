package viewing

import (
	"slices"
	"time"
)

const (
	// Absence is how long somebody must be away to be announced anew: longer than a console needs to find its way back after
	// both uplinks were dead (ICE gives up after 30 s, and it begins again within some seconds).
	Absence = time.Minute

	// Spacing is the least time between two sounds: a round of arrivals is one sound and not an alarm.
	Spacing = 10 * time.Second

	// remembered bounds who is kept in mind. Who is forgotten would be announced once more: the safe side.
	remembered = 64
)

// Word is what the far end says about people now, and what the box knows itself.
type Word struct {
	Here     []string // names of those who look by the box's own page
	Reached  bool     // some uplink reaches it: whoever is there could watch
	Known    bool     // what follows is fresh
	Watching []string // names of those who are given the room's picture or sound, or speak to it
}

// Notice is what the room is to be told now.
type Notice struct {
	Known    bool
	Watching []string // those here, then in the order of the word; without a fresh word, those here alone
	Light    bool
	Sound    bool     // announce now
	Arrived  []string // for whom
}

// Room remembers who has been announced. The zero value has announced nobody.
type Room struct {
	people  []person // longest unseen first
	waiting []string // not announced yet
	sounded bool
	soundAt time.Time
}

type person struct {
	name string
	seen time.Time
}

// Look takes the newest word and says what follows from it.
func (r *Room) Look(at time.Time, w Word) Notice {
	n := Notice{Known: w.Known, Watching: w.Here}
	if w.Known {
		n.Watching = slices.Concat(w.Here, w.Watching)
	}
	n.Light = len(n.Watching) > 0 || w.Reached && !w.Known
	for _, name := range n.Watching {
		if r.isNew(at, name) && !slices.Contains(r.waiting, name) {
			r.waiting = append(r.waiting, name)
		}
	}
	if len(r.waiting) > 0 && (!r.sounded || at.Sub(r.soundAt) >= Spacing) {
		n.Sound, n.Arrived = true, r.waiting
		r.waiting, r.sounded, r.soundAt = nil, true, at
	}
	return n
}

// isNew notes that somebody is there, and reports whether he was not within Absence.
func (r *Room) isNew(at time.Time, name string) bool {
	i := slices.IndexFunc(r.people, func(p person) bool { return p.name == name })
	anew := i < 0 || at.Sub(r.people[i].seen) >= Absence
	if i >= 0 {
		r.people = slices.Delete(r.people, i, i+1)
	}
	if len(r.people) == remembered {
		r.people = slices.Delete(r.people, 0, 1)
	}
	r.people = append(r.people, person{name, at})
	return anew
}
