package reference

import (
	"encoding/binary"
	"slices"
	"sync"
	"time"
)

// Cadence is that of voice.
const Cadence = 20 * time.Millisecond

// payload is as large as a voice packet: 20 ms of Opus at 64 kbit/s.
const payload = 160

// stamp makes the packet with that number, which leaves now.
func stamp(number uint32) []byte {
	data := make([]byte, payload)
	binary.BigEndian.PutUint32(data, number)
	binary.BigEndian.PutUint64(data[4:], uint64(time.Now().UnixNano()))
	return data
}

// Heard is what came of a stream between mark and the end of listening.
type Heard struct {
	Packets   int     `json:"packets"`
	Lost      int     `json:"lost"`
	GapMS     float64 `json:"gap_ms"`     // the longest silence
	LatencyMS float64 `json:"latency_ms"` // median, from sending to first copy; 0: the packets carry no time
	Silent    bool    `json:"silent"`     // nothing came any more
}

// Ear hears a stream: the first copy of each number counts. Any goroutine may call it. The zero value is ready.
type Ear struct {
	mu      sync.Mutex
	numbers map[uint32]bool
	first   uint32
	last    time.Time
	gap     time.Duration
	delays  []time.Duration
	total   int
}

// hear takes a stamped packet.
func (e *Ear) hear(data []byte) {
	if len(data) < 12 {
		return
	}
	sent := time.Unix(0, int64(binary.BigEndian.Uint64(data[4:])))
	e.packet(binary.BigEndian.Uint32(data), time.Since(sent))
}

// packet takes a number and how long it was on its way; 0: unknown.
func (e *Ear) packet(number uint32, delay time.Duration) {
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.total++; e.numbers == nil || e.numbers[number] {
		return
	}
	if len(e.numbers) == 0 {
		e.first = number
	}
	if int32(number-e.first) < 0 {
		return // a late copy of what was heard before the mark
	}
	e.numbers[number] = true
	e.gap = max(e.gap, now.Sub(e.last))
	e.last = now
	if delay > 0 {
		e.delays = append(e.delays, delay)
	}
}

// Total is how many packets came so far, copies included.
func (e *Ear) Total() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.total
}

// Mark begins the measurement.
func (e *Ear) Mark() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.numbers, e.last, e.gap, e.delays = map[uint32]bool{}, time.Now(), 0, nil
}

// Heard is the measurement so far. A silence that lasts counts for its packets: they have been sent.
func (e *Ear) Heard() Heard {
	e.mu.Lock()
	defer e.mu.Unlock()
	h := Heard{Packets: len(e.numbers)}
	if h.Packets == 0 {
		h.Silent = true
		return h
	}
	newest := e.first
	for n := range e.numbers {
		if int32(n-newest) > 0 {
			newest = n
		}
	}
	silence := time.Since(e.last)
	h.Silent = silence > 10*Cadence
	h.Lost = int(newest-e.first) + 1 - h.Packets
	if h.Silent {
		h.Lost += int(silence / Cadence)
		e.gap = max(e.gap, silence)
	}
	h.GapMS = float64(e.gap.Microseconds()) / 1000
	if len(e.delays) > 0 {
		slices.Sort(e.delays)
		h.LatencyMS = float64(e.delays[len(e.delays)/2].Microseconds()) / 1000
	}
	return h
}
