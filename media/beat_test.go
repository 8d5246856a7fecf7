package media

import (
	"testing"
	"time"
)

// Picture and sound beat at the same moments.
func TestBeat(t *testing.T) {
	p, pcm := NewPattern(64, 64, 30), make([]int16, ToneRate/100)
	on := 0
	for at := time.Unix(1_000_000, 0); at.Before(time.Unix(1_000_011, 0)); at = at.Add(10 * time.Millisecond) {
		img := p.Draw(1, at)
		p.Flash(at)
		Beep(pcm, at)
		peak := int16(0)
		for _, v := range pcm {
			peak = max(peak, v)
		}
		lit := img.Y[img.YOffset(32, 32)] == white
		if lit {
			on++
		}
		if lit != (peak > beepLevel/2) || lit != Beat(at) {
			t.Fatalf("at %v the picture flashes: %v, the sound's peak is %d", at, lit, peak)
		}
	}
	if on != 100 {
		t.Errorf("%d of 1100 hundredths of a second", on)
	}
}
