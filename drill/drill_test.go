package drill

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func ms(n int) Measure { return Measure{time.Duration(n) * time.Millisecond, true} }

// ready is a room in which a drill may begin.
func ready() Seen {
	return Seen{Sends: true, Reports: true, Uplinks: []Uplink{{Name: "primary", Up: true, Usable: true, Best: true}, {Name: "cellular", Up: true, Usable: true}},
		Cost: Cost{HasVoice: true, HasVideo: true, Notice: ms(98), Switch: ms(61), Voice: ms(41), Video: ms(53), LostKnown: true}}
}

func (s *Seen) looked(at time.Time) {
	for i := range s.Uplinks {
		s.Uplinks[i].Looked = at
	}
}

// carry puts everything on an uplink; the other one is up, or down.
func (s *Seen) carry(name string, otherUp bool) {
	for i := range s.Uplinks {
		u := &s.Uplinks[i]
		u.Best = u.Name == name
		u.Up, u.Usable = u.Best || otherUp, u.Best || otherUp
	}
}

// run plays a drill second by second: what is seen is changed by the story before each step.
func run(o Order, story func(second int, s *Seen)) (r Result, trace []string) {
	d, s, phase := Begin(start, o), ready(), Phase(99)
	for second := range 200 {
		now := start.Add(time.Duration(second) * time.Second)
		switch d.Phase() { // what a real room would do
		case Cutting:
			s.carry("cellular", false)
		case Returning:
			s.carry("cellular", true)
			if now.Sub(d.givenAt) >= 11*time.Second {
				s.carry("primary", true)
			}
		}
		if second == 2 {
			s.looked(now)
		}
		story(second, &s)
		d.Step(now, s)
		if d.Phase() != phase {
			phase = d.Phase()
			trace = append(trace, fmt.Sprintf("%d %v", second, phase))
		}
		if done, over := d.Result(); over {
			return done, trace
		}
	}
	return r, append(trace, "never over")
}

// Whole drills, told by what happens in them.
func TestDrill(t *testing.T) {
	at := func(when int, what func(*Seen)) func(int, *Seen) {
		return func(second int, s *Seen) {
			if second >= when {
				what(s)
			}
		}
	}
	o := Order{By: "ada", Uplink: "primary"}
	for _, c := range []struct {
		story   string
		order   Order
		happens func(int, *Seen)
		trace   string
		outcome Outcome
		reasons []Reason
		says    string
	}{
		{"all goes well", o, at(999, nil), "0 looking, 2 cutting, 22 returning, 36 over", Passed, nil, "Passed: primary was cut for 20.0 s. Noticed after 98 ms; voice paused for 41 ms, the picture for 53 ms, at the far end. Back after 11.0 s."},
		{"for as long as may be", Order{Uplink: "primary", For: time.Hour}, at(999, nil), "0 looking, 2 cutting, 62 returning, 76 over", Passed, nil, "cut for 60.0 s"},
		{"nobody examines", o, at(0, func(s *Seen) { s.looked(time.Time{}) }), "0 looking, 15 over", Aborted, []Reason{NotExamined}, "before anything was cut"},
		{"the examination finds a fault", o, at(2, func(s *Seen) { s.Uplinks[1].Fault = "No name servers." }), "0 looking, 2 over", Aborted, []Reason{FaultFound}, "has a fault"},
		{"the spare falls into doubt before the cut, and out of it", o, func(second int, s *Seen) { s.Uplinks[1].Suspect = second < 5 }, "0 looking, 5 cutting, 25 returning, 39 over", Passed, nil, "Passed"},
		{"the spare stays in doubt before the cut", o, at(0, func(s *Seen) { s.Uplinks[1].Suspect = true }), "0 looking, 15 over", Aborted, []Reason{NotReady}, "did not stay well"},
		{"a procedure opens before the cut", o, at(1, func(s *Seen) { s.Procedure = true }), "0 looking, 1 over", Aborted, []Reason{ProcedureOpened}, "before anything was cut"},
		{"a procedure opens during the cut", o, at(9, func(s *Seen) { s.Procedure = true }), "0 looking, 2 cutting, 9 over", Aborted, []Reason{ProcedureOpened}, "Broken off after 7.0 s: a procedure was opened. primary was given back at once."},
		{"the spare fails during the cut", o, at(9, func(s *Seen) { s.Uplinks[1].Usable = false }), "0 looking, 2 cutting, 9 over", Aborted, []Reason{SpareFailed}, "the spare failed"},
		{"the spare falls into doubt during the cut", o, at(9, func(s *Seen) { s.Uplinks[1].Suspect = true }), "0 looking, 2 cutting, 9 over", Aborted, []Reason{SpareFailed}, "the spare failed"},
		{"an operator pins during the cut", o, at(9, func(s *Seen) { s.Pinned = "primary" }), "0 looking, 2 cutting, 9 over", Aborted, []Reason{OperatorPinned}, "operator"},
		{"a stop during the cut", o, at(9, func(s *Seen) { s.Stopping = true }), "0 looking, 2 cutting, 9 over", Aborted, []Reason{Stopped}, "was stopped"},
		{"a procedure opens on the way back", o, at(25, func(s *Seen) { s.Procedure = true }), "0 looking, 2 cutting, 22 returning, 25 over", Aborted, []Reason{ProcedureOpened}, "after 20.0 s"},
		{"a procedure opens when it is back", o, at(35, func(s *Seen) { s.Procedure = true }), "0 looking, 2 cutting, 22 returning, 36 over", Passed, nil, "Passed"},
		{"it does not come back", o, at(22, func(s *Seen) { s.carry("cellular", false) }), "0 looking, 2 cutting, 22 returning, 112 over", Failed, []Reason{NotBack}, "did not come back"},
		{"nobody notices", o, at(0, func(s *Seen) { s.Cost.Notice, s.Cost.Switch = Measure{}, Measure{} }), "0 looking, 2 cutting, 22 returning, 36 over", Failed, []Reason{NotNoticed}, "not noticed"},
		{"noticed late, voice torn", o, at(0, func(s *Seen) { s.Cost.Notice, s.Cost.Voice, s.Cost.LostVoice = ms(1400), ms(1500), 70 }), "0 looking, 2 cutting, 22 returning, 36 over", Failed,
			[]Reason{NoticedLate, VoicePause, VoiceLost}, "Not passed, for the cut was noticed late; voice paused for too long; voice was lost. primary was cut"},
		{"the far end says nothing of voice", o, at(0, func(s *Seen) { s.Cost.Voice, s.Cost.LostKnown = Measure{}, false }), "0 looking, 2 cutting, 22 returning, 36 over", Failed, []Reason{VoiceNotMeasured, LossNotKnown}, "an unknown time"},
		{"a room without a camera", o, at(0, func(s *Seen) { s.Cost.HasVideo, s.Cost.Video = false, Measure{} }), "0 looking, 2 cutting, 22 returning, 36 over", Passed, nil, "Passed"},
		{"the physician's voice is torn in the room", o, at(0, func(s *Seen) { s.Cost.RoomVoice = ms(800) }), "0 looking, 2 cutting, 22 returning, 36 over", Failed, []Reason{RoomPause}, "in the room voice for 800 ms"},
	} {
		t.Run(c.story, func(t *testing.T) {
			r, trace := run(c.order, c.happens)
			if got := strings.Join(trace, ", "); got != c.trace {
				t.Errorf("it went %s, want %s", got, c.trace)
			}
			if r.Outcome != c.outcome || !slices.Equal(r.Reasons, c.reasons) || !strings.Contains(r.Sentence(), c.says) {
				t.Errorf("%v for %v: %q, want %v for %v: %q", r.Outcome, r.Reasons, r.Sentence(), c.outcome, c.reasons, c.says)
			}
		})
	}
}

// Each refusal is a sentence of its own, and nothing but a room that is ready is let through.
func TestRefusal(t *testing.T) {
	for _, c := range []struct {
		story string
		spoil func(*Seen)
		says  string
	}{
		{"ready", func(*Seen) {}, ""},
		{"a procedure", func(s *Seen) { s.Procedure = true }, "A procedure is open"},
		{"a stop", func(s *Seen) { s.Stopping = true }, "being stopped"},
		{"one uplink", func(s *Seen) { s.Uplinks = s.Uplinks[:1] }, "one uplink only"},
		{"a far end of another make", func(s *Seen) { s.Foreign = true }, "another make"},
		{"a pin", func(s *Seen) { s.Pinned = "cellular" }, "let go of it first"},
		{"the primary is proving", func(s *Seen) { s.Uplinks[0].Up = false }, "primary is not proven now"},
		{"the primary is in doubt", func(s *Seen) { s.Uplinks[0].Suspect = true }, "primary is not proven now"},
		{"the primary has not come back yet", func(s *Seen) { s.Uplinks[0].Best, s.Uplinks[1].Best = false, true }, "back there"},
		{"the spare is unproven", func(s *Seen) { s.Uplinks[1].Up = false }, "No other uplink is proven"},
		{"the spare is in doubt", func(s *Seen) { s.Uplinks[1].Suspect = true }, "No other uplink is proven"},
		{"the spare's budget is spent", func(s *Seen) { s.Uplinks[1].Spent = true }, "budget of the spare is spent"},
		{"nothing leaves the room", func(s *Seen) { s.Sends = false }, "nothing to measure"},
		{"the far end is silent", func(s *Seen) { s.Reports = false }, "does not say now"},
	} {
		s := ready()
		c.spoil(&s)
		if got := s.Refusal(); !strings.Contains(got, c.says) || (got == "") != (c.says == "") {
			t.Errorf("%s: %q, want %q", c.story, got, c.says)
		}
	}
}

// R1, R2, R4 and R5 for whatever happens, and R3 of whatever was measured.
func TestInvariants(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 4))
	likely := func(percent int) bool { return draw.IntN(100) < percent }
	passed := 0
	for range 3000 {
		d, s, calm := Begin(start, Order{Uplink: "primary", For: time.Duration(draw.IntN(80)) * time.Second}), ready(), draw.IntN(3)
		now, cut := start, time.Duration(0)
		for end := start.Add(LookWithin + d.order.For + BackWithin + settling + 2*time.Second); d.Phase() != Over; {
			step := time.Duration(draw.IntN(1500)) * time.Millisecond
			now = now.Add(step)
			if calm > 0 && likely(3) {
				s = ready()
				s.carry("primary", likely(80))
			}
			if likely(20) {
				s.looked(now)
			}
			s.Procedure, s.Stopping = calm == 1 && likely(2), calm == 1 && likely(1)
			s.Uplinks[1].Suspect, s.Uplinks[0].Suspect = calm == 2 && likely(5), calm == 2 && likely(5)
			if likely(10) {
				s.Cost.Voice = Measure{time.Duration(draw.IntN(700)) * time.Millisecond, likely(90)}
			}
			d.Step(now, s)
			if d.Cuts() {
				cut += step
				if cut > d.order.For+1500*time.Millisecond {
					t.Fatalf("R1: cut for %v of %v", cut, d.order.For)
				}
				if s.Procedure || s.Stopping || !s.Uplinks[1].Usable {
					t.Fatalf("R2: cut with %+v", s)
				}
			}
			if now.After(end.Add(2 * time.Second)) {
				t.Fatalf("R4: %v after the start it is %v", now.Sub(start), d.Phase())
			}
		}
		r, over := d.Result()
		if !over || r.Sentence() == "" || (r.Outcome == Passed) != (len(r.Reasons) == 0) {
			t.Fatalf("R5: %+v", r)
		}
		if r.Outcome == Passed {
			passed++
			c := r.Cost
			if !c.Voice.Known || c.Voice.Value > MostVoice || !c.Notice.Known || !r.Back.Known {
				t.Fatalf("R3: passed with %+v", r)
			}
		}
	}
	if passed < 100 || passed > 2900 {
		t.Errorf("%d of 3000 passed: the walk tries too little", passed)
	}
}
