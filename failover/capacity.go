package failover

import "time"

// Capacity is what is known of how much one link carries.
type Capacity struct {
	Rate        int           // bit/s; 0: it has shown no limit
	Queue       time.Duration // how long packets wait because of what we send; 0: no queue is ours
	QueuedSince Instant       // while there is one
	Short       bool          // Rate is known to be less than voice and the least picture need
	ShortSince  Instant       // while it is
	Thin        bool          // for long enough; it ends when the link is known to carry more, or nothing is known again
	Proved      int           // bit/s of the picture that it last carried well; the rate may return to that at once

	Measured bool    // there are estimates of this link: its faults may be our own doing, so they are charged before they are ruled
	Charge   Reason  // what is wrong with it now
	Charged  Instant // since when, while there is a Charge
}

// least is what a link must carry for voice and the least picture.
func (p *Policy) least() int { return p.VoiceRate + p.VideoFloor }

// share is what is left for the picture on a link whose limit is known.
func (p *Policy) share(c *Capacity) int { return p.Picture(c.Rate, c.Queue) }

// Picture is what is left for a picture, in bit/s, on a way that carries rate bit/s and where packets wait for queue because of what is
// sent there: the less the longer the queue, for that has to drain.
func (p *Policy) Picture(rate int, queue time.Duration) int {
	free := int64(max(0, rate-p.VoiceRate))
	left := max(0, p.Drain-queue).Microseconds()
	return int(free * left / p.Drain.Microseconds())
}

// estimated takes in what a link is known to carry. A queue of ours that went because we sent less is forgiven: what was
// measured meanwhile says nothing about the link.
func (t *turn) estimated(v *LinkView, rate int, queue time.Duration) {
	c := &v.Capacity
	c.Measured = true
	switch {
	case queue > 0 && c.Queue == 0:
		c.QueuedSince = t.at
	case queue == 0 && t.excused(v):
		v.RTT, v.Loss, v.ForwardLoss = 0, 0, 0
		v.Arrivals.Sent, v.Arrivals.Arrived = 0, 0
	}
	c.Rate, c.Queue = rate, queue
	if rate > 0 {
		c.Proved = min(c.Proved, max(0, rate-t.p.VoiceRate))
	}
	if short := rate > 0 && rate < t.p.least(); short != c.Short {
		c.Short, c.ShortSince = short, t.at
	}
}

// charge holds a fault against a link whose limits are measured, and says whether it is to be ruled: not before the estimate has
// had time to say that it is our own doing, and not while sending less may still help.
func (t *turn) charge(v *LinkView, why Reason) (ruled Reason) {
	c := &v.Capacity
	switch {
	case why == noReason || !c.Measured:
		c.Charge, c.Charged = noReason, 0
		return why
	case c.Charge == noReason:
		c.Charged = t.at
	}
	c.Charge = why
	if t.at.Sub(c.Charged) < t.p.BlameAfter || t.excused(v) {
		return noReason
	}
	return why
}

// excused reports whether the link's round trip and loss are our own doing, and sending less has had too little time to help.
func (t *turn) excused(v *LinkView) bool {
	return v.Capacity.Queue > 0 && t.at.Sub(v.Capacity.QueuedSince) < t.p.BloatPatience
}

// thin decides whether a link carries too little for a picture. Its change moves a stream, so it takes one of the acts (F4).
func (t *turn) thin(l Link, v *LinkView) {
	c := &v.Capacity
	now := c.Thin
	switch least := t.p.least(); {
	case c.Short && t.at.Sub(c.ShortSince) >= t.p.ThinFor:
		now = true
	case c.Rate == 0 || c.Rate >= least+least/4:
		now = false
	}
	if now != c.Thin && t.act() {
		if c.Thin = now; !now {
			t.eased.note(RateRises, l)
		}
	}
}
