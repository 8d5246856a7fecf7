package link

import (
	"math"
	"time"
)

const (
	firstTimeout = 500 * time.Millisecond // before the first round trip is known; most uplinks answer in less
	maxTimeout   = 2 * time.Second        // an answer later than this is of no use to a conversation
	minMargin    = 20 * time.Millisecond  // above the smoothed round trip: a frame of voice, and a shared machine's hiccup
	probeRing    = 1024                   // probes whose late answer is still recognised: 51 s at 20 a second, 20 s at 50
)

// probes is the book of one prober: what was sent, what is still waited for, and how long to wait. It has no clock and no
// lock; the caller brings both. The zero value is ready.
type probes struct {
	srtt, rttvar time.Duration // RFC 6298 section 2
	measured     bool
	last         uint32 // number of the newest probe
	first        uint32 // every number below is decided
	ring         [probeRing]probe
}

type probe struct {
	number    uint32
	state     probeState
	sent, due time.Time
}

type probeState uint8

const (
	empty probeState = iota
	waiting
	missed
	answered
)

// timeout is how long to wait for an answer now: RFC 6298 (2.3) with a floor for steady links and a cap.
func (b *probes) timeout() time.Duration {
	if !b.measured {
		return firstTimeout
	}
	return min(b.srtt+max(4*b.rttvar, minMargin), maxTimeout)
}

// measure takes one round trip in: RFC 6298 (2.2) and (2.3). A round trip is clipped, so that the answers that a long
// queue hands over at once do not make the link's time-out long for minutes.
func (b *probes) measure(rtt time.Duration) {
	rtt = min(rtt, maxTimeout)
	if !b.measured {
		b.srtt, b.rttvar, b.measured = rtt, rtt/2, true
		return
	}
	deviation := b.srtt - rtt
	if deviation < 0 {
		deviation = -deviation
	}
	b.rttvar += (deviation - b.rttvar) / 4
	b.srtt += (rtt - b.srtt) / 8
}

func (b *probes) at(number uint32) *probe { return &b.ring[number%probeRing] }

// send enters a new probe and returns its number.
func (b *probes) send(now time.Time) uint32 {
	if b.last == math.MaxUint32 { // years; start over rather than mistake numbers
		*b = probes{srtt: b.srtt, rttvar: b.rttvar, measured: b.measured}
	}
	b.last++
	if b.first == 0 {
		b.first = 1
	}
	*b.at(b.last) = probe{number: b.last, state: waiting, sent: now, due: now.Add(b.timeout())}
	return b.last
}

// refuse decides a probe that the kernel did not take: unanswered at once.
func (b *probes) refuse(number uint32) (Sample, bool) {
	p := b.at(number)
	if p.number != number || p.state != waiting {
		return Sample{}, false
	}
	p.state = missed
	return Sample{Number: number, Sent: p.sent}, true
}

// answer decides a probe that was answered: false if the number is unknown, too old, or was answered before.
func (b *probes) answer(now time.Time, number uint32) (Sample, bool) {
	p := b.at(number)
	if number == 0 || p.number != number || (p.state != waiting && p.state != missed) {
		return Sample{}, false
	}
	s := Sample{Number: number, Sent: p.sent, Answered: true, Late: p.state == missed, RTT: now.Sub(p.sent)}
	p.state = answered
	b.measure(s.RTT)
	return s, true
}

// expire decides the probes whose time is up and appends them to out, oldest first.
func (b *probes) expire(now time.Time, out []Sample) []Sample {
	for n := b.first; n != 0 && n <= b.last; n++ {
		p := b.at(n)
		if p.number != n {
			continue // overwritten: more than probeRing in flight
		}
		if p.state == waiting && !now.Before(p.due) {
			p.state = missed
			out = append(out, Sample{Number: n, Sent: p.sent})
		}
	}
	for b.first != 0 && b.first <= b.last && (b.at(b.first).number != b.first || b.at(b.first).state != waiting) {
		b.first++
	}
	return out
}

// stall gives the probes in flight more time: we ourselves slept, and their answers may be waiting in a socket.
func (b *probes) stall(d time.Duration) {
	for n := b.first; n != 0 && n <= b.last; n++ {
		if p := b.at(n); p.number == n && p.state == waiting {
			p.due = p.due.Add(d)
		}
	}
}

// due is when the next probe's time is up; false: none is waited for.
func (b *probes) due() (time.Time, bool) {
	var at time.Time
	for n := b.first; n != 0 && n <= b.last; n++ {
		if p := b.at(n); p.number == n && p.state == waiting && (at.IsZero() || p.due.Before(at)) {
			at = p.due
		}
	}
	return at, !at.IsZero()
}
