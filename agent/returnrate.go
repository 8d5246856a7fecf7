package agent

import (
	"time"

	"scanside/bandwidth"
)

// rateAgain is how often the far end is told again what a link carries back, while it has shown a limit; it holds there for link.RateHolds.
const rateAgain = 500 * time.Millisecond

// leastBack is what is left for the physician's picture however thin a link is: fewer bits a second make no picture. Voice goes on beside it.
const leastBack = 50_000

// weighBack gives the estimator of a link's way back what an answered probe says of it: what the far end had sent back when it
// answered, and what of that had come. The far end, told, has the physician's picture made as small as the link carries; his voice goes on.
func (l *loop) weighBack(now time.Time, e event) {
	p, s := e.sample, &l.links[e.link]
	from := s.conn.bring.Load()
	if p.Clock == 0 || p.Back.Packets == 0 || from == nil {
		return
	}
	w := bandwidth.Word{
		At: p.Clock, Way: p.Sent.Add(p.RTT).Sub(l.begun) - p.Clock,
		Left: bandwidth.Count{Packets: p.Back.Packets, Bytes: p.Back.Bytes}, Arrived: e.came,
	}
	var known bandwidth.Estimate
	if l.late(now, p) {
		known = s.capacity.back.Stalled(w.At)
	} else {
		known = s.capacity.back.Take(w)
	}
	rate := 0
	if known.Rate > 0 {
		p := l.engine.Policy()
		rate = p.VoiceRate + max(p.Picture(known.Rate, known.Queue), leastBack)
	}
	from.carries.Store(int64(rate))
}

// came is how many packets the session has brought so far.
func (c *conn) came() uint64 {
	if from := c.bring.Load(); from != nil {
		return from.received()
	}
	return 0
}

// received is how many packets the link has brought, copies and late ones too.
func (a *arrivals) received() (n uint64) {
	a.back.mu.Lock()
	defer a.back.mu.Unlock()
	for k := range a.legs {
		n += a.counted[k] + a.legs[k].Load().Stats().Received
	}
	return n
}

// askRates tells the far end, of each link that has shown a limit, how much it carries back.
func (r *returnPath) askRates(now time.Time) {
	for _, a := range r.limited(now) {
		a.session.AskRate(int(a.carries.Load()))
	}
}

func (r *returnPath) limited(now time.Time) (due []*arrivals) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.from {
		if a != nil && a.carries.Load() > 0 && now.Sub(a.asked) >= rateAgain {
			a.asked = now
			due = append(due, a)
		}
	}
	return due
}
