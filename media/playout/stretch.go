package playout

import "math"

// Pitch periods that are looked for, in samples: 400 down to 100 Hz. Deeper voices show up at a multiple, or are left alone.
const (
	shortestPitch = Rate / 400
	longestPitch  = Rate / 100
	pitchStep     = 4   // of the search; 12 kHz is enough to find where speech repeats itself
	alike         = 0.8 // correlation from which a period may be taken for the next
	quiet         = 60  // root mean square below which nobody hears a seam: -55 dBFS
)

// Change appends pcm to out, a pitch period shorter or longer where the sound repeats itself enough for the seam not to be
// heard, else as it is. Pieces overlap and fade into each other, so that there is no click.
func Change(out, pcm []int16, how Stretch) []int16 {
	l := 0
	if how != Keep {
		l = pitch(pcm)
	}
	if l == 0 {
		return append(out, pcm...)
	}
	a, b, rest := pcm[:l], pcm[l:2*l], pcm[2*l:]
	if how == Shorten {
		return append(blend(out, a, b), rest...)
	}
	out = append(out, a...)
	return append(append(blend(out, b, a), b...), rest...)
}

// blend appends a sound that begins as from and ends as to.
func blend(out, from, to []int16) []int16 {
	n := len(from)
	for i := range n {
		out = append(out, int16((int(from[i])*(n-i)+int(to[i])*i)/n))
	}
	return out
}

// pitch is the lag at which the beginning of pcm repeats itself best; 0: at none well enough.
func pitch(pcm []int16) int {
	if len(pcm) < 2*longestPitch {
		return 0
	}
	if energy(pcm) < quiet*quiet*float64(len(pcm)/pitchStep) {
		return longestPitch
	}
	best, where := alike, 0
	for l := shortestPitch; l <= longestPitch; l += pitchStep {
		a, b := pcm[:l], pcm[l:2*l]
		var both float64
		for i := 0; i < l; i += pitchStep {
			both += float64(a[i]) * float64(b[i])
		}
		if c := both / math.Sqrt(energy(a)*energy(b)+1); c > best {
			best, where = c, l
		}
	}
	return where
}

// energy is the sum of squares of every pitchStep-th sample.
func energy(pcm []int16) (sum float64) {
	for i := 0; i < len(pcm); i += pitchStep {
		sum += float64(pcm[i]) * float64(pcm[i])
	}
	return sum
}
