package agent

import (
	"context"
	"sync"
	"time"

	"scanside/agent/status"
	"scanside/diagnosis"
	"scanside/doctor"
	"scanside/failover"
)

const (
	firstCheckup  = 15 * time.Second // after the start: uplinks take 10 s to prove themselves
	checkupEvery  = time.Minute      // quick ones, so that what the page says is not old
	checkupWithin = 12 * time.Second // a whole one: an examination takes 10 s at most, and may have to wait for the one before
)

// checkups looks at the box itself: quickly every minute, wholly when somebody asks. Only the newest report is kept.
type checkups struct {
	agent *Agent
	begin chan struct{}

	mu      sync.Mutex
	last    status.Doctor
	running bool
}

func newCheckups(a *Agent) *checkups {
	return &checkups{agent: a, begin: make(chan struct{}, 1), last: status.Doctor{Result: doctor.Unknown.String(), Level: status.Unknown, Checks: []status.DoctorCheck{}}}
}

// StartDoctor implements status.Box. Asking while one is under way is asking for that one.
func (b boxed) StartDoctor() error {
	c := b.a.checkups
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running {
		c.running = true
		c.begin <- struct{}{} // there is room: none is running
	}
	return nil
}

// Doctor implements status.Box.
func (b boxed) Doctor(now bool) status.Doctor {
	c := b.a.checkups
	if now {
		c.look(true)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.last
	d.Running = c.running
	return d
}

// view is the report for the page, which has the uplinks' layers elsewhere.
func (c *checkups) view() status.Doctor {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.last
	d.Running = c.running
	d.Checks = make([]status.DoctorCheck, len(c.last.Checks))
	for i, one := range c.last.Checks {
		one.Layers = nil
		d.Checks[i] = one
	}
	return d
}

// Run makes checkups until ctx ends.
func (c *checkups) Run(ctx context.Context) error {
	timer := time.NewTimer(firstCheckup)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.begin:
			c.examine(ctx)
			c.look(false)
			c.mu.Lock()
			c.running = false
			c.mu.Unlock()
		case <-timer.C:
			c.look(true)
		}
		timer.Reset(checkupEvery)
	}
}

// examine has every uplink examined, and waits for it.
func (c *checkups) examine(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkupWithin)
	defer cancel()
	begun := time.Now()
	for i := range c.agent.uplinks {
		c.agent.examiner.ask(failover.Link(i))
	}
	for {
		s, done := c.agent.Snapshot(), true
		for _, u := range s.Status.Uplinks {
			done = done && !u.Fault.Checked.Before(begun) && !u.Fault.Checking
		}
		if done {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-s.Superseded():
		}
	}
}

// look makes a report of what is known now.
func (c *checkups) look(quick bool) {
	now := time.Now()
	f := c.agent.doctorFacts(c.agent.Snapshot())
	f.Quick = quick
	c.agent.cfg.machineFacts(&f)
	d := viewDoctor(now, doctor.Judge(now, f))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = d
}

// viewDoctor is a report for the page and for programs.
func viewDoctor(now time.Time, r doctor.Report) status.Doctor {
	levels := map[doctor.Result]status.Level{doctor.Passed: status.OK, doctor.Failed: status.Bad, doctor.Unknown: status.Unknown}
	d := status.Doctor{At: r.At, Quick: r.Quick, Result: r.Result.String(), Level: levels[r.Result], Sentence: r.Sentence, Checks: []status.DoctorCheck{}}
	for _, c := range r.Checks {
		one := status.DoctorCheck{Name: c.Name, Area: c.Area, Result: c.Result.String(), Level: levels[c.Result], Sentence: c.Sentence, Do: c.Do}
		if c.Layered {
			for l, x := range c.Layers {
				one.Layers = append(one.Layers, viewLayer(now, diagnosis.Layer(l), x))
			}
		}
		d.Checks = append(d.Checks, one)
	}
	return d
}
