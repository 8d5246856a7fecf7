package speech

import (
	"math"
	"time"
)

// Sound is a recording of which it is known when it began.
type Sound struct {
	Begun time.Time
	PCM   []int16 // mono, Rate
}

// Heard is what became of a piece of what was said.
type Heard struct {
	At    time.Time // the piece was said
	Delay time.Duration
	Like  float64 // 1: the same but for its loudness; 0: something else, or nothing
}

const (
	coarse    = 12                     // samples taken together: 4 kHz tells speech from speech
	Piece     = 500 * time.Millisecond // of speech, so that no pitch period is taken for another
	step      = 100 * time.Millisecond
	latest    = 1500 * time.Millisecond
	spoken    = 300  // root mean square from which a piece is speech and not a pause
	recognise = 0.45 // Like from which a piece counts as heard: a browser's noise suppression leaves 0.5 to 0.9, other sentences reach 0.35
)

// Understood reports whether the piece was heard at all.
func (h Heard) Understood() bool { return h.Like >= recognise }

// Compare finds each spoken piece of what was said in what was heard, not before it was said and at most 1.5 s later.
func Compare(said, heard Sound) []Heard {
	s, h := thin(said.PCM), thin(heard.PCM)
	between := samples(heard.Begun.Sub(said.Begun))
	n, hop, reach := samples(Piece), samples(step), samples(latest)
	sums := squares(h)
	var all []Heard
	for from := 0; from+n <= len(s); from += hop {
		piece := s[from : from+n]
		loud := energy(piece)
		if loud < float64(n)*spoken*spoken {
			continue
		}
		best, where := 0.0, 0
		for lag := 0; lag <= reach; lag++ {
			at := from + lag - between
			if at < 0 || at+n > len(h) {
				continue
			}
			there := sums[at+n] - sums[at]
			if there < loud*1e-6 {
				continue
			}
			if like := float64(dot(piece, h[at:at+n])) / math.Sqrt(loud*there); like > best {
				best, where = like, lag
			}
		}
		all = append(all, Heard{said.Begun.Add(lasting(from)), lasting(where), best})
	}
	return all
}

func samples(d time.Duration) int  { return int(d * (Rate / coarse) / time.Second) }
func lasting(n int) time.Duration  { return time.Duration(n) * time.Second / (Rate / coarse) }
func energy(pcm []float32) float64 { return float64(dot(pcm, pcm)) }

// thin takes neighbours together.
func thin(pcm []int16) []float32 {
	out := make([]float32, len(pcm)/coarse)
	for i := range out {
		for _, v := range pcm[i*coarse : (i+1)*coarse] {
			out[i] += float32(v) / coarse
		}
	}
	return out
}

// squares are the sums of squares up to each sample.
func squares(pcm []float32) []float64 {
	sums := make([]float64, len(pcm)+1)
	for i, v := range pcm {
		sums[i+1] = sums[i] + float64(v)*float64(v)
	}
	return sums
}

// dot has four sums, because the processor adds while it waits.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}
