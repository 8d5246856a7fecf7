package selftest

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// roomWith is two seconds of a room's noise of that root mean square, with the chirp in it.
func roomWith(noise float64, late int, gain float64, seed uint64) []int16 {
	random := rand.New(rand.NewPCG(seed, 1))
	pcm := make([]int16, 2*Rate)
	for i := range pcm {
		pcm[i] = int16(noise * random.NormFloat64())
	}
	for i, v := range Chirp() {
		pcm[late+i] += int16(gain * float64(v))
		pcm[late+i+Rate/100] += int16(gain * float64(v) / 3) // a wall
	}
	return pcm
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		story       string
		noise, gain float64
		heard       bool
	}{
		{"a quiet room", 20, 0.3, true},
		{"a magnet that knocks as loud as the chirp", 500, 0.1, true},
		{"no loudspeaker", 200, 0, false},
		{"digital silence", 0, 0, false},
		{"so soft that it is not there", 500, 0.001, false},
	} {
		t.Run(c.story, func(t *testing.T) {
			for seed := range uint64(5) {
				f := Find(roomWith(c.noise, 4000, c.gain, seed))
				if f.Heard != c.heard {
					t.Fatalf("%+v", f)
				}
				if !c.heard {
					continue
				}
				if off := f.Delay - 4000*time.Second/Rate; off < -time.Millisecond || off > time.Millisecond {
					t.Errorf("found after %v, want %v", f.Delay, 4000*time.Second/Rate)
				}
				if want := 20 * math.Log10(c.gain); math.Abs(f.Level-want) > 2 {
					t.Errorf("%.1f dB, want %.1f", f.Level, want)
				}
			}
		})
	}
	if f := Find(nil); f.Heard {
		t.Error("in nothing there was something")
	}
}

func TestListen(t *testing.T) {
	say := func(amplitude float64, noise float64) []int16 { // syllables, four a second
		random := rand.New(rand.NewPCG(9, 9))
		pcm := make([]int16, 3*Rate)
		for i := range pcm {
			at := float64(i) / Rate
			on := math.Max(0, math.Sin(2*math.Pi*4*at))
			pcm[i] = int16(amplitude*on*math.Sin(2*math.Pi*180*at) + noise*random.NormFloat64())
		}
		return pcm
	}
	for _, c := range []struct {
		story string
		pcm   []int16
		heard bool
		faint bool
		dead  bool
	}{
		{"somebody speaks", say(6000, 30), true, false, false},
		{"somebody speaks far away", say(300, 10), true, true, false},
		{"nobody speaks, the fan runs", say(0, 400), false, false, false},
		{"the microphone is muted", make([]int16, 3*Rate), false, false, true},
		{"nothing was recorded", nil, false, false, true},
	} {
		t.Run(c.story, func(t *testing.T) {
			if v := Listen(c.pcm); v.Heard != c.heard || v.Faint != c.faint || v.Dead != c.dead {
				t.Errorf("%+v", v)
			}
		})
	}
}
