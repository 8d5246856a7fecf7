// Command echo measures what the treatments of echo make of a room: a physician's voice from the loudspeaker, a person in the
// room, both at once. The room is made up (its first reflections and a tail that dies away in 300 ms), its loudspeaker
// distorts a little, its air is not silent; the voices are espeak-ng's. Nothing is read from a clock but the processor time.
package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"scanside/lab/speech"
	"scanside/media/room"
)

const (
	rate    = speech.Rate
	ten     = rate / 100
	latency = 55 * rate / 1000 // of the devices, samples
	tail    = 200              // ms of the room that are made up
	reverb  = 0.300            // s until it is 60 dB softer
	couple  = 1.0              // the echo's level against what was played: as loud in the microphone as the person's own voice
	noise   = 20               // root mean square of the room's air: -64 dBFS
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

func run() error {
	far, err := speech.Say(speech.British, speech.Physician)
	if err != nil {
		return err
	}
	near, err := speech.Say(speech.American, speech.Person)
	if err != nil {
		return err
	}
	s := scene(far, near)
	fmt.Printf("%d s of a room: the physician alone %d s, the room alone %d s, both at once %d s. Echo %.0f dB, speech in the room %.0f dB, air %.0f dB (full scale).\n",
		len(s.mic)/rate, s.alone/rate, (s.both-s.alone)/rate, (len(s.mic)-s.both)/rate,
		dbfs(level(s.echo[:s.alone])), dbfs(level(s.near[s.both:])), dbfs(noise))
	fmt.Printf("%-10s  %14s  %14s  %16s  %20s  %20s  %s\n", "treatment", "ERLE first 3 s", "ERLE after", "room alone", "room, both at once", "echo, both at once", "processor")
	for _, t := range []room.Treatment{room.OfDevice, room.Duck, room.Cancel} {
		if err := s.measure(t); err != nil {
			return err
		}
	}
	fmt.Println("ERLE: how much softer the physician's echo is. Room alone, and both at once: what is left of the person's own voice. Echo, both at once: what is left of the physician's.")
	return nil
}

// scene is what is played and what the microphone hears.
type sounds struct {
	far, near, echo, mic []int16
	alone, both          int // ends of "physician alone" and "room alone", samples
}

func scene(far, near []int16) sounds {
	n := min(len(far), 16*rate)
	half := min(len(near), 9*rate)
	s := sounds{alone: n}
	s.both = n + half
	total := s.both + half
	s.far, s.near = make([]int16, total), make([]int16, total)
	copy(s.far[:n], far)
	copy(s.far[s.both:], far[len(far)-min(half, len(far)):])
	copy(s.near[n:s.both], near)
	copy(s.near[s.both:], near)
	s.echo = reflect(s.far)
	s.mic = make([]int16, total)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range s.mic {
		s.mic[i] = clip(float64(s.echo[i]) + float64(s.near[i]) + noise*random.NormFloat64())
	}
	return s
}

// reflect is what comes back of a sound: late by the devices, distorted a little by the loudspeaker, and by the room.
func reflect(far []int16) []int16 {
	random := rand.New(rand.NewPCG(3, 4))
	response := make([]float32, tail*rate/1000)
	sum := 0.0
	for i := range response {
		at := float64(i) / rate
		v := random.NormFloat64() * math.Exp(-6.9*at/reverb) * 0.05
		switch i {
		case 144: // straight, 1 m
			v = 1
		case 290, 431, 700, 1013: // table, walls, ceiling
			v += 0.5 - float64(i)/3000
		}
		if i < 144 {
			v = 0
		}
		response[i] = float32(v)
		sum += v * v
	}
	scale := couple / math.Sqrt(sum)
	bent := make([]float32, len(far)+len(response))
	for i, v := range far {
		bent[len(response)+i] = float32(20000 * math.Tanh(float64(v)/20000)) // a small loudspeaker
	}
	out := make([]int16, len(far))
	for i := latency; i < len(out); i++ {
		past := bent[i-latency+1 : i-latency+1+len(response)]
		var v float32
		for j, h := range response {
			v += h * past[len(past)-1-j]
		}
		out[i] = clip(float64(v) * scale)
	}
	return out
}

func clip(v float64) int16 { return int16(math.Round(min(max(v, math.MinInt16), math.MaxInt16))) }

func (s *sounds) measure(t room.Treatment) error {
	e, err := room.NewEcho(t)
	if err != nil {
		return err
	}
	defer e.Close()
	out := append([]int16(nil), s.mic...)
	begun := time.Now()
	for at := 0; at+ten <= len(out); at += ten {
		e.Played(s.far[at : at+ten])
		e.Heard(out[at : at+ten])
	}
	took := time.Since(begun)
	if n := e.Failed(); n > 0 {
		return fmt.Errorf("%s: the library refused %d frames", t, n)
	}
	shift := lag(s.near[s.alone:s.both], out[s.alone:s.both])
	alone, _ := kept(s.near, s.echo, out, s.alone, s.both, shift)
	both, left := kept(s.near, s.echo, out, s.both, len(out), shift)
	fmt.Printf("%-10s  %11.1f dB  %11.1f dB  %13.1f dB  %17.1f dB  %17.1f dB  %.2f %% of a core\n", t,
		db(level(s.mic[:3*rate])/level(out[:3*rate])), db(level(s.mic[3*rate:s.alone])/level(out[3*rate:s.alone])),
		alone, both, left, 100*took.Seconds()/(float64(len(out))/rate))
	return nil
}

// lag is how many samples the treatment is late by.
func lag(said, sent []int16) int {
	best, where := 0.0, 0
	for l := 0; l < rate/50; l++ {
		sum := 0.0
		for i := 0; i+l < len(sent) && i < len(said); i += 7 {
			sum += float64(said[i]) * float64(sent[i+l])
		}
		if sum > best {
			best, where = sum, l
		}
	}
	return where
}

// kept is how much of what was said, and how much of the echo, is in what is sent, both in dB; 20 ms at a time, where somebody
// speaks. Each frame is taken for a sum of both (least squares), so that what they have in common counts once.
func kept(said, echo, sent []int16, from, to, shift int) (own, left float64) {
	var said2, told2, echo2, left2 float64
	const step = rate / 50
	for at := from; at+step+shift <= to; at += step {
		var nn, ee, ne, ny, ey float64
		for i := range step {
			n, e, y := float64(said[at+i]), float64(echo[at+i]), float64(sent[at+i+shift])
			nn, ee, ne, ny, ey = nn+n*n, ee+e*e, ne+n*e, ny+n*y, ey+e*y
		}
		if nn < step*300*300 {
			continue
		}
		g, h := ny/nn, 0.0
		if det := nn*ee - ne*ne; det > 0.1*nn*ee {
			g, h = (ny*ee-ey*ne)/det, (ey*nn-ny*ne)/det
		}
		said2, told2 = said2+nn, told2+g*g*nn
		echo2, left2 = echo2+ee, left2+h*h*ee
	}
	return 10 * math.Log10(told2/said2), 10 * math.Log10(max(left2, 1)/max(echo2, 1))
}

func level(pcm []int16) float64 {
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(pcm)))
}

func db(ratio float64) float64 { return 20 * math.Log10(ratio) }
func dbfs(rms float64) float64 { return db(rms / 32768) }
