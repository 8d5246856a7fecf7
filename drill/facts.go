package drill

import "time"

// Order is what somebody asked for.
type Order struct {
	By     string // who
	Uplink string // the one to cut
	For    time.Duration
}

// Bounds of Order.For. WebRTC's consent lasts 30 s (RFC 7675 5.1): a cut that is longer ends the session, and tests more.
const (
	Shortest = 10 * time.Second
	Usual    = 20 * time.Second
	Longest  = 60 * time.Second
)

// Seen is what the loop sees now.
type Seen struct {
	Procedure bool
	Stopping  bool // the agent ends
	Reports   bool // the far end is reached, and says what it receives
	Foreign   bool // it is of another make, and never does
	Sends     bool // voice or picture leave the room
	Pinned    string
	Uplinks   []Uplink // in order of preference
	Cost      Cost     // of the cut, as far as it is known
}

// Uplink is one way out of the room.
type Uplink struct {
	Name    string
	Up      bool // proven, by the engine's verdict
	Usable  bool // not Down
	Suspect bool
	Best    bool // everything is carried here
	Spent   bool // its data budget is
	Looked  time.Time
	Fault   string // what an examination found wrong, a sentence; "": nothing
}

// stands reports whether the uplink could carry everything.
func (u Uplink) stands() bool { return u.Up && !u.Suspect }

// Measure is a figure that may not be known. The zero value is not.
type Measure struct {
	Value time.Duration
	Known bool
}

// Cost is what the cut cost. Voice and Video are the longest pause at the far end, by its own word; the others in the room, where
// somebody talked to it.
type Cost struct {
	Notice, Switch       Measure // from the last good answer until it was noticed; until the far end went on
	Voice, Video         Measure
	RoomVoice, RoomVideo Measure
	HasVoice, HasVideo   bool // they leave the room, so they have to be measured
	LostKnown            bool
	LostVoice, LostVideo uint64 // packets, at the far end
	Spare                []string
	Switchover           uint64 // number of the story that tells it; 0: none does
}

// find returns the uplink of that name.
func (s Seen) find(name string) (Uplink, bool) {
	for _, u := range s.Uplinks {
		if u.Name == name {
			return u, true
		}
	}
	return Uplink{}, false
}

// spare reports whether an uplink other than name satisfies is.
func (s Seen) spare(name string, is func(Uplink) bool) bool {
	for _, u := range s.Uplinks {
		if u.Name != name && is(u) {
			return true
		}
	}
	return false
}

// Refusal says why no drill may begin now, in a sentence; "": one may, of the uplink that is preferred.
func (s Seen) Refusal() string {
	switch {
	case s.Procedure:
		return "A procedure is open: nothing is cut while a patient depends on it."
	case s.Stopping:
		return "scanside is being stopped."
	case len(s.Uplinks) < 2:
		return "There is one uplink only: without a spare, a drill would end supervision."
	case s.Foreign:
		return "This far end is of another make and does not say what it received, so a drill could not be measured."
	case s.Pinned != "":
		return "An operator holds everything on " + s.Pinned + ": let go of it first."
	case !s.Uplinks[0].stands():
		return s.Uplinks[0].Name + " is not proven now, or in doubt: a drill of it would prove nothing."
	case !s.Uplinks[0].Best:
		return "Everything is carried elsewhere than on " + s.Uplinks[0].Name + "; wait until it is back there."
	case !s.spare(s.Uplinks[0].Name, Uplink.stands):
		return "No other uplink is proven yet, so nothing could stand in for " + s.Uplinks[0].Name + "."
	case !s.spare(s.Uplinks[0].Name, func(u Uplink) bool { return u.stands() && !u.Spent }):
		return "The data budget of the spare is spent: a drill would use it further."
	case !s.Sends:
		return "Neither voice nor picture leaves the room, so there would be nothing to measure."
	case !s.Reports:
		return "The far end does not say now what it receives, so a drill could not be measured."
	}
	return ""
}
