package supervision

// Reason is why a state was judged: a closed list.
type Reason uint8

const (
	NotJudged Reason = iota
	NoLink
	LinksUnknown
	FarEndSilent
	FarEndForeign
	RoomUnseenUnheard
	ReturnUnknown
	SupervisorUnknown
	RoomUnseen
	RoomUnheard
	NobodyPresent
	NobodyNamed
	ConsoleBlind
	ConsoleUnseeing
	ConsoleUnhearing
	BothWays
	SupervisorUnseen
	SupervisorUnheard
	NothingBack
	NoReturn
	Available
	PictureReduced
	CameraMuted
	MicrophoneMuted
	BothMuted
	LoudspeakerUnknown
	LoudspeakerFailed
	RoomInvisible
	RoomInaudible
	RoomEmpty
	numReasons
)

// reasonWords is the table of code words and sentences; @ stands for the supervisor.
var reasonWords = [numReasons][2]string{
	NotJudged:          {"not_judged", "Nothing is known yet."},
	NoLink:             {"no_link", "No uplink works: nothing reaches the supervisor."},
	LinksUnknown:       {"links_unknown", "The uplinks have not been judged for some seconds."},
	FarEndSilent:       {"far_end_silent", "The far end has not said for some seconds what it receives from this room."},
	FarEndForeign:      {"far_end_foreign", "The far end is a WHIP server of another make: it cannot say who is there, so nothing is known of a supervisor."},
	RoomUnseenUnheard:  {"room_unseen_unheard", "Neither picture nor voice of this room arrives at the far end."},
	ReturnUnknown:      {"return_unknown", "It is not known what comes back from the supervisor."},
	SupervisorUnknown:  {"supervisor_unknown", "The far end has not said for some seconds who is present."},
	RoomUnseen:         {"room_unseen", "The room can be heard, but its picture does not arrive at the far end."},
	RoomUnheard:        {"room_unheard", "The room can be seen, but its voice does not arrive at the far end."},
	NobodyPresent:      {"nobody_present", "No supervisor is present at a console."},
	NobodyNamed:        {"nobody_named", "Somebody is at a console, but not under a name."},
	ConsoleBlind:       {"console_blind", "@ is signed in, but the console shows no picture of this room and plays no voice."},
	ConsoleUnseeing:    {"console_unseeing", "@ can hear the room but does not see it."},
	ConsoleUnhearing:   {"console_unhearing", "@ can see the room but does not hear it."},
	BothWays:           {"both_ways", "@ and the room see and hear each other."},
	SupervisorUnseen:   {"supervisor_unseen", "@ can be heard, but there is no picture."},
	SupervisorUnheard:  {"supervisor_unheard", "@ can be seen, but not heard."},
	NothingBack:        {"nothing_back", "@ is talking, but neither voice nor picture arrives in this room."},
	NoReturn:           {"no_return", "@ sees and hears the room, but could not answer: the way back is not connected."},
	Available:          {"available", "@ is present, sees and hears the room, and can answer at once."},
	PictureReduced:     {"picture_reduced", "@ and the room see and hear each other; the room's picture is smaller than usual, because the uplinks carry too little."},
	CameraMuted:        {"camera_muted", "The camera is muted in the room: nobody can see it."},
	MicrophoneMuted:    {"microphone_muted", "The microphone is muted in the room: nobody can hear it."},
	LoudspeakerUnknown: {"loudspeaker_unknown", "It is not known whether the room's loudspeaker plays."},
	LoudspeakerFailed:  {"loudspeaker_failed", "The room's loudspeaker does not play: @ could not be heard in the room."},
	BothMuted:          {"both_muted", "Camera and microphone are muted in the room: nobody can see or hear it."},
	RoomInvisible:      {"room_invisible", "The room can be heard, but its camera shows nothing of it."},
	RoomInaudible:      {"room_inaudible", "The room can be seen, but its microphone gives nothing of it."},
	RoomEmpty:          {"room_empty", "Neither camera nor microphone gives anything of the room."},
}

// String is the code word, e.g. "room_unseen".
func (r Reason) String() string {
	if r >= numReasons {
		r = NotJudged
	}
	return reasonWords[r][0]
}

// Sentence is the reason in plain English.
func (r Reason) Sentence(supervisor string) string {
	if r >= numReasons {
		r = NotJudged
	}
	return fill(reasonWords[r][1], supervisor)
}
