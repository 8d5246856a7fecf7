package content

import (
	"math"
	"time"
)

// SampleRate is that of the sound, in Hz.
const SampleRate = 48000

const (
	loudEvery = SampleRate / 10 // samples over which loudness is measured: a syllable
	humEvery  = SampleRate / 2  // samples of one window of clipping and of hum
)

// Sound judges one microphone's samples, 48 kHz, one channel. It belongs to one goroutine.
type Sound struct {
	policy  Policy
	verdict Verdict
	heard   Heard
	last    time.Time

	run       int   // samples of one value at the end
	low, high int16 // of these
	alive     bool  // there was sound since the device was opened

	energy   float64 // of the present tenth of a second
	loudN    int
	clipped  int // of the present window
	hum      hum
	constant held
	clipping held
	humHeld  held
	quiet    held
}

// Heard is what was measured last. Levels are in dBFS; -120 stands for nothing at all.
type Heard struct {
	Level   float64 // of the last tenth of a second
	Clipped float64 // share of the samples of the last half second
	Hum     float64 // share of the power of the last half second
	Mains   int     // 50 or 60 Hz: whose share that is
}

// NewSound returns a judge that has heard nothing.
func NewSound(p Policy) *Sound {
	return &Sound{policy: p, heard: Heard{Level: nothing}, hum: newHum()}
}

const nothing = -120

// Heard is what was measured last.
func (s *Sound) Heard() Heard { return s.heard }

// Reset forgets what was heard: the device was opened anew.
func (s *Sound) Reset() { *s = *NewSound(s.policy) }

// Hear takes samples, the last of which came at that time.
func (s *Sound) Hear(at time.Time, pcm []int16) Verdict {
	if len(pcm) > 0 {
		if !s.last.IsZero() && at.Sub(s.last) > s.policy.Gap {
			s.gap()
		}
		s.last = at
		s.value(at, pcm)
		for _, v := range pcm {
			s.sample(at, v)
		}
	}
	s.verdict.set(at, s.worst())
	return s.verdict
}

func (s *Sound) gap() {
	for _, h := range []*held{&s.constant, &s.clipping, &s.humHeld, &s.quiet} {
		h.gap()
	}
	s.run, s.energy, s.loudN, s.clipped = 0, 0, 0, 0
	s.hum.clear()
}

// value looks for samples of one value.
func (s *Sound) value(at time.Time, pcm []int16) {
	low, high := pcm[0], pcm[0]
	for _, v := range pcm {
		low, high = min(low, v), max(high, v)
	}
	one := int(high)-int(low) <= s.policy.OneValue
	switch {
	case one && s.run > 0 && int(max(high, s.high))-int(min(low, s.low)) <= s.policy.OneValue:
		s.low, s.high = min(low, s.low), max(high, s.high)
		s.run += len(pcm)
	case one && s.run == 0:
		s.low, s.high, s.run = low, high, len(pcm)
	case one: // another value
		s.low, s.high, s.run, one = low, high, len(pcm), false
	default:
		s.run = 0
	}
	s.constant.step(at, one, !one, s.policy.Constant)
	if !one {
		s.alive = true
	}
}

func (s *Sound) sample(at time.Time, v int16) {
	s.energy += float64(v) * float64(v)
	if s.loudN++; s.loudN == loudEvery {
		s.loudness(at)
	}
	if int(v) >= s.policy.Full || int(v) <= -s.policy.Full {
		s.clipped++
	}
	if s.hum.add(v) {
		s.window(at)
	}
}

func (s *Sound) loudness(at time.Time) {
	s.heard.Level = decibels(s.energy / loudEvery)
	s.energy, s.loudN = 0, 0
	s.quiet.step(at, s.heard.Level < s.policy.QuietCome, s.heard.Level > s.policy.QuietGo, s.policy.Quiet)
}

// window takes half a second in.
func (s *Sound) window(at time.Time) {
	s.heard.Clipped = float64(s.clipped) / humEvery
	s.clipped = 0
	s.clipping.step(at, s.heard.Clipped > s.policy.ClipCome, s.heard.Clipped < s.policy.ClipGo, s.policy.Clipping)

	share, mains, power := s.hum.find()
	s.heard.Hum, s.heard.Mains = share, mains
	loud := decibels(power) > s.policy.HumLevel
	s.humHeld.step(at, loud && share > s.policy.HumCome, !loud || share < s.policy.HumGo, s.policy.Hum)
}

// decibels is a mean power as a level below full scale.
func decibels(power float64) float64 {
	if power <= 0 {
		return nothing
	}
	return max(10*math.Log10(power/(32768*32768)), nothing)
}

// worst is T3.
func (s *Sound) worst() Fault {
	switch {
	case s.constant.on && s.alive:
		return Muted
	case s.constant.on:
		return Silent
	case s.clipping.on:
		return Clipping
	case s.humHeld.on:
		return Hum
	case s.quiet.on:
		return TooQuiet
	}
	return None
}
