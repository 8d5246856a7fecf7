package agent

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"scanside/agent/status"
	"scanside/diagnosis"
	"scanside/failover"
	"scanside/link"
	"scanside/media"
)

// linkState is what the loop knows of one link besides what the engine knows.
type linkState struct {
	conn     *conn // nil: not connected
	dial     status.Dial
	hint     string    // what to do about the last dial's error
	noPath   bool      // the last dial's far end answered, but media found no way
	absent   bool      // at the last dial the interface did not exist
	conflict bool      // at the last dial the far end said that another box, or a newer run of this one, serves the room
	carrier  string    // "up", "down", "unknown"
	down     time.Time // when the carrier went
	playing  bool
	kind     link.PathKind // of the newest connection's path

	on     [media.NumKinds]bool // the leg is selected
	probes [2]uint64            // decided, answered
	late   uint64               // answered after they had been given up

	base      [media.NumKinds]media.LegStats // of connections that are over
	words     ledger
	capacity  capacity
	reported  time.Time     // when the engine was last told of the far end's word about it
	gone      uint64        // packets that left on connections that are over
	rtt       time.Duration // smoothed, of answered probes
	errors    uint64        // of sends, as last looked at
	every     time.Duration // probe cadence, as last set
	dials     [2]uint64     // failed, worked
	outages   uint64
	outage    string // the last one, in a sentence
	lostAt    time.Time
	lostWhy   string
	doubt     string             // what raised it, in a clause
	findings  diagnosis.Findings // of the last examination
	judged    diagnosis.Verdict  // as of the last snapshot
	checked   time.Time          // when
	examining bool               // one is under way
	faulty    bool               // it saw the link down

	suspect failover.Ruling // the newest one that raised suspicion
	doubted time.Time       // when it was, or when the link fell without any
}

// sent is what left on the link since the start, all connections together.
func (s *linkState) sent(k media.Kind) media.LegStats {
	sum := s.base[k]
	if s.conn != nil && s.conn.legs[k] != nil {
		addLeg(&sum, s.conn.legs[k].Stats())
	}
	return sum
}

// leftBy is how many packets had left on the link by a moment.
func (s *linkState) leftBy(t time.Time) uint64 {
	n := s.gone
	if s.conn != nil {
		for k := range s.conn.left {
			n += s.conn.left[k].by(t)
		}
	}
	return n
}

func addLeg(sum *media.LegStats, s media.LegStats) {
	sum.Sent += s.Sent
	sum.Bytes += s.Bytes
	sum.Dropped += s.Dropped
	sum.Errors += s.Errors
	sum.Resent += s.Resent
	sum.Replayed += s.Replayed
	sum.ReplayedBytes += s.ReplayedBytes
}

func (s *linkState) dialling(now time.Time) {
	s.dial.Attempts++
	s.dial.Next = now
}

func (l *loop) refused(now time.Time, e event) {
	s := &l.links[e.link]
	text, hint := dialWords(e.err, l.agent.cfg.Uplinks[e.link])
	if text != s.dial.Error {
		l.tale.say(now, status.Warning, fmt.Sprintf("%s cannot connect: %s.", l.name(e.link), text))
		l.log.Warn("dial failed", "link", l.name(e.link), "reason", text, "err", e.err)
	}
	s.dial.Error, s.hint, s.dial.Next = text, hint, e.next
	var noPath *link.NoPathError
	s.absent, s.noPath = errors.Is(e.err, errAbsent), errors.As(e.err, &noPath)
	s.conflict = taken(e.err)
	s.dials[0]++
	l.news = true
}

func (l *loop) opened(now time.Time, e event) {
	s := &l.links[e.link]
	if e.conn.far != l.where.at {
		return // the room moved meanwhile; its end follows
	}
	s.conn, s.dial, s.hint, s.rtt, s.conflict = e.conn, status.Dial{}, "", 0, false
	s.on = [media.NumKinds]bool{}
	s.errors = 0
	if !e.conn.session.Echoes() {
		s.words = ledger{} // it counts each session by itself
	}
	s.dials[1]++
	l.log.Info("connected", "link", l.name(e.link), "path", e.conn.path.Kind, "relay", e.conn.path.Relay, "proxy", e.conn.path.Proxy)
	if kind := e.conn.path.Kind; kind != s.kind && (kind > link.PathUDP || s.kind > link.PathUDP) {
		l.tale.say(now, status.Notice, l.name(e.link)+" goes "+lowerFirst(pathWords(e.conn.path)))
	}
	s.kind = e.conn.path.Kind
	l.step(now, failover.Opened(e.link))
	s.capacity = capacity{}
	l.step(now, failover.Estimated(e.link, 0, 0))
	l.fresh = false
	l.apply(l.plan) // its legs, if the plan did not change
	l.arrived(now)
	l.news = true
}

func (l *loop) closed(now time.Time, e event) {
	s := &l.links[e.link]
	if s.conn != e.conn {
		return
	}
	for k, leg := range e.conn.legs {
		if leg != nil {
			addLeg(&s.base[k], leg.Stats())
			s.gone += e.conn.left[k].by(now)
		}
	}
	s.conn, s.playing = nil, false
	if e.err != nil {
		l.log.Warn("connection ended", "link", l.name(e.link), "err", e.err)
		l.tale.say(now, status.Notice, fmt.Sprintf("The connection over %s ended: %v.", l.name(e.link), e.err))
	}
	l.step(now, failover.Closed(e.link))
	l.news = true
}

func (l *loop) carrier(now time.Time, link failover.Link, up bool) {
	s := &l.links[link]
	was := s.carrier
	s.carrier = "down"
	if up {
		s.carrier = "up"
	}
	if was == s.carrier {
		return
	}
	if was != "unknown" || !up {
		words := "has no carrier: the cable is out, or the modem is gone."
		level := status.Warning
		if up {
			words, level = "has carrier again.", status.Notice
		}
		l.tale.say(now, level, l.name(link)+" "+words)
	}
	if up && was == "down" {
		l.agent.uplinks[link].retry()
	}
	l.step(now, failover.Carrier(link, up))
	l.news = true
}

// sampled translates a probe's outcome, and the far end's word that an answer brings, into what the engine knows.
func (l *loop) sampled(now time.Time, e event) {
	s, from, p := &l.links[e.link], e.link, e.sample
	if s.conn == nil || s.conn != e.conn {
		return // its connection is over
	}
	rtt := p.RTT
	if !p.Answered {
		rtt = now.Sub(p.Sent) // how long it was waited for
	}
	switch {
	case p.Late:
		s.late++
	default:
		s.probes[0]++
		if p.Answered {
			s.probes[1]++
			s.rtt += (p.RTT - s.rtt) / 8
		}
	}
	l.step(now, failover.Sampled(from, failover.Sample{Answered: p.Answered, Late: p.Late, RTT: rtt}))
	if !p.Answered && s.every > fullPace {
		l.pace(from)
	}
	if !p.Answered || len(p.Far) == 0 {
		return
	}
	l.weigh(now, from, p)
	l.weighBack(now, e)
	if p.Late {
		return // a late word is an old word
	}
	l.reports(now, from, p)
	l.tale.heard(now, l)
}

// unsent takes in that the kernel refused a packet just now; how many more it refuses is counted.
func (l *loop) unsent(now time.Time, e event) {
	s := &l.links[e.link]
	if s.conn != e.conn {
		return
	}
	e.conn.telling.Store(false)
	s.errors++
	l.step(now, failover.SendFailed(e.link))
}

// counters looks at what only counts, and tells the engine of sends that the kernel refused.
func (l *loop) counters(now time.Time) {
	for i := range l.links {
		s := &l.links[i]
		if s.conn == nil {
			continue
		}
		var failed uint64
		for _, leg := range s.conn.legs {
			if leg != nil {
				failed += leg.Stats().Errors
			}
		}
		for range min(max(failed, s.errors)-s.errors, maxRefusals) {
			l.step(now, failover.SendFailed(failover.Link(i)))
		}
		s.errors = failed
	}
	for k := range l.flows {
		if src := l.flows[k].source; src != nil {
			src.due(now)
			st := src.fanout.Stats()
			src.measured.read(now, src.frames.Load(), st.Bytes)
		}
		l.flows[k].watch(now, l)
	}
}

// maxRefusals is how many refused sends of one look the engine is told of: it takes ten in a row for proof.
const maxRefusals = 10

// living are the connected links that are not Down: those that cost nothing and are not in doubt, then the best, then the
// rest; when all are Down, all that are connected.
func (l *loop) living() []failover.Link {
	var free, best, rest, blind []failover.Link
	for i, v := range l.engine.Snapshot().Links {
		switch link := failover.Link(i); {
		case l.links[i].conn == nil:
		case v.Verdict == failover.Down:
			blind = append(blind, link)
		case l.plan.HasBest && link == l.plan.Best && !l.agent.cfg.Uplinks[i].Metered:
			free = slices.Insert(free, 0, link)
		case l.plan.HasBest && link == l.plan.Best:
			best = append(best, link)
		case v.Verdict >= failover.Degraded && !v.Suspect && !l.agent.cfg.Uplinks[i].Metered:
			free = append(free, link)
		default:
			rest = append(rest, link)
		}
	}
	if alive := slices.Concat(free, best, rest); len(alive) > 0 {
		return alive
	}
	return blind
}
