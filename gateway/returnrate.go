package gateway

import (
	"sync/atomic"
	"time"

	"scanside/link"
	"scanside/media"
)

const (
	// rateAgain is how often the talker is told again what the ways to the room carry, while they have shown a limit.
	rateAgain = 500 * time.Millisecond
	// rateMost is told when they carry everything again: more than any browser sends. It need not be repeated.
	rateMost = 10_000_000
)

// carried is what the box says an uplink carries to the room. The zero value is an uplink that has shown no limit. Any goroutine may use it.
type carried struct{ rate, at atomic.Int64 } // bit/s; Unix nanoseconds

func (c *carried) take(now time.Time, rate int) {
	c.rate.Store(int64(rate))
	c.at.Store(now.UnixNano())
}

// limit is 0 where none is known.
func (c *carried) limit(now time.Time) int {
	if now.UnixNano()-c.at.Load() > int64(link.RateHolds) {
		return 0
	}
	return int(c.rate.Load())
}

// rate takes in what the box says this uplink carries to the room.
func (s *seat) rate(bitsPerSecond int) {
	if u := s.up.Load(); u != nil {
		u.toRoom.take(time.Now(), bitsPerSecond)
	}
}

// sent is what went to the room over this uplink.
func (s *seat) sent() (t link.Tally) {
	u := s.up.Load()
	if u == nil {
		return t
	}
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	for _, leg := range u.back {
		if leg != nil {
			st := leg.Stats()
			t.Packets += st.Sent
			t.Bytes += st.Bytes + st.Sent*link.Headers
		}
	}
	return t
}

// carried is what each of the uplinks that take the picture to the room carries; 0: one of them has shown no limit. The room's lock is held.
func (r *run) carried(now time.Time) (rate int) {
	for _, u := range r.uplinks {
		if !u.carries[media.Video] {
			continue
		}
		l := u.toRoom.limit(now)
		if l == 0 {
			return 0
		}
		if rate == 0 || l < rate {
			rate = l
		}
	}
	return rate
}

// fit has the talker send what the thinnest uplink that takes his picture to the room carries: there is one picture, so there is one rate.
// As long as one of them has shown no limit, it brings all of him, and the others' trouble is nobody's.
func (r *room) fit(now time.Time) {
	r.mu.Lock()
	var to *link.Inbound
	rate := 0
	if t := r.talk; t != nil && r.run != nil && now.Sub(t.asked) >= rateAgain {
		rate = r.run.carried(now)
		if rate > 0 || t.held {
			if held := rate > 0; held != t.held {
				r.log.Info("what the ways to the room carry is told to who talks", "limited", held, "bit/s", rate)
			}
			to, t.asked, t.held = t.in, now, rate > 0
		}
	}
	r.mu.Unlock()
	if to == nil {
		return
	}
	if rate == 0 {
		rate = rateMost
	}
	to.AskRate(rate)
}
