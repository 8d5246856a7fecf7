package media

import (
	"math"
	"testing"
	"time"
)

func sine(seconds, amplitude float64) []int16 {
	pcm := make([]int16, int(seconds*ToneRate))
	for i := range pcm {
		pcm[i] = int16(amplitude * 32767 * math.Sin(2*math.Pi*440*float64(i)/ToneRate))
	}
	return pcm
}

func TestMeter(t *testing.T) {
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	voice := make([]int16, 3*ToneRate)
	new(Tone).Read(voice)
	for _, c := range []struct {
		story       string
		pcm         []int16
		level, peak float64 // ±0.5
		heard       bool
	}{
		{"nothing yet", nil, Quietest, Quietest, false},
		{"digital silence", make([]int16, ToneRate), Quietest, Quietest, false},
		{"full scale, and no pause in it", sine(1, 1), -3, 0, false},
		{"half of it", sine(1, 0.5), -9, -6, false},
		{"a hum begins", append(make([]int16, ToneRate), sine(0.5, 0.1)...), -23, -20, true},
		{"a hum that goes on is the room's own", sine(11, 0.1), -23, -20, false},
		{"too faint to be understood", append(make([]int16, ToneRate), sine(0.5, 0.001)...), -63, -60, false},
		{"the peak is held for a second", append(sine(0.1, 0.5), make([]int16, ToneRate*8/10)...), Quietest, -6, true},
		{"and not longer", append(sine(0.1, 0.5), make([]int16, ToneRate)...), Quietest, Quietest, false},
	} {
		t.Run(c.story, func(t *testing.T) {
			var m Meter
			if len(c.pcm) > 0 {
				m.Hear(now, c.pcm)
			}
			l := m.Loudness()
			if math.Abs(l.Level-c.level) > 0.5 || math.Abs(l.Peak-c.peak) > 0.5 || l.Heard != c.heard {
				t.Errorf("%+v, want level %v, peak %v, heard %v", l, c.level, c.peak, c.heard)
			}
			if l.At.IsZero() != (len(c.pcm) == 0) {
				t.Errorf("at %v", l.At)
			}
		})
	}
	var m Meter
	m.Hear(now, voice)
	if !m.Loudness().Heard {
		t.Errorf("the test voice is not heard: %+v", m.Loudness())
	}
}
