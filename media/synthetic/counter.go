package synthetic

import (
	"slices"
	"sync"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

const (
	// window is how many packets are kept to tell duplicates, fill gaps and put frames together: 16 s of 2 Mbit/s video.
	window = 4096
	// settleBehind is how far behind the newest packet frames are counted for good.
	settleBehind = window / 2
	// absurdJump is beyond what any outage in a test does: such a stamp is damage.
	absurdJump = 1 << 22
	// LateAfter is what speech may take from the source at most, to be of use in a conversation (target G10).
	LateAfter = 200 * time.Millisecond
)

// Counter is a media.Sink that measures what arrives of one stream: what is missing by its numbers, how long it was silent, which frames
// are whole and when they can be shown. It measures from its first packet, or from Mark, up to now, or to End. It believes nothing but what
// arrives: what was sent is what lies between the first and the last number seen. Any goroutine may call its methods.
type Counter struct {
	kind media.Kind

	mu      sync.Mutex
	numbers media.Extender // of a stream without stamps
	behind  *rtp.Packet    // a packet too old to be true: with its successor, a producer that started anew without saying so
	stamped bool           // the present run has stamps
	run     uint32         // of the stamps
	over    []uint32       // runs that are over
	runs    int
	started bool
	base    uint64 // first number measured
	highest uint64 // highest number seen
	slots   [window]piece
	nominal uint32 // ticks from frame to frame where stamps do not number the frames; 0: not known
	frames  walk   // where the frames settled so far end
	shown   shown
	sum     Stats // of runs that are over, and what needs no numbers
	arrived uint64
	silence gap
	freeze  gap
	end     *ending
}

// ending is when End was called, and the last number measured.
type ending struct {
	at     time.Time
	number uint64
}

// Stats is what a Counter measured.
type Stats struct {
	Sent       uint64        // packets between the first and the last number: what the far end was sent
	Packets    uint64        // of these, arrived, each counted once
	Lost       uint64        // Sent - Packets
	Duplicates uint64        // further copies
	Reordered  uint64        // arrived after a higher number
	LongestGap time.Duration // longest time without a new packet, the silence up to now or End included

	// Frames; for voice, each packet is one. Without stamps a lost frame of video that left no trace is estimated from the timestamps.
	// The newest frame does not count until it is complete or followed by another.
	Frames         uint64 // FramesComplete + FramesLost
	FramesComplete uint64
	FramesLost     uint64
	FramesShown    uint64        // complete, and so were all since the last key frame: what a decoder can show, in order
	KeyFrames      uint64        // complete key frames of video
	LongestFreeze  time.Duration // longest time between two frames shown, that since the last up to now or End included

	LongestDelay time.Duration // longest time from source to here by the stamps; 0 without; both must have the same clock
	Late         uint64        // packets that took longer than LateAfter, likewise; a packet that never came is Lost, not Late
	Runs         int           // producers seen since the Counter was made; a restarted source is a new one
}

// NewCounter returns a Counter for a stream of the given kind.
func NewCounter(k media.Kind) *Counter { return &Counter{kind: k} }

// Mark begins a new measurement: everything counted so far is forgotten, and packets sent before it no longer count. The silence and the freeze
// that last while it is called count from their beginning.
func (c *Counter) Mark() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum, c.arrived = Stats{}, 0
	c.silence.longest, c.freeze.longest = 0, 0
	if c.end != nil { // what came after End was not looked at: begin with the next packet
		c.end = nil
		c.begin()
		return
	}
	if c.started {
		c.base = c.highest + 1
		c.frames = c.walkFrom(c.base, c.slot(c.highest))
	}
}

// End ends the measurement: what was sent up to now counts, and may still arrive, so let the source run on and read Stats a little later.
func (c *Counter) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end == nil {
		c.end = &ending{time.Now(), c.highest}
	}
}

// Stats returns what was measured so far.
func (c *Counter) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sum
	s.Runs = c.runs
	now, last := time.Now(), c.highest
	if c.end != nil {
		now, last = c.end.at, c.end.number
	}
	s.LongestGap = c.silence.upTo(now)
	s.LongestFreeze = c.freeze.upTo(now)
	if c.started {
		c.addRun(&s, last)
	}
	return s
}

// addRun adds the present run up to number last to s.
func (c *Counter) addRun(s *Stats, last uint64) {
	s.Sent += last + 1 - c.base
	s.Packets += c.arrived
	s.Lost = s.Sent - s.Packets
	w := c.frames // a copy: frames of the last seconds may still be mended
	c.walk(&w, last+1)
	c.walkEnd(&w, last)
	s.FramesComplete += w.complete
	s.FramesLost += w.lost
	if c.kind == media.Video {
		s.KeyFrames += w.keys
	}
	s.Frames = s.FramesComplete + s.FramesLost
}

// WriteRTP is part of media.Sink. It never fails.
func (c *Counter) WriteRTP(p *rtp.Packet) error {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	st, stamped := ReadStamp(p.Payload)
	if !c.sameRun(st, stamped) {
		return nil
	}
	num, ok := c.number(p, st, stamped, now)
	if !ok || c.end != nil && num > c.end.number {
		return nil
	}
	if stamped && c.slot(num) == nil { // a further copy's delay is nobody's
		delay := now.Sub(st.Sent)
		c.sum.LongestDelay = max(c.sum.LongestDelay, delay)
		if delay > LateAfter && (!c.started || num >= c.base) {
			c.sum.Late++
		}
	}
	c.take(c.pieceOf(num, p, st, stamped), now)
	return nil
}

// sameRun says whether a packet belongs to the present run, having begun a new one if it is the first of it.
func (c *Counter) sameRun(st Stamp, stamped bool) bool {
	switch {
	case c.runs > 0 && stamped == c.stamped && st.Run == c.run:
		return true
	case c.end != nil, c.runs > 0 && c.stamped && !stamped, slices.Contains(c.over, st.Run) && stamped:
		return false // after the end; not of the source; a straggler of a run that is over
	}
	if c.runs > 0 && c.stamped {
		c.over = append(c.over, c.run)
	}
	c.newRun()
	c.stamped, c.run = stamped, st.Run
	return true
}

// newRun closes the present run, if there is one, and begins another.
func (c *Counter) newRun() {
	if c.started {
		c.addRun(&c.sum, c.highest)
	}
	c.begin()
	c.runs++
	c.shown.needKey = c.runs > 1
}

// begin forgets the numbers, so that the next packet is the first.
func (c *Counter) begin() {
	c.started, c.arrived, c.behind = false, 0, nil
	c.numbers, c.frames, c.shown, c.slots = media.Extender{}, walk{}, shown{}, [window]piece{}
}

// number is a packet's place in its run: by its stamp, else by its sequence number. False for a packet that has none.
func (c *Counter) number(p *rtp.Packet, st Stamp, stamped bool, now time.Time) (uint64, bool) {
	if stamped {
		num := st.Packet + 1<<16 // room below the first
		return num, !c.started || num < c.highest+absurdJump
	}
	if num := c.numbers.Nearest(p.SequenceNumber); c.started && num+window <= c.highest {
		before := c.behind
		if c.behind = p; c.end != nil || before == nil || p.SequenceNumber != before.SequenceNumber+1 {
			return 0, false
		}
		c.newRun() // RFC 3550 appendix A.1: two such packets in a row are a producer that has started anew
		c.take(c.pieceOf(c.numbers.Extend(before.SequenceNumber), before, st, false), now)
	}
	c.behind = nil
	return c.numbers.Extend(p.SequenceNumber), true
}

// take enters a piece into the books.
func (c *Counter) take(p piece, now time.Time) {
	first := !c.started
	if first {
		c.started, c.base, c.highest = true, p.num, p.num
		if !c.freeze.started {
			c.freeze.hit(now) // nothing is shown from the first packet on
		}
	}
	if p.num+window <= c.highest {
		return // too old to be told from a duplicate
	}
	if c.slot(p.num) != nil {
		c.sum.Duplicates++
		return
	}
	switch {
	case p.num > c.highest:
		c.walk(&c.frames, p.num-settleBehind)
		c.highest = p.num
	case !first:
		c.sum.Reordered++
	}
	c.slots[p.num%window] = p
	c.measureStep(p.num)
	if first {
		c.frames = c.walkFrom(c.base, nil)
	}
	if p.num >= c.base { // else sent before the measurement: it may still complete a picture
		c.arrived++
	}
	if c.end == nil {
		c.silence.hit(now)
	}
	c.showFrom(p.num, now)
}

// gap keeps the longest time between two hits.
type gap struct {
	started bool
	last    time.Time
	longest time.Duration
}

func (g *gap) hit(at time.Time) {
	g.longest = g.upTo(at)
	g.last, g.started = at, true
}

// upTo is the longest time, that since the last hit included.
func (g *gap) upTo(at time.Time) time.Duration {
	if !g.started {
		return 0
	}
	return max(g.longest, at.Sub(g.last))
}
