package emu

import (
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
	Passed, Lost, Cut, QueueFull, PipeFull, Bytes uint64
	Waiting                                       int
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
	free      time.Time // the transmitter has sent everything accepted so far
	lastGram  time.Time // due time of the newest datagram: the next is not due before it, unless reordering is on
	lastPiece time.Time // the same for streams
	grams     queue
	pieces    queue
	accepted  uint64
	count     Counters
}

// NewPipe starts with a shape; equal seeds lose and delay the same packets.
func NewPipe(shape Shape, seed uint64) *Pipe {
	return &Pipe{shape: shape, rng: rand.New(rand.NewPCG(seed, 0x5ca951de))}
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
	due := p.transmitted(now, len(pkt.Data)).Add(p.shape.Delay)
	if p.shape.Jitter > 0 {
		due = due.Add(time.Duration(p.rng.Int64N(int64(p.shape.Jitter) + 1)))
	}
	p.accepted++
	if pkt.Stream {
		if p.dice() {
			due = due.Add(retransmission)
		}
		p.lastPiece = later(due, p.lastPiece)
		p.pieces.push(entry{p.lastPiece, p.accepted, pkt})
		return true
	}
	if !p.shape.Reorder {
		due = later(due, p.lastGram)
	}
	p.lastGram = later(due, p.lastGram)
	p.grams.push(entry{due, p.accepted, pkt})
	return true
}

// admit decides whether a packet gets in at all. Streams are only refused by a full pipe: their sender waits before that.
func (p *Pipe) admit(now time.Time, pkt Packet) bool {
	switch {
	case len(p.grams)+len(p.pieces) >= pipeLimit:
		p.count.PipeFull++
	case pkt.Stream:
		return true
	case p.shape.Cut:
		p.count.Cut++
	case p.dice():
		p.count.Lost++
	case p.backlog(now)+len(pkt.Data) > p.queueLimit():
		p.count.QueueFull++
	default:
		return true
	}
	return false
}

func (p *Pipe) dice() bool { return p.shape.Loss > 0 && p.rng.Float64() < p.shape.Loss }

// backlog is how many bytes wait for the transmitter.
func (p *Pipe) backlog(now time.Time) int {
	if p.shape.Rate == 0 || !p.free.After(now) {
		return 0
	}
	return int(p.free.Sub(now).Seconds() * float64(p.shape.Rate) / 8)
}

func (p *Pipe) queueLimit() int {
	switch {
	case p.shape.Rate == 0:
		return int(^uint(0) >> 1)
	case p.shape.Queue == 0:
		return DefaultQueue
	}
	return p.shape.Queue
}

// transmitted books size bytes on the transmitter and says when the last bit has left.
func (p *Pipe) transmitted(now time.Time, size int) time.Time {
	if p.shape.Rate == 0 {
		p.free = now
		return now
	}
	p.free = later(p.free, now).Add(time.Duration(float64(size*8) / float64(p.shape.Rate) * float64(time.Second)))
	return p.free
}

// Pop hands out the next packet that is due at now, if there is one.
func (p *Pipe) Pop(now time.Time) (Packet, bool) {
	for {
		q := p.head()
		if q == nil || (*q)[0].due.After(now) {
			return Packet{}, false
		}
		pkt := q.pop().pkt
		if p.shape.Cut {
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

// head is the queue whose first packet is due first. While the line is cut, streams stand still.
func (p *Pipe) head() *queue {
	grams, pieces := len(p.grams) > 0, len(p.pieces) > 0 && !p.shape.Cut
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
