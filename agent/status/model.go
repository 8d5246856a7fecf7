package status

import "time"

// Status is the document of GET /api/v1/status and the one thing both pages are drawn from. Times are RFC 3339 with
// milliseconds, durations are milliseconds, ratios are 0…1. A list is empty, never null. Fields are only ever added.
type Status struct {
	At      time.Time `json:"at"`       // when the box took this snapshot, by its own clock
	Version string    `json:"version"`  // of the program
	Site    string    `json:"site"`     // the room's name in the configuration
	Box     string    `json:"box"`      // random id kept in the state directory
	Run     string    `json:"run"`      // random id of this start of the program
	Started time.Time `json:"started"`  // of this run
	IsDemo  bool      `json:"demo"`     // uplinks are emulated: nothing here counts
	Verdict Verdict   `json:"verdict"`  // one sentence first, the reason second
	Problem []Problem `json:"problems"` // what is wrong now, worst first

	Uplinks      []Uplink     `json:"uplinks"`     // in order of preference
	Streams      []Stream     `json:"streams"`     // voice, video: what leaves the room
	Return       []Return     `json:"return"`      // voice, video: what comes into the room
	Switchovers  []Switchover `json:"switchovers"` // newest first, the last 20
	Events       []Event      `json:"events"`      // newest first, the last 50
	FarEnd       FarEnd       `json:"far_end"`
	Procedure    Procedure    `json:"procedure"`
	Loudspeaker  Loudspeaker  `json:"loudspeaker"` // what the room hears the physician by
	Privacy      Privacy      `json:"privacy"`
	Watched      Watched      `json:"watched"`
	Phone        string       `json:"phone"`  // what to phone when nothing comes from the box; "": none is configured
	Pinned       string       `json:"pinned"` // name of the uplink that the operator holds everything on; "" means none
	Recorder     Recorder     `json:"recorder"`
	Audit        Audit        `json:"audit"`
	SelfTest     SelfTest     `json:"self_test"`
	Levels       Levels       `json:"levels"` // GET /api/v1/levels says them more often
	Doctor       Doctor       `json:"doctor"`
	Drill        Drill        `json:"drill"`
	Reach        Reach        `json:"reach"`
	Clock        Clock        `json:"clock"`
	History      *History     `json:"-"` // GET /api/v1/history; nil: none is kept
	Installation Installation `json:"installation"`
}

// Level is how bad something is; pages show it as word, shape and colour together.
type Level string

// Levels, from good to bad. Unknown is shown when an input is too old to be believed.
const (
	OK      Level = "ok"
	Notice  Level = "notice"
	Warning Level = "warning"
	Bad     Level = "bad"
	Unknown Level = "unknown"
)

// Verdict answers "is supervision available right now".
type Verdict struct {
	State      string    `json:"state"`      // code word of the closed set in supervision, e.g. "LOST"
	Words      string    `json:"words"`      // its words on the screen, e.g. "SUPERVISION LOST"
	Level      Level     `json:"level"`      //
	Sentence   string    `json:"sentence"`   // what is true
	Reason     string    `json:"reason"`     // why
	Qualifying bool      `json:"qualifying"` // two-way voice and picture to a present supervisor, by measurement
	Redundancy string    `json:"redundancy"` // "full", "last-link", "none", "unknown"
	Since      time.Time `json:"since"`
}

// Problem is one thing that is wrong now. ID is stable and closed, so that it can be alarmed on.
type Problem struct {
	ID       string    `json:"id"`       // e.g. "uplink-down:cellular"
	Severity Level     `json:"severity"` // notice, warning, bad
	Text     string    `json:"text"`     // what is wrong
	Hint     string    `json:"hint"`     // what to do next
	Since    time.Time `json:"since"`
}

// Uplink is one way out of the room.
type Uplink struct {
	Name        string    `json:"name"`
	Device      string    `json:"device"`  // interface name or source address
	Verdict     string    `json:"verdict"` // "down", "proving", "degraded", "up"
	Level       Level     `json:"level"`
	Words       string    `json:"words"`         // the verdict in a word people use
	Reason      string    `json:"reason"`        // why this verdict
	Why         string    `json:"why"`           // why it carries what it carries
	Since       time.Time `json:"since"`         // of the verdict
	Suspect     bool      `json:"suspect"`       // in doubt: copies go elsewhere until it is clear
	Doubted     time.Time `json:"suspect_since"` // the newest doubt, or fall without one; zero: never in this run
	Metered     bool      `json:"metered"`
	Connected   bool      `json:"connected"`     // a media association exists
	Carrier     string    `json:"carrier"`       // "up", "down", "unknown"
	RTT         *float64  `json:"rtt_ms"`        // null: not measured
	Loss        *float64  `json:"loss"`          // of probes, both ways; null: not measured
	ForwardLoss *float64  `json:"forward_loss"`  // of media room → far end; null: not measured
	Carries     []string  `json:"carries"`       // "voice", "video"
	Brings      []string  `json:"brings"`        // of the return path, in the last second
	Pinned      bool      `json:"pinned"`        //
	SentBytes   uint64    `json:"sent_bytes"`    // media, this run
	Budget      Budget    `json:"budget"`        // of everything, by billing months
	Dial        *Dial     `json:"dial"`          // null: connected
	Impairment  string    `json:"impairment"`    // demo: what is being done to it now; "" means nothing
	LastOutage  string    `json:"last_outage"`   // sentence; "" means none in this run
	Probes      [2]uint64 `json:"probes"`        // sent, answered
	CanImpair   bool      `json:"can_impair"`    // demo buttons exist
	Fault       Fault     `json:"fault"`         // where the fault is, if there is one
	Estimate    *float64  `json:"estimate_bps"`  // what it is known to carry; null: it has shown no limit
	Queue       float64   `json:"own_queue_ms"`  // how long packets wait on it because of what the room sends
	MissedRow   int       `json:"missed_probes"` // consecutive, now
	Path        string    `json:"path"`          // "udp", "tcp", "relay-udp", "relay-tcp", "relay-tls"; "": not connected
	PathWords   string    `json:"path_words"`    // how the link goes, and why not better
	Relay       string    `json:"relay"`         // host:port on the path; "": none
	Proxy       string    `json:"proxy"`         // host:port on the path; "": none
}

// Budget is what an uplink used in the running billing month, and how long its budget lasts. Bytes are those that a carrier
// bills: both directions, headers of IP, UDP and TCP included.
type Budget struct {
	Used     uint64    `json:"used_bytes"`     //
	Allowed  uint64    `json:"allowed_bytes"`  // 0: no budget is set
	Begins   time.Time `json:"month_begins"`   // the billing month, by the box's clock
	Ends     time.Time `json:"month_ends"`     //
	Level    string    `json:"level"`          // "enough", "low" (80 %), "short" (90 %), "spent"
	Outlook  string    `json:"outlook"`        // "unknown", "lasts", "runs-out", "spent", "unlimited"
	Until    time.Time `json:"lasts_until"`    // when it is used up at this rate, if outlook is runs-out; else zero
	Rate     *float64  `json:"bytes_per_hour"` // over the last day or so; null: counted for less than six hours
	Sentence string    `json:"sentence"`       // the outlook in words
	Sheds    string    `json:"sheds"`          // what is left out now to save bytes; "": nothing
	Order    []string  `json:"order"`          // what is left out when, as people read it; empty: no budget is set
}

// Fault says where an uplink's fault is, by what each layer was found to be. Causes and layers are the closed sets of package
// diagnosis; a layer that was not looked at for 90 s is unknown.
type Fault struct {
	Cause    string    `json:"cause"`    // e.g. "provider-line"; "well", "clear" and "unknown" are no fault
	Layer    string    `json:"layer"`    // where it is; "none": nowhere
	Level    Level     `json:"level"`    // warning for a fault, ok, unknown
	Sentence string    `json:"sentence"` // what is wrong
	Next     string    `json:"next"`     // what to do; "" when all is well
	Layers   []Layer   `json:"layers"`   // device, carrier, address, router, dns, https, udp, media
	Checked  time.Time `json:"checked"`  // when the uplink was last examined; zero: never in this run
	Checking bool      `json:"checking"` // it is being examined now
}

// IsFault reports whether there is something to be put right.
func (f Fault) IsFault() bool { return f.Level == Warning }

// Found reports whether the page has something to show: a fault, or what was found when somebody asked.
func (f Fault) Found() bool {
	if f.IsFault() {
		return true
	}
	for _, l := range f.Layers {
		if l.Name != "media" && l.Result != "unknown" {
			return true
		}
	}
	return false
}

// Layer is one step on the way to the far end.
type Layer struct {
	Name    string    `json:"name"`
	Words   string    `json:"words"`   // its name on the page
	Result  string    `json:"result"`  // "ok", "failed", "unknown"
	Level   Level     `json:"level"`   // ok, bad, unknown
	Subject string    `json:"subject"` // what was looked at; may be ""
	Note    string    `json:"note"`    // what was seen; may be ""
	At      time.Time `json:"at"`      // when; zero: never
	Age     float64   `json:"age_ms"`
}

// Dial says how connecting goes.
type Dial struct {
	Attempts int       `json:"attempts"` // since the last connection
	Error    string    `json:"error"`    // of the last attempt, in words; "" while the first is under way
	Next     time.Time `json:"next"`     // when the next attempt starts; past: under way
}

// Stream is one thing that leaves the room, and the health of its source.
type Stream struct {
	Kind       string    `json:"kind"`       // "voice", "video"
	Source     string    `json:"source"`     // what produces it
	Level      Level     `json:"level"`      //
	Sentence   string    `json:"sentence"`   // e.g. "30 pictures a second"
	Fault      string    `json:"fault"`      // of its picture or sound: the closed set of package content, "none" when all is well
	Protection string    `json:"protection"` // now: "always", "on-doubt", "never", "by-cost" (on-doubt over metered uplinks, always over others)
	Route      []string  `json:"route"`      // uplinks that carry it now
	Packets    uint64    `json:"packets"`    // produced in this run
	Rate       float64   `json:"rate_bps"`   // over the last seconds
	Wanted     float64   `json:"wanted_bps"` // video: asked of the encoder; 0 while the picture is stopped for voice's sake
	Width      int       `json:"width"`      // video: as sent; 0: not known
	Height     int       `json:"height"`     //
	Pace       int       `json:"pace"`       // video: pictures a second, as sent; 0: not known
	Reduced    bool      `json:"reduced"`    // video: smaller, slower or stopped, because the uplinks carry too little
	Limit      string    `json:"limit"`      // why, a sentence; "" when it is not
	PerSecond  float64   `json:"per_second"` // frames (video: pictures, voice: 20 ms frames)
	LastPacket time.Time `json:"last_packet"`
	LastFrame  time.Time `json:"last_frame"`     // when the device last gave a picture or sound: what says why there is none does not count
	Received   uint64    `json:"far_received"`   // by the far end's own word, all legs merged
	Lost       uint64    `json:"far_lost"`       // likewise: missing on every leg and not repaired
	FarWord    time.Time `json:"far_word"`       // when the far end last said so; zero: never
	LongestGap float64   `json:"far_gap_ms"`     // longest silence at the far end's merged stream
	KeyFrames  uint64    `json:"key_frames"`     // asked for by the far end
	Repairs    uint64    `json:"repairs"`        // packets sent again on request
	Replayed   uint64    `json:"replayed"`       // packets sent again after a switch
	Restarts   uint64    `json:"source_restart"` // of the source
	Devices    []Device  `json:"devices"`        // cameras or microphones in the order of preference; empty: not known
	Choice     Choice    `json:"choice"`         // among them
}

// Device is one camera or microphone.
type Device struct {
	Name      string `json:"name"`      // as configured
	Label     string `json:"label"`     // what it calls itself; as configured while it was not found
	Condition string `json:"condition"` // "ok", "doubtful", "failed", "unknown"
	Level     Level  `json:"level"`
	Sentence  string `json:"sentence"`
	Used      bool   `json:"used"`
	Opens     uint64 `json:"opens"`        // times it was opened
	Hung      uint64 `json:"hung"`         // times its driver hung and was left behind
	Bad       uint64 `json:"bad_pictures"` // pictures that could not be decoded and were skipped
}

// Choice is why the device in use is the one.
type Choice struct {
	Sentence  string            `json:"sentence"`  // why it was changed to, and what keeps a preferred one back; "": it was never changed
	Since     time.Time         `json:"since"`     // of the last change; zero: none in this run
	Takeovers map[string]uint64 `json:"takeovers"` // changes by reason
	Trace     string            `json:"trace"`     // of the last change: file name in state_dir/traces; "": none was kept
	SHA256    string            `json:"sha256"`    // of that file
	Breaches  uint64            `json:"breaches"`  // steps in which the choice broke a rule of its own; any is a bug
}

// Return is one thing that comes into the room.
type Return struct {
	Kind       string    `json:"kind"`
	Level      Level     `json:"level"`
	Sentence   string    `json:"sentence"`
	Packets    uint64    `json:"packets"` // unique, merged
	Lost       uint64    `json:"lost"`
	Repaired   uint64    `json:"repaired"`
	Duplicate  uint64    `json:"duplicate"`
	LongestGap float64   `json:"longest_gap_ms"`
	LastPacket time.Time `json:"last_packet"`
	Via        []string  `json:"via"` // uplinks that brought it in the last second
}

// Switchover is one change of links that mattered, for all streams that made it together.
type Switchover struct {
	Number   uint64    `json:"number"`
	When     time.Time `json:"when"`
	Streams  []string  `json:"streams"`
	From     []string  `json:"from"`
	To       []string  `json:"to"`
	Cause    string    `json:"cause"`    // code word
	Sentence string    `json:"sentence"` // the whole story
	Evidence string    `json:"evidence"` // what was measured, a sentence with its numbers; "" where the cause says it all
	Detect   *float64  `json:"detect_ms"`
	Switch   *float64  `json:"switch_ms"` // until the far end said that it goes on; null: not yet
	Drill    bool      `json:"drill"`     // a drill did it
	Routine  bool      `json:"routine"`   // only copies came or went, because all is well
	Settled  bool      `json:"settled"`   // lost figures are final
	Lost     Lost      `json:"lost"`      // at the far end, by its own word
	Replayed uint64    `json:"replayed"`  // packets sent again
	Trace    string    `json:"trace"`     // file name in state_dir/traces; "" means none
	SHA256   string    `json:"sha256"`    // of that file

	ReplayedBytes uint64 `json:"replayed_bytes"`   // of their payload
	Gap           Gap    `json:"gap"`              // longest silence around it, in what the far end merged
	ReturnGap     Gap    `json:"return_gap"`       // likewise, in what came to the room
	Decisions     string `json:"decisions_sha256"` // of the decisions that the trace replays to
}

// Gap is the longest silence of each stream, in ms; null where it was not measured.
type Gap struct {
	Voice *float64 `json:"voice_ms"`
	Video *float64 `json:"video_ms"`
}

// Lost is what the far end missed between its last word before the outage and its word after the switch. Known is false
// when it has not said both.
type Lost struct {
	Known bool   `json:"known"`
	Voice uint64 `json:"voice"`
	Video uint64 `json:"video"`
}

// Event is a line for people.
type Event struct {
	At    time.Time `json:"at"`
	Level Level     `json:"level"`
	Text  string    `json:"text"`
}

// FarEnd is what the room knows about the other side.
type FarEnd struct {
	URL       string    `json:"url"` // without query
	Reached   bool      `json:"reached"`
	Level     Level     `json:"level"`
	Sentence  string    `json:"sentence"`
	People    []Person  `json:"people"`
	Known     bool      `json:"people_known"` // the list is not older than 3 s
	Heard     time.Time `json:"heard"`        // when the far end was last heard on any uplink
	PeopleAge float64   `json:"people_age_ms"`
	Since     time.Time `json:"since"` // since when the room is at this one
	Why       string    `json:"why"`   // why it moved here; "": it has not moved in this run
	All       []Place   `json:"all"`   // the configured far ends, in their order
}

// Place is one configured far end.
type Place struct {
	Name    string `json:"name"` // host[:port]
	URL     string `json:"url"`
	Current bool   `json:"current"` // the room is there
	Words   string `json:"words"`
}

// Person is somebody who can see this room now.
type Person struct {
	Name     string    `json:"name"`
	Role     string    `json:"role"`
	Level    Level     `json:"level"`
	Since    time.Time `json:"since"`
	Sees     bool      `json:"sees"`      // the room's picture
	Hears    bool      `json:"hears"`     // the room's voice
	Talks    bool      `json:"talks"`     // is sending voice or picture to the room
	Silent   float64   `json:"silent_ms"` // the console has not spoken for so long that its word is not believed; 0: it speaks
	Sentence string    `json:"sentence"`
}

// Procedure says whether contrast or its observation is open in the room: from time-out to the end of observation. People
// say so; copies of voice and picture go by it.
type Procedure struct {
	Open     bool      `json:"open"`
	Since    time.Time `json:"since"`    // of the present state; zero: as long as this run
	Sentence string    `json:"sentence"` // the state in words
	Copies   string    `json:"copies"`   // what that means for voice and picture
}

// Audit says how the record stands that somebody else can verify.
type Audit struct {
	Folder   string `json:"folder"` // "": none is kept
	Records  int64  `json:"records"`
	Signed   int64  `json:"signed"`   // records that the newest checkpoint vouches for
	Exported int64  `json:"exported"` // records that were copied elsewhere
	Last     string `json:"last"`     // hash of the last, hex
	Missed   int64  `json:"missed"`   // that could not be written, in this run
	Error    string `json:"error"`    // why they cannot be written now; "": they can
}

// Recorder says what is kept for later.
type Recorder struct {
	Held   int    `json:"held_events"` // in memory, the last ten minutes
	Saved  int    `json:"saved_traces"`
	Error  string `json:"error"`
	Folder string `json:"folder"`
}
