package roomscene

import (
	"math"
	"math/rand/v2"

	"scanside/media"
)

const rate = media.ToneRate

// Take is what sounds, each at a level in dBFS (root mean square while it sounds); 0 is absent.
type Take struct {
	Noise    float64 // of microphone and converter: white
	Fan      float64 // air, low and broad
	Pump     float64 // the helium pump of a magnet: a chirp about twice a second
	Gradient float64 // the coils of a running sequence: trains of knocks and a buzz
	Voice    float64
	Mains    float64 // hum
	Hertz    float64 // of it; 0: 50
	Gain     float64 // of everything, decibels
}

// Ear makes a room's sound. One goroutine.
type Ear struct {
	rng   *rand.Rand
	n     uint64
	air   float64
	voice media.Tone
	said  []int16
	tones [5]float64 // of the sequence
	train float64    // knocks a second
}

// NewEar returns one that heard nothing yet.
func NewEar(seed uint64) *Ear {
	e := &Ear{rng: rand.New(rand.NewPCG(seed, 3))}
	e.Sequence()
	return e
}

// Sequence begins another sequence of the scanner.
func (e *Ear) Sequence() {
	e.train = 6 + 18*e.rng.Float64()
	base := 350 + 700*e.rng.Float64()
	for i := range e.tones {
		e.tones[i] = base * float64(i+1) * (1 + 0.02*e.rng.NormFloat64())
	}
}

func level(db float64) float64 {
	if db == 0 {
		return 0
	}
	return 32768 * math.Pow(10, db/20)
}

// Read fills pcm, 48 kHz, clipped at full scale as a converter does.
func (e *Ear) Read(pcm []int16, t Take) {
	if len(e.said) < len(pcm) {
		e.said = make([]int16, len(pcm))
	}
	said := e.said[:len(pcm)]
	e.voice.Read(said)
	noise, fan, pump, grad := level(t.Noise), level(t.Fan), level(t.Pump), level(t.Gradient)
	voice, mains := level(t.Voice)/3277, level(t.Mains) // media.Tone speaks at -20 dBFS
	hz := t.Hertz
	if hz == 0 {
		hz = 50
	}
	gain := math.Pow(10, t.Gain/20)
	for i := range pcm {
		at := float64(e.n) / rate
		white := 3.46 * (e.rng.Float64() - 0.5) // of variance 1
		e.air += 0.03 * (white - e.air)         // a fan's noise falls above some 200 Hz
		v := noise*white + fan*8*e.air
		if pump > 0 {
			beat := math.Mod(at, 0.52)
			v += pump * 3 * math.Exp(-beat*9) * math.Sin(2*math.Pi*(420-300*beat)*at)
		}
		if grad > 0 {
			v += grad * e.gradient(at)
		}
		if voice > 0 {
			v += voice * float64(said[i])
		}
		if mains > 0 {
			a := 2 * math.Pi * hz * at
			v += mains * 1.25 * (math.Sin(a) + 0.45*math.Sin(2*a+1) + 0.2*math.Sin(3*a+2))
		}
		pcm[i] = int16(math.Round(min(max(v*gain, math.MinInt16), math.MaxInt16)))
		e.n++
	}
}

// gradient is the coils' noise: a buzz whose envelope knocks, of variance about 1.
func (e *Ear) gradient(at float64) float64 {
	v := 0.0
	for i, hz := range e.tones {
		v += math.Sin(2*math.Pi*hz*at+float64(i)) / float64(i+1)
	}
	return v * (0.5 + 1.4*math.Exp(-12*math.Mod(at*e.train, 1)))
}

// Hour is a room's ordinary sound at a time, in seconds: all is well, and much of it is loud or quiet.
type Hour struct {
	rng  *rand.Rand
	next float64
	take Take
}

// NewHour begins one.
func NewHour(seed uint64) *Hour { return &Hour{rng: rand.New(rand.NewPCG(seed, 4))} }

// At is the take at a time; anew says that the scanner begins another sequence.
func (h *Hour) At(at float64) (t Take, anew bool) {
	if at < h.next {
		return h.take, false
	}
	h.next = at + 3 + 40*h.rng.Float64()
	between := func(a, b float64) float64 { return a + (b-a)*h.rng.Float64() }
	h.take = Take{Noise: between(-78, -66), Fan: between(-62, -45)}
	if h.rng.IntN(2) == 0 {
		h.take.Pump = between(-52, -38)
	}
	if h.rng.IntN(3) == 0 {
		h.take.Gradient = between(-30, -12)
	}
	if h.rng.IntN(2) == 0 {
		h.take.Voice = between(-34, -18)
	}
	if h.rng.IntN(3) == 0 { // a little of it is in every installation
		h.take.Mains, h.take.Hertz = between(-75, -58), []float64{50, 60}[h.rng.IntN(2)]+between(-0.2, 0.2)
	}
	return h.take, true
}
