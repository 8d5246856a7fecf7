package media

import (
	"math/bits"
	"sync"
	"time"

	"github.com/pion/rtp"
)

const (
	// defaultWindow is how many first arrivals are remembered to measure the skew of the legs: 8 s of 2 Mbit/s video.
	defaultWindow = 2048
	// legLives is how long a leg counts as alive after its last packet: voice comes each 20 ms, and the mirror rule uses the same time.
	legLives = 300 * time.Millisecond
	// wrapSilence is the shortest silence in which a stream can have gone on by so much (32768 numbers) that its 16 bit
	// number looks old: at 2000 packets a second, eight times what one source sends.
	wrapSilence = 15 * time.Second
)

// MergerConfig says how a Merger waits. The zero value is right; tests and drills set Skew.
type MergerConfig struct {
	Kind   Kind
	Window int           // arrivals remembered to measure skew, rounded up to a power of two; 0: 2048
	Skew   time.Duration // how long the other legs have before a packet is asked for; 0: measured, 20 to 150 ms
}

// Merger makes one stream of many legs that carry the same packets (RFC 7198; ST 2022-7 without its buffer): the first copy of each goes to
// the output at once, the others are dropped. It holds nothing back and mends no order; the player's buffer does that. It keeps
// account of what no leg brought, and says when to ask for it.
//
// Any goroutine may call its methods. The output sees one packet at a time, with the Merger locked: it must not block and must not call the Merger.
type Merger struct {
	out   Sink
	fixed time.Duration // MergerConfig.Skew
	epoch time.Time     // times below are since then

	mu       sync.Mutex
	numbers  Extender
	filter   Filter
	arrivals []arrival // by number, the latest len(arrivals)
	missing  missing
	skew     lateness // of a packet's other copies
	disorder lateness // of packets behind others of the same leg
	legs     []*MergerLeg
	nextLeg  uint16
	base     uint64   // the first number: what is below was never waited for
	all      gapMeter // since the Merger was made
	since    gapMeter // since TakeGap
	recent   recentGap
	stats    MergerStats
}

// arrival is when a number arrived first, and by which leg; leg 0: not to be measured by.
type arrival struct {
	at  time.Duration
	leg uint16
}

// MergerStats is what a Merger saw since it was made.
type MergerStats struct {
	Received     uint64        // packets passed on, each counted once
	Duplicate    uint64        // further copies dropped
	Late         uint64        // passed on after they had been counted lost (and then taken off Lost)
	Stale        uint64        // dropped because too old to be told from a duplicate
	Lost         uint64        // given up: missing on all legs, asked for in vain or not worth asking
	Missing      uint64        // missing now, neither arrived nor given up
	Repaired     uint64        // arrived after they had been asked for
	RepairsAsked uint64        // requests for one packet, repeats included
	Highest      uint32        // highest number; its low 16 bits are the sequence number, above them cycles from 1; 0 before the first packet
	LongestGap   time.Duration // longest time between two packets passed on, the silence up to now included
	RecentGap    time.Duration // likewise, of those that ended within GapWindow
}

// NewMerger returns a Merger without legs that writes to out.
func NewMerger(cfg MergerConfig, out Sink) *Merger {
	if cfg.Window <= 0 {
		cfg.Window = defaultWindow
	}
	window := 1 << bits.Len(uint(cfg.Window-1))
	return &Merger{out: out, fixed: cfg.Skew, epoch: time.Now(), arrivals: make([]arrival, window)}
}

// Repairs returns the sequence numbers to ask the sender for at now: missing on every living leg for longer than these usually differ.
// Each is returned at most maxAsks times, spaced, then counted lost. Call it each 10 to 20 ms; nil is the usual answer.
func (m *Merger) Repairs(now time.Time) []uint16 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.missing.holes) == 0 {
		return nil
	}
	at := now.Sub(m.epoch)
	ask, lost := m.missing.due(at, func(num uint64) time.Duration { return m.wait(num, at) })
	m.stats.RepairsAsked += uint64(len(ask))
	m.stats.Lost += lost
	return ask
}

// wait is how long to wait for a number once it is missing: while a living leg has not come to it, the skew of the legs; when all have
// passed it, only their disorder. While no leg lives there is nobody to ask.
func (m *Merger) wait(num uint64, at time.Duration) time.Duration {
	alive, passed := false, true
	for _, l := range m.legs {
		if l.received > 0 && at-l.last < legLives {
			alive = true
			passed = passed && l.highest > num
		}
	}
	switch {
	case !alive:
		return giveUpAfter
	case m.fixed > 0:
		return m.fixed
	case passed:
		return m.disorder.wait()
	}
	return max(m.skew.wait(), m.disorder.wait())
}

// Stats returns the counters as they are now.
func (m *Merger) Stats() MergerStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := time.Since(m.epoch)
	s := m.stats
	s.Missing = uint64(len(m.missing.holes))
	s.Highest = uint32(m.numbers.Highest())
	s.LongestGap, s.RecentGap = m.all.upTo(at), m.recent.upTo(at)
	return s
}

// TakeGap returns the longest time between two packets passed on since TakeGap was last called, the silence up to now included, and
// begins anew. It is for one reader; Stats has the longest of all.
func (m *Merger) TakeGap() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := time.Since(m.epoch)
	longest := m.since.upTo(at)
	m.since.longest = 0
	return longest
}

// number extends a sequence number. One far behind, after a silence long enough for that, is the stream having gone on unheard past half the number space.
func (m *Merger) number(seq uint16, at time.Duration) uint64 {
	highest := m.numbers.Highest()
	num := m.numbers.Nearest(seq)
	if num+FilterWindow <= highest && at-m.all.last >= wrapSilence {
		num = m.numbers.Next(seq)
	}
	m.numbers.highest = max(highest, num)
	return num
}

// write takes a packet from a leg and passes it on if it is the first copy.
func (m *Merger) write(l *MergerLeg, p *rtp.Packet) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := time.Since(m.epoch)
	if l.closed {
		return nil
	}
	highest := m.numbers.Highest()
	num := m.number(p.SequenceNumber, at)
	overtaken := num < l.highest
	l.received++
	l.last = at
	l.highest = max(l.highest, num)
	if !m.filter.First(num) {
		m.drop(l, num, at)
		return nil
	}
	l.first++
	m.account(l, num, highest, overtaken, at)
	return m.out.WriteRTP(p)
}

// drop counts a packet that is not a first copy and learns from it how far the legs are apart.
func (m *Merger) drop(l *MergerLeg, num uint64, at time.Duration) {
	if num+FilterWindow <= m.numbers.Highest() {
		m.stats.Stale++
		return
	}
	m.stats.Duplicate++
	l.duplicate++
	first := m.arrivals[num&uint64(len(m.arrivals)-1)]
	if num+uint64(len(m.arrivals)) > m.numbers.Highest() && first.leg != 0 && first.leg != l.id {
		m.skew.add(at - first.at)
	}
}

// account enters a first copy into the books: what it leaves missing, or which hole it fills.
func (m *Merger) account(l *MergerLeg, num, highest uint64, overtaken bool, at time.Duration) {
	m.stats.Received++
	m.all.hit(at)
	m.since.hit(at)
	m.recent.hit(at)
	by := l.id
	switch {
	case highest == 0:
		m.base = num
	case num > highest:
		m.disorder.add(0)
		if num > highest+1 {
			m.stats.Lost += m.missing.add(highest+1, num, at)
		}
	case num < m.base: // from before we came in: nobody missed it
	default:
		if h, waited := m.missing.take(num); !waited {
			m.stats.Late++
			m.stats.Lost--
			by = 0
		} else if h.asks > 0 {
			m.stats.Repaired++
			by = 0
		} else if overtaken {
			m.disorder.add(at - h.noticed)
		} else {
			m.skew.add(at - h.noticed)
		}
	}
	m.arrivals[num&uint64(len(m.arrivals)-1)] = arrival{at, by}
}
