package failover

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func sprint(v any) string { return fmt.Sprintf("%+v", v) }

const beat = 25 * time.Millisecond

// pair is an engine with two links that have proved themselves, and its clock.
type pair struct {
	*guarded
	t  *testing.T
	at Instant
}

func newPair(t *testing.T, p Policy) *pair {
	g, err := newGuarded(p)
	if err != nil {
		t.Fatal(err)
	}
	w := &pair{guarded: g, t: t}
	w.do(Opened(0))
	w.do(Opened(1))
	w.well(13 * time.Second)
	return w
}

func (w *pair) do(ev Event) Decision {
	w.t.Helper()
	d, err := w.step(w.at, ev)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// well lets both links answer and deliver for that long.
func (w *pair) well(d time.Duration) {
	for end := w.at.Add(d); w.at < end; {
		w.at = w.at.Add(beat)
		for l := range Link(2) {
			w.do(Sampled(l, Sample{Answered: true, RTT: 20 * time.Millisecond}))
			w.do(Reported(l, 6, 6))
		}
	}
}

// A Step in which nothing is ruled allocates nothing.
func TestStepAllocatesNothing(t *testing.T) {
	e, err := New(two())
	if err != nil {
		t.Fatal(err)
	}
	at := Instant(0)
	e.Step(at, Opened(0))
	e.Step(at, Opened(1))
	for _, ev := range []Event{Tick(), Sampled(0, Sample{Answered: true, RTT: time.Millisecond}), Reported(1, 6, 6), Procedure(true), Estimated(1, 0, 0)} {
		if n := testing.AllocsPerRun(1000, func() {
			at = at.Add(time.Millisecond)
			e.Step(at, ev)
		}); n > 1e-3*3 { // the links become Up once
			t.Errorf("%+v: %v allocations a step", ev, n)
		}
	}
}

// The engine's memory is its Snapshot and nothing else: through JSON and back, it goes on the same.
func TestSnapshotIsTheWholeMemory(t *testing.T) {
	w := newPair(t, two())
	w.do(Pinned(1, true))
	w.do(Sampled(0, Sample{RTT: 40 * time.Millisecond}))
	text, err := json.Marshal(w.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	var s Snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s, w.Snapshot()) {
		t.Fatalf("JSON loses something:\n%+v\n%+v", s, w.Snapshot())
	}
	again, err := Restore(two(), s)
	if err != nil {
		t.Fatal(err)
	}
	for range 400 {
		w.at = w.at.Add(beat)
		a, b := w.Step(w.at, Sampled(0, Sample{RTT: 40 * time.Millisecond})), again.Step(w.at, Sampled(0, Sample{RTT: 40 * time.Millisecond}))
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("at %s: %+v and %+v", w.at, a, b)
		}
	}
	if s.Links[0].Verdict != Up || again.Snapshot().Links[0].Verdict != Down {
		t.Errorf("nothing was ruled: %+v", again.Snapshot().Links[0])
	}
}

func TestRestoreRefusesWhatItWasNotTakenWith(t *testing.T) {
	e, _ := New(two())
	for _, c := range []struct {
		change func(*Policy, *Snapshot)
		want   string
	}{
		{func(p *Policy, s *Snapshot) { p.Links = p.Links[:1] }, "has 2 links, the policy 1"},
		{func(p *Policy, s *Snapshot) { s.Links[1].Name = "lte" }, `"lte" in the snapshot and "cellular" in the policy`},
		{func(p *Policy, s *Snapshot) { s.Links[0].Verdict = 9 }, `"wired" is damaged`},
		{func(p *Policy, s *Snapshot) { s.Plan.Route[Voice] = 0x80 }, "plan is damaged"},
		{func(p *Policy, s *Snapshot) { s.Plan.HasBest, s.Plan.Best = true, 5 }, "plan is damaged"},
		{func(p *Policy, s *Snapshot) { p.Overlap = 0 }, "Overlap is 0s"},
	} {
		p, s := two(), e.Snapshot()
		c.change(&p, &s)
		if _, err := Restore(p, s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q: %v", c.want, err)
		}
	}
}

// Time does not run backwards, and what is not known does no harm.
func TestOddSteps(t *testing.T) {
	w := newPair(t, two())
	before := w.Snapshot()
	plan := w.Step(w.at.Add(-time.Hour), Tick()).Plan
	if plan != before.Plan || w.Snapshot().At != before.At {
		t.Errorf("a step into the past: %+v", w.Snapshot())
	}
	if got := w.Step(w.at, Closed(7)).Plan; got != plan {
		t.Errorf("an unknown link: %+v", got)
	}
	if got := w.Step(1<<63-1, Tick()); got.Plan.Route[Voice] == 0 {
		t.Errorf("the end of time: %+v", got)
	}
	if at, ok := w.Deadline(); !ok || at < w.Snapshot().At {
		t.Errorf("the deadline after the end of time is %s", at)
	}
}

func TestDeadline(t *testing.T) {
	e, _ := New(two())
	if _, ok := e.Deadline(); ok {
		t.Error("a deadline before the first step")
	}
	e.Step(Instant(time.Second), Tick())
	if at, ok := e.Deadline(); !ok || at != Instant(time.Second+50*time.Millisecond) {
		t.Errorf("the deadline is %s", at)
	}
}

// A link is probed at the full cadence unless it idles as a proven spare; one whose bytes cost money then more rarely, and
// one whose budget is spent hardly at all, unless a procedure is open.
func TestProbeEvery(t *testing.T) {
	p := two()
	p.Protect(Voice, OnDoubt)
	w := newPair(t, p)
	const quick, lone, idle, unknown = 50 * time.Millisecond, 20 * time.Millisecond, 4 * time.Second, time.Second
	w.do(Budget(1, Spent))
	if got := w.ProbeEvery(1); got != 10*time.Second {
		t.Errorf("a spare without budget: %v", got)
	}
	w.do(Procedure(true))
	if got := w.ProbeEvery(1); got != idle {
		t.Errorf("the same in a procedure: %v", got)
	}
	w.do(Procedure(false))
	w.do(Budget(1, Short))
	if a, b := w.ProbeEvery(0), w.ProbeEvery(1); a != lone || b != idle {
		t.Errorf("best, which alone carries everything %v, spare %v", a, b)
	}
	w.do(Sampled(1, Sample{RTT: 80 * time.Millisecond}))
	if got := w.ProbeEvery(1); got != quick {
		t.Errorf("a spare that missed one: %v", got)
	}
	w.do(Closed(1))
	if a, b := w.ProbeEvery(0), w.ProbeEvery(1); a != quick || b != quick {
		t.Errorf("one link is down: the other, which nothing could relieve, %v, it %v", a, b)
	}
	if got := w.ProbeEvery(7); got != unknown {
		t.Errorf("no link: %v", got)
	}
}

// A link that was left because it lost too much is probed at the full cadence, unless that costs money: its healing shows in seconds.
func TestDegradedIsProbed(t *testing.T) {
	p := two()
	p.Protect(Voice, OnDoubt)
	p.Protect(Video, OnDoubt)
	w := newPair(t, p)
	w.s.Links[0].Verdict, w.s.Links[1].Verdict = Degraded, Degraded
	w.s.Plan.Route = [NumStreams]LinkSet{}
	const quick, idle = 50 * time.Millisecond, time.Second
	if a, b := w.ProbeEvery(0), w.ProbeEvery(1); a != quick || b != idle {
		t.Errorf("degraded: %v, metered %v", a, b)
	}
	w.s.Procedure = true
	if b := w.ProbeEvery(1); b != quick {
		t.Errorf("metered, in a procedure: %v", b)
	}
}

// A link that carries a stream alone is probed fast only where that costs nothing, and only until it has company.
func TestLoneProbes(t *testing.T) {
	const quick, lone, copied = 50 * time.Millisecond, 20 * time.Millisecond, 200 * time.Millisecond
	p := two()
	p.Protect(Voice, Always)
	p.Protect(Video, OnDoubt)
	w := newPair(t, p)
	if a, b := w.ProbeEvery(0), w.ProbeEvery(1); a != lone || b != copied {
		t.Errorf("video alone on the best link: %v, the other %v", a, b)
	}
	for range 2 {
		w.do(Sampled(0, Sample{RTT: 40 * time.Millisecond}))
	}
	if got := w.ProbeEvery(0); got != quick {
		t.Errorf("in doubt, with a copy on the other: %v", got)
	}
	p.Links[0].Metered = true
	w = newPair(t, p)
	if got := w.ProbeEvery(0); got != quick {
		t.Errorf("a metered best link: %v", got)
	}
}

// Copies that cost money are evidence while the far end counts them in, and no longer.
func TestCopiesProbe(t *testing.T) {
	const quick, copied = 50 * time.Millisecond, 200 * time.Millisecond
	p := two()
	p.Protect(Voice, Always)
	p.Protect(Video, OnDoubt)
	for _, c := range []struct {
		name string
		then []Event
		want time.Duration
	}{
		{"counted in", []Event{Reported(1, 2, 2)}, copied},
		{"one is missing: it may be under way", []Event{Reported(1, 1, 0)}, copied},
		{"two are missing", []Event{Reported(1, 1, 0), Reported(1, 1, 0)}, quick},
		{"two were late", []Event{Reported(1, 2, 0), Reported(1, 1, 3)}, copied},
		{"it missed a probe", []Event{Sampled(1, Sample{RTT: 80 * time.Millisecond})}, quick},
		{"the best link missed one", []Event{Sampled(0, Sample{RTT: 40 * time.Millisecond})}, quick},
		{"it is the best now", []Event{Pinned(1, true)}, quick},
	} {
		w := newPair(t, p)
		for _, ev := range c.then {
			w.do(ev)
		}
		if got := w.ProbeEvery(1); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	w := newPair(t, p)
	w.Step(w.s.At.Add(250*time.Millisecond), Tick())
	if got := w.ProbeEvery(1); got != quick {
		t.Errorf("no word for 250 ms: %v, want %v", got, quick)
	}
}

// A link that has fallen, or was left, and carries nothing is judged by its probes: what the outage swallowed, of which a late word tells,
// or what was lost before it was left, would otherwise speak against it for ever.
func TestRestingLinkIsProven(t *testing.T) {
	p := two()
	p.Protect(Voice, Never)
	p.Protect(Video, Never)
	late := func(w *pair) { // the far end's first word after the outage, with one packet that it got in the end
		w.do(Reported(0, 240, 1))
	}
	for _, c := range []struct {
		name string
		fall func(w *pair)
	}{
		{"it was cut", func(w *pair) {
			w.do(Carrier(0, false))
			w.do(Carrier(0, true))
			for range p.ReviveAnswers {
				w.do(Sampled(0, Sample{Answered: true, RTT: 20 * time.Millisecond}))
			}
		}},
		{"it lost half of what it carried, probes too", func(w *pair) {
			n := 0
			for end := w.at.Add(10 * time.Second); w.at < end && w.carries(0); {
				w.at = w.at.Add(beat)
				for l := range Link(2) {
					n++
					w.do(Sampled(l, Sample{Answered: l == 1 || n%4 < 2, RTT: 20 * time.Millisecond}))
				}
				w.do(Reported(0, 12, 6))
			}
		}},
	} {
		w := newPair(t, p)
		c.fall(w)
		if best := w.s.Plan.Best; best != 1 || w.carries(0) {
			t.Fatalf("%s: the best link is %d, and the first is %v", c.name, best, w.s.Links[0].Verdict)
		}
		late(w)
		for end := w.at.Add(30 * time.Second); w.at < end && w.s.Links[0].Verdict != Up; {
			w.at = w.at.Add(beat)
			for l := range Link(2) {
				w.do(Sampled(l, Sample{Answered: true, RTT: 20 * time.Millisecond}))
			}
			w.do(Reported(1, 12, 12))
		}
		if v := w.s.Links[0]; v.Verdict != Up {
			t.Errorf("%s: after 30 s of answers it is %v, %v lost of its media", c.name, v.Verdict, v.ForwardLoss)
		}
	}
}

// A link that has shown holes of 70 ms is not doubted for another, but for a longer one, and in no case later than DoubtPatience.
func TestPatienceInDoubt(t *testing.T) {
	const every = 20 * time.Millisecond
	w := newPair(t, two())
	miss := func(n int) bool { // n probes in a row, each waited for 40 ms; and whether that raised doubt
		for range n {
			w.at = w.at.Add(every)
			w.do(Sampled(0, Sample{RTT: 40 * time.Millisecond}))
		}
		return w.Snapshot().Links[0].Suspect
	}
	if !miss(2) {
		t.Error("a link without history is not in doubt at the second miss")
	}
	w.well(10 * time.Second) // the hole lasted 85 ms
	if w.Snapshot().Links[0].Suspect {
		t.Fatal("the doubt has not ended")
	}
	if miss(3) { // 80 ms
		t.Error("a hole such as the link has shown raised doubt")
	}
	if !miss(1) { // 100 ms
		t.Error("no doubt after DoubtPatience")
	}
	w.well(time.Second)
	w.at = w.at.Add(every)
	w.do(SendFailed(0))
	if !w.Snapshot().Links[0].Suspect {
		t.Error("a refused send waits for patience")
	}
}

// F4: however a preferred link comes and goes, without being down, the streams change links no more often than allowed.
func TestFlapLimit(t *testing.T) {
	p := two()
	p.Dwell, p.DwellMost = 500*time.Millisecond, 500*time.Millisecond
	p.Protect(Voice, Never)
	p.Protect(Video, Never)
	w := newPair(t, p)
	switched := 0
	for end := w.at.Add(time.Minute); w.at < end; {
		w.at = w.at.Add(beat)
		rtt := 20 * time.Millisecond
		if w.at/Instant(2*time.Second)%2 == 0 {
			rtt = 900 * time.Millisecond
		}
		for _, d := range []Decision{w.do(Sampled(0, Sample{Answered: true, RTT: rtt})), w.do(Sampled(1, Sample{Answered: true, RTT: beat})),
			w.do(Reported(0, 6, 6)), w.do(Reported(1, 6, 6))} {
			for _, s := range d.Switchovers {
				if s.Stream == Voice {
					switched++
				}
			}
		}
	}
	if switched == 0 || switched > p.SwitchoversPerMinute {
		t.Errorf("voice changed links %d times in a minute", switched)
	}
}

// An answer that comes late takes back the loss that was counted for it.
func TestLateIsNotLost(t *testing.T) {
	w := newPair(t, two())
	for range 400 {
		w.at = w.at.Add(beat)
		w.do(Sampled(0, Sample{RTT: 40 * time.Millisecond}))
		w.do(Sampled(0, Sample{Answered: true, Late: true, RTT: 45 * time.Millisecond}))
	}
	if v := w.Snapshot().Links[0]; v.Loss > 0.01 {
		t.Errorf("every answer was late, and %.2f counts as lost", v.Loss)
	}
}

// Time is not proof: what was not asked, or not answered, proves nothing.
func TestRareAnswersProveLittle(t *testing.T) {
	p := two()
	p.SampleDue = time.Minute // or it would be suspect as well
	w := &pair{t: t}
	w.guarded, _ = newGuarded(p)
	w.do(Opened(0))
	for range 200 {
		w.at = w.at.Add(50 * time.Millisecond)
		w.do(Tick())
	}
	w.do(Reported(0, 6, 6))
	if v := w.Snapshot().Links[0]; v.Verdict != Proving || v.Proof > 2*time.Second {
		t.Errorf("one report after 10 s: %v, proof %v", v.Verdict, v.Proof)
	}
}

// An authenticated answer outranks the driver's word about carrier.
func TestAnswerOutranksCarrier(t *testing.T) {
	w := newPair(t, two())
	w.do(Carrier(0, false))
	w.well(time.Second)
	if v := w.Snapshot().Links[0]; v.NoCarrier || v.Verdict != Proving {
		t.Errorf("a second of answers without carrier: %+v", v)
	}
}

// Our own stall cannot excuse a link for ever: whoever sleeps again and again still learns that a link is dead.
func TestStallsDoNotHideADeadLink(t *testing.T) {
	w := newPair(t, two())
	for range 200 {
		w.at = w.at.Add(120 * time.Millisecond)
		w.do(Sampled(1, Sample{Answered: true, RTT: 20 * time.Millisecond}))
		w.do(Reported(1, 6, 6))
		w.do(Sampled(0, Sample{RTT: 150 * time.Millisecond}))
	}
	if s := w.Snapshot(); s.Links[0].Verdict != Down || s.Stalls < 200 {
		t.Errorf("after 24 s of dead link and stalls: %+v", s.Links[0])
	}
}

// A guard that sees a doctored decision says so: it would find the fault if there were one.
func TestGuardFindsFaults(t *testing.T) {
	for _, c := range []struct {
		invariant int
		doctor    func(*Decision, *Engine)
	}{
		{1, func(d *Decision, e *Engine) { d.Plan.Route[Voice] = 0 }},
		{2, func(d *Decision, e *Engine) { e.s.Links[1].Verdict = Down }},
		{3, func(d *Decision, e *Engine) { e.s.Plan.Route[Voice], d.Plan.Route[Voice] = Links(2), Links(2) }},
		{5, func(d *Decision, e *Engine) { d.Plan.Best = 1 }},
		{6, func(d *Decision, e *Engine) { d.Plan.Route[Video] = Links(0, 1) }},
		{6, func(d *Decision, e *Engine) { e.s.Links[0].Verdict = Degraded }},
		{6, func(d *Decision, e *Engine) { d.Rulings = []Ruling{{}} }},
		{7, func(d *Decision, e *Engine) { d.Plan.Route[Video] = Links(0, 1) }},
		{8, func(d *Decision, e *Engine) { e.p.Heartbeat = 0 }},
		{9, func(d *Decision, e *Engine) { e.s.Procedure, d.Plan.Best = true, 1 }},
		{10, func(d *Decision, e *Engine) {
			d.Plan.Route[Video], e.s.Links[0].Verdict = Links(0), Proving
		}},
		{6, func(d *Decision, e *Engine) { d.Plan.Rate = 1_000_000 }},
		{6, func(d *Decision, e *Engine) { d.Resizings = []Resizing{{}} }},
		{11, func(d *Decision, e *Engine) { d.Plan.Rate = 100_000 }},
		{11, func(d *Decision, e *Engine) { d.Plan.VoiceOnly = true }},
		{11, func(d *Decision, e *Engine) { e.s.Links[0].Capacity.Rate = 1_000_000 }},
		{11, func(d *Decision, e *Engine) { d.Plan.Route[Voice] = Links(0, 2) }},
	} {
		p := two()
		p.Links = append(p.Links, LinkPolicy{Name: "third"})
		w := newPair(t, p)
		w.do(Opened(2))
		w.at = w.at.Add(beat)
		d := w.Step(w.at, Tick())
		c.doctor(&d, w.Engine)
		var found []string
		for _, b := range w.guard.Check(w.Engine, w.at, Tick(), d) {
			found = append(found, fmt.Sprintf("F%d ", b.Invariant))
		}
		if !strings.Contains(strings.Join(found, ""), fmt.Sprintf("F%d ", c.invariant)) {
			t.Errorf("a fault against F%d was not found, only %v", c.invariant, found)
		}
	}
}

// F4, likewise: one switchover more than allowed within a minute.
func TestGuardCountsSwitchovers(t *testing.T) {
	w := newPair(t, two())
	w.guard.moves = [NumStreams][]Instant{}
	for i := range w.p.SwitchoversPerMinute + 1 {
		w.at = w.at.Add(beat)
		d := w.Step(w.at, Tick())
		d.Switchovers = []Switchover{{Stream: Video, Reason: Preferred}}
		found := false
		for _, b := range w.guard.Check(w.Engine, w.at, Tick(), d) {
			found = found || b.Invariant == 4
		}
		if found != (i == w.p.SwitchoversPerMinute) {
			t.Errorf("switchover %d: a breach of F4 was found: %v", i+1, found)
		}
	}
}

// G8: at 20 % independent loss and 100 ms of jitter, hours of it, no link is ruled Down.
func TestLossIsNoOutage(t *testing.T) {
	hours := 4 * time.Hour
	if testing.Short() {
		hours = 10 * time.Minute
	}
	for _, every := range []time.Duration{50 * time.Millisecond, time.Second} {
		got, err := Trial{For: hours, Every: every, Loss: 0.2, RTT: 20 * time.Millisecond, Jitter: 100 * time.Millisecond, Seed: 1}.Run()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("every %v: %+v", every, got)
		if got.Downs != 0 || len(got.Breaches) != 0 || got.Lost < got.Probes/6 {
			t.Errorf("probed every %v: %+v", every, got)
		}
	}
}

func benchmarkEngine(b *testing.B, next func(i int) Event) {
	e, err := New(two())
	if err != nil {
		b.Fatal(err)
	}
	e.Step(0, Opened(0))
	e.Step(0, Opened(1))
	at, i := Instant(0), 0
	b.ReportAllocs()
	for b.Loop() {
		at += Instant(beat)
		i++
		e.Step(at, next(i))
	}
}

func BenchmarkEngineEcho(b *testing.B) {
	benchmarkEngine(b, func(i int) Event {
		return Sampled(Link(i&1), Sample{Answered: true, RTT: 20 * time.Millisecond})
	})
}

func BenchmarkEngineReport(b *testing.B) {
	benchmarkEngine(b, func(i int) Event { return Reported(Link(i&1), 12, 12) })
}

func BenchmarkEngineTick(b *testing.B) { benchmarkEngine(b, func(int) Event { return Tick() }) }

// BenchmarkEngineGuarded is what the agent pays: a step and the check of every invariant.
func BenchmarkEngineGuarded(b *testing.B) {
	e, err := New(two())
	if err != nil {
		b.Fatal(err)
	}
	g := NewGuard(e)
	at, i := Instant(0), 0
	step := func(ev Event) {
		if bad := g.Check(e, at, ev, e.Step(at, ev)); bad != nil {
			b.Fatal(bad)
		}
	}
	step(Opened(0))
	step(Opened(1))
	b.ReportAllocs()
	for b.Loop() {
		at += Instant(beat)
		i++
		step(Sampled(Link(i&1), Sample{Answered: true, RTT: 20 * time.Millisecond}))
	}
}

// BenchmarkFalseDown runs an hour of 20 % loss an iteration, and reports what it ruled.
func BenchmarkFalseDown(b *testing.B) {
	var hours, downs, seed float64
	for b.Loop() {
		seed++
		got, err := Trial{For: time.Hour, Every: 50 * time.Millisecond, Loss: 0.2, RTT: 20 * time.Millisecond, Jitter: 100 * time.Millisecond, Seed: uint64(seed)}.Run()
		if err != nil {
			b.Fatal(err)
		}
		hours, downs = hours+1, downs+float64(got.Downs)
	}
	b.ReportMetric(downs, "false-downs")
	b.ReportMetric(hours, "simulated-hours")
}
