package media

import (
	"fmt"
	"math"
)

// Shape is how large pictures are and how many come a second.
type Shape struct{ Width, Height, FPS int }

// String is the shape as people write it.
func (s Shape) String() string {
	return fmt.Sprintf("%dx%d, %d pictures a second", s.Width, s.Height, s.FPS)
}

func (s Shape) pixels() float64 { return float64(s.Width) * float64(s.Height) * float64(s.FPS) }

// What a picture is made smaller by, and where that ends. Size goes before pace: supervision is of a room in which little moves
// fast, but a person's movements are looked at; 15 pictures a second are the least (COMAR 10.09.49.07), and below 360 lines a face
// at the far side of a room is not one any more.
const (
	leastHeight = 360
	leastFPS    = 15

	// bitsPerPixel is what a picture needs to look clean with a small box's encoder: 1 Mbit/s at 1280x720, 30 a second.
	bitsPerPixel = 1_000_000.0 / (1280 * 720 * 30)
	// ofConfigured: a picture is made smaller only when less than this share of its configured rate is left, whatever it needs.
	ofConfigured = 0.4
	// regain is how much more than needed there must be before the picture grows again.
	regain = 1.2
)

// Ladder chooses the shape that fits a rate, with hysteresis. The zero value is ready. It belongs to one goroutine.
type Ladder struct {
	Rate int // bit/s that are configured for the full shape; 0: not known
	rung int
}

// Fit is the shape for pictures that come as full, when bps are left for them.
func (l *Ladder) Fit(full Shape, bps int) Shape {
	rungs := rungsOf(full)
	l.rung = min(l.rung, len(rungs)-1)
	for l.rung < len(rungs)-1 && float64(bps) < l.need(full, rungs[l.rung]) {
		l.rung++
	}
	for l.rung > 0 && float64(bps) >= regain*l.need(full, rungs[l.rung-1]) {
		l.rung--
	}
	return rungs[l.rung]
}

// need is the least rate of a shape, bit/s.
func (l *Ladder) need(full, s Shape) float64 {
	per := bitsPerPixel
	if l.Rate > 0 {
		per = math.Min(per, ofConfigured/regain*float64(l.Rate)/full.pixels())
	}
	return per * s.pixels()
}

// rungsOf lists the shapes, the full one first: three quarters of the sides, half, a third, and then half the pace.
func rungsOf(full Shape) []Shape {
	rungs := []Shape{full}
	for _, part := range [][2]int{{3, 4}, {1, 2}, {1, 3}} {
		s := Shape{full.Width * part[0] / part[1] &^ 1, full.Height * part[0] / part[1] &^ 1, full.FPS}
		if s.Height >= leastHeight {
			rungs = append(rungs, s)
		}
	}
	if last := rungs[len(rungs)-1]; last.FPS/2 >= leastFPS {
		last.FPS /= 2
		rungs = append(rungs, last)
	}
	return rungs
}

// Shaped is a source that says how its pictures are sent now, and how they are when nothing makes them smaller. Any goroutine may
// call Shapes; before the first picture both are zero.
type Shaped interface{ Shapes() (now, full Shape) }
