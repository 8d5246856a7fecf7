package agent

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"scanside/agent/status"
	"scanside/audit"
	"scanside/diagnosis"
	"scanside/failover"
	"scanside/link"
	"scanside/media"
	"scanside/supervision"
)

const (
	queueLength  = 1024                   // events waiting for the loop: 10 s of two links' probes
	houseEvery   = 100 * time.Millisecond // what needs no better time than that
	publishEvery = time.Second            // without news; the pages take 5 s of silence for "no data"
	newsEvery    = 100 * time.Millisecond // with news
	invariants   = 11                     // F1 to F11
)

// eventKind is what the loop can be told: a closed set.
type eventKind uint8

const (
	dialling      eventKind = iota // an uplink is being dialled
	refused                        // that failed: err, next
	opened                         // that worked: conn
	closed                         // it is over: conn, err
	playing                        // the return half came up or went: on, text
	carrier                        // the interface has carrier: on
	sampled                        // a probe's outcome: sample
	unsent                         // the kernel refused a packet: conn
	pinned                         // an operator pins the link, or (on false) lets go
	impaired                       // demo: somebody spoiled the link: text
	people                         // who is there: presence
	examining                      // an examination of the uplink begins
	examined                       // and ends: findings
	traceSaved                     // the recorder wrote a file: saved
	found                          // a scout holds another far end (on), or has lost it: far
	wished                         // an operator wants the room at a far end: far
	procedure                      // somebody opens a procedure (on) or closes it
	heard                          // somebody changed what the room hears: the page shall say so
	drilling                       // somebody wants a drill: drill
	stopping                       // the agent ends
	drillRecorded                  // a drill's result is in the audit log: record
	muted                          // people in the room mute a device (on) or open it again: media, text
)

// event is something that happened. Library callbacks only post events; nothing but the loop acts on them.
type event struct {
	kind     eventKind
	link     failover.Link
	on       bool
	media    media.Kind
	far      int
	conn     *conn
	err      error
	next     time.Time
	text     string
	by       string // whose act it is
	sample   link.Sample
	came     uint64 // packets that the link had brought when sample did
	presence *presence
	findings diagnosis.Findings
	saved    savedTrace
	drill    *drillEvent
	record   *audit.Record
}

// loop is the one owner of everything that decides: the engine, what is known of each link and stream, and the story so far.
// Its goroutine alone touches its fields; others post to it and read what it publishes.
type loop struct {
	agent   *Agent
	log     *slog.Logger
	events  chan event
	dropped atomic.Uint64 // samples that found the queue full
	ended   chan struct{}
	begun   time.Time // Instant 0

	engine    *failover.Engine
	guard     *failover.Guard
	rec       *recorder
	plan      failover.Plan
	best      failover.Link // before the last step; MaxLinks: none
	fresh     bool          // no link has connected yet
	again     replayed      // before the newest switchover
	links     []linkState
	where     whereabouts
	rest      rest
	flows     [media.NumKinds]flow
	asked     failover.Plan // what the picture's source was last asked for
	armed     float64       // the loss that voice's source was last told of
	lateAt    time.Time     // when this machine was last late itself
	smaller   string        // why the picture is, as last said
	tale      tale
	present   *presence
	since     since
	verdict   supervision.Verdict // as last ruled
	procedure procedureFlag
	mutes     [media.NumKinds]muteFlag
	watched   watched
	books     *books
	drills    drills
	chronicle *chronicle

	breaches [invariants]uint64

	housed    time.Time // last housekeeping
	published time.Time
	news      bool
}

func newLoop(a *Agent, kept store) (*loop, error) {
	policy := a.cfg.policy()
	engine, err := failover.New(policy)
	if err != nil {
		return nil, err
	}
	l := &loop{
		agent: a, log: a.log, events: make(chan event, queueLength), ended: make(chan struct{}), begun: time.Now(),
		engine: engine, guard: failover.NewGuard(engine), links: make([]linkState, len(a.cfg.Uplinks)), fresh: true,
	}
	l.rest = rest{suspended, suspended()}
	l.where = newWhereabouts(len(a.fars), kept.farEnd(a.fars), l.begun)
	l.plan = engine.Snapshot().Plan
	l.procedure = kept.procedure()
	for k := range l.mutes {
		l.mutes[k] = kept.muted(media.Kind(k))
	}
	l.books = newBooks(a.cfg.Uplinks, kept, a.log)
	l.drills.keep = make(chan keptDrill, 1)
	l.chronicle = newChronicle(a.cfg.Uplinks, kept, a.log)
	l.rec = newRecorder(kept, policy, a.log, l.post)
	for i := range l.links {
		l.links[i].carrier = "unknown"
	}
	for k := range l.flows {
		l.flows[k].source = a.source(media.Kind(k))
	}
	l.tale.say(l.begun, status.Notice, "scanside started.")
	l.stillMuted(l.begun)
	l.resumeDrill(l.begun, kept.drill())
	return l, nil
}

// post hands an event that must not be lost to the loop. It waits for room, but not beyond the loop's end.
func (l *loop) post(e event) {
	select {
	case l.events <- e:
	case <-l.ended:
	}
}

// offer hands over an event that may be lost: the next one says the same. It never waits.
func (l *loop) offer(e event) {
	select {
	case l.events <- e:
	default:
		l.dropped.Add(1)
	}
}

// Run is the loop. The clock is read once for each event.
func (l *loop) Run(ctx context.Context) error {
	defer close(l.ended)
	timer := time.NewTimer(houseEvery)
	defer timer.Stop()
	now := time.Now()
	l.step(now, failover.Tick()) // the plan is true from here on
	l.resume(now)
	l.allow(now)
	for {
		timer.Reset(l.pause(now))
		select {
		case <-ctx.Done():
			l.books.looked = time.Time{}
			l.account(time.Now()) // the last word
			return nil
		case e := <-l.events:
			now = time.Now()
			l.take(now, e)
		case <-timer.C:
			due := now.Add(l.pause(now))
			if now = time.Now(); now.Sub(due) > lateness {
				l.lateAt = now
			}
			l.step(now, failover.Tick())
		}
		l.stepDrill(now)
		l.house(now)
	}
}

// pause is how long the loop may wait for something to happen.
func (l *loop) pause(now time.Time) time.Duration {
	wait := houseEvery - now.Sub(l.housed)
	if at, ok := l.engine.Deadline(); ok {
		wait = min(wait, time.Duration(at)-now.Sub(l.begun))
	}
	return max(wait, 0)
}

// take acts on one event.
func (l *loop) take(now time.Time, e event) {
	switch e.kind {
	case sampled:
		l.sampled(now, e)
	case unsent:
		l.unsent(now, e)
	case carrier:
		l.carrier(now, e.link, e.on)
	case dialling:
		l.links[e.link].dialling(now)
	case refused:
		l.refused(now, e)
	case opened:
		l.opened(now, e)
	case closed:
		l.closed(now, e)
	case playing:
		l.links[e.link].playing = e.on
	case found:
		l.foundFarEnd(now, e)
	case wished:
		l.note(audit.FarEndWish{To: l.farEnd(e.far), By: e.by})
		l.wished(now, e.far)
	case pinned:
		l.step(now, failover.Pinned(e.link, e.on))
		l.tale.pinned(now, l.name(e.link), e.on)
		l.note(audit.Pin{Link: l.name(e.link), On: e.on, By: e.by})
		l.news = true
	case procedure:
		l.turned(now, e.on, e.by)
	case heard:
		l.news = true
	case drilling:
		l.beginDrill(now, e.drill)
	case drillRecorded:
		l.recordedDrill(e.record)
	case muted:
		l.turnedMute(now, e)
	case impaired:
		l.tale.say(now, status.Notice, e.text)
		l.news = true
	case people:
		if e.far != l.where.at {
			return // said by the far end that the room has left
		}
		l.met(now, l.present, e.presence)
		l.present = e.presence
		l.news = true
	case examining:
		l.examining(e.link)
	case examined:
		l.examined(now, e)
	case traceSaved:
		l.saved(e.saved)
		l.news = true
	}
}

// step feeds the engine and makes its plan true.
func (l *loop) step(now time.Time, ev failover.Event) {
	at := failover.Instant(now.Sub(l.begun))
	l.rec.note(at, ev, l.engine)
	l.best = failover.MaxLinks
	if l.plan.HasBest {
		l.best = l.plan.Best
	}
	d := l.engine.Step(at, ev)
	for _, b := range l.guard.Check(l.engine, at, ev, d) {
		l.breached(b)
	}
	if len(d.Switchovers) > 0 {
		l.again = l.replayed()
	}
	l.apply(d.Plan)
	l.sole()
	if video := l.flows[media.Video].source; l.best == failover.MaxLinks && d.Plan.HasBest && !l.fresh && video != nil && !video.justAsked(now) {
		video.keyFrame(now) // all were dead: whoever watches has missed too much to go on from, and the far end has not asked
	}
	if len(d.Rulings)+len(d.Switchovers) > 0 {
		l.ruled(now, d)
	}
	for _, r := range d.Resizings {
		l.resized(r)
	}
}

// house does what recurs: held requests, counters that become events, cadence of probes, the story's loose ends, and a new
// snapshot.
func (l *loop) house(now time.Time) {
	if now.Sub(l.housed) >= houseEvery {
		if slept := l.rest.since(l.housed, now); slept >= longSleep && !l.housed.IsZero() {
			l.woke(now, slept)
		}
		l.housed = now
		l.counters(now)
		l.account(now)
		l.cadence()
		l.arm()
		l.whereTo(now)
		l.lookIn(now)
		l.giveWay(now)
		l.writeChronicle(now, l.engine.Snapshot())
		l.lookForFaults()
		if !l.foreign() {
			l.agent.asker.over(l.living(), l.where.at)
		}
		l.tale.settle(now, l)
	}
	quiet := publishEvery
	if l.news {
		quiet = newsEvery
	}
	if now.Sub(l.published) >= quiet {
		l.published, l.news = now, false
		l.publish(now)
	}
}

// breached counts an invariant that did not hold. That is a bug of ours; in a scan room it is counted and recorded, and the
// work goes on.
func (l *loop) breached(b failover.Breach) {
	if i := b.Invariant - 1; i >= 0 && i < invariants {
		l.breaches[i]++
		if l.breaches[i] > 1 {
			return // said once
		}
	}
	l.log.Error("an invariant of failover does not hold; please report this with the trace", "breach", b.String())
	l.rec.save(0, time.Now(), nil)
}

func (l *loop) name(link failover.Link) string { return l.agent.cfg.Uplinks[link].Name }
