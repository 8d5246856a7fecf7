package media

import (
	"fmt"
	"image"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Brightness and colour are of the range video uses, 16 to 235 (ITU-R BT.601), which is what encoders and browsers take for granted.
const (
	black = 16
	white = 235
	light = 190
	grey  = 128 // of the colour planes: none
)

const clockFormat = "15:04:05.000"

// wave is the length in pixels after which the moving background repeats.
const wave = 512

// Pattern draws the test picture: what is sent when there is no camera, and what tests look at. Everywhere in it something moves, so that
// a frozen part is seen; the clock shows delay, the frame number loss. One goroutine at a time.
type Pattern struct {
	w, h, fps int
	img       *image.YCbCr

	sweep          [3][]uint8 // the moving background, one row of each plane, longer than the picture by wave
	bars           [3][]uint8 // colour bars, one row of each plane
	dim            [256]uint8 // brightness under a panel
	fade           [256]uint8 // colour under a panel
	u              float64    // layout unit in pixels; the layout is 16 x 9 of them, in the middle of the picture
	left, top      float64    // of the layout, in pixels
	big, mid, tiny *pen
	dial           *glyph
	hand           *glyph // drawn anew each frame
}

// NewPattern returns a Pattern of w x h pixels for fps frames a second; w and h are at least 64.
func NewPattern(w, h, fps int) *Pattern {
	w, h, fps = max(w, 64), max(h, 64), max(fps, 1)
	p := &Pattern{w: w, h: h, fps: fps, img: image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)}
	p.u = min(float64(w)/16, float64(h)/9)
	p.left, p.top = (float64(w)-16*p.u)/2, (float64(h)-9*p.u)/2
	p.big, p.mid, p.tiny = newPen(1.38*p.u), newPen(0.55*p.u), newPen(0.3*p.u)
	for i := range p.dim {
		p.dim[i] = uint8(black + (i-black)/4)
		p.fade[i] = uint8(grey + (i-grey)/4)
	}
	p.makeSweep()
	p.makeBars()
	p.makeDial(1.2 * p.u)
	return p
}

// Draw draws frame n as it is at the wall clock time at. The image is valid until the next Draw or Slate.
func (p *Pattern) Draw(n uint64, at time.Time) *image.YCbCr {
	p.background(n)
	p.drawBars(n)
	p.panel(1, 1.9, 14, 6.3)
	p.centred(p.mid, 2.85, "scanside TEST PICTURE")
	p.text(p.big, p.middle(p.big, "00:00:00.000"), 5.05, at.Format(clockFormat), white) // placed as the widest time, so that it stands still
	p.text(p.mid, 1.6, 6.55, fmt.Sprintf("FRAME %07d", n), white)
	p.text(p.tiny, 1.6, 7.5, fmt.Sprintf("%dx%d  %d fps  %s", p.w, p.h, p.fps, at.Format("2006-01-02 UTC-07:00")), light)
	p.drawDial(at, 13.3, 6.75)
	p.runner(at)
	return p.img
}

// Slate draws a picture that says in words why there is no other; reason is one or two short sentences. The image is valid until the next Draw or
// Slate.
func (p *Pattern) Slate(n uint64, at time.Time, reason string) *image.YCbCr {
	const maxLines = 4
	p.background(n)
	p.panel(1, 1, 14, 7)
	p.centred(p.mid, 2.1, "NO PICTURE")
	lines := wrap(p.mid, reason, 12.6*p.u)
	lines = lines[:min(len(lines), maxLines)]
	for i, line := range lines {
		p.centred(p.mid, 4.9-0.5*float64(len(lines))+float64(i), line)
	}
	p.text(p.mid, 1.6, 7.3, at.Format(clockFormat), light)
	p.drawDial(at, 13.3, 6.5)
	p.runner(at)
	return p.img
}

// background fills the picture with diagonal waves that move by a tenth of its width a second: each row is the one row of sweep, shifted.
func (p *Pattern) background(n uint64) {
	shift := p.shift(n)
	for y := range p.h {
		copy(p.img.Y[y*p.img.YStride:][:p.w], p.sweep[0][(shift+y)%wave:])
	}
	cw := (p.w + 1) / 2
	for y := range (p.h + 1) / 2 {
		from := (shift/2 + y) % wave
		copy(p.img.Cb[y*p.img.CStride:][:cw], p.sweep[1][from:])
		copy(p.img.Cr[y*p.img.CStride:][:cw], p.sweep[2][from:])
	}
}

// shift is how far the background has moved at frame n, in pixels.
func (p *Pattern) shift(n uint64) int {
	speed := uint64(max(p.w/10, 8)) // pixels a second
	return int(n * speed / uint64(p.fps) % (2 * wave))
}

func (p *Pattern) makeSweep() {
	for plane, length := range []int{p.w, (p.w + 1) / 2, (p.w + 1) / 2} {
		row := make([]uint8, length+wave)
		for i := range row {
			a := 2 * math.Pi * float64(i) / wave
			switch plane {
			case 0: // broad waves with a narrow bright crest on every fourth of them
				row[i] = uint8(70 + 22*math.Sin(2*a) + 60*math.Pow(math.Max(0, math.Cos(a*4)), 60))
			case 1:
				row[i] = uint8(146 + 12*math.Sin(2*a))
			case 2:
				row[i] = uint8(116 + 14*math.Sin(a+1))
			}
		}
		p.sweep[plane] = row
	}
}

// makeBars makes a row of colour bars at 75 % (ITU-R BT.471), white to blue.
func (p *Pattern) makeBars() {
	colours := [...][3]uint8{
		{180, 128, 128}, {162, 44, 142}, {131, 156, 44}, {112, 72, 58}, {84, 184, 198}, {65, 100, 212}, {35, 212, 114},
	}
	for plane, length := range []int{p.w, (p.w + 1) / 2, (p.w + 1) / 2} {
		row := make([]uint8, length)
		for x := range row {
			row[x] = colours[x*len(colours)/length][plane]
		}
		p.bars[plane] = row
	}
}

// drawBars draws the colour bars along the upper edge; a glint of the background runs through their brightness.
func (p *Pattern) drawBars(n uint64) {
	rows, shift := int(1.4*p.u), p.shift(n)
	for y := range rows {
		dst := p.img.Y[y*p.img.YStride:][:p.w]
		glint := p.sweep[0][(shift+y)%wave:][:p.w]
		for x, b := range p.bars[0] {
			dst[x] = b + glint[x]>>2 - 12
		}
	}
	for y := range rows / 2 {
		copy(p.img.Cb[y*p.img.CStride:], p.bars[1])
		copy(p.img.Cr[y*p.img.CStride:], p.bars[2])
	}
}

// panel darkens a rectangle, given in layout units, so that writing on it can be read; the background goes on moving under it.
func (p *Pattern) panel(x, y, w, h float64) {
	even := func(pixels float64) int { return int(pixels) &^ 1 } // the colour planes have half the size
	x0, x1 := even(p.left+x*p.u), even(p.left+(x+w)*p.u)
	y0, y1 := even(p.top+y*p.u), even(p.top+(y+h)*p.u)
	for row := y0; row < y1; row++ {
		s := p.img.Y[row*p.img.YStride+x0 : row*p.img.YStride+x1]
		for i, v := range s {
			s[i] = p.dim[v]
		}
	}
	for row := y0 / 2; row < y1/2; row++ {
		cb := p.img.Cb[row*p.img.CStride+x0/2 : row*p.img.CStride+x1/2]
		cr := p.img.Cr[row*p.img.CStride+x0/2 : row*p.img.CStride+x1/2]
		for i := range cb {
			cb[i], cr[i] = p.fade[cb[i]], p.fade[cr[i]]
		}
	}
}

// text writes s with the left end of its base line at x, y in layout units.
func (p *Pattern) text(pen *pen, x, y float64, s string, luma uint8) {
	pen.write(p.img.Y, p.img.YStride, p.left+x*p.u, p.top+y*p.u, s, luma)
}

func (p *Pattern) centred(pen *pen, y float64, s string) { p.text(pen, p.middle(pen, s), y, s, white) }

// middle is where s begins when it stands in the middle, in layout units.
func (p *Pattern) middle(pen *pen, s string) float64 { return 8 - pen.width(s)/p.u/2 }

// makeDial draws a ring with twelve marks, and makes room for the hand.
func (p *Pattern) makeDial(radius float64) {
	size := int(2*radius) + 4
	p.dial = &glyph{w: size, h: size, cover: make([]uint8, size*size)}
	p.hand = &glyph{w: size, h: size, cover: make([]uint8, size*size)}
	c := float64(size-1) / 2
	on := func(turn, r float64) point {
		sin, cos := math.Sincos(2 * math.Pi * turn)
		return point{c + r*sin, c - r*cos}
	}
	thin := max(radius/40, 0.5)
	for i := range 60 {
		a, b := float64(i)/60, float64(i+1)/60
		p.dial.line(on(a, radius-thin), on(b, radius-thin), thin)
		if i%5 == 0 {
			p.dial.line(on(a, radius*0.82), on(a, radius-thin), thin)
		}
	}
}

// drawDial draws the dial around x, y in layout units, its hand turning once a second.
func (p *Pattern) drawDial(at time.Time, x, y float64) {
	clear(p.hand.cover)
	c := float64(p.hand.w-1) / 2
	sin, cos := math.Sincos(2 * math.Pi * float64(at.Nanosecond()) / 1e9)
	p.hand.line(point{c - 0.15*c*sin, c + 0.15*c*cos}, point{c + 0.75*c*sin, c - 0.75*c*cos}, max(c/22, 1))
	left, top := int(p.left+x*p.u)-p.dial.w/2, int(p.top+y*p.u)-p.dial.h/2
	p.dial.stamp(p.img.Y, p.img.YStride, left, top, light)
	p.hand.stamp(p.img.Y, p.img.YStride, left, top, white)
}

// runner draws a grey scale of sixteen steps along the bottom and a mark that runs along it once in two seconds.
func (p *Pattern) runner(at time.Time) {
	top, bottom := int(float64(p.h)-0.45*p.u)&^1, p.h
	mark := int(float64(at.UnixMilli()%2000) / 2000 * float64(p.w))
	half := max(p.w/80, 2)
	for row := top; row < bottom; row++ {
		dst := p.img.Y[row*p.img.YStride:][:p.w]
		for x := range dst {
			dst[x] = uint8(black + x*16/p.w*(white-black)/15)
		}
		for x := max(mark-half, 0); x < min(mark+half, p.w); x++ {
			dst[x] = black + white - dst[x]
		}
	}
	for row := top / 2; row < (bottom+1)/2; row++ {
		cb, cr := p.img.Cb[row*p.img.CStride:][:(p.w+1)/2], p.img.Cr[row*p.img.CStride:][:(p.w+1)/2]
		for i := range cb {
			cb[i], cr[i] = grey, grey
		}
	}
}

// wrap breaks text at spaces into lines of at most width pixels. A longer word, such as a device's path, is cut where the line ends.
func wrap(pen *pen, text string, width float64) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && pen.width(line+" "+word) > width {
			lines = append(lines, line)
			line = ""
		}
		for line == "" && pen.width(word) > width {
			n := fitting(pen, word, width)
			lines, word = append(lines, word[:n]), word[n:]
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

// fitting is how many bytes of word, in whole letters and at least one, are at most width pixels wide.
func fitting(pen *pen, word string, width float64) int {
	n := 0
	for n < len(word) {
		_, size := utf8.DecodeRuneInString(word[n:])
		if n > 0 && pen.width(word[:n+size]) > width {
			break
		}
		n += size
	}
	return n
}
