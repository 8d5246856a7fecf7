package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Entry is what a record says: one of the types below. Their fields are numbers, times, and words from closed lists (an
// uplink's configured name, a reason, a user's sign-in name, a hash): never a sentence somebody typed.
type Entry interface{ kind() string }

type (
	// Started is written when the program runs. Clean is false when the run before did not say Stopped: it crashed, was
	// killed, or lost its power.
	Started struct {
		Version string `json:"version"`
		Config  string `json:"config_sha256"`
		Clean   bool   `json:"clean"`
	}
	// Stopped is written when the program ends in order.
	Stopped struct{}
	// Switchover is a story of streams that changed links. Lost and the gaps are the far end's own word, null without one.
	Switchover struct {
		Number   uint64   `json:"number"` // within this run
		Streams  []string `json:"streams"`
		From     []string `json:"from"`
		To       []string `json:"to"`
		Reason   string   `json:"reason"`
		Link     string   `json:"link"`
		DetectMS *float64 `json:"detect_ms"`
		VoiceGap *float64 `json:"voice_gap_ms"`
		VideoGap *float64 `json:"video_gap_ms"`
		Lost     *Lost    `json:"lost"`
		Replayed uint64   `json:"replayed_bytes"`
		Drill    bool     `json:"drill,omitempty"` // a drill did it
	}
	// Trace is the recorded run of a switchover having been written to a file, with its hash and that of what it replays to.
	Trace struct {
		Switchover uint64 `json:"switchover"`
		Sum        string `json:"sha256"`
		Decisions  string `json:"decisions_sha256"`
	}
	// Pin is an operator holding everything on an uplink, or letting go.
	Pin struct {
		Link string `json:"link"`
		On   bool   `json:"on"`
		By   string `json:"by,omitempty"`
	}
	// Supervision is a change of the state that says whether supervision is available.
	Supervision struct {
		State  string `json:"state"`
		Reason string `json:"reason"`
		Open   bool   `json:"procedure_open"`
	}
	// Procedure is the procedure flag being set or cleared.
	Procedure struct {
		Open bool   `json:"open"`
		By   string `json:"by,omitempty"`
	}
	// Drill is the outcome of a failover drill: "passed", "failed", "aborted", with package drill's reasons. Figures are null where
	// they were not measured: gaps at the far end by its own word, and in the room where somebody talked to it.
	Drill struct {
		By           string   `json:"by,omitempty"`
		Uplink       string   `json:"uplink"`
		Outcome      string   `json:"outcome"`
		Passed       bool     `json:"passed"`
		Reasons      []string `json:"reasons"`
		CutMS        float64  `json:"cut_ms"`
		DetectMS     *float64 `json:"detect_ms"`
		SwitchMS     *float64 `json:"switch_ms"`
		VoiceGap     *float64 `json:"voice_gap_ms"`
		VideoGap     *float64 `json:"video_gap_ms"`
		RoomVoiceGap *float64 `json:"room_voice_gap_ms"`
		RoomVideoGap *float64 `json:"room_video_gap_ms"`
		BackMS       *float64 `json:"back_ms"`
		Lost         *Lost    `json:"lost"`
		Switchover   uint64   `json:"switchover"` // within this run; 0: none
	}
	// SignIn is an attempt to sign in. User is empty where nobody of that name is known: people type passwords into the wrong field.
	// Installation is somebody's answer to a question of the installation, by the question's code word.
	Installation struct {
		By       string `json:"by,omitempty"`
		Question string `json:"question"`
		Yes      bool   `json:"yes"`
	}
	// SignIn is an attempt to sign in.
	SignIn struct {
		User    string `json:"user"`
		Role    string `json:"role,omitempty"`
		Allowed bool   `json:"allowed"`
		Reason  string `json:"reason,omitempty"`
		Source  string `json:"source,omitempty"` // an address
	}
	// SignOut is a session's end: Reason is signed-out, or logged-off when nobody used it.
	SignOut struct {
		User   string `json:"user"`
		Reason string `json:"reason"`
	}
	// LockOut is a user's name or an address having to wait after too many attempts.
	LockOut struct {
		User   string `json:"user"`
		Source string `json:"source,omitempty"`
	}
	// User is a user of the box made, changed or removed: What is first-site-lead, added, removed, role or password.
	User struct {
		User string `json:"user"`
		Role string `json:"role"`
		What string `json:"what"`
	}
	// Certificate is another one shown by the status page.
	Certificate struct {
		Sum   string    `json:"sha256"`
		Until time.Time `json:"until"`
		Own   bool      `json:"self_made"`
	}
	// FarEndWish is an operator wanting the room at a far end.
	FarEndWish struct {
		To string `json:"to"`
		By string `json:"by"`
	}
	// Config is another configuration taken, or rolled back.
	Config struct {
		By         string `json:"by,omitempty"`
		Before     string `json:"before_sha256"`
		After      string `json:"after_sha256"`
		RolledBack bool   `json:"rolled_back,omitempty"`
	}
	// ClockStep is the wall clock having been set against the monotonic one.
	ClockStep struct {
		BySeconds float64 `json:"by_seconds"`
	}
	// Asleep is the box having done nothing for a while: the machine was suspended, or the process was stopped.
	Asleep struct {
		Seconds float64 `json:"seconds"`
	}
	// FarEnd is another far end taken.
	FarEnd struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	// Privacy is a camera or microphone muted or opened in the room.
	Privacy struct {
		Device string `json:"device"`
		Muted  bool   `json:"muted"`
		By     string `json:"by,omitempty"`
	}
	// Viewer is somebody beginning or ceasing to see the room.
	Viewer struct {
		Name    string `json:"name"`
		Present bool   `json:"present"`
	}
	// Missed says that records could not be written: how many, and for how long.
	Missed struct {
		Records int     `json:"records"`
		Seconds float64 `json:"seconds"`
	}
	// Torn is written by Open: the file ended in bytes that are no record. Acknowledged: a checkpoint knew them.
	Torn struct {
		Bytes        int    `json:"bytes"`
		Sum          string `json:"sha256"`
		Acknowledged bool   `json:"acknowledged"`
	}
	// Damaged is written by Open: a file has something else than records before its end.
	Damaged struct {
		File string `json:"file"`
		Line int    `json:"line"`
	}
	// Exported says up to which record (not included) somebody took a copy.
	Exported struct {
		Until int64  `json:"until"`
		By    string `json:"by,omitempty"`
	}
	// Deleted says which exported records were deleted for room.
	Deleted struct {
		From  int64 `json:"from"`
		Until int64 `json:"until"`
	}
)

// Lost is what the far end missed, in packets.
type Lost struct {
	Voice uint64 `json:"voice"`
	Video uint64 `json:"video"`
}

func (Started) kind() string      { return "started" }
func (Stopped) kind() string      { return "stopped" }
func (Switchover) kind() string   { return "switchover" }
func (Trace) kind() string        { return "trace" }
func (Pin) kind() string          { return "pin" }
func (Asleep) kind() string       { return "asleep" }
func (Supervision) kind() string  { return "supervision" }
func (Procedure) kind() string    { return "procedure" }
func (Drill) kind() string        { return "drill" }
func (SignIn) kind() string       { return "sign_in" }
func (SignOut) kind() string      { return "sign_out" }
func (LockOut) kind() string      { return "lock_out" }
func (User) kind() string         { return "user" }
func (Certificate) kind() string  { return "certificate" }
func (FarEndWish) kind() string   { return "far_end_wish" }
func (Config) kind() string       { return "config" }
func (ClockStep) kind() string    { return "clock_step" }
func (FarEnd) kind() string       { return "far_end" }
func (Privacy) kind() string      { return "privacy" }
func (Viewer) kind() string       { return "viewer" }
func (Missed) kind() string       { return "missed" }
func (Torn) kind() string         { return "torn" }
func (Damaged) kind() string      { return "damaged" }
func (Exported) kind() string     { return "exported" }
func (Deleted) kind() string      { return "deleted" }
func (Installation) kind() string { return "installation" }

// empty is an entry of a kind to decode into; nil: there is no such kind.
func empty(kind string) Entry {
	for _, e := range []Entry{
		new(Started), new(Stopped), new(Switchover), new(Trace), new(Pin), new(Asleep),
		new(Supervision), new(Procedure), new(Drill), new(SignIn), new(SignOut), new(LockOut),
		new(User), new(Certificate), new(FarEndWish), new(Config), new(ClockStep), new(Installation),
		new(FarEnd), new(Privacy), new(Viewer), new(Missed), new(Torn), new(Damaged),
		new(Exported), new(Deleted),
	} {
		if e.kind() == kind {
			return e
		}
	}
	return nil
}

// decode reads data as kind's entry and refuses what is not in the table.
func decode(kind string, data []byte) (Entry, error) {
	e := empty(kind)
	if e == nil {
		return nil, fmt.Errorf("no kind of record is called %q", kind)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(e); err != nil {
		return nil, fmt.Errorf("a record of kind %q: %w", kind, err)
	}
	return e, nil
}
