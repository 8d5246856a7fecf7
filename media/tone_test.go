package media

import (
	"math"
	"slices"
	"testing"
)

// dbfs is the level of pcm under a full sine's peak, in dB.
func dbfs(pcm []int16) float64 {
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return 20 * math.Log10(math.Sqrt(sum/float64(len(pcm)))/32768)
}

// The test voice has the level of speech, its pauses are not digital silence, and it never clips.
func TestToneLevels(t *testing.T) {
	var tone Tone
	loud, quiet := 0, 0
	for i := range 500 { // 10 s
		pcm := make([]int16, ToneRate/50)
		tone.Read(pcm)
		level := dbfs(pcm)
		switch {
		case level > -30:
			loud++
		case level < -50:
			quiet++
		}
		if top := slices.Max(pcm); top > 16384 || level < -75 || slices.Max(pcm) == slices.Min(pcm) {
			t.Fatalf("20 ms no. %d: peak %d, level %.1f dBFS", i, top, level)
		}
	}
	if loud < 200 || loud > 400 || quiet < 50 {
		t.Errorf("%d of 500 loud, %d quiet: not the rhythm of speech", loud, quiet)
	}
}

func TestToneDoesNotDependOnBlocks(t *testing.T) {
	var a, b Tone
	whole := make([]int16, 3*ToneRate)
	a.Read(whole)
	var parts []int16
	for size := 1; len(parts) < len(whole); size = size*3%1999 + 1 {
		block := make([]int16, min(size, len(whole)-len(parts)))
		b.Read(block)
		parts = append(parts, block...)
	}
	if !slices.Equal(whole, parts) {
		t.Error("blocks of other sizes sound different")
	}
}
