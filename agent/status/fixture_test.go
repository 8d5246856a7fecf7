package status

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"scanside/support"
)

// box is a Box whose truth a test sets.
type box struct {
	mu     sync.Mutex
	st     *Status
	newer  chan struct{}
	pinned []string
	broken []string
	wished []string
	opened []bool
	sound  []string
	muted  []string
	by     []string // who did it
	err    error
}

func newBox(st *Status) *box { return &box{st: st, newer: make(chan struct{})} }

func (b *box) Status() (*Status, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.st, b.newer
}

func (b *box) set(st *Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.st = st
	close(b.newer)
	b.newer = make(chan struct{})
}

func (b *box) Pin(_ context.Context, by, uplink string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.by = append(b.by, by)
	b.pinned = append(b.pinned, uplink)
	return b.err
}

func (b *box) MoveTo(_ context.Context, by, farEnd string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.by = append(b.by, by)
	if farEnd != "b.example.org" {
		return ErrNoFarEnd
	}
	b.wished = append(b.wished, farEnd)
	return b.err
}

func (b *box) Procedure(_ context.Context, by string, open bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.by = append(b.by, by)
	b.opened = append(b.opened, open)
	return b.err
}

func (b *box) Mute(_ context.Context, by, device string, on bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.by = append(b.by, by)
	if device != "camera" && device != "microphone" {
		return ErrNoDevice
	}
	b.muted = append(b.muted, fmt.Sprint(device, " ", on))
	return b.err
}

func (b *box) Volume(step int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sound = append(b.sound, fmt.Sprintf("volume %+d", step))
	return b.err
}

func (b *box) Tone() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sound = append(b.sound, "tone")
	return b.err
}

func (b *box) StartSelfTest() error { return b.err }

func (b *box) SelfTest() SelfTest {
	return SelfTest{Results: []Check{{Name: "camera", Pass: true, Sentence: "The camera gives fresh pictures, 30 a second."}}}
}

func (b *box) SupportBundle(ctx context.Context) (*support.Bundle, error) {
	return support.Make(ctx, time.Now(), "scanside-support-mri-2.zip", []support.Piece{
		{Name: "status.json", What: "everything the page shows", Text: func(context.Context) ([]byte, error) { return []byte("{}"), nil }},
		{Name: "journal.txt", What: "the newest lines of the service's log", Text: func(context.Context) ([]byte, error) { return nil, errors.New("there is no journalctl here") }},
	}, nil)
}

func (b *box) History() *History {
	st, _ := b.Status()
	return st.History
}

func (b *box) Levels() Levels {
	st, _ := b.Status()
	return st.Levels
}

func (b *box) Preview(w http.ResponseWriter, _ *http.Request, by string) {
	http.Error(w, "no picture for "+by, http.StatusServiceUnavailable)
}

func (b *box) Answer(_ context.Context, by, question string, yes bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if question != "camera" {
		return ErrNoQuestion
	}
	b.broken = append(b.broken, fmt.Sprintf("%s says %v to %s", by, yes, question))
	return b.err
}

func (b *box) StartDrill(_ context.Context, by string, length time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = append(b.broken, fmt.Sprintf("drill of %v by %s", length, by))
	return b.err
}

func (b *box) StartDoctor() error { return b.err }

func (b *box) Doctor(bool) Doctor {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.st.Doctor
}

func (b *box) Examine(uplink string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = append(b.broken, "examine "+uplink)
	return b.err
}

func (b *box) Impair(uplink, what string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = append(b.broken, uplink+" "+what)
	return b.err
}

func num(v float64) *float64 { return &v }

// healthy is a room under supervision over two uplinks.
func healthy(at time.Time) *Status {
	ago := func(d time.Duration) time.Time { return at.Add(-d) }
	return &Status{
		At: at, Version: "0.1.0", Site: "mri-2", Box: "b7c41f9a", Run: "5e21", Started: ago(47 * time.Minute), IsDemo: true,
		Verdict: Verdict{
			State: "ENGAGED", Words: "CONNECTED: Dr Ada Example", Level: OK, Qualifying: true, Redundancy: "full", Since: ago(3 * time.Minute),
			Sentence: "Dr Ada Example sees and hears the room, and the room sees and hears Dr Ada Example.",
			Reason:   "Voice and picture are fresh in both directions, and both ways out work.",
		},
		Problem: []Problem{},
		Uplinks: []Uplink{
			{Name: "primary", Device: "eth0", Verdict: "up", Level: OK, Words: "Up", Reason: "Every probe is answered.", Why: "Carries voice and picture: it is the preferred way out.",
				Since: ago(46 * time.Minute), Connected: true, Carrier: "up", RTT: num(21.4), Loss: num(0), ForwardLoss: num(0), Carries: []string{"voice", "video"}, Brings: []string{"voice", "video"}, CanImpair: true},
			{Name: "cellular", Device: "wwan0", Verdict: "up", Level: OK, Words: "Up", Reason: "Every probe is answered.", Why: "Carries a copy of the voice: voice is always sent over every way out.",
				Since: ago(46 * time.Minute), Metered: true, Connected: true, Carrier: "up", RTT: num(62), Loss: num(0.004), Carries: []string{"voice"}, Brings: []string{"voice"}, CanImpair: true},
		},
		Streams: []Stream{
			{Kind: "voice", Source: "test voice", Level: OK, Sentence: "50 packets a second.", Route: []string{"primary", "cellular"}, Rate: 41000, Received: 138123},
			{Kind: "video", Source: "test picture", Level: OK, Sentence: "30 pictures a second, 1280 × 720.", Route: []string{"primary"}, Rate: 2.4e6, Received: 690211, LastFrame: at},
		},
		Return: []Return{
			{Kind: "voice", Level: OK, Sentence: "arrives.", Packets: 9021, Duplicate: 9010, Via: []string{"primary", "cellular"}},
			{Kind: "video", Level: OK, Sentence: "arrives.", Packets: 40211, Via: []string{"primary"}},
		},
		Switchovers: []Switchover{},
		Events: []Event{
			{At: ago(3 * time.Minute), Level: OK, Text: "Dr Ada Example connected."},
			{At: ago(46 * time.Minute), Level: OK, Text: "cellular is up."},
			{At: ago(46 * time.Minute), Level: OK, Text: "primary is up."},
			{At: ago(47 * time.Minute), Level: Notice, Text: "scanside started."},
		},
		FarEnd: FarEnd{URL: "https://gateway.example.org", Reached: true, Level: OK, Sentence: "The far end is reached over primary and cellular.", Known: true,
			All:    []Place{{Name: "gateway.example.org", URL: "https://gateway.example.org", Current: true, Words: "the room is here"}, {Name: "b.example.org", URL: "https://b.example.org", Words: "stands by"}},
			People: []Person{{Name: "Dr Ada Example", Role: "supervisor", Level: OK, Since: ago(3 * time.Minute), Sees: true, Hears: true, Talks: true, Sentence: "sees and hears this room, and talks to it."}}},
		Privacy: Privacy{Camera: Mute{There: true, Level: OK, Sentence: "The camera is on."}, Microphone: Mute{There: true, Level: OK, Sentence: "The microphone is on."}},
		History: &History{From: at.Add(-20 * time.Hour).Truncate(time.Minute), Minutes: 1200,
			Verdict: strings.Repeat("o", 700) + strings.Repeat("w", 20) + strings.Repeat("o", 300) + "bb" + strings.Repeat(".", 60) + strings.Repeat("o", 118), Open: strings.Repeat(".", 1200),
			Uplinks: []HistoryUplink{
				{Name: "primary", Does: strings.Repeat("c", 700) + strings.Repeat("d", 20) + strings.Repeat("c", 302) + strings.Repeat(".", 60) + strings.Repeat("c", 118), Loss: []Mark{}, Sentence: "carried for 18 h 40 min, down for 20 min"},
				{Name: "cellular", Does: strings.Repeat("s", 700) + strings.Repeat("c", 20) + strings.Repeat("s", 302) + strings.Repeat(".", 60) + strings.Repeat("s", 118), Loss: []Mark{{710, 0.04}}, Sentence: "carried for 20 min, down for 0 s"},
			},
			Gaps: []Mark{{701, 120}}, Lost: []Mark{}, Sentence: "In the 19 h 0 min since 18:02 the verdict was good for 18 h 38 min, a warning for 20 min, bad for 2 min.",
			GapSentence: "The longest pause of voice at the far end was 120 ms, at 05:43; 0 packets of voice were lost."},
		Reach: Reach{URLs: []string{"http://192.0.2.7:8480/"}, Sentence: "Another phone in the same network opens this page at http://192.0.2.7:8480/. It needs no internet.", QR: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M1 1h2v2h-2z"/></svg>`)},
		Clock: Clock{Level: OK, Sentence: "The clock is synchronised, to within 12ms."},
		Levels: Levels{At: at, Microphone: Sound{There: true, RMS: num(-31), Peak: num(-18), Heard: true, Level: OK, Sentence: "We hear you."},
			Loudspeaker: Sound{There: true, RMS: num(-120), Peak: num(-120), Level: Notice, Sentence: "Silent: nobody talks to the room."}},
		Loudspeaker: Loudspeaker{Configured: true, Plays: true, Device: "USB speakerphone", Level: OK, Sentence: "Plays when the physician talks.", Volume: 70, MaxVolume: 100, Played: 9021},
		Watched:     Watched{Light: true, Sounds: 1}, Phone: "+1 555 0100",
		Procedure: Procedure{Open: true, Since: ago(6 * time.Minute), Sentence: "A procedure is open.",
			Copies: "Voice goes over every uplink that works; the picture goes over every uplink that costs nothing, and on doubt over the others too."},
		Recorder: Recorder{Held: 26000, Saved: 2, Folder: "/var/lib/scanside/traces"}, Doctor: examinedBox(at), Drill: drilledBox(at), Installation: halfInstalled(at),
	}
}

// cut is the same room a moment after the primary died.
func cut(at time.Time) *Status {
	st := healthy(at)
	st.Verdict.Level, st.Verdict.Redundancy = Warning, "last-link"
	st.Verdict.Reason = "Voice and picture are fresh in both directions, but cellular is the last way out: another cut would end supervision."
	st.Problem = []Problem{{ID: "uplink-down:primary", Severity: Warning, Text: "primary is down: it stopped answering.", Hint: "Check the cable in eth0 and the hospital's network.", Since: at.Add(-9 * time.Second)}}
	p, c := &st.Uplinks[0], &st.Uplinks[1]
	p.Verdict, p.Level, p.Words, p.Reason, p.Why = "down", Bad, "Down", "It stopped answering: 5 probes in a row were lost.", "Carries nothing while another way out works."
	p.Since, p.RTT, p.Loss, p.Carries, p.Brings, p.Impairment = at.Add(-9*time.Second), nil, num(1), []string{}, []string{}, "cut"
	p.Fault = Fault{Cause: "provider-line", Layer: "https", Level: Warning, Sentence: "The router 192.0.2.1 answers, nothing beyond it does: the provider's line is down.",
		Next: "Look at the router's or modem's line light, start it once more, and then call the provider.", Checked: at.Add(-3 * time.Second), Layers: []Layer{
			{Name: "device", Words: "Adapter", Result: "ok", Level: OK, Subject: "eth0", Note: "it is there", At: at.Add(-3 * time.Second), Age: 3000},
			{Name: "carrier", Words: "Cable or signal", Result: "ok", Level: OK, Subject: "eth0", Note: "there is a signal", At: at.Add(-3 * time.Second), Age: 3000},
			{Name: "address", Words: "Address", Result: "ok", Level: OK, Subject: "eth0", Note: "192.0.2.7", At: at.Add(-3 * time.Second), Age: 3000},
			{Name: "router", Words: "Router", Result: "ok", Level: OK, Subject: "192.0.2.1", Note: "it answers", At: at.Add(-3 * time.Second), Age: 3000},
			{Name: "dns", Words: "Name servers", Result: "failed", Level: Bad, Subject: "198.51.100.53", Note: "no answer", At: at.Add(-3 * time.Second), Age: 3000},
			{Name: "https", Words: "Far end over HTTPS", Result: "failed", Level: Bad, Subject: "gateway.example.org", Note: "no answer", At: at.Add(-3 * time.Second), Age: 3000},
			{Name: "udp", Words: "Far end over UDP", Result: "unknown", Level: Unknown},
			{Name: "media", Words: "Voice and picture", Result: "failed", Level: Bad, Note: "probes are not answered", At: at},
		}}
	c.Carries, c.Why = []string{"voice", "video"}, "Carries voice and picture: it is the only way out that works."
	st.Streams[0].Route, st.Streams[1].Route = []string{"cellular"}, []string{"cellular"}
	st.Streams[1].Devices = []Device{
		{Name: "usb-front", Condition: "failed", Level: Bad, Sentence: "Camera usb-front is not plugged in: check its cable."},
		{Name: "usb-ceiling", Condition: "ok", Level: OK, Sentence: "It is used.", Used: true},
	}
	st.Streams[1].Choice = Choice{Sentence: "Usb-ceiling is used because usb-front failed.", Since: at.Add(-20 * time.Second), Takeovers: map[string]uint64{"failed": 1}}
	st.Switchovers = []Switchover{{Number: 1, When: at.Add(-9 * time.Second), Streams: []string{"voice", "video"}, From: []string{"primary"}, To: []string{"cellular"}, Cause: "probes_missed",
		Sentence: at.Add(-9*time.Second).Format("15:04:05") + " voice and picture moved from primary to cellular because primary stopped answering; noticed in 120 ms, nothing was lost at the far end.",
		Detect:   num(120), Switch: num(61), Settled: true, Lost: Lost{Known: true}, Trace: "20261123-104207-1.trace"}}
	st.Events = append([]Event{{At: at.Add(-9 * time.Second), Level: Warning, Text: "primary is down: it stopped answering."}}, st.Events...)
	return st
}

// private is the same room with its camera muted, and the microphone on the way there.
func private(at time.Time) *Status {
	st := healthy(at)
	st.Verdict = Verdict{State: "PRIVACY", Words: "CAMERA OFF", Level: Warning, Sentence: "Camera and microphone are muted in the room: nobody can see or hear it.", Reason: "Both uplinks work.", Redundancy: "full", Since: at.Add(-time.Minute)}
	st.Privacy.Camera = Mute{There: true, Muted: true, Closed: true, Since: at.Add(-time.Minute), Level: Warning, Sentence: "The camera is muted: its device is closed."}
	st.Privacy.Microphone = Mute{There: true, Muted: true, Since: at, Level: Warning, Sentence: "The microphone is muted: nothing of it is sent, its device is being closed."}
	st.Problem = []Problem{{ID: "camera-muted", Severity: Warning, Text: "The camera is muted: nobody can see the room.", Hint: "Only the room lifts it: on this page or the room's screen at the box itself, with its key, or with `scanside mute camera off`.", Since: at.Add(-time.Minute)}}
	st.Streams[0].Level, st.Streams[0].Sentence = Warning, "Microphone muted in the room."
	st.Streams[1].Level, st.Streams[1].Sentence = Warning, "Camera muted in the room."
	return st
}

// empty is a box right after its start: no network, no camera, no far end.
func empty(at time.Time) *Status {
	return &Status{
		At: at, Version: "0.1.0", Site: "mri-2", Box: "b7c41f9a", Run: "5e21", Started: at.Add(-2 * time.Second),
		Verdict: Verdict{State: "LOST", Words: "SUPERVISION LOST", Level: Bad, Redundancy: "none", Since: at.Add(-2 * time.Second),
			Sentence: "No way out of the room works.", Reason: "primary: the interface eth0 does not exist. cellular: no answer from the far end within 10 s."},
		Problem: []Problem{
			{ID: "uplink-down:primary", Severity: Bad, Text: "primary is down: the interface eth0 does not exist.", Hint: "Plug the adapter in, or correct uplinks[0].interface.", Since: at.Add(-2 * time.Second)},
			{ID: "no-camera", Severity: Bad, Text: "There is no picture of the room: no camera was found.", Hint: "Plug a camera in; it is taken up by itself.", Since: at.Add(-2 * time.Second)},
		},
		Uplinks: []Uplink{
			{Name: "primary", Device: "eth0", Verdict: "down", Level: Bad, Words: "Down", Reason: "The interface eth0 does not exist.", Why: "Next attempt in 2 s.", Since: at.Add(-2 * time.Second), Carrier: "down", Carries: []string{}, Brings: []string{}},
			{Name: "cellular", Device: "wwan0", Verdict: "proving", Level: Unknown, Words: "Connecting", Reason: "The first attempt is under way.", Why: "Carries nothing yet.", Since: at.Add(-2 * time.Second), Metered: true, Carrier: "unknown", Carries: []string{}, Brings: []string{}},
		},
		Streams: []Stream{}, Return: []Return{{Kind: "voice", Level: Unknown, Sentence: "has not come yet."}, {Kind: "video", Level: Unknown, Sentence: "has not come yet."}},
		Switchovers: []Switchover{}, Events: []Event{{At: at, Level: Notice, Text: fmt.Sprintf("scanside started.")}},
		FarEnd: FarEnd{URL: "https://gateway.example.org", Level: Bad, Sentence: "The far end has not been reached in this run.", People: []Person{}},
	}
}
