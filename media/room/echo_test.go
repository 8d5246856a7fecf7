package room

import (
	"math"
	"testing"
)

// frameOf is 10 ms of a tone at that amplitude.
func frameOf(amplitude float64, n int) []int16 {
	pcm := make([]int16, tenMs)
	for i := range pcm {
		pcm[i] = int16(amplitude * math.Sin(2*math.Pi*300*float64(n*tenMs+i)/rate))
	}
	return pcm
}

func TestDuck(t *testing.T) {
	const said = 4000 / math.Sqrt2
	for _, c := range []struct {
		story  string
		far    func(n int) float64 // the loudspeaker's amplitude in frame n
		at     int                 // frame that is looked at
		least  float64             // of what was said, dB
		atMost float64
	}{
		{"nobody speaks in the loudspeaker", func(int) float64 { return 0 }, 50, -0.1, 0.1},
		{"the physician speaks", func(int) float64 { return 5000 }, 50, -21, -19},
		{"he has just begun", func(n int) float64 {
			if n >= 40 {
				return 5000
			}
			return 0
		}, 45, -21, -15},
		{"he pauses for breath", func(n int) float64 {
			if n >= 40 && n < 60 {
				return 0
			}
			return 5000
		}, 59, -21, -19},
		{"he has ended", func(n int) float64 {
			if n >= 40 {
				return 0
			}
			return 5000
		}, 130, -0.5, 0.1},
		{"noise on the line is nobody", func(int) float64 { return 100 }, 50, -0.1, 0.1},
	} {
		t.Run(c.story, func(t *testing.T) {
			e, err := NewEcho(Duck)
			if err != nil {
				t.Fatal(err)
			}
			for n := 0; ; n++ {
				e.Played(frameOf(c.far(n), n))
				near := frameOf(4000, n)
				e.Heard(near)
				if n < c.at {
					continue
				}
				if db := 20 * math.Log10(loudness(near)/said); db < c.least || db > c.atMost {
					t.Errorf("the microphone is at %.1f dB, want %.1f to %.1f", db, c.least, c.atMost)
				}
				break
			}
		})
	}
}

// An echo that is nothing but late and softer is taken out, whatever size of pieces it comes in. What a real room costs is
// `make echo`'s to say.
func TestCancel(t *testing.T) {
	e, err := NewEcho(Cancel)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	far := make([]int16, 8*rate)
	x := uint32(1)
	for i := range far {
		x = x*1664525 + 1013904223
		far[i] = int16(int32(x)>>16) / 8
	}
	const late = 50 * rate / 1000
	var before, after float64
	for at := 0; at+2*tenMs <= len(far); at += 2 * tenMs {
		for _, piece := range [][]int16{far[at : at+100], far[at+100 : at+2*tenMs]} {
			e.Played(piece)
		}
		near := make([]int16, 2*tenMs)
		for i := range near {
			if from := at + i - late; from >= 0 {
				near[i] = far[from] / 3
			}
		}
		if at > len(far)/2 {
			before += loudness(near)
		}
		if e.Heard(near); at > len(far)/2 {
			after += loudness(near)
		}
	}
	if e.Failed() > 0 {
		t.Errorf("%d frames were refused", e.Failed())
	}
	if erle := 20 * math.Log10(before/max(after, 1)); erle < 15 {
		t.Errorf("the echo is %.1f dB softer, want 15", erle)
	}
}

func TestUnknownTreatment(t *testing.T) {
	if _, err := NewEcho("shout"); err == nil {
		t.Error("it was taken")
	}
	e, err := NewEcho(OfDevice)
	if err != nil {
		t.Fatal(err)
	}
	near := frameOf(4000, 0)
	e.Played(frameOf(9000, 0))
	if e.Heard(near); loudness(near) != loudness(frameOf(4000, 0)) {
		t.Error("a speakerphone's sound was changed")
	}
}
