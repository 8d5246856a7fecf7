package failover

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// hasty is a policy in which everything happens within a second or two, so that short walks reach every state.
func hasty(links ...LinkPolicy) Policy {
	p := DefaultPolicy(links...)
	p.DownSilence, p.Dwell, p.DwellMost = 100*time.Millisecond, 300*time.Millisecond, 2*time.Second
	p.FlapMemory, p.Overlap, p.DoubtHold = 3*time.Second, 120*time.Millisecond, 200*time.Millisecond
	p.ReportSettle, p.SampleDue, p.ClearAnswers = 100*time.Millisecond, 500*time.Millisecond, 4
	p.FalseAlarmEvery, p.RefusedFor, p.Refusals = time.Second, 50*time.Millisecond, 3
	p.Drain, p.RateHold, p.BloatPatience = 300*time.Millisecond, 100*time.Millisecond, 400*time.Millisecond
	p.BlameAfter = 100 * time.Millisecond
	p.ThinFor, p.StopAfter = 75*time.Millisecond, 200*time.Millisecond
	return p
}

// guarded steps an engine and its guard, and fails at the first breach with the trace that led there.
type guarded struct {
	*Engine
	guard *Guard
	trace Trace
}

func newGuarded(p Policy) (*guarded, error) {
	e, err := New(p)
	if err != nil {
		return nil, err
	}
	return &guarded{e, NewGuard(e), Trace{Policy: p}}, nil
}

func (g *guarded) step(at Instant, ev Event) (Decision, error) {
	g.trace.Records = append(g.trace.Records, Record{At: at, Event: ev})
	d := g.Step(at, ev)
	if b := g.guard.Check(g.Engine, at, ev, d); len(b) > 0 {
		lines := make([]string, len(b))
		for i := range b {
			lines[i] = b[i].String()
		}
		return d, fmt.Errorf("%s\n%s", strings.Join(lines, "\n"), g.trace.Text())
	}
	return d, nil
}

// A room whose links fail in every way, at random, with the prober and the far end as they are: after every step the
// invariants hold, and what was restored from a snapshot in the middle decides the same.
func TestWalkOfAWorld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := hasty(LinkPolicy{Name: "wired"}, LinkPolicy{Name: "cellular", Metered: rapid.Bool().Draw(t, "metered")}, LinkPolicy{Name: "third"})
		p.Links = p.Links[:rapid.IntRange(1, 3).Draw(t, "links")]
		for phase := range p.Protection {
			for s := range p.Protection[phase] {
				p.Protection[phase][s] = Protection(rapid.IntRange(0, int(numProtections)-1).Draw(t, "protection"))
			}
		}
		g, err := newGuarded(p)
		if err != nil {
			t.Fatal(err)
		}
		w := world{g: g, open: make([]bool, len(p.Links)), fault: make([]fault, len(p.Links))}
		for range rapid.IntRange(20, 200).Draw(t, "scenes") {
			if err := w.scene(t); err != nil {
				t.Fatal(err)
			}
		}
		if text := string(g.trace.Text()); rapid.IntRange(0, 9).Draw(t, "reread") == 0 {
			if err := sameAgain(g.trace, text); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// sameAgain replays a trace as it is and as it is read from its text: F5, and that the text loses nothing.
func sameAgain(trace Trace, text string) error {
	again, err := ReadTrace(strings.NewReader(text))
	if err != nil {
		return err
	}
	a, err := trace.Replay()
	if err != nil {
		return err
	}
	b, err := again.Replay()
	if err != nil {
		return err
	}
	if a.Decisions != b.Decisions {
		return fmt.Errorf("the trace decides otherwise when it is read from its text:\n%s", differs(a.Decisions, b.Decisions))
	}
	return nil
}

type fault uint8

const (
	healthy fault = iota
	dead
	lossy
	slow
	oneWay
	faults
)

type world struct {
	g     *guarded
	at    Instant
	open  []bool
	fault []fault
}

// scene changes one thing and lets some beats pass.
func (w *world) scene(t *rapid.T) error {
	l := Link(rapid.IntRange(0, len(w.open)-1).Draw(t, "link"))
	on := rapid.Bool().Draw(t, "on")
	var ev Event
	switch rapid.IntRange(0, 14).Draw(t, "what") {
	case 0, 1, 2:
		ev, w.open[l] = Opened(l), true
	case 3:
		ev, w.open[l] = Closed(l), false
	case 4:
		ev = Carrier(l, on)
	case 5:
		ev = Pinned(l, on)
	case 6:
		ev = Procedure(on)
	case 7:
		ev = Budget(l, Allowance(rapid.IntRange(0, int(numAllowances)-1).Draw(t, "left")))
	case 8:
		ev = SendFailed(l)
	case 9:
		w.at = w.at.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "sleep")) * time.Millisecond)
	case 13, 14:
		rate := rapid.SampledFrom([]int{0, 40_000, 150_000, 270_000, 340_000, 600_000, 1_500_000, 5_000_000}).Draw(t, "rate")
		ev = Estimated(l, rate, time.Duration(rapid.SampledFrom([]int{0, 0, 100, 250, 900}).Draw(t, "queue"))*time.Millisecond)
	default:
		w.fault[l] = fault(rapid.IntRange(0, int(faults)-1).Draw(t, "fault"))
	}
	if _, err := w.g.step(w.at, ev); err != nil {
		return err
	}
	for beat := range rapid.IntRange(1, 40).Draw(t, "beats") {
		if err := w.beat(beat); err != nil {
			return err
		}
	}
	return nil
}

// beat is 25 ms: a probe's outcome, and the far end's word, for each open link.
func (w *world) beat(n int) error {
	w.at = w.at.Add(25 * time.Millisecond)
	for l := range w.open {
		if !w.open[l] {
			continue
		}
		s, arrived := Sample{Answered: true, RTT: 20 * time.Millisecond}, uint32(12)
		switch w.fault[l] {
		case dead:
			s, arrived = Sample{RTT: 40 * time.Millisecond}, 0
		case lossy:
			s.Answered = n%3 != 0
			arrived = 8
		case slow:
			s.RTT = 400 * time.Millisecond
			s.Late = n%2 == 0
		case oneWay:
			arrived = 0
		}
		if _, err := w.g.step(w.at, Sampled(Link(l), s)); err != nil {
			return err
		}
		if w.g.carries(Link(l)) {
			if _, err := w.g.step(w.at, Reported(Link(l), 12, arrived)); err != nil {
				return err
			}
		}
	}
	_, err := w.g.step(w.at, Tick())
	return err
}

// FuzzStep feeds anything at all: each three bytes are an event and how long it took to come.
func FuzzStep(f *testing.F) {
	f.Add(uint8(2), uint8(1), []byte{1, 0, 1, 4, 0, 1, 1, 1, 1, 4, 1, 1, 5, 0, 1, 5, 1, 9})
	f.Add(uint8(3), uint8(4), []byte("opened, closed, and much else besides"))
	f.Fuzz(func(t *testing.T, links, protection uint8, script []byte) {
		names := []LinkPolicy{{Name: "a"}, {Name: "b", Metered: true}, {Name: "c"}, {Name: "d", Metered: true}}
		p := hasty(names[:1+links%4]...)
		p.Protection = [NumPhases][NumStreams]Protection{{Protection(protection % 4), Protection(protection >> 2 % 4)}, {Protection(protection >> 4 % 4), Protection(protection >> 6)}}
		g, err := newGuarded(p)
		if err != nil {
			t.Fatal(err)
		}
		at := Instant(0)
		script = script[:min(len(script), 900)]
		for ; len(script) >= 3; script = script[3:] {
			gap := time.Duration(script[2]&31) * 5 * time.Millisecond
			if script[2]>>5 == 7 {
				gap <<= 5 * (script[2] & 3)
			}
			at = at.Add(gap)
			l, x := Link(script[1]&7), uint32(script[1]>>3)
			ev := []Event{Tick(), Opened(l), Closed(l), Carrier(l, x&1 == 0),
				Sampled(l, Sample{Answered: true, Late: x&1 == 1, RTT: time.Duration(x) * 20 * time.Millisecond}),
				Sampled(l, Sample{RTT: time.Duration(x) * 10 * time.Millisecond}),
				Reported(l, x, x&7), Reported(l, x, 0), SendFailed(l), Pinned(l, x&1 == 0), Procedure(x&1 == 0), Budget(l, Allowance(x)),
				Estimated(l, int(x)*50_000, time.Duration(script[2]&7)*50*time.Millisecond)}[script[0]%13]
			for range 1 + script[0]>>5 {
				if _, err := g.step(at, ev); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := sameAgain(g.trace, string(g.trace.Text())); err != nil {
			t.Fatal(err)
		}
		again, err := Restore(p, g.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		if a, b := again.Step(at+1, Tick()), g.Step(at+1, Tick()); a.Plan != b.Plan {
			t.Fatalf("restored engine plans %v, the other %v", a.Plan, b.Plan)
		}
	})
}
