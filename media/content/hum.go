package content

import "math"

const (
	humThin      = 8                    // one in so many samples is kept, as the mean of them: 6 kHz
	humSamples   = humEvery / humThin   // of a window
	humRate      = SampleRate / humThin // Hz
	humMultiples = 8                    // of the mains: 50 to 400, 60 to 480 Hz; what a ground loop and a dimmer bring
)

// hum measures the mains' share of half a second of sound: Goertzel's algorithm at each multiple, under a Hann window, which is wide
// enough (4 Hz either way) for a grid that is off by a quarter of a hertz.
type hum struct {
	weight  []float64 // the window
	samples []float64
	sum     int
	n       int
}

func newHum() hum {
	h := hum{weight: make([]float64, humSamples), samples: make([]float64, 0, humSamples)}
	for i := range h.weight {
		h.weight[i] = 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/humSamples)
	}
	return h
}

func (h *hum) clear() { h.samples, h.sum, h.n = h.samples[:0], 0, 0 }

// add takes a sample; true: a window is full, and find must be called.
func (h *hum) add(v int16) bool {
	h.sum += int(v)
	if h.n++; h.n < humThin {
		return false
	}
	h.samples = append(h.samples, float64(h.sum)/humThin)
	h.sum, h.n = 0, 0
	return len(h.samples) == humSamples
}

// find measures the window and begins the next: the greater share of both mains, which, and the mean power of all.
func (h *hum) find() (share float64, mains int, power float64) {
	mean := 0.0
	for _, v := range h.samples {
		mean += v
	}
	mean /= humSamples
	var windowed, weights, squares float64
	for i, v := range h.samples {
		v -= mean // a converter's offset is no hum
		power += v * v / humSamples
		h.samples[i] = v * h.weight[i]
		windowed += square(h.samples[i])
		weights += h.weight[i]
		squares += square(h.weight[i])
	}
	mains = 50
	for _, base := range []int{50, 60} {
		tones := 0.0
		for m := 1; m <= humMultiples; m++ {
			tones += 2 * h.tone(float64(base*m)) / square(weights) // mean power of that tone
		}
		if all := windowed / squares; all > 0 && tones/all > share {
			share, mains = min(tones/all, 1), base
		}
	}
	h.samples = h.samples[:0]
	return share, mains, power
}

// tone is the squared magnitude at a frequency (Goertzel 1958).
func (h *hum) tone(hz float64) float64 {
	k := 2 * math.Cos(2*math.Pi*hz/humRate)
	var s1, s2 float64
	for _, v := range h.samples {
		s1, s2 = v+k*s1-s2, s1
	}
	return s1*s1 + s2*s2 - k*s1*s2
}
