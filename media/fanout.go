package media

import (
	"sync"
	"time"

	"github.com/pion/rtp"
)

// Defaults of FanoutConfig.
const (
	defaultQueue = 512  // 2 s of 2 Mbit/s video, 10 s of voice: longer is stale
	defaultRing  = 1024 // 4 s of video: twice the queue, so that what a full queue dropped can be repaired
)

// shortestStep is the least a stream's timestamp moves when its producer changes: one frame.
var shortestStep = [NumKinds]time.Duration{Voice: 20 * time.Millisecond, Video: time.Second / 30}

// idleNumbers keeps SRTP alive on a leg that carries nothing: a leg that ever sent gets one packet each time the stream went
// this far without it. SRTP guesses the upper bits of a packet's number from the last one sent on that leg (RFC 3711 section
// 3.3.1); past 32768 it guesses wrong, everything is thrown away as replayed, and key stream may be used twice. A quarter of
// that survives three lost packets, and costs one packet each 33 s of 2 Mbit/s video or 164 s of voice.
const idleNumbers = 8192

// FanoutConfig says how much a Fanout keeps. The zero value is right for voice; for video set Kind.
type FanoutConfig struct {
	Kind  Kind // what the stream is: its clock rate and its key frames
	Queue int  // packets waiting per leg; 0: 512
	Ring  int  // packets kept for replay and repair, rounded up to a power of two, at most 32768; 0: 1024
}

// Fanout copies one stream onto many legs. It gives the stream numbers of its own, which go on without a jump when the producer
// changes, keeps the newest packets for replay and repair, and has a bounded queue and a goroutine for each leg, so that a leg that
// blocks delays nobody: neither the producer nor another leg. When a leg's queue is full, its packet is dropped and counted.
//
// One goroutine at a time calls WriteRTP; everything else may be called by any goroutine.
type Fanout struct {
	kind  Kind
	queue int

	mu        sync.Mutex
	ring      ring
	legs      []*Leg
	numbers   Extender // of the stream as it leaves
	seqOffset uint16   // leaving minus arriving
	tsOffset  uint32
	rebase    bool      // the next packet is a new producer's first
	base      uint64    // the present producer's first number
	lastTS    uint32    // of the highest number, as it left
	lastAt    time.Time // when it left

	packets, bytes, stale uint64
}

// FanoutStats is what a Fanout did since it was made.
type FanoutStats struct {
	Packets  uint64 // taken from producers
	Bytes    uint64 // of payload in these
	Highest  uint64 // the highest number, extended (its low 16 bits are the sequence number); 0 before the first packet
	RingHeld int    // packets held for replay and repair
	Stale    uint64 // packets thrown away because their producer's first packet had overtaken them
}

// NewFanout returns a Fanout without legs.
func NewFanout(cfg FanoutConfig) *Fanout {
	if cfg.Queue <= 0 {
		cfg.Queue = defaultQueue
	}
	if cfg.Ring <= 0 {
		cfg.Ring = defaultRing
	}
	return &Fanout{kind: cfg.Kind, queue: cfg.Queue, ring: newRing(cfg.Ring)}
}

// WriteRTP numbers a packet, keeps it and queues it on the selected legs. It never waits and never fails. Gaps and disorder in the
// arriving numbers are kept: they are the stream's. Header extensions are left off: their ids hold for one session only (RFC 8285 section 6).
func (f *Fanout) WriteRTP(p *rtp.Packet) error {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rebase {
		f.adopt(p, now, 1)
	}
	prev := f.numbers.Highest()
	if n := f.numbers.Nearest(p.SequenceNumber + f.seqOffset); n+FilterWindow <= prev && now.Sub(f.lastAt) >= wrapSilence {
		f.adopt(p, now, unheard)
	}
	num := f.numbers.Extend(p.SequenceNumber + f.seqOffset)
	if num < f.base {
		f.stale++
		return nil
	}
	q := *p // the one allocation: from here on the copy is frozen, its payload shared
	q.SequenceNumber = uint16(num)
	q.Timestamp += f.tsOffset
	q.Extension, q.ExtensionProfile, q.Extensions = false, 0, nil
	if num > prev {
		f.lastTS, f.lastAt = q.Timestamp, now
	}
	f.packets++
	f.bytes += uint64(len(q.Payload))
	f.ring.put(num, &q)
	for _, l := range f.legs {
		l.live(num, &q)
	}
	return nil
}

// Rebase says that the next packet comes from a new producer: its numbers go on where the old one's ended, its timestamps where they
// would have been by the clock on the wall.
func (f *Fanout) Rebase() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rebase = f.numbers.Highest() != 0
}

// Forget gives up everything sent so far: nothing of it is repaired or replayed any more, and what still waits on a leg never leaves.
// For a stream that stops because a thin way must carry something else.
func (f *Fanout) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ring = newRing(len(f.ring.slots))
	for _, l := range f.legs {
		l.empty()
	}
}

// unheard is the gap that is left where a stream went on for so long without being heard that its 16 bit numbers look old: they
// would look old to SRTP too, which would throw everything away from then on (RFC 3711 section 3.3.1). Half of what SRTP can follow,
// so that a decoder sees that something is missing.
const unheard = 1 << 14

// adopt sets the offsets so that p comes so many numbers after the highest.
func (f *Fanout) adopt(p *rtp.Packet, now time.Time, after uint64) {
	f.rebase = false
	f.base = f.numbers.Highest() + after
	f.seqOffset = uint16(f.base) - p.SequenceNumber
	elapsed := max(now.Sub(f.lastAt), shortestStep[f.kind])
	ticks := elapsed.Seconds() * float64(f.kind.ClockRate())
	f.tsOffset = f.lastTS + uint32(uint64(ticks)) - p.Timestamp
}

// Stats returns the counters as they are now.
func (f *Fanout) Stats() FanoutStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return FanoutStats{
		Packets: f.packets, Bytes: f.bytes, Highest: f.numbers.Highest(), RingHeld: f.ring.held, Stale: f.stale,
	}
}

// Close closes all legs and waits for them.
func (f *Fanout) Close() {
	f.mu.Lock()
	legs := append([]*Leg(nil), f.legs...)
	f.mu.Unlock()
	for _, l := range legs {
		l.Close()
	}
}
