package playout

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Limits, with where they come from.
const (
	GiveUp    = 100 * time.Millisecond // made-up voice goes on for so long; Opus' own concealment has faded out by then
	FarBehind = 200 * time.Millisecond // beyond the target, what is held is left out: ITU-T G.114's 400 ms in all would be passed
	frame     = Rate / 50              // made up at a time: 20 ms
	held      = 64                     // packets at most: 1.3 s, more than is ever played
	newVoice  = 10 * time.Second       // a timestamp so far off the last belongs to another stream
	oldVoice  = time.Second            // after so long without a packet, what was the way's delay may no longer be
	window    = 5                      // frames between two corrections of the speed: ten in a second are not heard
	slack     = 10 * time.Millisecond  // off the target that is left alone: half a frame
)

// Config bounds the delay. The zero value is 20 to 120 ms.
type Config struct{ Least, Most time.Duration }

// Kind is what a frame is made of.
type Kind uint8

// The kinds of frame.
const (
	Silence Kind = iota // nobody talks
	Decode              // Payload is the frame
	Correct             // the frame is lost; Payload is the one after it, which may hold a copy
	Conceal             // the frame is not there: make it up
)

// Stretch is what is to be done to a decoded frame, if its sound allows it.
type Stretch int8

// The ways to stretch.
const (
	Shorten Stretch = iota - 1 // take a pitch period out
	Keep
	Lengthen // put one in
)

// Step says what the loudspeaker plays next.
type Step struct {
	Kind    Kind
	Payload []byte // of Decode and Correct
	Samples int    // how many it is, before stretching
	Stretch Stretch
}

// Stats count since the buffer was made. Delays are those of now.
type Stats struct {
	Packets   uint64 // put in
	Played    uint64 // of these
	Corrected uint64 // frames taken from the packet after them, as far as it held a copy
	Concealed uint64 // frames made up while the voice went on
	Faded     uint64 // frames made up because it was not known yet that the voice had ended
	Underruns uint64 // times that nothing was there when it was due, and something came later
	Late      uint64 // packets whose time had passed
	Skipped   uint64 // packets left out because they were far behind
	Again     uint64 // packets that were there already
	Bad       uint64 // packets that are not Opus
	Flushed   uint64 // packets held when another stream began
	Shortened uint64 // frames that were asked to be
	Stretched uint64 // likewise

	Delay  time.Duration // of what is played, beyond the fastest packet's way; 0 while nothing is
	Target time.Duration
}

type packet struct {
	ts      int64 // unwrapped
	samples int
	payload []byte
}

func (p *packet) end() int64 { return p.ts + int64(p.samples) }

type state uint8

const (
	idle state = iota
	filling
	playing
)

// Buffer holds packets until they are due. It belongs to one goroutine at a time. Make it with New.
type Buffer struct {
	cfg    Config
	delays delays
	state  state
	held   []packet // by timestamp
	last   int64    // newest timestamp put in, unwrapped
	heard  time.Duration
	any    bool
	next   int64 // timestamp of what is due
	made   int   // samples made up since time stood still
	hasty  time.Duration
	sum    time.Duration // of delays in the window
	early  time.Duration // the smallest of them
	n      int           // of them
	stats  Stats
}

// New returns an empty buffer.
func New(cfg Config) *Buffer {
	if cfg.Least <= 0 {
		cfg.Least = 20 * time.Millisecond
	}
	if cfg.Most < cfg.Least {
		cfg.Most = max(cfg.Least, 120*time.Millisecond)
	}
	return &Buffer{cfg: cfg, delays: newDelays(), held: make([]packet, 0, held+1)}
}

// duration is how long n samples last.
func duration(n int64) time.Duration { return time.Duration(n) * time.Second / Rate }

// Put takes a packet that arrived at that time. It keeps the payload.
func (b *Buffer) Put(at time.Duration, timestamp uint32, payload []byte) {
	b.stats.Packets++
	p := packet{samples: Samples(payload), payload: payload}
	if p.samples == 0 {
		b.stats.Bad++
		return
	}
	p.ts = b.last + int64(int32(timestamp-uint32(b.last)))
	if off := duration(p.ts - b.last); !b.any || off > newVoice || off < -newVoice {
		b.stats.Flushed += uint64(len(b.held))
		b.held, b.state, b.made = b.held[:0], idle, 0
		b.last, b.next = p.ts, math.MinInt64
		b.delays.forget()
	} else if at-b.heard > oldVoice {
		b.delays.forget()
	}
	b.any, b.heard, b.last = true, at, max(b.last, p.ts)
	b.delays.add(at - duration(p.ts))
	if p.ts < b.next {
		b.stats.Late++
		return
	}
	i, there := slices.BinarySearchFunc(b.held, p.ts, func(q packet, ts int64) int { return cmp.Compare(q.ts, ts) })
	if there {
		b.stats.Again++
		return
	}
	b.held = slices.Insert(b.held, i, p)
	if len(b.held) > held {
		b.stats.Skipped++
		b.drop()
	}
}

// drop lets the oldest packet go.
func (b *Buffer) drop() {
	copy(b.held, b.held[1:])
	b.held = b.held[:len(b.held)-1]
}

// Target is the delay that is aimed at.
func (b *Buffer) Target() time.Duration {
	return min(max(b.delays.most()+b.hasty, b.cfg.Least), b.cfg.Most)
}

// delay is how much later than the fastest packets' way a sample would be played now.
func (b *Buffer) delay(at time.Duration, ts int64) time.Duration {
	return at - duration(ts) - b.delays.least()
}

// Stats are the counters as they are now.
func (b *Buffer) Stats() Stats {
	s := b.stats
	s.Target = b.Target()
	if b.state != playing {
		s.Delay = 0
	}
	return s
}

// Next says what to play at that time.
func (b *Buffer) Next(at time.Duration) Step {
	if b.state == idle && len(b.held) > 0 {
		b.state = filling
	}
	if b.state == filling && b.ready(at) {
		b.state, b.next, b.made, b.n = playing, b.held[0].ts, 0, 0
	}
	if b.state != playing {
		return Step{Kind: Silence, Samples: frame}
	}
	b.hurry(at)
	for len(b.held) > 0 && b.held[0].ts < b.next { // the packet before it held more than its timestamps allow
		b.stats.Late++
		b.drop()
	}
	if len(b.held) == 0 {
		return b.starve()
	}
	p := b.held[0]
	switch gap := int(p.ts-b.next) - b.made; {
	case duration(int64(gap)) > GiveUp: // a pause in what was said
		b.end()
		return b.Next(at)
	case gap > p.samples:
		n := min(gap-p.samples, frame)
		b.next += int64(b.made + n)
		b.resume()
		b.stats.Concealed++
		return Step{Kind: Conceal, Samples: n}
	case gap > 0:
		b.next = p.ts
		b.resume()
		b.stats.Corrected++
		return Step{Kind: Correct, Payload: p.payload, Samples: gap}
	}
	b.resume()
	b.drop()
	b.next = p.end()
	b.stats.Played++
	return Step{Kind: Decode, Payload: p.payload, Samples: p.samples, Stretch: b.stretch(b.delay(at, p.ts))}
}

// ready reports whether a voice that begins may: it is as late as it shall be, or there is as much of it.
func (b *Buffer) ready(at time.Duration) bool {
	first, newest := &b.held[0], &b.held[len(b.held)-1]
	return b.delay(at, first.ts) >= b.Target() || duration(newest.end()-first.ts) > b.Target()+slack
}

// hurry leaves out what is far behind, and whose time has passed.
func (b *Buffer) hurry(at time.Duration) {
	for len(b.held) > 1 && b.delay(at, b.next+int64(b.made)) > b.Target()+FarBehind {
		b.stats.Skipped++
		b.drop()
		b.next = b.held[0].ts
		b.resume()
	}
}

// starve makes voice up while time stands still, or lets it end.
func (b *Buffer) starve() Step {
	if duration(int64(b.made)) >= GiveUp {
		b.end()
		return Step{Kind: Silence, Samples: frame}
	}
	b.made += frame
	return Step{Kind: Conceal, Samples: frame}
}

// resume settles what was made up: the voice went on.
func (b *Buffer) resume() {
	if b.made > 0 {
		b.stats.Underruns++
		b.stats.Concealed += uint64(b.made / frame)
		b.made = 0
	}
}

// end settles it the other way: the voice had ended.
func (b *Buffer) end() {
	b.stats.Faded += uint64(b.made / frame)
	b.made, b.state = 0, idle
}

// stretch brings the delay to the target. It goes by the mean of a window, because a loudspeaker asks in bursts; how much it
// asks early is a delay that packets must not have.
func (b *Buffer) stretch(delay time.Duration) Stretch {
	if b.n == 0 {
		b.sum, b.early = 0, delay
	}
	b.n++
	b.sum += delay
	b.early = min(b.early, delay)
	if b.n < window {
		return Keep
	}
	b.n = 0
	mean := b.sum / window
	b.stats.Delay = mean
	b.hasty += (mean - b.early - b.hasty) / 8
	switch off := mean - b.Target(); {
	case off > slack:
		b.stats.Shortened++
		return Shorten
	case off < -slack:
		b.stats.Stretched++
		return Lengthen
	}
	return Keep
}
