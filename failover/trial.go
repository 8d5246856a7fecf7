package failover

import "time"

// Trial is a simulated run of one link that never fails, only loses and delays: what the engine must not call an outage
// (TARGETS G8).
type Trial struct {
	Policy   Policy        // its first link is tried; a policy without links gets one
	For      time.Duration // simulated time
	Every    time.Duration // cadence of probes
	Loss     float64       // share of probes lost, each by itself
	RTT      time.Duration // of a probe that is not lost, plus
	Jitter   time.Duration // up to this, evenly, each by itself
	Seed     uint64
	Progress func(done time.Duration) (on bool) // may be nil; told every simulated hour, ends the trial with false

	// Path, where it is not nil, is what becomes of a probe instead of Loss, RTT and Jitter. It is asked once for each, in order.
	Path func(sent time.Duration) (rtt time.Duration, answered bool)
}

// TrialResult counts what a Trial brought.
type TrialResult struct {
	Probes, Lost, Late int
	LongestRun         int // probes in a row without an answer in time
	Downs              int // every one of them false
	LastDown           Instant
	Suspicions         int
	Breaches           []Breach
}

// Run runs the trial. The prober waits as RFC 6298 has it, so that jitter makes answers late as it does in the field.
func (t Trial) Run() (TrialResult, error) {
	if len(t.Policy.Links) == 0 {
		t.Policy = DefaultPolicy(LinkPolicy{Name: "link"})
	}
	e, err := New(t.Policy)
	if err != nil {
		return TrialResult{}, err
	}
	r := trial{Trial: t, Engine: e, guard: NewGuard(e), random: random(t.Seed), timeout: 500 * time.Millisecond}
	r.step(0, Opened(0))
	hour := time.Hour
	for at := time.Duration(0); at < t.For; at += t.Every {
		r.until(Instant(at))
		r.probe(Instant(at))
		if at >= hour {
			hour += time.Hour
			if t.Progress != nil && !t.Progress(at) {
				return r.out, nil
			}
		}
	}
	r.until(Instant(t.For))
	return r.out, nil
}

// trial is a Trial under way.
type trial struct {
	Trial
	*Engine
	guard                 *Guard
	random                random
	srtt, rttvar, timeout time.Duration
	due                   []outcome // in order of time
	run                   int
	out                   TrialResult
}

// outcome is a sample that will be known at that instant.
type outcome struct {
	at Instant
	s  Sample
}

func (t *trial) probe(at Instant) {
	t.out.Probes++
	rtt, answered := t.path(time.Duration(at))
	if !answered {
		t.out.Lost++
		t.wait(outcome{at.Add(t.timeout), Sample{RTT: t.timeout}})
		return
	}
	late := rtt > t.timeout
	if late {
		t.out.Late++
		t.wait(outcome{at.Add(t.timeout), Sample{RTT: t.timeout}})
	}
	t.wait(outcome{at.Add(rtt), Sample{Answered: true, Late: late, RTT: rtt}})
}

// path is what becomes of a probe.
func (t *trial) path(sent time.Duration) (rtt time.Duration, answered bool) {
	switch {
	case t.Path != nil:
		return t.Path(sent)
	case t.random.share() < t.Loss:
		return 0, false
	}
	return t.RTT + time.Duration(t.random.share()*float64(t.Jitter)), true
}

func (t *trial) wait(o outcome) {
	t.due = append(t.due, o)
	for i := len(t.due) - 1; i > 0 && t.due[i].at < t.due[i-1].at; i-- {
		t.due[i], t.due[i-1] = t.due[i-1], t.due[i]
	}
}

// until delivers what becomes known before that instant, with the ticks that the engine asks for between.
func (t *trial) until(at Instant) {
	for {
		next := at
		if len(t.due) > 0 {
			next = min(next, t.due[0].at)
		}
		if tick, ok := t.Deadline(); ok && tick < next {
			t.step(tick, Tick())
			continue
		}
		if next == at {
			return
		}
		o := t.due[0]
		t.due = t.due[:copy(t.due, t.due[1:])]
		t.measure(o.s)
		t.step(o.at, Sampled(0, o.s))
		if o.s.Answered && t.carries(0) { // the far end's word comes with the answer
			t.step(o.at, Reported(0, 12, 12))
		}
	}
}

// measure keeps the prober's time-out, RFC 6298 (2.2) to (2.4), as package link does.
func (t *trial) measure(s Sample) {
	if !s.Answered {
		t.run++
		t.out.LongestRun = max(t.out.LongestRun, t.run)
		return
	}
	t.run = 0
	s.RTT = min(s.RTT, 2*time.Second)
	if t.srtt == 0 {
		t.srtt, t.rttvar = s.RTT, s.RTT/2
	} else {
		t.rttvar += ((t.srtt - s.RTT).Abs() - t.rttvar) / 4
		t.srtt += (s.RTT - t.srtt) / 8
	}
	t.timeout = min(t.srtt+max(4*t.rttvar, 20*time.Millisecond), 2*time.Second)
}

func (t *trial) step(at Instant, ev Event) {
	d := t.Step(at, ev)
	t.out.Breaches = append(t.out.Breaches, t.guard.Check(t.Engine, at, ev, d)...)
	for _, r := range d.Rulings {
		switch {
		case r.To == Down && r.From != Down:
			t.out.Downs++
			t.out.LastDown = at
		case r.From == r.To && r.Suspect:
			t.out.Suspicions++
		}
	}
}

// random is SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine and with every release of Go.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// share is evenly spread over [0, 1).
func (r *random) share() float64 { return float64(r.next()>>11) / (1 << 53) }
