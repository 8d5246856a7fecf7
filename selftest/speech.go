package selftest

import (
	"math"
	"slices"
)

const (
	frame    = Rate / 50 // 20 ms
	above    = 10.0      // dB over the quietest moments: speech goes up and down, a fan does not
	loudest  = -50.0     // dBFS that speech must reach at all
	enough   = 0.15      // of the time: two words in three seconds
	wellOver = -40.0     // dBFS below which it is heard, but badly
)

// Voice is what was heard of somebody who spoke.
type Voice struct {
	Heard bool
	Level float64 // of the moments of speech, dBFS
	Share float64 // of the time
	Faint bool    // speech, but far too soft
	Dead  bool    // not one sample was anything but zero
}

// Listen says whether somebody spoke.
func Listen(pcm []int16) Voice {
	var levels []float64
	dead := true
	for part := range slices.Chunk(pcm, frame) {
		sum := 0.0
		for _, v := range part {
			sum += float64(v) * float64(v)
			dead = dead && v == 0
		}
		levels = append(levels, 10*math.Log10(max(sum/float64(len(part)), 0.1)/(32768*32768)))
	}
	if len(levels) == 0 || dead {
		return Voice{Level: math.Inf(-1), Dead: true}
	}
	sorted := slices.Clone(levels)
	slices.Sort(sorted)
	floor := sorted[len(sorted)/10]
	n, power := 0, 0.0
	for _, l := range levels {
		if l >= floor+above && l >= loudest {
			n++
			power += math.Pow(10, l/10)
		}
	}
	v := Voice{Share: float64(n) / float64(len(levels)), Level: sorted[len(sorted)-1]}
	if n > 0 {
		v.Level = 10 * math.Log10(power/float64(n))
	}
	v.Heard = v.Share >= enough
	v.Faint = v.Heard && v.Level < wellOver
	return v
}
