package media

import (
	"math"
	"sync"
	"time"
)

// Loudness is how loud a sound is now, in dB below full scale (dBFS): 0 is the loudest there can be, Quietest nothing at all.
type Loudness struct {
	Level float64   // of the last tenth of a second, root mean square
	Peak  float64   // the highest sample of the last second
	Heard bool      // somebody speaks, or something sounds: it stands out from the room's own noise
	At    time.Time // of the last sample; zero: there was none
}

// Metered is a source or a loudspeaker that says how loud it is. Any goroutine may call Loudness.
type Metered interface{ Loudness() Loudness }

const (
	// Quietest stands for digital silence, as package content has it.
	Quietest = -120.0

	meterBlock = ToneRate / 10 // samples of one measurement: a syllable
	meterPeaks = 10            // blocks over which the peak is held: a second, so that an eye can follow it
	meterFloor = 100           // blocks in which the quietest is the room's own noise: people pause within 10 s
	meterFirst = 5             // blocks before a floor is believed
	standsOut  = 12.0          // dB above the floor: a voice is 20 and more, a fan's own wavering 3
	audible    = -55.0         // dBFS: below, a voice would not be understood
)

// Meter measures loudness. The zero value is ready; all may be called by any goroutine.
type Meter struct {
	mu     sync.Mutex
	energy float64 // of the block that is not full yet
	peak   float64
	n      int
	blocks [meterFloor]struct{ level, peak float64 }
	filled int // ever
	at     time.Time
}

// Hear takes samples at ToneRate, the last of which came at that time.
func (m *Meter) Hear(now time.Time, pcm []int16) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = now
	for _, v := range pcm {
		s := math.Abs(float64(v)) / 32768
		m.energy += s * s
		m.peak = max(m.peak, s)
		if m.n++; m.n == meterBlock {
			b := &m.blocks[m.filled%meterFloor]
			b.level, b.peak = dBFS(math.Sqrt(m.energy/meterBlock)), dBFS(m.peak)
			m.energy, m.peak, m.n = 0, 0, 0
			m.filled++
		}
	}
}

// Loudness is what was measured last. How old At may be is the caller's affair.
func (m *Meter) Loudness() Loudness {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := Loudness{Level: Quietest, Peak: Quietest, At: m.at}
	if m.filled == 0 {
		return l
	}
	newest, loud, floor := m.filled-1, Quietest, 0.0
	l.Level = m.blocks[newest%meterFloor].level
	for i := newest; i >= 0 && i > newest-meterFloor; i-- {
		b := m.blocks[i%meterFloor]
		if i > newest-meterPeaks {
			l.Peak, loud = max(l.Peak, b.peak), max(loud, b.level)
		}
		floor = min(floor, b.level)
	}
	l.Heard = m.filled >= meterFirst && loud > audible && loud-floor >= standsOut
	return l
}

func dBFS(v float64) float64 {
	if v <= 0 {
		return Quietest
	}
	return max(20*math.Log10(v), Quietest)
}
