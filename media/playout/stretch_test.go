package playout

import (
	"math"
	"testing"
)

// hum is some samples of a steady voice of that pitch.
func hum(hertz float64, samples int) []int16 {
	pcm := make([]int16, samples)
	for i := range pcm {
		x := 2 * math.Pi * hertz * float64(i) / Rate
		pcm[i] = int16(6000*math.Sin(x) + 3000*math.Sin(2*x) + 2000*math.Sin(3*x+1))
	}
	return pcm
}

// jump is the largest step between neighbours: a click is one.
func jump(pcm []int16) (most int) {
	for i := 1; i < len(pcm); i++ {
		most = max(most, int(math.Abs(float64(pcm[i])-float64(pcm[i-1]))))
	}
	return most
}

func TestChange(t *testing.T) {
	noise := make([]int16, 960)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = int16(x >> 16)
	}
	for _, c := range []struct {
		story  string
		pcm    []int16
		how    Stretch
		change int // a period of the sound; 0: none
	}{
		{"a voice of 200 Hz, shorter", hum(200, 960), Shorten, -240},
		{"longer", hum(200, 960), Lengthen, 240},
		{"a high voice", hum(390, 960), Shorten, -123},
		{"as it is", hum(200, 960), Keep, 0},
		{"silence", make([]int16, 960), Shorten, -longestPitch},
		{"noise has no seam that would not be heard", noise, Shorten, 0},
		{"too little of it", hum(200, 480), Shorten, 0},
	} {
		t.Run(c.story, func(t *testing.T) {
			got := Change(nil, c.pcm, c.how)
			period := max(int(math.Abs(float64(c.change))), 1)
			if off := (len(got) - len(c.pcm) - c.change) % period; (c.change == 0) != (len(got) == len(c.pcm)) || off > 4 || off < -4 {
				t.Errorf("%d samples became %d, want a change by a multiple of %d", len(c.pcm), len(got), c.change)
			}
			if was, is := jump(c.pcm), jump(got); is > was*5/4+1 {
				t.Errorf("a click: neighbours differ by %d, in what was said by %d", is, was)
			}
			if n := len(c.pcm); len(got) > 0 && (got[0] != c.pcm[0] && c.how != Shorten || got[len(got)-1] != c.pcm[n-1]) {
				t.Error("the ends were changed: it does not join what is before and after it")
			}
		})
	}
}

func BenchmarkChange(b *testing.B) {
	pcm, out := hum(200, 960), make([]int16, 0, 2000)
	b.ReportAllocs()
	for b.Loop() {
		out = Change(out[:0], pcm, Shorten)
	}
}

func BenchmarkBuffer(b *testing.B) {
	buffer, p := New(Config{}), voice20(1)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		at := duration(int64(n * 960))
		buffer.Put(at, uint32(n*960), p)
		buffer.Next(at)
		n++
	}
}
