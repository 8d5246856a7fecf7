package media

import "time"

// DefaultPace is how fast a leg sends again what SetPace has not said otherwise about, in bit/s: 40 packets (150 ms of video) take 24 ms,
// and the 64 KiB that a well-kept access router holds are not overflown by one replay.
const DefaultPace = 16_000_000

// leastPace keeps a replay from taking for ever over a link of which too little was measured.
const leastPace = 250_000

// paceStep is the shortest pause between packets sent again: no timer keeps a shorter one. Five full packets at DefaultPace.
const paceStep = 3 * time.Millisecond

// packetOverhead is what a packet's payload costs more on the way, about: RTP, SRTP, UDP and IPv4.
const packetOverhead = 12 + 10 + 8 + 20

// paceMost is how long after the last packet sent again live ones are held to the pace. A leg that has not caught up by then was given
// a pace below its stream's own rate, and waiting longer would only lose the packets here.
const paceMost = time.Second

// SetPace says how fast what is sent again may leave, in bit/s: what this leg's link last proved to carry. Live packets that wait
// behind it leave at the same pace until the leg has caught up. 0 is DefaultPace; it holds from the next packet on.
func (l *Leg) SetPace(bitsPerSecond int) {
	if bitsPerSecond > 0 {
		bitsPerSecond = max(bitsPerSecond, leastPace)
	}
	l.pace.Store(int64(max(bitsPerSecond, 0)))
}

// takes is how long a packet of that many bytes of payload takes at the leg's pace.
func (l *Leg) takes(payload int) time.Duration {
	pace := l.pace.Load()
	if pace == 0 {
		pace = DefaultPace
	}
	return time.Duration(int64(payload+packetOverhead) * 8 * int64(time.Second) / pace)
}

// pacer spaces what leaves a leg while it sends again and until it has caught up. Only the leg's goroutine touches it. The zero value
// is ready.
type pacer struct {
	behind bool
	again  time.Time // when a packet was last sent again
	owed   time.Duration
}

// after is how long to rest after q.
func (p *pacer) after(l *Leg, q queued) time.Duration {
	if !p.behind && !q.again {
		return 0
	}
	if q.again {
		p.behind, p.again = true, time.Now()
	}
	if len(l.queue) == 0 || time.Since(p.again) > paceMost {
		*p = pacer{}
		return 0
	}
	if p.owed += l.takes(len(q.p.Payload)); p.owed < paceStep {
		return 0
	}
	rest := p.owed
	p.owed = 0
	return rest
}
