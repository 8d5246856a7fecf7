package supervision

import "time"

// What the verdicts go by. They are constants: no site may loosen them.
const (
	Fresh       = 3 * time.Second  // an input older than this is not known
	FlowGap     = 1 * time.Second  // a stream that brings nothing for so long does not flow: 50 frames of voice
	SwitchMost  = 5 * time.Second  // a gap is called switching for so long, then by its name
	TalkStart   = 5 * time.Second  // a supervisor who begins to talk has so long until his media must be there
	ConsoleDead = 30 * time.Second // a console that was not heard from for so long has nobody at it: three heartbeats
)

// Direction is one medium's way, as its receiver counts it.
type Direction struct {
	Known bool          // the receiver has given word about it
	Word  time.Duration // age of that word
	Idle  time.Duration // since the newest packet, by that word
	Empty bool          // it flows, and shows or tells nothing of the room: a slate, a black picture, a muted microphone
}

func (d Direction) fresh() bool { return d.Known && d.Word <= Fresh }
func (d Direction) flows() bool { return d.fresh() && d.Idle <= FlowGap }

// serves says that the room itself arrives.
func (d Direction) serves() bool { return d.flows() && !d.Empty }

// hollow says that something arrives which is not the room.
func (d Direction) hollow() bool { return d.flows() && d.Empty }

// Media is the two directions' worth of one way: room to supervisor, or back.
type Media struct{ Voice, Video Direction }

// Supervisor is the far end's word about who is at a console. Where several are, it is about the one who talks, else the
// one who has been there longest.
type Supervisor struct {
	Known   bool          // the far end has given word about consoles
	Word    time.Duration // age of that word
	Present bool          // signed in, as somebody who may supervise, at a console that is open
	Name    string
	Heard   time.Duration // since the console's last sign of life
	Sees    bool          // the console shows the room's picture
	Hears   bool          // and plays its voice
	Talking bool          // his microphone or camera is on for this room
	Talks   time.Duration // since when
}

// Links is the failover engine's word about the ways out of the room.
type Links struct {
	Known  bool
	Word   time.Duration // age
	Usable int           // not Down
	Proven int           // of these, Up or Degraded
	Return bool          // on one of them stands the session that brings the supervisor's voice and picture
}

// Loudspeaker is the box's word about what plays the supervisor's voice in the room.
type Loudspeaker struct {
	Elsewhere bool          // the box plays no voice: the site says that something else does
	Known     bool          // it is known whether it plays
	Word      time.Duration // age of that
	Plays     bool
}

// Muted is what people in the room have closed.
type Muted struct{ Camera, Microphone bool }

// Inputs is everything a verdict goes by.
type Inputs struct {
	Before     Verdict // the verdict before this one; the zero value at first
	Out        Media   // room to supervisor, as the far end counts
	Back       Media   // supervisor to room, as the room counts
	Supervisor Supervisor
	Links      Links
	Foreign    bool // the far end is a server of another make: it has no consoles, and never gives word about people
	Muted      Muted
	Speaker    Loudspeaker
	Reduced    bool // the room's picture is sent smaller or slower than configured, because the links carry too little
}

// Verdict is what is true of supervision now.
type Verdict struct {
	State      State
	Since      time.Time // of State
	Reason     Reason
	Sentence   string // Reason in plain English, for the person in the room
	Qualifying bool   // voice and picture, both ways, to a named supervisor who is present: measured to be there
	Redundancy Redundancy
}

// Judge says what is true at that time.
func Judge(at time.Time, in Inputs) Verdict {
	state, why := in.judge(at)
	v := Verdict{State: state, Since: at, Reason: why, Sentence: why.Sentence(in.Supervisor.Name),
		Qualifying: state.qualifies(), Redundancy: in.Links.redundancy()}
	if in.Before.State == state && !in.Before.Since.IsZero() && !at.Before(in.Before.Since) {
		v.Since = in.Before.Since
	}
	return v
}

// judge goes from worst to best; the first that applies is the verdict. What is known to be lost is said even if something
// else is not known.
func (in *Inputs) judge(at time.Time) (State, Reason) {
	s, l := &in.Supervisor, &in.Links
	switch {
	case l.fresh() && l.Usable == 0:
		return in.gap(at, Lost, NoLink)
	case in.Muted.Camera && in.Muted.Microphone:
		return Privacy, BothMuted
	case in.Muted.Camera:
		return Privacy, CameraMuted
	case in.Muted.Microphone:
		return OneWay, MicrophoneMuted
	case !l.fresh():
		return Unknown, LinksUnknown
	case !in.Out.Voice.fresh() || !in.Out.Video.fresh():
		return Unknown, FarEndSilent
	case !in.Out.Voice.flows() && !in.Out.Video.flows():
		return in.gap(at, Lost, RoomUnseenUnheard)
	case !in.Out.Voice.serves() && !in.Out.Video.serves(): // no gap of a link: nobody waits for it to pass
		return Lost, RoomEmpty
	case in.Foreign:
		return Unknown, FarEndForeign
	case !in.Back.Voice.fresh() || !in.Back.Video.fresh():
		return Unknown, ReturnUnknown
	case !s.Known || s.Word > Fresh:
		return Unknown, SupervisorUnknown
	case in.Out.Video.hollow():
		return AudioOnly, RoomInvisible
	case in.Out.Voice.hollow():
		return OneWay, RoomInaudible
	case !in.Out.Video.flows():
		return AudioOnly, RoomUnseen
	case !in.Out.Voice.flows():
		return OneWay, RoomUnheard
	case !s.Present || s.Heard+s.Word > ConsoleDead:
		return SupervisorAbsent, NobodyPresent
	case s.Name == "":
		return SupervisorAbsent, NobodyNamed
	case !s.Sees && !s.Hears:
		return SupervisorAbsent, ConsoleBlind
	case !s.Sees:
		return AudioOnly, ConsoleUnseeing
	case !s.Hears:
		return OneWay, ConsoleUnhearing
	case !in.Speaker.Elsewhere && (!in.Speaker.Known || in.Speaker.Word > Fresh):
		return Unknown, LoudspeakerUnknown
	case !in.Speaker.Elsewhere && !in.Speaker.Plays:
		return OneWay, LoudspeakerFailed
	}
	return in.back(at)
}

// back judges the way from the supervisor to the room, when all else is well.
func (in *Inputs) back(at time.Time) (State, Reason) {
	voice, video := in.Back.Voice.flows(), in.Back.Video.flows()
	switch s := &in.Supervisor; {
	case voice && video && in.Reduced:
		return Reduced, PictureReduced
	case voice && video:
		return Engaged, BothWays
	case s.Talking && s.Talks+s.Word > TalkStart:
		switch {
		case voice:
			return AudioOnly, SupervisorUnseen
		case video:
			return OneWay, SupervisorUnheard
		}
		return in.gap(at, OneWay, NothingBack)
	case !in.Links.Return:
		return in.gap(at, OneWay, NoReturn)
	}
	return Ready, Available
}

// gap calls what was qualifying a moment ago Switching, for SwitchMost, and then by its name.
func (in *Inputs) gap(at time.Time, name State, why Reason) (State, Reason) {
	b := &in.Before
	if b.State.qualifies() || b.State == Switching && at.Sub(b.Since) < SwitchMost {
		return Switching, why
	}
	return name, why
}

func (l *Links) fresh() bool { return l.Known && l.Word <= Fresh }

func (l *Links) redundancy() Redundancy {
	switch {
	case !l.fresh():
		return RedundancyUnknown
	case l.Usable == 0:
		return None
	case l.Proven >= 2:
		return Full
	}
	return LastLink
}
