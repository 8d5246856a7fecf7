package emu

import (
	"math"
	"math/rand/v2"
	"net"
	"time"
)

// Packet is what travels: a datagram, or one piece of a byte stream.
type Packet struct {
	Data   []byte
	Addr   net.Addr // the far address of a datagram; the pipe only carries it
	Stream bool     // a piece of a byte stream: late rather than lost, never overtaken
	out    outlet   // who takes it when it is due
}

type outlet interface{ deliver(Packet) }

// Counters says what became of everything pushed into a pipe. Waiting is what is inside now.
type Counters struct {
	Passed, Lost, Cut, TooBig, QueueFull, PipeFull, Duplicated, Bytes uint64
	Waiting                                                           int
}

const (
	// pipeLimit bounds a pipe in packets: two seconds of four 720p streams at 350 packets/s each, and then some.
	pipeLimit = 4096
	// retransmission is what a loss costs a byte stream: Linux' smallest TCP retransmission timeout.
	retransmission = 200 * time.Millisecond
)

// Pipe is one direction of one uplink: a bounded queue ordered by the time each packet is due. It has no clock, no lock
// and no goroutine; every method that needs the time takes it, and it must not run backwards.
type Pipe struct {
	shape     Shape
	rng       *rand.Rand
	holes     holes
	wire      transmitter
	lastGram  time.Time // due time of the newest datagram: the next is not due before it, unless reordering is on
	lastPiece time.Time // the same for streams
	grams     queue
	pieces    queue
	accepted  uint64
	count     Counters
}

// NewPipe starts with a shape; equal seeds lose and delay the same packets.
func NewPipe(shape Shape, seed uint64) *Pipe {
	return &Pipe{shape: shape, rng: rand.New(rand.NewPCG(seed, 0x5ca951de)), holes: holes{rng: rand.New(rand.NewPCG(seed, 0x601e5))}}
}

// Reshape changes the shape for packets pushed from now on; a cut also takes what is inside, as it becomes due.
func (p *Pipe) Reshape(s Shape) { p.shape = s }

// Shape is the present one.
func (p *Pipe) Shape() Shape { return p.shape }

// Counters may be read between any two calls.
func (p *Pipe) Counters() Counters {
	c := p.count
	c.Waiting = len(p.grams) + len(p.pieces)
	return c
}

// Push takes a packet at now and reports whether it is inside; the pipe keeps its Data.
func (p *Pipe) Push(now time.Time, pkt Packet) bool {
	if !p.admit(now, pkt) {
		return false
	}
	due := p.wire.sent(now, p.shape, len(pkt.Data)).Add(p.shape.Delay)
	if p.shape.Jitter > 0 {
		due = due.Add(time.Duration(p.rng.Int64N(int64(p.shape.Jitter) + 1)))
	}
	if pkt.Stream {
		if p.dice(p.shape.Loss) || p.hole(now) {
			due = due.Add(retransmission)
		}
		p.lastPiece = later(due, p.lastPiece)
		p.accepted++
		p.pieces.push(entry{p.lastPiece, p.accepted, pkt})
		return true
	}
	if !p.shape.Reorder {
		due = later(due, p.lastGram)
	}
	p.lastGram = later(due, p.lastGram)
	p.accepted++
	p.grams.push(entry{due, p.accepted, pkt})
	if p.dice(p.shape.Duplicate) {
		p.count.Duplicated++
		p.accepted++
		p.grams.push(entry{due, p.accepted, pkt})
	}
	return true
}

// admit decides whether a packet gets in at all. Streams are only refused by a full pipe: their sender waits before that.
func (p *Pipe) admit(now time.Time, pkt Packet) bool {
	hole := p.hole(now)
	switch {
	case len(p.grams)+len(p.pieces) >= pipeLimit:
		p.count.PipeFull++
	case pkt.Stream:
		return true
	case p.shape.Cut || p.shape.NoGrams:
		p.count.Cut++
	case p.tooBig(pkt):
		p.count.TooBig++
	case p.dice(p.shape.Loss) || hole:
		p.count.Lost++
	case p.wire.backlog(now)+len(pkt.Data) > p.queueLimit():
		p.count.QueueFull++
	default:
		return true
	}
	return false
}

func (p *Pipe) dice(share float64) bool { return share > 0 && p.rng.Float64() < share }

func (p *Pipe) hole(now time.Time) bool {
	mean := p.shape.BurstMean
	if mean == 0 {
		mean = DefaultBurst
	}
	return p.holes.at(now, p.shape.Burst, mean)
}

func (p *Pipe) tooBig(pkt Packet) bool { return p.shape.MTU > 0 && len(pkt.Data) > p.shape.MTU }

func (p *Pipe) queueLimit() int {
	switch {
	case !p.shape.thin():
		return math.MaxInt
	case p.shape.Queue == 0:
		return DefaultQueue
	}
	return p.shape.Queue
}

// Pop hands out the next packet that is due at now, if there is one.
func (p *Pipe) Pop(now time.Time) (Packet, bool) {
	for {
		q := p.head()
		if q == nil || (*q)[0].due.After(now) {
			return Packet{}, false
		}
		pkt := q.pop().pkt
		if p.shape.Cut || p.shape.NoGrams && !pkt.Stream {
			p.count.Cut++
			continue
		}
		p.count.Passed++
		p.count.Bytes += uint64(len(pkt.Data))
		return pkt, true
	}
}

// Due says when Pop is worth calling next; false while nothing moves.
func (p *Pipe) Due() (time.Time, bool) {
	q := p.head()
	if q == nil {
		return time.Time{}, false
	}
	return (*q)[0].due, true
}

// head is the queue whose first packet is due first. While the line is cut, streams stand still; so they do behind a piece
// that is too big, for TCP sends it again and again (RFC 2923 section 2.1).
func (p *Pipe) head() *queue {
	grams := len(p.grams) > 0
	pieces := len(p.pieces) > 0 && !p.shape.Cut && !p.shape.NoStreams && !p.tooBig(p.pieces[0].pkt)
	switch {
	case grams && pieces && p.pieces[0].before(p.grams[0]):
		return &p.pieces
	case grams:
		return &p.grams
	case pieces:
		return &p.pieces
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
