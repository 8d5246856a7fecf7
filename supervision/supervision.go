package supervision

import "time"

// State is the closed set of what may be said about supervision right now (DOMAIN.md 5.1). The zero value is Unknown.
type State uint8

const (
	Unknown State = iota // the input is missing or older than Fresh: fail to unknown, never to green
	Ready
	Engaged
	Reduced
	Switching
	AudioOnly
	OneWay
	SupervisorAbsent
	SupervisorEngagedElsewhere
	Privacy
	Lost
	Onsite
	NotReady
	Training
	numStates
)

// Redundancy is how many ways out of the room are left.
type Redundancy uint8

const (
	RedundancyUnknown Redundancy = iota
	None                         // no link is usable
	LastLink                     // one is
	Full                         // two or more are
)

// Direction is one medium's way between room and supervisor, as its receiver counts it.
type Direction struct {
	Known bool          // the receiver has been heard about this direction
	Age   time.Duration // since the newest packet that the receiver is known to have
}
