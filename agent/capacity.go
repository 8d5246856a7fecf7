package agent

import (
	"time"

	"scanside/bandwidth"
	"scanside/failover"
	"scanside/link"
	"scanside/media"
)

// capacity is what one link is known to carry, and what the engine was last told of it.
type capacity struct {
	estimator bandwidth.Estimator
	now, told bandwidth.Estimate
	back      bandwidth.Estimator // of the way back
}

// queueStep is by how much a queue must have changed to be news.
const queueStep = 30 * time.Millisecond

// news reports whether what is known has changed so much that the engine is to be told: the rate by 5 %, the queue by
// queueStep, or either from or to nothing.
func (c *capacity) news() bool {
	a, b := c.now, c.told
	switch {
	case (a.Rate == 0) != (b.Rate == 0), (a.Queue == 0) != (b.Queue == 0):
		return true
	case (a.Queue - b.Queue).Abs() >= queueStep:
		return true
	}
	return 20*max(a.Rate-b.Rate, b.Rate-a.Rate) > b.Rate
}

// weigh gives a link's estimator what an answered probe says of that link, late ones too: they are late because of a queue.
func (l *loop) weigh(now time.Time, i failover.Link, p link.Sample) {
	s := &l.links[i]
	w, ok := l.wordOf(s, l.name(i), p)
	if !ok {
		return
	}
	c := &s.capacity
	if l.late(now, p) {
		c.now = c.estimator.Stalled(w.At)
	} else {
		c.now = c.estimator.Take(w)
	}
	if c.news() {
		c.told = c.now
		l.step(now, failover.Estimated(i, c.now.Rate, c.now.Queue))
	}
}

// How late this machine may be before it is not the links that are measured, and for how long that holds.
const (
	lateness  = 10 * time.Millisecond
	lateAfter = 250 * time.Millisecond
)

// late reports whether this machine has just been too late itself to measure anything: the loop got to an answer long after it came,
// or was woken long after it asked to be.
func (l *loop) late(now time.Time, p link.Sample) bool {
	if now.Sub(p.Sent.Add(p.RTT)) > lateness {
		l.lateAt = now
	}
	return now.Sub(l.lateAt) < lateAfter
}

// wordOf is what an answered probe says of the link it came over. A far end without a clock makes the way back part of the way.
func (l *loop) wordOf(s *linkState, name string, p link.Sample) (bandwidth.Word, bool) {
	w := bandwidth.Word{At: p.Sent.Sub(l.begun), Way: p.RTT}
	if p.Clock > 0 {
		w.Way = p.Clock - w.At
	}
	named := false
	for _, r := range p.Far {
		for _, leg := range r.Legs {
			if leg.Uplink == name {
				w.Arrived += uint64(leg.Received)
				named = true
			}
		}
	}
	for k := range s.conn.left {
		c := s.conn.left[k].count(p.Sent)
		w.Left.Packets += c.Packets
		w.Left.Bytes += c.Bytes
	}
	return w, named
}

// ask makes the plan's rate true: there is one encoder, so there is one rate.
func (l *loop) ask(plan failover.Plan) {
	s := l.flows[media.Video].source
	if s == nil || plan.Rate == l.asked.Rate && plan.VoiceOnly == l.asked.VoiceOnly {
		return
	}
	rate := plan.Rate
	if rate == 0 {
		rate = l.agent.cfg.Video.Bitrate
	}
	s.src.SetRate(rate)
	if s.stop(plan.VoiceOnly) {
		s.src.RequestKeyFrame()
	}
	l.asked = plan
}

// resized notes that the picture's rate has changed.
func (l *loop) resized(r failover.Resizing) {
	l.log.Info("picture", "rate", r.To, "from", r.From, "stopped", r.VoiceOnly, "link", l.name(r.Link), "reason", r.Reason)
	l.news = true
}

// armStep is by how much the loss of voice must have changed before its source is told: the encoder knows percents, and every change
// shifts its rate a little.
const armStep = 0.05

// arm tells the source of voice what share of it gets lost: what is lost on all links that carry it at once, by the far end's word on
// each. A link about which nothing is known takes nothing from that.
func (l *loop) arm() {
	s := l.flows[media.Voice].source
	if s == nil {
		return
	}
	armed, ok := s.src.(media.Armed)
	if !ok {
		return
	}
	loss, known := 1.0, false
	for i, v := range l.engine.Snapshot().Links {
		if l.plan.Route[failover.Voice].Has(failover.Link(i)) && v.Arrivals.Any {
			loss, known = loss*v.ForwardLoss, true
		}
	}
	if !known {
		loss = 0
	}
	if d := loss - l.armed; d >= armStep || -d >= armStep {
		l.armed = loss
		armed.SetLoss(loss)
	}
}
