package media

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
)

// Leg is one copy of a Fanout's stream on its way to one sink. Any goroutine may call its methods.
type Leg struct {
	name   string
	fanout *Fanout
	sink   Sink
	queue  chan queued   // sent to and closed under fanout.mu
	done   chan struct{} // the goroutine has ended
	closed atomic.Bool

	// Under fanout.mu.
	selected bool
	atKey    bool   // becomes selected at the next key frame
	last     uint64 // the highest number ever queued; 0: none
	from     uint64 // Resend queues nothing older

	sent, bytes, dropped, failed, resent, replayed, replayedBytes atomic.Uint64

	pace atomic.Int64 // bit/s; 0: DefaultPace
}

type queued struct {
	p     *rtp.Packet
	again bool // sent again, so paced
}

// LegStats is what a Leg did since it was made.
type LegStats struct {
	Sent     uint64 // packets the sink took
	Bytes    uint64 // of payload in these
	Dropped  uint64 // packets that never left: the queue was full, or Forget
	Errors   uint64 // packets the sink refused
	Resent   uint64 // packets queued again by Resend
	Replayed uint64 // packets queued again by Replay

	ReplayedBytes uint64 // of payload in these
}

// AddLeg adds a leg that writes to s from a goroutine of its own, and is not selected yet.
func (f *Fanout) AddLeg(name string, s Sink) *Leg {
	l := &Leg{name: name, fanout: f, sink: s, queue: make(chan queued, f.queue), done: make(chan struct{})}
	f.mu.Lock()
	f.legs = append(f.legs, l)
	f.mu.Unlock()
	go l.run()
	return l
}

// AddViewer is AddLeg for somebody who must not fetch what was before he came: Resend queues nothing older than the packet with which the
// leg was first selected, or than what was replayed on it. Other legs repair what was lost on any of them.
func (f *Fanout) AddViewer(name string, s Sink) *Leg {
	l := f.AddLeg(name, s)
	f.mu.Lock()
	l.from = notYet
	f.mu.Unlock()
	return l
}

// notYet is from of a viewer's leg that was never selected.
const notYet = math.MaxUint64

// Name is the name given to AddLeg.
func (l *Leg) Name() string { return l.name }

// Select makes the leg carry every packet from now on, or none. Doing it twice is harmless. To move a stream to another leg, first
// Select the new leg, then Replay on it: in this order nothing slips through between.
func (l *Leg) Select(on bool) {
	l.fanout.mu.Lock()
	defer l.fanout.mu.Unlock()
	l.selected, l.atKey = on, false
	l.begin(l.fanout.numbers.Highest() + 1)
}

// begin notes the first packet of a leg that has become selected. Under fanout.mu.
func (l *Leg) begin(num uint64) {
	if l.selected && l.from == notYet {
		l.from = num
	}
}

// SelectAtKeyFrame makes the leg carry every packet from the next key frame on, so that a new viewer's first picture is whole. On a
// leg already selected, and for voice, it is Select(true).
func (l *Leg) SelectAtKeyFrame() {
	l.fanout.mu.Lock()
	defer l.fanout.mu.Unlock()
	if l.fanout.kind != Video {
		l.selected = true
	}
	l.atKey = !l.selected
	l.begin(l.fanout.numbers.Highest() + 1)
}

// Waits reports whether the leg waits for a key frame.
func (l *Leg) Waits() bool {
	l.fanout.mu.Lock()
	defer l.fanout.mu.Unlock()
	return l.atKey
}

// Replayed is what one Replay queued.
type Replayed struct {
	Packets int
	Bytes   int           // of payload in these
	Takes   time.Duration // until the last of them has left, at the leg's pace
}

// Replay queues what the ring holds newer than sequence number after, oldest first, and says what that is. If not all fit, with some
// room left for live packets, the newest are queued.
func (l *Leg) Replay(after uint16) (out Replayed) {
	f := l.fanout
	f.mu.Lock()
	defer f.mu.Unlock()
	highest := f.numbers.Highest()
	room := cap(l.queue) - cap(l.queue)/8 - len(l.queue)
	if highest == 0 || room <= 0 {
		return out
	}
	from := max(f.numbers.Nearest(after)+1, f.ring.oldest(highest))
	first := highest + 1
	for n := highest; n >= from && room > 0; n-- {
		if f.ring.get(n) != nil {
			first = n
			room--
		}
	}
	l.from = min(l.from, first)
	for n := first; n <= highest; n++ {
		if p := f.ring.get(n); p != nil && l.offer(n, queued{p, true}) {
			out.Packets++
			out.Bytes += len(p.Payload)
			out.Takes += l.takes(len(p.Payload))
		}
	}
	l.replayed.Add(uint64(out.Packets))
	l.replayedBytes.Add(uint64(out.Bytes))
	return out
}

// Resend queues those of seqs that the ring still holds, and returns how many that are: the answer to a request for repair.
func (l *Leg) Resend(seqs []uint16) int {
	f := l.fanout
	f.mu.Lock()
	defer f.mu.Unlock()
	count := 0
	for _, seq := range seqs {
		n := f.numbers.Nearest(seq)
		if n < l.from {
			continue
		}
		if p := f.ring.get(n); p != nil && l.offer(n, queued{p, true}) {
			count++
		}
	}
	l.resent.Add(uint64(count))
	return count
}

// Close takes the leg off its Fanout, throws its queue away and waits for its goroutine. A sink that can block must be made to return
// first, and the sink itself must not call Close. Closing twice is harmless.
func (l *Leg) Close() {
	f := l.fanout
	f.mu.Lock()
	if !l.closed.Swap(true) {
		f.legs = slices.DeleteFunc(f.legs, func(o *Leg) bool { return o == l })
		close(l.queue)
	}
	f.mu.Unlock()
	<-l.done
}

// Stats returns the counters as they are now.
func (l *Leg) Stats() LegStats {
	return LegStats{
		Sent: l.sent.Load(), Bytes: l.bytes.Load(), Dropped: l.dropped.Load(), Errors: l.failed.Load(),
		Resent: l.resent.Load(), Replayed: l.replayed.Load(), ReplayedBytes: l.replayedBytes.Load(),
	}
}

// live queues a packet that just came, if the leg is selected or has been idle for too long. Under fanout.mu.
func (l *Leg) live(num uint64, p *rtp.Packet) {
	if l.atKey && H264KeyFrame(p.Payload) {
		l.selected, l.atKey = true, false
		l.begin(num)
	}
	if l.selected || l.last != 0 && num >= l.last+idleNumbers {
		l.offer(num, queued{p, false})
	}
}

// offer queues a packet or, when the queue is full, drops and counts it. Under fanout.mu, which also guards against a send on the closed queue.
func (l *Leg) offer(num uint64, q queued) bool {
	if l.closed.Load() {
		return false
	}
	select {
	case l.queue <- q:
		l.last = max(l.last, num)
		return true
	default:
		l.dropped.Add(1)
		return false
	}
}

// empty throws away what waits. Under fanout.mu, so that nothing is added meanwhile.
func (l *Leg) empty() {
	for {
		select {
		case _, open := <-l.queue:
			if !open {
				return
			}
			l.dropped.Add(1)
		default:
			return
		}
	}
}

func (l *Leg) run() {
	defer close(l.done)
	var pace pacer
	for q := range l.queue {
		if l.closed.Load() {
			continue // empty the queue, to its end
		}
		if err := l.sink.WriteRTP(q.p); err != nil {
			l.failed.Add(1)
		} else {
			l.sent.Add(1)
			l.bytes.Add(uint64(len(q.p.Payload)))
		}
		if rest := pace.after(l, q); rest > 0 {
			time.Sleep(rest)
		}
	}
}
