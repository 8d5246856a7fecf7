package failover

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An error names the line, and what to do.
func TestReadTraceErrors(t *testing.T) {
	const head = "scanside trace 1\nlink wired\n"
	for _, c := range []struct{ text, want string }{
		{"", `it is empty; a trace begins with "scanside trace 1"`},
		{"# nothing\n\nhello\n", `line 3: "hello" is not "scanside trace 1"`},
		{"scanside trace 1\n", "0 links; name 1 to 8"},
		{head + "link wired\n", `two links are called "wired"; give each its own name`},
		{head + strings.Repeat("link x\n", 8), "line 10: more than 8 links"},
		{head + "protection sound always\n", `line 3: "sound" is no stream; use voice or video`},
		{head + "protection voice perhaps\n", `line 3: "perhaps" is no protection; use one of`},
		{head + "set Overlop 1s\n", `line 3: "Overlop" is no threshold`},
		{head + "set Overlap soon\n", `line 3: "soon" is no value for Overlap; write 500ms for its default`},
		{head + "set Overlap 0s\n", "Overlap is 0s"},
		{head + "state {\n", "line 3: the state is damaged"},
		{head + "state {\"Surprise\": 1}\n", "unknown field"},
		{head + "state {\"Links\": []}\n", "the snapshot has 0 links, the policy 1"},
		{head + "ticks now\n", `line 3: "ticks now" is not understood`},
		{head + "stall 5..4\n", `line 3: "5..4" is no span of time`},
		{head + "1 tick\nset Overlap 1s\n", `line 4: "set" after the first event`},
		{head + "1.0000000001 tick\n", `line 3: "1.0000000001" is no time`},
		{head + "1\n", "line 3: a time without an event"},
		{head + "1 opened wird\n", `line 3: no link is called "wird"; name it above`},
		{head + "1 exploded wired\n", `line 3: "exploded wired" is no event; write opened`},
		{head + "1 procedure begun\n", `line 3: "procedure begun" is no event`},
		{head + "1 carrier wired sideways\n", "is no event"},
		{head + "1 echo wired quickly\n", `line 3: "quickly" is no time; write it like 20ms`},
		{head + "1 echo wired -1ms\n", `is no time`},
		{head + "1 report wired 1 -1\n", "are no two counts"},
		{head + "1 wall noon\n", `line 3: "noon" is no wall-clock time`},
		{head + "1..2 tick\n", "lacks its step; write FROM..TO every STEP EVENT"},
		{head + "1..2 every 0 tick\n", `"0" is no step`},
		{head + "1..2 every 1 miss wired 1ms missing 1 of 2\n", "only an echo can be missing"},
		{head + "1..2 every 1 echo wired 1ms missing 3 of 2\n", "write missing N of M with N at most M"},
		{head + "0..1000000 every 0.001 tick\n", "line 3: more than 4000000 events"},
		{head + "0 tick\nticks\n", `line 4: "ticks" after the first event`},
		{head + "x" + strings.Repeat("y", mostLine) + "\n", "line 3 is longer than"},
	} {
		if _, err := ReadTrace(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

// A replay that decides otherwise says where; one that breaks nothing says nothing.
func TestReplayDiffers(t *testing.T) {
	text, err := os.ReadFile("testdata/black-hole.trace")
	if err != nil {
		t.Fatal(err)
	}
	replay := func(text string) Replayed {
		trace, err := ReadTrace(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := trace.Replay()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := replay(string(text)); !got.OK() || got.Differs != "" {
		t.Errorf("as recorded: %q", got.Differs)
	}
	changed := replay(strings.Replace(string(text), "20.140 wired suspect", "20.190 wired suspect", 1))
	if changed.OK() || !strings.Contains(changed.Differs, "recorded: 20.190 wired suspect") || !strings.Contains(changed.Differs, "replayed: 20.140 wired suspect") {
		t.Errorf("one line changed: %q", changed.Differs)
	}
	if n := strings.Count(changed.Differs, "recorded:"); n != 1 {
		t.Errorf("one line changed, %d differ", n)
	}
	short, _, _ := strings.Cut(string(text), "20.140 wired suspect")
	if got := replay(short); !strings.Contains(got.Differs, "recorded: (nothing)") || !strings.Contains(got.Differs, "and more") {
		t.Errorf("cut short: %q", got.Differs)
	}
	above, _, _ := strings.Cut(string(text), traceRule)
	if got := replay(above); !got.OK() || got.Decisions == "" {
		t.Errorf("without recorded decisions: %+v", got)
	}
	if _, err := (Trace{}).Replay(); err == nil {
		t.Error("a trace without a policy replayed")
	}
}

// A run that is recorded from its middle replays to the same decisions: the state carries what went before.
func TestTraceFromTheMiddle(t *testing.T) {
	text, err := os.ReadFile("testdata/recovery.trace")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := ReadTrace(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(whole.Policy)
	if err != nil {
		t.Fatal(err)
	}
	half := len(whole.Records) / 2
	for _, r := range whole.Records[:half] {
		e.Step(r.At, r.Event)
	}
	state := e.Snapshot()
	late := Trace{Policy: whole.Policy, State: &state, Records: whole.Records[half:]}
	late.Policy.DoubtHold = 2500 * time.Millisecond // a threshold that is not the default's
	if err := sameAgain(late, string(late.Text())); err != nil {
		t.Error(err)
	}
	late.Policy = whole.Policy
	got, err := late.Replay()
	if err != nil {
		t.Fatal(err)
	}
	if got.Decisions == "" || !strings.HasSuffix(whole.Want, got.Decisions) {
		t.Errorf("the second half alone decides\n%s", got.Decisions)
	}
}

// FuzzReadTrace: whatever is read replays without a breach, and what is written of it reads back to the same decisions.
func FuzzReadTrace(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.trace")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("scanside trace 1\nlink a metered\nset Dwell 1s\nticks\nstall 1..2\n0.1 opened a\n1..3 every 0.3 echo a 20ms missing 1 of 3\n3 wall 2026-11-01T01:30:00-04:00\n----\n")
	f.Fuzz(func(t *testing.T, text string) {
		trace, err := readTrace(strings.NewReader(text), 5000)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "read trace: ") {
				t.Errorf("the error does not say what was attempted: %v", err)
			}
			return
		}
		got, err := trace.Replay()
		if err != nil {
			t.Fatal(err)
		}
		if trace.State == nil {
			for _, b := range got.Breaches {
				t.Error(b)
			}
		}
		if err := sameAgain(trace, string(trace.Text())); err != nil {
			t.Fatal(err)
		}
	})
}
