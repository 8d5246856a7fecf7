package devices

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write what is decided now into the golden traces")

// Each trace in testdata decides what it says, byte for byte, and breaks no invariant.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.trace")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d traces, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".trace"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			trace, err := ReadTrace(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			got, breaches := trace.Replay()
			if len(breaches) > 0 {
				t.Errorf("invariants: %v", breaches)
			}
			if *update {
				above, _, _ := strings.Cut(string(text), traceLine+"\n")
				if err := os.WriteFile(path, []byte(above+traceLine+"\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !trace.HasWant || got != trace.Want {
				t.Errorf("decided:\n%swant:\n%s", got, trace.Want)
			}
		})
	}
}

// Devices that fail, doubt and recover at random: the invariants hold after each step, a step at the deadline is never late,
// and the trace's text decides the same.
func TestWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"front", "ceiling", "corner"}[:rapid.IntRange(1, 3).Draw(t, "devices")]
		c, g := New(len(names), 0), NewGuard(len(names), 0)
		seen := Seen{Conditions: make([]Condition, len(names))}
		trace, at := Trace{Names: names}, time.Duration(0)
		step := func(device int) {
			r := Record{At: at, Device: device, Open: seen.Open}
			if device >= 0 {
				r.Is = seen.Conditions[device]
			}
			trace.Records = append(trace.Records, r)
			d := c.Step(at, seen)
			if b := g.Check(at, seen, d, c.Deadline()); len(b) > 0 {
				t.Fatalf("%v\n%s", b, trace.Text())
			}
		}
		for range rapid.IntRange(5, 120).Draw(t, "scenes") {
			until := at + time.Duration(rapid.SampledFrom([]int{0, 1, 100, 300, 1000, 5000, 12_000, 60_000}).Draw(t, "ms"))*time.Millisecond
			for next := c.Deadline(); next <= until; next = c.Deadline() {
				at = next
				step(-1)
			}
			at = until
			if i := rapid.IntRange(-1, len(names)-1).Draw(t, "device"); i >= 0 {
				seen.Conditions[i] = Condition(rapid.IntRange(0, 3).Draw(t, "is"))
				step(i)
			} else {
				seen.Open = !seen.Open
				step(-1)
			}
		}
		again, err := ReadTrace(bytes.NewReader(trace.Text()))
		if err != nil {
			t.Fatalf("%v\n%s", err, trace.Text())
		}
		want, _ := trace.Replay()
		if got, _ := again.Replay(); got != want {
			t.Fatalf("read from its text it decides\n%swant\n%s", got, want)
		}
	})
}

// A list of one never changes.
func TestOnlyOne(t *testing.T) {
	c := New(1, 0)
	for i, is := range []Condition{OK, Failed, Unknown, Doubtful, OK} {
		if d := c.Step(time.Duration(i)*time.Minute, Seen{Conditions: []Condition{is}}); d.Changed || d.Used != 0 {
			t.Errorf("%v: %+v", is, d)
		}
	}
}

// A device that is lost again and again is waited for at most LongestDwell, and forgiven after FlapMemory.
func TestDwellIsBounded(t *testing.T) {
	c, at := New(2, 0), time.Duration(0)
	hear := func(first Condition, pass time.Duration) {
		c.Step(at, Seen{Conditions: []Condition{first, OK}})
		at += pass
		for next := c.Deadline(); next <= at; next = c.Deadline() {
			c.Step(next, Seen{Conditions: []Condition{first, OK}})
		}
	}
	for range 12 {
		hear(OK, LongestDwell)
		if c.Step(at, Seen{Conditions: []Condition{OK, OK}}).Used != 0 {
			t.Fatal("not back after LongestDwell")
		}
		hear(Failed, time.Second)
	}
	hear(Failed, FlapMemory)
	hear(OK, Dwell)
	if c.Step(at, Seen{Conditions: []Condition{OK, OK}}).Used != 0 {
		t.Error("its losses are not forgotten after FlapMemory")
	}
}

// D2 to D6 can break: the guard sees each.
func TestGuardSees(t *testing.T) {
	ok := []Condition{OK, OK}
	for name, c := range map[string]struct {
		at        time.Duration
		seen      Seen
		d         Decision
		deadline  time.Duration
		invariant int
	}{
		"no such device":           {0, Seen{Conditions: ok}, Decision{Used: 2}, Never, 1},
		"a change without a word":  {0, Seen{Conditions: ok}, Decision{Used: 1}, Never, 1},
		"a failed one is kept":     {time.Second, Seen{Conditions: []Condition{Failed, OK}}, Decision{}, Never, 2},
		"to one that failed":       {0, Seen{Conditions: []Condition{OK, Failed}}, Decision{Used: 1, Changed: true, Why: Doubt}, Never, 3},
		"down the list":            {time.Minute, Seen{Conditions: ok}, Decision{Used: 1, Changed: true, Why: Preferred}, Never, 4},
		"in a procedure":           {time.Minute, Seen{Conditions: ok, Open: true}, Decision{Used: 1, Changed: true, Why: Preferred}, Never, 5},
		"a deadline in the past":   {time.Second, Seen{Conditions: ok}, Decision{}, time.Second, 7},
		"no deadline is allowed":   {time.Second, Seen{Conditions: ok}, Decision{}, Never, 0},
		"a fault in the procedure": {time.Second, Seen{Conditions: []Condition{Failed, OK}, Open: true}, Decision{Used: 1, Changed: true, Why: LostDevice}, Never, 0},
	} {
		g := NewGuard(2, 0)
		g.Check(0, c.seen, Decision{}, Never)
		var found []int
		for _, b := range g.Check(c.at, c.seen, c.d, c.deadline) {
			found = append(found, b.Invariant)
		}
		if (c.invariant == 0) != (len(found) == 0) || c.invariant != 0 && !slices.Contains(found, c.invariant) {
			t.Errorf("%s: the guard says %v, want D%d", name, found, c.invariant)
		}
	}
}

// What is no trace gets an answer with the line and what to write instead.
func TestReadTraceRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "names no device",
		"hello\n":                         "line 1: a trace of devices begins with",
		TraceTitle + "\ndevice a b\n":     "line 2: write device NAME",
		TraceTitle + "\ndevice a\n1 b ok": `no device "b"; there are: a`,
		TraceTitle + "\ndevice a\n1 a so": `"so" is no condition`,
		TraceTitle + "\ndevice a\nx a ok": "no instant",
		TraceTitle + "\ndevice a\n2\n1\n": "line 4: 1 lies before",
	} {
		if _, err := ReadTrace(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzReadTrace(f *testing.F) {
	f.Add(TraceTitle + "\ndevice a\ndevice b\n1 a ok\n2 open b failed\n3\n----\n")
	f.Fuzz(func(t *testing.T, text string) {
		trace, err := ReadTrace(strings.NewReader(text))
		if err != nil {
			return
		}
		if _, breaches := trace.Replay(); len(breaches) > 0 {
			t.Errorf("%v", breaches)
		}
		again, err := ReadTrace(bytes.NewReader(trace.Text()))
		if err != nil {
			t.Fatalf("what it wrote cannot be read: %v\n%s", err, trace.Text())
		}
		a, _ := trace.Replay()
		if b, _ := again.Replay(); a != b {
			t.Errorf("decides otherwise from its own text")
		}
	})
}

func BenchmarkStep(b *testing.B) {
	c, seen := New(2, 0), Seen{Conditions: []Condition{OK, OK}}
	b.ReportAllocs()
	for i := range b.N {
		seen.Conditions[0] = Condition(i & 3)
		c.Step(time.Duration(i)*time.Millisecond, seen)
		c.Deadline()
	}
}
