package media

import (
	"image"
	"slices"
	"strings"
	"testing"
	"time"
)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func clone(img *image.YCbCr) *image.YCbCr {
	c := *img
	c.Y, c.Cb, c.Cr = slices.Clone(img.Y), slices.Clone(img.Cb), slices.Clone(img.Cr)
	return &c
}

// A frozen part of the picture must be seen: in a second each square of 32 x 32 pixels changes by something an encoder does not smooth away.
func TestPatternMovesEverywhere(t *testing.T) {
	for name, draw := range map[string]func(*Pattern, uint64, time.Time) *image.YCbCr{
		"picture": (*Pattern).Draw,
		"slate": func(p *Pattern, n uint64, at time.Time) *image.YCbCr {
			return p.Slate(n, at, "The camera was unplugged.")
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewPattern(1280, 720, 30)
			first := clone(draw(p, 0, noon()))
			const across = 1280 / 32
			var most [across * 720 / 32]int // of each square: the grey scale's last row, only half a square high, left off
			for n := uint64(2); n <= 30; n += 2 {
				img := draw(p, n, noon().Add(time.Duration(n)*time.Second/30))
				for i := range across * 32 * (720 / 32) * 32 {
					d := int(img.Y[i]) - int(first.Y[i])
					square := i/1280/32*across + i%1280/32
					most[square] = max(most[square], d, -d)
				}
			}
			for square, d := range most[:across*21] { // below is the grey scale, which has only its mark
				if d < 8 {
					t.Errorf("square %d, %d changes by at most %d", square%across, square/across, d)
				}
			}
		})
	}
}

func TestPatternShowsFrameAndTime(t *testing.T) {
	p := NewPattern(1280, 720, 30)
	first := clone(p.Draw(7, noon()))
	if again := p.Draw(7, noon()); !slices.Equal(first.Y, again.Y) || !slices.Equal(first.Cb, again.Cb) {
		t.Error("the same frame at the same time looks different")
	}
	if later := p.Draw(7, noon().Add(time.Hour)); slices.Equal(first.Y, later.Y) {
		t.Error("the clock does not show the hour")
	}
	slate := clone(p.Slate(7, noon(), "The camera was unplugged."))
	if other := p.Slate(7, noon(), "The camera is busy."); slices.Equal(slate.Y, other.Y) {
		t.Error("the slate does not show its reason")
	}
}

// ITU-R BT.601: 16 to 235, colour 16 to 240. Any size, odd ones and very small ones too, and any text.
func TestPatternSizesAndRange(t *testing.T) {
	for _, size := range []image.Point{{640, 480}, {320, 180}, {333, 777}, {64, 64}, {0, 0}, {2000, 65}} {
		p := NewPattern(size.X, size.Y, 0)
		img := p.Draw(1<<63, noon())
		check := func(plane []uint8, high uint8) {
			t.Helper()
			if low, top := slices.Min(plane), slices.Max(plane); low < 16 || top > high {
				t.Errorf("%v: values from %d to %d", size, low, top)
			}
		}
		check(img.Y, 235)
		check(img.Cb, 240)
		check(img.Cr, 240)
		for _, reason := range []string{"", " ", "é→\x00", "A_very_long_word_without_any_place_to_break_it_in_two_or_three", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39"} {
			check(p.Slate(2, noon(), reason).Y, 235)
		}
	}
}

// A line never runs off the picture: a device's path is cut where the line ends, and no letter is lost.
func TestWrap(t *testing.T) {
	pen := NewPattern(640, 360, 15).mid
	width := pen.width("0123456789")
	for _, text := range []string{
		"", "short", "camera /dev/v4l/by-path/platform-vivid.0-video-index0 is gone", "a bb ccc dddd eeeee ffffff", "→→→→→→→→→→→→→→→→→→→→ é",
	} {
		lines := wrap(pen, text, width)
		for _, line := range lines {
			if pen.width(line) > width {
				t.Errorf("%q: line %q is %v wide, more than %v", text, line, pen.width(line), width)
			}
		}
		letters := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if got := letters(strings.Join(lines, "")); got != letters(text) {
			t.Errorf("%q became %q", text, lines)
		}
	}
	wrap(pen, "no width at all \xff", 0) // ends
}

// Each glyph has a shape of its own and none is the box for what cannot be written.
func TestFontIsComplete(t *testing.T) {
	box := glyphPath('\x00')
	for r := ' '; r <= 'z'; r++ {
		switch r {
		case '$', '&', '@', '\\', '^', '`': // no reason has these
			continue
		}
		path := glyphPath(r)
		if path == box || path == "" && r != ' ' {
			t.Errorf("%q cannot be written", r)
		}
		strokes, right := flatten(path)
		for _, s := range strokes {
			if len(s) < 2 || right > 12 {
				t.Errorf("%q: stroke of %d points, %v wide", r, len(s), right)
			}
		}
	}
}
