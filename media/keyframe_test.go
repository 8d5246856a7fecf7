package media

import (
	"testing"
	"time"
)

func TestKeyFrameGate(t *testing.T) {
	type step struct {
		at   time.Duration
		ask  bool // else Due
		want bool
	}
	const ms = time.Millisecond
	cases := []struct {
		name  string
		every time.Duration
		steps []step
	}{
		{"nothing asked, nothing due", 0, []step{{0, false, false}, {time.Hour, false, false}}},
		{"the first passes at once, and once", 0, []step{{0, true, true}, {0, false, false}, {600 * ms, false, false}}},
		{"a storm is one now and one later", 0, []step{
			{0, true, true}, {1 * ms, true, false}, {2 * ms, true, false}, {499 * ms, false, false}, {500 * ms, false, true}, {501 * ms, false, false},
		}},
		{"a held request goes with the next one asked", 0, []step{{0, true, true}, {100 * ms, true, false}, {700 * ms, true, true}, {1300 * ms, false, false}}},
		{"a held request counts for the next wait", 0, []step{
			{0, true, true}, {100 * ms, true, false}, {500 * ms, false, true}, {800 * ms, true, false}, {999 * ms, false, false}, {1000 * ms, false, true},
		}},
		{"its own pace", 60 * ms, []step{{0, true, true}, {59 * ms, true, false}, {60 * ms, false, true}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := KeyFrameGate{Every: c.every}
			start := time.Unix(1000, 0)
			for i, s := range c.steps {
				call, name := g.Due, "Due"
				if s.ask {
					call, name = g.Ask, "Ask"
				}
				if got := call(start.Add(s.at)); got != s.want {
					t.Fatalf("step %d: %s at %v = %v", i, name, s.at, got)
				}
			}
		})
	}
	var g KeyFrameGate
	if _, held := g.Deadline(); held {
		t.Error("zero value holds a request")
	}
	start := time.Unix(1000, 0)
	g.Ask(start)
	g.Ask(start.Add(ms))
	if at, held := g.Deadline(); !held || !at.Equal(start.Add(500*ms)) {
		t.Errorf("Deadline = %v, %v", at, held)
	}
}

// While a replay is under way nothing is asked for; what was asked meanwhile goes out when it is over.
func TestKeyFrameGateHold(t *testing.T) {
	var g KeyFrameGate
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	g.Hold(at(200))
	g.Hold(at(100)) // is not shortened
	if g.Ask(at(50)) || g.Due(at(199)) {
		t.Error("a request passed during the hold")
	}
	if due, held := g.Deadline(); !held || !due.Equal(at(200)) {
		t.Errorf("due at %v %v", due, held)
	}
	if !g.Due(at(200)) || g.Due(at(200)) {
		t.Error("the held request did not pass once at the hold's end")
	}
}

// After an outage nobody waits for what was asked in vain, and nobody gets two key frames for it.
func TestKeyFrameGateAnew(t *testing.T) {
	const ms = time.Millisecond
	var g KeyFrameGate
	start := time.Unix(1000, 0)
	if !g.Ask(start) || g.Ask(start.Add(100*ms)) {
		t.Fatal("the gate does not coalesce")
	}
	if !g.Anew(start.Add(200 * ms)) {
		t.Error("a request anew was held")
	}
	if g.Due(start.Add(900 * ms)) {
		t.Error("the held request came after all")
	}
	if g.Ask(start.Add(600 * ms)) {
		t.Error("a request anew does not count for the next wait")
	}
	g.Hold(start.Add(2000 * ms))
	if g.Anew(start.Add(1500 * ms)) {
		t.Error("a replay was under way")
	}
}
