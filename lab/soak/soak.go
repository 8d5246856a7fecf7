package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"scanside/failover"
)

// Config says how long and which weeks.
type Config struct {
	Length time.Duration // simulated
	Seed   uint64
	Say    func(string) // told once a simulated day; nil: nobody
}

// Result is what came of it.
type Result struct {
	Figure      string  `json:"figure"`
	Days        float64 `json:"days"`
	Seed        uint64  `json:"seed"`
	Steps       uint64  `json:"steps"`
	Faults      uint64  `json:"faults"`
	Breaches    uint64  `json:"breaches"`
	FirstBreach string  `json:"first_breach,omitempty"`
	Downs       uint64  `json:"downs"`
	FalseDowns  uint64  `json:"false_downs"` // nothing was dead within 3 s before, nor more than 20 % of the round trips lost (G8)
	FirstFalse  string  `json:"first_false_down,omitempty"`
	Switchovers uint64  `json:"switchovers"` // of either stream
	Voice       uint64  `json:"voice_sent"`  // in procedures, where it is copied always
	VoiceLost   uint64  `json:"voice_lost"`  // of these
	WhileWell   uint64  `json:"voice_lost_while_one_is_well"`
	HeapStart   uint64  `json:"heap_start_bytes"` // after the first hour
	HeapEnd     uint64  `json:"heap_end_bytes"`
	Seconds     float64 `json:"seconds"` // real ones
}

const (
	warm       = time.Hour
	voiceEvery = 20 * time.Millisecond
	wordEvery  = 100 * time.Millisecond // reports of the far end
	consent    = 30 * time.Second       // RFC 7675 section 5.1: without an answer for so long the association ends
	dialing    = 1500 * time.Millisecond
	memory     = 3 * time.Second // how long a fault excuses a ruling
)

// Run lives through the weeks. It ends early, with an error, when ctx does.
func Run(ctx context.Context, cfg Config) (Result, error) {
	began := time.Now()
	w, err := newWorld(cfg)
	if err != nil {
		return Result{}, err
	}
	r := &w.result
	*r = Result{Figure: "soak", Seed: cfg.Seed}
	for day, hour := time.Duration(0), warm; w.now < cfg.Length; {
		if !w.next() {
			return *r, fmt.Errorf("nothing is left to happen at %v", w.now)
		}
		if r.HeapStart == 0 && w.now >= min(hour, cfg.Length/2) {
			r.HeapStart = inUse()
		}
		if w.now >= day+24*time.Hour {
			day += 24 * time.Hour
			if cfg.Say != nil {
				cfg.Say(fmt.Sprintf("day %d: %d steps, %d breaches, %d false of %d downs", day/(24*time.Hour), r.Steps, r.Breaches, r.FalseDowns, r.Downs))
			}
		}
		if r.Steps%4096 == 0 && ctx.Err() != nil {
			return *r, ctx.Err()
		}
	}
	r.HeapEnd, r.Days, r.Seconds = inUse(), w.now.Hours()/24, time.Since(began).Seconds()
	runtime.KeepAlive(w)
	return *r, nil
}

// inUse is what is in use after a collection.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// world is the engine, its guard, the uplinks and what is to come.
type world struct {
	engine    *failover.Engine
	guard     *failover.Guard
	rng       *rand.Rand
	uplinks   []*uplink
	plan      failover.Plan
	procedure bool
	now       time.Duration
	asleep    time.Duration // we ourselves sleep until then
	agenda    agenda
	result    Result
}

func newWorld(cfg Config) (*world, error) {
	p := failover.DefaultPolicy(failover.LinkPolicy{Name: "primary"}, failover.LinkPolicy{Name: "cellular", Metered: true})
	p.Protection[failover.InProcedure][failover.Voice] = failover.Always
	e, err := failover.New(p)
	if err != nil {
		return nil, err
	}
	w := &world{engine: e, guard: failover.NewGuard(e), rng: rand.New(rand.NewPCG(cfg.Seed, 0x50a4))}
	for l, rtt := range []time.Duration{20 * time.Millisecond, 60 * time.Millisecond} {
		w.uplinks = append(w.uplinks, &uplink{link: failover.Link(l), rtt: rtt, smooth: rtt})
		w.plan.Route[failover.Voice] = w.plan.Route[failover.Voice].With(failover.Link(l))
		for _, kind := range []happening{{kind: dialed}, {kind: ask}, {kind: word}} {
			kind.link = l
			w.agenda.add(w.after(dialing), kind)
		}
		w.agenda.add(w.after(w.exp(10*time.Minute)), happening{kind: strike, link: l})
	}
	w.agenda.add(voiceEvery, happening{kind: speak})
	w.agenda.add(w.after(w.exp(20*time.Minute)), happening{kind: turnProcedure})
	w.agenda.add(w.after(w.exp(time.Hour)), happening{kind: sleep})
	return w, nil
}

func (w *world) after(d time.Duration) time.Duration { return w.now + d }

func (w *world) exp(mean time.Duration) time.Duration {
	return time.Duration(w.rng.ExpFloat64()*float64(mean)) + time.Millisecond
}

// step gives the engine one event and keeps the books.
func (w *world) step(ev failover.Event) {
	at := failover.Instant(w.now)
	d := w.engine.Step(at, ev)
	r := &w.result
	r.Steps++
	w.plan = d.Plan
	r.Switchovers += uint64(len(d.Switchovers))
	for _, b := range w.guard.Check(w.engine, at, ev, d) {
		if r.Breaches++; r.Breaches == 1 {
			r.FirstBreach = b.String()
		}
	}
	for _, x := range d.Rulings {
		if x.To != failover.Down || x.From == failover.Down {
			continue
		}
		r.Downs++
		u := w.uplinks[x.Link]
		if u.look(w.now); u.open && w.now-u.died > memory {
			if r.FalseDowns++; r.FirstFalse == "" {
				r.FirstFalse = fmt.Sprintf("%v: %s ruled down (%v) with %v since %v", at, w.engine.Policy().Links[x.Link].Name, x.Reason, u.is, u.since)
			}
		}
	}
}
