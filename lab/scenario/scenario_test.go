package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scanside/lab/emu"
)

// Every file that comes with the program is sound, and says what it is about.
func TestFiles(t *testing.T) {
	names := All()
	for _, must := range []string{"steady", "blackhole-primary", "blackhole-cellular", "ifdown-primary", "ifdown-cellular", "restore-primary"} {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+must+" ") {
			t.Errorf("scenario %s is missing", must)
		}
	}
	for _, name := range names {
		s, err := Load(name)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if len(strings.Fields(s.Story)) < 15 {
			t.Errorf("%s: the story %q is too short to understand", name, s.Story)
		}
		if name != "steady" && len(s.Events) == 0 {
			t.Errorf("%s: nothing happens", name)
		}
	}
}

func TestParse(t *testing.T) {
	s, err := Parse("x", `# The story,
# in two lines.

length 30s
uplink primary 20ms
uplink cellular 60ms metered # a comment
protect video on-doubt
at 5s loss cellular 12.5% down
at 5s cut primary up
at 6s delay primary 300ms
at 7s jitter primary 50ms
at 8s rate primary 1000 up
at 9s restore primary
at 10s ifdown primary
at 11s ifup primary
expect voice.lost = 0
expect return.video.longest_freeze_ms <= 59.5
end voice primary cellular
`)
	if err != nil {
		t.Fatal(err)
	}
	if s.Story != "The story,\nin two lines." || s.Length != 30*time.Second || s.Voice != "always" || s.Video != "on-doubt" {
		t.Errorf("head: %+v", s)
	}
	if want := (Uplink{"cellular", 60 * time.Millisecond, true}); s.Uplinks[1] != want {
		t.Errorf("uplink %+v, want %+v", s.Uplinks[1], want)
	}
	var events []string
	for _, e := range s.Events {
		if again, err := ParseEvent(e.Text(), s.Uplinks); err != nil || again.Text() != e.Text() {
			t.Errorf("%s read again is %s (%v)", e.Text(), again.Text(), err)
		}
		events = append(events, e.String())
	}
	want := "at 5s loss cellular 12.5% down; at 5s cut primary up; at 6s delay primary 300ms; at 7s jitter primary 50ms; " +
		"at 8s rate primary 1000 up; at 9s restore primary; at 10s ifdown primary; at 11s ifup primary"
	if got := strings.Join(events, "; "); got != want {
		t.Errorf("events\n%s, want\n%s", got, want)
	}
	if uplink, at, ok := s.Struck(); !ok || uplink != "cellular" || at != 5*time.Second {
		t.Errorf("struck: %s %v %v", uplink, at, ok)
	}
	if s.Expect[0].OnClock() || !s.Expect[1].OnClock() || s.Expect[1].String() != "expect return.video.longest_freeze_ms <= 59.5" {
		t.Errorf("expectations: %v", s.Expect)
	}
	if s.End[0].Stream != "voice" || len(s.End[0].Uplinks) != 2 {
		t.Errorf("end: %v", s.End)
	}
}

// What is written once may be many events.
func TestExpansion(t *testing.T) {
	const head = "# story\nlength 60s\nuplink primary 20ms\nuplink cellular 60ms\nexpect voice.lost = 0\n"
	for _, c := range []struct{ text, want string }{
		{"at 2s cut primary for 3s", "at 2s cut primary; at 5s restore primary"},
		{"at 2s ifdown primary for 3s", "at 2s ifdown primary; at 5s ifup primary"},
		{"at 2s every 6s until 14s cut primary up for 3s",
			"at 2s cut primary up; at 5s restore primary; at 8s cut primary up; at 11s restore primary; at 14s cut primary up; at 17s restore primary"},
		{"at 2s cut primary,cellular for 1s", "at 2s cut primary; at 2s cut cellular; at 3s restore primary; at 3s restore cellular"},
		{"at 2s loss primary 5%..11% over 3s down", "at 2s loss primary 5% down; at 3s loss primary 7% down; at 4s loss primary 9% down; at 5s loss primary 11% down"},
		{"at 2s rate cellular 3000..1000 over 2s queue 250kB",
			"at 2s rate cellular 3000 queue 250kB; at 3s rate cellular 2000 queue 250kB; at 4s rate cellular 1000 queue 250kB"},
		{"at 2s farend down first for 3s\nat 8s farend restart second", "at 2s farend down first; at 5s farend up first; at 8s farend restart second"},
		{"at 2s cut primary for 5s\nat 3s loss cellular 5%", "at 2s cut primary; at 3s loss cellular 5%; at 7s restore primary"},
		{"at 2s burst primary 10% 300ms up\nat 3s burst primary 5%\nat 4s duplicate primary 2%\nat 5s reorder primary 30ms\nat 6s mtu primary 1000",
			"at 2s burst primary 10% 300ms up; at 3s burst primary 5% 200ms; at 4s duplicate primary 2%; at 5s reorder primary 30ms; at 6s mtu primary 1000"},
		{"at 2s trace cellular TMobile-LTE-short.up from 30s queue 500kB up\nat 3s block primary tcp",
			"at 2s trace cellular TMobile-LTE-short.up from 30s queue 500kB up; at 3s block primary tcp"},
	} {
		s, err := Parse("x", head+c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var events []string
		for _, e := range s.Events {
			if again, err := ParseEvent(e.Text(), s.Uplinks); err != nil || again.Text() != e.Text() {
				t.Errorf("%s read again is %s (%v)", e.Text(), again.Text(), err)
			}
			events = append(events, e.String())
		}
		if got := strings.Join(events, "; "); got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

// A trace that is not there is missed before the story begins, and read when it is.
func TestTraces(t *testing.T) {
	s, err := Parse("x", "# story\nlength 60s\nuplink primary 20ms\nexpect voice.lost = 0\nat 1s trace primary made-up.up")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, c := range []struct{ folder, want string }{{"", "names no folder"}, {folder, "no such file"}} {
		t.Setenv(TracesEnv, c.folder)
		if err := s.Missing(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("folder %q: %v, want %q", c.folder, err, c.want)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "made-up.up"), []byte("1\n2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	set := emu.NewSet(1, s.Paths()...)
	defer set.Close()
	if err := errors.Join(s.Missing(), s.Events[0].Apply(set)); err != nil {
		t.Error(err)
	}
	if got := set.State("primary"); got != "recorded capacity" {
		t.Errorf("the uplink is %q", got)
	}
}

func TestMistakesNameTheirLineAndWhatToDo(t *testing.T) {
	const head = "# story\nlength 60s\nuplink primary 20ms\nexpect voice.lost = 0\n" // four lines
	for _, c := range []struct{ text, want string }{
		{"", "x: has no story; begin with #"},
		{"# story\nuplink primary 20ms\nexpect voice.lost = 0", "x: has no length; write e.g. length 60s"},
		{head + "length 61s", "x:5: a length of 1m1s is more than 1m0s"},
		{head + "length soon", `x:5: "soon" is not a time; write e.g. 20s`},
		{head + "uplink primary 20ms", "x:5: uplink primary is there twice"},
		{head + "uplink cellular", "x:5: an uplink has a name and a round trip"},
		{head + "cut primary", `x:5: "cut" is not a statement; use length, also, uplink`},
		{head + "at 1s cut secondary", `x:5: there is no uplink "secondary"`},
		{head + "at 1s melt primary", `x:5: "melt" is nothing that happens to an uplink; use cut, block, loss`},
		{head + "at 1s loss primary", "x:5: loss needs an amount; write e.g. loss primary 30%"},
		{head + "at 1s loss primary 130%", `x:5: "130%" is not a share`},
		{head + "at 1s loss primary 0.3", `x:5: "0.3" is not a share; write e.g. 30%`},
		{head + "at 1s block primary icmp", `x:5: "icmp" is nothing that a firewall blocks; use udp or tcp`},
		{head + "at 1s mtu primary 0", `x:5: "0" is not a size; write bytes`},
		{head + "at 1s trace primary ../secret", `x:5: "../secret" is not the name of a trace`},
		{head + "at 1s rate primary 1000 queue much", `x:5: "much" is not a queue; write kB`},
		{head + "at 1s loss primary 5%..60%", "x:5: write a ramp as e.g. loss primary 5%..60% over 30s"},
		{head + "at 1s block primary udp..tcp over 3s", `x:5: "udp..tcp" is nothing that a firewall blocks`},
		{head + "at 1s every 3s cut primary", "x:5: write what comes again as e.g."},
		{head + "at 1s every 0s until 9s cut primary", `x:5: every "0s" is no pause`},
		{head + "at 1s every 1ms until 59s cut primary", "x:5: more than 1000 events"},
		{head + "at 1s cut primary for 0s", `x:5: for "0s" is no time`},
		{head + "at 1s cut primary,secondary", `x:5: there is no uplink "secondary"`},
		{head + "at 50s cut primary for 10s", "x: its last event comes at 1m0s, when it is over"},
		{head + "also bubble", "x:5: write also namespaces"},
		{head + "at 1s rate primary fast", `x:5: "fast" is not a rate`},
		{head + "at 1s cut primary sideways", `x:5: "sideways" is too much`},
		{head + "at 2s cut primary\nat 1s restore primary", "x:6: 1s lies before the event above"},
		{head + "at 60s cut primary", "x: its last event comes at 1m0s, when it is over"},
		{head + "at -1s cut primary", `x:5: "-1s" is not a time`},
		{head + "at 1s procedure paused", "x:5: write procedure open or procedure closed"},
		{head + "at 1s farend restart third", "x:5: write farend down|up|restart first|second"},
		{head + "at 1s farend away first", "x:5: write farend down|up|restart first|second"},
		{head + "also namespaces\nat 1s farend restart first", "x: its console counts through a far end's restart"},
		{head + "end farend third", "or end farend first|second"},
		{head + "protect smell always", `x:5: "smell" is not a stream`},
		{head + "protect voice sometimes", "x:5: write protect voice|video always|on-doubt|by-cost|never|default"},
		{head + "expect voice.found = 0", `x:5: "voice.found" is not in the result; use one of voice.sent, voice.lost`},
		{head + "expect voice.lost >= 0", `x:5: ">=" is not a comparison; use = or <=`},
		{head + "expect voice.lost = few", `x:5: "few" is not a number`},
		{"# story\nlength 60s\nexpect unnoticed", "x:3: unnoticed depends on the uplinks"},
		{head + "expect voice.lost=0", "x:5: an expectation is a name"},
		{head + "end voice", "x:5: write end voice|video"},
		{head + "end voice secondary", `x:5: there is no uplink "secondary"`},
	} {
		_, err := Parse("x", c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
	if _, err := Parse("x", head+"bogus\nbogus"); strings.Count(err.Error(), "x:") != 2 {
		t.Errorf("two mistakes, told: %v", err)
	}
}

func TestResultLine(t *testing.T) {
	detect := 101.5
	r := Result{Scenario: "blackhole-primary", World: "bubble", DetectMS: &detect}
	late := uint64(3)
	r.Voice = Voice{Sent: 3000, Lost: 1, LongestGapMS: 40, Late: &late}
	r.Return.Video.FramesLost = 2
	const want = `{"scenario":"blackhole-primary","world":"bubble","voice":{"sent":3000,"lost":1,"longest_gap_ms":40,"later_than_200_ms":3},` +
		`"video":{"frames_sent":0,"frames_lost":0,"longest_freeze_ms":0,"key_frame_requests":0},` +
		`"return":{"voice":{"sent":0,"lost":0,"longest_gap_ms":0,"later_than_200_ms":null},"video":{"frames_sent":0,"frames_lost":2,"longest_freeze_ms":0,"key_frame_requests":0}},` +
		`"switchovers":0,"detect_ms":101.5,"switch_ms":null}`
	if got := r.Line(); got != want {
		t.Errorf("line\n%s, want\n%s", got, want)
	}
	for _, c := range []struct {
		x    Expectation
		want bool
	}{
		{Expectation{"voice.lost", false, 1, false}, true}, {Expectation{"voice.lost", false, 0, false}, false},
		{Expectation{"voice.longest_gap_ms", true, 40, false}, true}, {Expectation{"voice.longest_gap_ms", true, 39, false}, false},
		{Expectation{"return.video.frames_lost", false, 2, false}, true}, {Expectation{"detect_ms", true, 102, false}, true},
		{Expectation{"voice.later_than_200_ms", true, 3, false}, true}, {Expectation{"voice.later_than_200_ms", true, 2, false}, false},
		{Expectation{"switch_ms", true, 1000, false}, false}, // not measured does not hold
	} {
		if c.x.Holds(r) != c.want {
			t.Errorf("%v holds: %v, want %v (seen %s)", c.x, !c.want, c.want, c.x.Seen(r))
		}
	}
}

func TestApply(t *testing.T) {
	set := emu.NewSet(1, emu.Symmetric("primary", 20*time.Millisecond))
	defer set.Close()
	for _, c := range []struct {
		e    Event
		want string
	}{
		{Event{Verb: Loss, Share: 0.3}, "30 % loss"}, {Event{Verb: Delay, By: 300 * time.Millisecond}, "30 % loss, +300 ms"},
		{Event{Verb: Cut, Direction: emu.Up}, "up: cut; down: 30 % loss, +300 ms"}, {Event{Verb: Restore}, ""},
		{Event{Verb: Block, What: "tcp"}, "TCP blocked"}, {Event{Verb: Restore}, ""},
		{Event{Verb: Jitter, By: 5 * time.Millisecond, Direction: emu.Down}, "down: 5 ms jitter"}, {Event{Verb: Rate, Rate: 1_000_000, Direction: emu.Down}, "down: 5 ms jitter, 1000 kbit/s"},
	} {
		c.e.Uplink = "primary"
		if err := c.e.Apply(set); err != nil {
			t.Fatal(err)
		}
		if got := set.State("primary"); got != c.want {
			t.Errorf("after %v: %q, want %q", c.e, got, c.want)
		}
	}
	if err := (Event{Verb: IfDown, Uplink: "primary"}).Apply(set); err == nil {
		t.Error("the emulator took an interface down")
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range All() {
		text, _ := files.ReadFile("files/" + name + suffix)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("x", text)
		if err != nil {
			return
		}
		for _, e := range s.Events { // what parses can be done
			set := emu.NewSet(1, s.Paths()...)
			if e.Verb != IfDown && e.Verb != IfUp && e.Verb != Procedure && e.Verb != FarEnd && e.Verb != Trace {
				if err := e.Apply(set); err != nil {
					t.Errorf("%v: %v", e, err)
				}
			}
			set.Close()
		}
	})
}

func TestUnnoticed(t *testing.T) {
	s, err := Parse("x", "# story\nlength 60s\nuplink primary 20ms\nuplink cellular 60ms\nexpect unnoticed\nowed switchovers <= 2")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, x := range s.Expect {
		all = append(all, x.String())
	}
	const want = "expect voice.lost = 0; expect voice.longest_gap_ms <= 45; expect video.frames_lost = 0; expect video.longest_freeze_ms <= 59; " +
		"expect video.key_frame_requests = 0; expect return.voice.lost = 0; expect return.voice.longest_gap_ms <= 45; " +
		"expect return.video.frames_lost = 0; expect return.video.longest_freeze_ms <= 59; expect return.video.key_frame_requests = 0; " +
		"owed switchovers <= 2"
	if got := strings.Join(all, "; "); got != want {
		t.Errorf("expects\n%s, want\n%s", got, want)
	}
	for _, v := range s.Judge(Result{Switchovers: 3}, nil, true) {
		if strings.HasPrefix(v.Text, "owed") && (v.Held || v.Asserted) {
			t.Errorf("%+v: what is owed is told, not asserted", v)
		}
	}
}

// A stream that ends in the middle has lost nothing by its own numbers.
func TestDeadMediaIsNotWell(t *testing.T) {
	s, err := Load("steady")
	if err != nil {
		t.Fatal(err)
	}
	whole := Way{Voice: Voice{Sent: 3000}, Video: Video{FramesSent: 1800}}
	r := Result{Way: whole, Return: whole}
	routes := map[string][]string{}
	for _, e := range s.End {
		routes[e.Stream] = e.Uplinks
	}
	broken := func() (all []string) {
		for _, v := range s.Judge(r, routes, false) {
			if !v.Held {
				all = append(all, v.Text)
			}
		}
		return all
	}
	if b := broken(); b != nil {
		t.Errorf("a whole minute: %q", b)
	}
	r.Return.Video.FramesSent = 900
	if b := broken(); len(b) != 1 || !strings.Contains(b[0], "return.video.frames_sent") {
		t.Errorf("the return picture ended after half a minute: %q", b)
	}
}
