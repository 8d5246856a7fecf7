package selftest

import (
	"math"
	"time"
)

// Rate is the sampling rate of all samples here, Hz.
const Rate = 48000

const (
	chirpLength = Rate / 2 // 500 ms
	chirpLow    = 300.0    // Hz: what the smallest loudspeaker gives,
	chirpHigh   = 3400.0   // and what any microphone takes
	chirpLevel  = 8000     // -12 dBFS at full volume
	fadeLength  = Rate / 50
	every       = 4 // samples of 12 kHz are enough for what ends at 3.4 kHz
	clear       = 8 // times the other places' root mean square: noise reaches 5 in a second of them
)

// Chirp is the test sound: a tone that rises, a little longer than a bird's.
func Chirp() []int16 {
	pcm := make([]int16, chirpLength)
	k := math.Log(chirpHigh / chirpLow)
	for i := range pcm {
		x := float64(i) / chirpLength
		phase := 2 * math.Pi * chirpLow * (chirpLength / float64(Rate)) / k * (math.Exp(k*x) - 1)
		edge := min(1, float64(i)/fadeLength, float64(len(pcm)-1-i)/fadeLength)
		pcm[i] = int16(chirpLevel * edge * math.Sin(phase))
	}
	return pcm
}

// Found is what became of a chirp.
type Found struct {
	Heard   bool
	Delay   time.Duration // from the start of the recording
	Level   float64       // against what was played, dB
	Clarity float64       // how much the best place stands out of the others
}

// Find looks for the chirp in a recording.
func Find(recorded []int16) Found {
	want, have := thin(Chirp()), thin(recorded)
	if len(have) <= len(want) {
		return Found{}
	}
	var power float64
	for _, v := range want {
		power += v * v
	}
	places := len(have) - len(want)
	best, where, sum := 0.0, 0, 0.0
	for l := range places {
		dot := 0.0
		for i, v := range want {
			dot += v * have[l+i]
		}
		sum += dot * dot
		if math.Abs(dot) > best {
			best, where = math.Abs(dot), l
		}
	}
	f := Found{Delay: time.Duration(where*every) * time.Second / Rate}
	if best == 0 {
		return f
	}
	f.Level = 20 * math.Log10(best/power)
	f.Clarity = best / math.Sqrt(sum/float64(places))
	f.Heard = f.Clarity >= clear
	return f
}

// thin takes every few samples' mean.
func thin(pcm []int16) []float64 {
	out := make([]float64, len(pcm)/every)
	for i := range out {
		for _, v := range pcm[i*every : (i+1)*every] {
			out[i] += float64(v) / every
		}
	}
	return out
}
