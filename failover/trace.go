package failover

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Trace is a run of the engine: what it started from, and every event with its instant. Its text form is described in
// the package documentation.
type Trace struct {
	Policy  Policy
	State   *Snapshot // what the engine had in memory before the first event; nil: nothing
	Records []Record
	Want    string // the decisions that were recorded with it
	HasWant bool
}

// Record is one event, or, with Wall set, a note of what the wall clock said then, which decides nothing.
type Record struct {
	At    Instant
	Event Event
	Wall  time.Time
}

// Replayed is what a trace comes to.
type Replayed struct {
	Decisions string   // one line for each ruling, switchover and change of the best link
	Breaches  []Breach // invariants that did not hold
	Differs   string   // where Decisions are not what the trace recorded; empty: nowhere, or it recorded none
}

// OK reports whether the invariants held and the decisions are the recorded ones.
func (r Replayed) OK() bool { return len(r.Breaches) == 0 && r.Differs == "" }

// Replay runs the trace through a fresh engine, with the invariants checked after every step.
func (t Trace) Replay() (Replayed, error) {
	e, err := t.engine()
	if err != nil {
		return Replayed{}, fmt.Errorf("replay the trace: %w", err)
	}
	var out Replayed
	var text []byte
	guard := NewGuard(e)
	for _, r := range t.Records {
		if !r.Wall.IsZero() {
			continue
		}
		before := e.s.Plan
		d := e.Step(r.At, r.Event)
		out.Breaches = append(out.Breaches, guard.Check(e, r.At, r.Event, d)...)
		text = e.appendDecision(text, before, d)
	}
	out.Decisions = string(text)
	if t.HasWant {
		out.Differs = differs(t.Want, out.Decisions)
	}
	return out, nil
}

func (t Trace) engine() (*Engine, error) {
	if t.State != nil {
		return Restore(t.Policy, *t.State)
	}
	return New(t.Policy)
}

// appendDecision writes what a step has changed, a line each.
func (e *Engine) appendDecision(b []byte, before Plan, d Decision) []byte {
	at := e.s.At
	for _, r := range d.Rulings {
		name := e.p.name(r.Link)
		b = fmt.Appendf(b, "%s %s ", at, name)
		switch {
		case r.From != r.To:
			b = fmt.Appendf(b, "%v -> %v", r.From, r.To)
		case r.Suspect:
			b = append(b, "suspect"...)
		default:
			b = append(b, "not suspect"...)
		}
		b = appendWhy(b, r.Reason, name, r.LastGood, r.To == Down || r.Suspect && r.From == r.To)
	}
	for _, s := range d.Switchovers {
		b = fmt.Appendf(b, "%s %v ", at, s.Stream)
		b = append(s.From.appendNames(b, &e.p), " -> "...)
		b = s.To.appendNames(b, &e.p)
		b = appendWhy(b, s.Reason, e.p.name(s.Link), s.LastGood, false)
	}
	for _, r := range d.Resizings {
		b = fmt.Appendf(b, "%s picture %s -> %s", at, before.rate(), d.Plan.rate())
		b = appendWhy(b, r.Reason, e.p.name(r.Link), 0, false)
	}
	if before.Best != d.Plan.Best || before.HasBest != d.Plan.HasBest {
		b = fmt.Appendf(b, "%s best %s -> %s (%v)\n", at, e.p.best(before), e.p.best(d.Plan), e.s.Why)
	}
	return b
}

func appendWhy(b []byte, r Reason, link string, lastGood Instant, detected bool) []byte {
	b = fmt.Appendf(b, " (%v) %s", r, r.Sentence(link))
	if detected {
		b = fmt.Appendf(b, "; good until %s", lastGood)
	}
	return append(b, '\n')
}

func (p *Policy) best(plan Plan) string {
	if !plan.HasBest {
		return "none"
	}
	return p.name(plan.Best)
}

// differs says where two texts part, a few lines of it.
func differs(want, got string) string {
	const most = 5
	w, g := strings.Split(strings.TrimSpace(want), "\n"), strings.Split(strings.TrimSpace(got), "\n")
	var b strings.Builder
	line := func(all []string, i int) string {
		if i < len(all) {
			return all[i]
		}
		return "(nothing)"
	}
	n := 0
	for i := range max(len(w), len(g)) {
		if line(w, i) == line(g, i) {
			continue
		}
		if n++; n > most {
			b.WriteString("and more\n")
			break
		}
		fmt.Fprintf(&b, "decision %d\n  recorded: %s\n  replayed: %s\n", i+1, line(w, i), line(g, i))
	}
	return b.String()
}

// Text writes the trace as text that ReadTrace reads back to the same decisions. Only thresholds that are not the
// default's are written out.
func (t Trace) Text() []byte {
	b := []byte(traceTitle + "\n")
	for _, l := range t.Policy.Links {
		b = fmt.Appendf(b, "link %s", l.Name)
		if l.Metered {
			b = append(b, " metered"...)
		}
		b = append(b, '\n')
	}
	for s := range Stream(NumStreams) {
		b = fmt.Appendf(b, "protection %v %s\n", s, t.Policy.protectionText(s))
	}
	usual := DefaultPolicy()
	for _, s := range settings {
		if text := s.text(&t.Policy); text != s.text(&usual) {
			b = fmt.Appendf(b, "set %s %s\n", s.name, text)
		}
	}
	if t.State != nil {
		b = append(b, "state "...)
		state, err := json.Marshal(t.State) // closed set of plain fields; fails on a NaN alone, which no measurement makes
		if err != nil {
			state = []byte(err.Error())
		}
		b = append(append(b, state...), '\n')
	}
	for _, r := range t.Records {
		b = r.appendText(b, &t.Policy)
	}
	if t.HasWant {
		b = append(b, traceRule+"\n"...)
		b = append(b, t.Want...)
	}
	return b
}

func (r Record) appendText(b []byte, p *Policy) []byte {
	b = append(r.At.appendText(b), ' ')
	if !r.Wall.IsZero() {
		return append(r.Wall.AppendFormat(append(b, "wall "...), time.RFC3339Nano), '\n')
	}
	name, ev := p.name(r.Event.link), r.Event
	if int(ev.link) >= len(p.Links) {
		ev = Tick() // which is what it comes to
	}
	switch ev.kind {
	case tick:
		b = append(b, "tick"...)
	case opened:
		b = append(append(b, "opened "...), name...)
	case closed:
		b = append(append(b, "closed "...), name...)
	case carrier:
		b = fmt.Appendf(b, "carrier %s %s", name, onOff(ev.on, "up", "down"))
	case sampled:
		word := onOff(ev.on, onOff(ev.late, "late", "echo"), "miss")
		b = append(append(append(append(b, word...), ' '), name...), ' ')
		b = append(b, ev.took.String()...)
	case reported:
		b = fmt.Appendf(b, "report %s %d %d", name, ev.sent, ev.arrived)
	case estimated:
		b = fmt.Appendf(b, "estimate %s %d %v", name, ev.rate, ev.took)
	case sendFailed:
		b = append(append(b, "refused "...), name...)
	case pinned:
		b = fmt.Appendf(b, "%s %s", onOff(ev.on, "pin", "unpin"), name)
	case procedure:
		b = fmt.Appendf(b, "procedure %s", onOff(ev.on, "open", "closed"))
	case budget:
		b = fmt.Appendf(b, "budget %s %v", name, ev.left)
	}
	return append(b, '\n')
}

func onOff(on bool, yes, no string) string {
	if on {
		return yes
	}
	return no
}
