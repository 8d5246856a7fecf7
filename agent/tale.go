package agent

import (
	"fmt"
	"slices"
	"time"

	"scanside/agent/status"
	"scanside/failover"
	"scanside/media"
)

const (
	keptChanges = 20
	keptEvents  = 50
	settleAfter = 3 * time.Second  // by then the far end has asked for all repairs and given up what did not come
	settleLimit = 15 * time.Second // after that it is unknown
	sameStory   = 5 * time.Second  // a copy taken on suspicion and the fall that follows are one story
)

// tale is what happened, for people: lines for the event list, and the switchovers with what they cost. Only the loop
// touches it.
type tale struct {
	events  []status.Event // newest first
	changes []*change      // newest first
	number  uint64
	lost    []lostWord // the far end's losses of the last seconds, oldest first
}

// change is one story of streams that changed links for the same reason.
type change struct {
	number   uint64
	when     time.Time // wall clock
	at       failover.Instant
	streams  [media.NumKinds]bool
	from, to failover.LinkSet
	link     failover.Link // that the reason speaks of
	drill    bool          // a drill did it
	wasBest  bool          // it was the preferred one until then
	reason   failover.Reason
	detect   time.Duration // from the last good evidence to the first action or ruling
	switched time.Duration // from then until the far end said that it goes on; 0: not yet

	doubt    string                 // what raised doubt, in a clause; "": nothing did
	seen     string                 // what it was ruled by, in a clause
	gaps     [media.NumKinds]gap    // silence at the far end
	back     [media.NumKinds]gap    // silence in the room
	highest  [media.NumKinds]uint16 // what had been sent when it happened
	passed   [media.NumKinds]bool   // the far end has more than that
	before   [media.NumKinds]uint32 // lost before the outage, by the far end's word
	lost     [media.NumKinds]uint32
	known    bool // before is known
	settled  bool
	replayed replayed // on all links until then; afterwards by this change
	saved    savedTrace
}

type lostWord struct {
	at   failover.Instant
	lost [media.NumKinds]uint32
}

func (t *tale) say(now time.Time, level status.Level, text string) {
	t.events = slices.Insert(t.events, 0, status.Event{At: now, Level: level, Text: text})
	t.events = t.events[:min(len(t.events), keptEvents)]
}

func (t *tale) pinned(now time.Time, name string, on bool) {
	if on {
		t.say(now, status.Notice, "An operator holds everything on "+name+".")
	} else {
		t.say(now, status.Notice, "An operator let go of "+name+".")
	}
}

// ruled takes in what the engine ruled and rerouted in one step.
func (l *loop) ruled(now time.Time, d failover.Decision) {
	l.news = true
	for _, r := range d.Rulings {
		l.ruling(now, r)
	}
	if len(d.Switchovers) > 0 {
		l.switched(now, d.Switchovers)
	}
}

func (l *loop) ruling(now time.Time, r failover.Ruling) {
	s, name := &l.links[r.Link], l.name(r.Link)
	l.log.Info("ruled", "link", name, "from", r.From, "to", r.To, "suspect", r.Suspect, "reason", r.Reason)
	if r.From == r.To {
		if r.Suspect {
			s.suspect, s.doubted = r, now
			s.doubt = l.engine.Snapshot().Links[r.Link].Seen(r.Reason, r.At)
		}
		return // suspicion comes and goes; it is on the uplink's card
	}
	why := r.Reason.Sentence("it") + "."
	switch r.To {
	case failover.Down:
		s.outages++
		if !r.Suspect && s.suspect.LastGood != r.LastGood {
			s.doubted = now // it fell at once
		}
		s.lostAt, s.lostWhy = now.Add(-r.At.Sub(r.LastGood)), r.Reason.Sentence("it")
		if l.drilled(r.Link) {
			l.tale.say(now, status.Notice, "Drill: "+name+" is ruled down: "+why)
			break
		}
		l.tale.say(now, status.Bad, name+" is down: "+why)
	case failover.Proving:
		if !s.lostAt.IsZero() {
			s.outage = fmt.Sprintf("Its last outage began at %s and lasted %s: %s.", s.lostAt.Local().Format("15:04:05"), lasted(now.Sub(s.lostAt)), s.lostWhy)
		}
		l.tale.say(now, status.Notice, sentence(r.Reason.Sentence(name)))
	case failover.Degraded:
		l.tale.say(now, status.Warning, name+" is degraded: "+why)
	case failover.Up:
		l.tale.say(now, status.OK, name+" is up: "+why)
	}
}

// switched begins a story, or goes on with the one that the suspicion before it began.
func (l *loop) switched(now time.Time, all []failover.Switchover) {
	w := all[0]
	if l.fresh {
		return // nothing has flowed yet, so nothing moved
	}
	c := l.tale.open(w)
	if c == nil {
		c = l.begin(now, w)
	}
	for _, w := range all {
		l.log.Info("switched", "stream", w.Stream, "from", l.names(w.From), "to", l.names(w.To), "reason", w.Reason, "number", c.number)
		if !c.drill {
			l.agent.metrics.switched(w)
		}
		c.streams[w.Stream] = true
		c.from |= w.From
		c.to = w.To
	}
	c.reason = w.Reason
	l.witness(c, w)
	if c.to.Minus(c.from) != 0 && c.from.Minus(c.to) != 0 { // it moved over
		c.from = c.from.Minus(c.to)
	}
}

// open is the newest story, if w goes on with it: the same link, a moment later, now out of the route.
func (t *tale) open(w failover.Switchover) *change {
	if len(t.changes) == 0 {
		return nil
	}
	c := t.changes[0]
	if c.link == w.Link && !c.settled && w.At.Sub(c.at) < sameStory && !c.to.Minus(c.from).Has(w.Link) && w.From.Has(w.Link) && !w.To.Has(w.Link) {
		return c
	}
	return nil
}

func (l *loop) begin(now time.Time, w failover.Switchover) *change {
	t := &l.tale
	t.number++
	c := &change{number: t.number, when: now, at: w.At, link: w.Link, reason: w.Reason, from: w.From}
	first := w.At
	if s := l.links[w.Link].suspect; s.Suspect && s.LastGood == w.LastGood && s.At <= w.At {
		first = s.At // it was noticed when it was suspected; the ruling took its time on purpose
		c.doubt = l.links[w.Link].doubt
	}
	c.detect = first.Sub(w.LastGood)
	c.wasBest, c.drill = w.Link == l.best, l.drilled(w.Link)
	for k := range l.flows {
		if src := l.flows[k].source; src != nil {
			c.highest[k] = uint16(src.fanout.Stats().Highest)
		}
	}
	c.before, c.known = t.lostAt(w.LastGood)
	c.replayed = l.again
	t.changes = slices.Insert(t.changes, 0, c)
	t.changes = t.changes[:min(len(t.changes), keptChanges)]
	return c
}

// heard takes in that the far end has spoken.
func (t *tale) heard(now time.Time, l *loop) {
	at := failover.Instant(now.Sub(l.begun))
	var w lostWord
	w.at = at
	for k := range l.flows {
		w.lost[k] = l.flows[k].far.Lost
	}
	t.lost = append(t.lost, w)
	for len(t.lost) > 2 && at.Sub(t.lost[0].at) > settleLimit {
		t.lost = t.lost[1:]
	}
	for _, c := range t.changes {
		if c.settled {
			continue
		}
		if c.switched == 0 {
			c.pass(at, l)
		}
		c.measure(now, at, l)
	}
}

// forget drops what the far end said: another one counts from now on. Stories that are still open have no known cost.
func (t *tale) forget() {
	t.lost = nil
	for _, c := range t.changes {
		c.known = c.known && c.settled
	}
}

// lostAt is what the far end had lost by its last word before an instant.
func (t *tale) lostAt(at failover.Instant) (lost [media.NumKinds]uint32, known bool) {
	for _, w := range t.lost {
		if w.at > at && known {
			break
		}
		lost, known = w.lost, true
	}
	return lost, known
}

// pass notes whether the far end has by now what was sent after the change.
func (c *change) pass(at failover.Instant, l *loop) {
	for k, moved := range c.streams {
		f := &l.flows[k]
		if moved && f.source != nil && !c.passed[k] {
			c.passed[k] = int16(uint16(f.far.Highest)-c.highest[k]) > 0
			if !c.passed[k] {
				return
			}
		}
	}
	c.switched = max(at.Sub(c.at), time.Microsecond)
	l.agent.metrics.settled(c)
}

// settle closes stories: what they cost is known by now, or never will be.
func (t *tale) settle(now time.Time, l *loop) {
	at := failover.Instant(now.Sub(l.begun))
	for _, c := range t.changes {
		age := at.Sub(c.at)
		if c.settled || age < settleAfter {
			continue
		}
		if word := t.last(); c.known && word.at.Sub(c.at) >= settleAfter && c.switched > 0 {
			for k := range c.lost {
				c.lost[k] = max(word.lost[k], c.before[k]) - c.before[k]
			}
			c.settled = true
		} else if age >= settleLimit {
			c.settled, c.known = true, false
		}
		if c.settled {
			c.replayed = l.replayed().since(c.replayed)
			l.agent.metrics.told(c)
			l.news = true
			l.tale.say(now, status.Notice, c.story(l))
			l.noteChange(c)
			if !c.routine() {
				record := l.viewChange(c)
				l.rec.save(c.number, c.when, &record)
			}
		}
	}
}

func (t *tale) last() lostWord {
	if len(t.lost) == 0 {
		return lostWord{}
	}
	return t.lost[len(t.lost)-1]
}

// saved notes the file that the recorder wrote for a change.
func (t *tale) saved(s savedTrace) {
	for _, c := range t.changes {
		if c.number == s.number {
			c.saved = s
		}
	}
}
