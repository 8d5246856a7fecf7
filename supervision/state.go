package supervision

import "strings"

// State is what can be said about supervision right now: a closed set. The zero value is Unknown.
type State uint8

const (
	Unknown                    State = iota // an input is missing or too old
	Ready                                   // available: everything is there, nobody talks
	Engaged                                 // voice and picture flow both ways
	Reduced                                 // the same, with a smaller picture
	Switching                               // was qualifying until less than SwitchMost ago
	AudioOnly                               // voice without picture
	OneWay                                  // one direction, or half of one, is missing
	SupervisorAbsent                        // nobody with a name is present at a console
	SupervisorEngagedElsewhere              // he is, with another room
	Privacy                                 // the camera is off on purpose
	Lost                                    // nothing reaches the supervisor
	Onsite                                  // a supervisor is in the building
	NotReady                                // today's check has not been made
	Training                                // nothing counts
	numStates
)

// stateWords is the table of code words and of what the screen says; @ stands for the supervisor.
var stateWords = [numStates][2]string{
	Unknown:                    {"UNKNOWN", "UNKNOWN: NOT SUPERVISION"},
	Ready:                      {"READY", "SUPERVISION AVAILABLE"},
	Engaged:                    {"ENGAGED", "CONNECTED: @"},
	Reduced:                    {"REDUCED", "CONNECTED, REDUCED VIDEO"},
	Switching:                  {"SWITCHING", "SWITCHING LINK..."},
	AudioOnly:                  {"AUDIO_ONLY", "AUDIO ONLY: NOT SUPERVISION"},
	OneWay:                     {"ONE_WAY", "ONE-WAY: NOT SUPERVISION"},
	SupervisorAbsent:           {"SUPERVISOR_ABSENT", "SUPERVISOR NOT CONFIRMED"},
	SupervisorEngagedElsewhere: {"SUPERVISOR_ENGAGED_ELSEWHERE", "SUPERVISOR BUSY: BACKUP CALLED"},
	Privacy:                    {"PRIVACY", "CAMERA OFF"},
	Lost:                       {"LOST", "SUPERVISION LOST"},
	Onsite:                     {"ONSITE", "ON-SITE SUPERVISOR: @"},
	NotReady:                   {"NOT_READY", "NOT CHECKED TODAY"},
	Training:                   {"TRAINING", "TRAINING"},
}

// String is the code word, e.g. "AUDIO_ONLY".
func (s State) String() string { return s.words()[0] }

// Words is what the screen says.
func (s State) Words(supervisor string) string { return fill(s.words()[1], supervisor) }

func (s State) words() [2]string {
	if s >= numStates {
		s = Unknown
	}
	return stateWords[s]
}

// fill puts the supervisor's name, or the word, into a sentence.
func fill(text, supervisor string) string {
	if supervisor == "" {
		supervisor = "The supervisor"
	}
	return strings.ReplaceAll(text, "@", supervisor)
}

// States lists the closed set.
func States() []State {
	all := make([]State, numStates)
	for i := range all {
		all[i] = State(i)
	}
	return all
}

// qualifies reports whether the state has the form that is asked for. Whether it also satisfies a site's policy in this
// phase of a procedure is for the procedure to say.
func (s State) qualifies() bool { return s == Ready || s == Engaged || s == Reduced }

// Redundancy is how many ways out of the room are left.
type Redundancy uint8

const (
	RedundancyUnknown Redundancy = iota
	None                         // no link is of use
	LastLink                     // one more failure ends supervision
	Full                         // two or more links are proven
)

// String is "unknown", "none", "last-link" or "full".
func (r Redundancy) String() string {
	words := [...]string{"unknown", "none", "last-link", "full"}
	if int(r) >= len(words) {
		r = RedundancyUnknown
	}
	return words[r]
}
