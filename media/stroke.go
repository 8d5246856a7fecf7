package media

import (
	"math"
	"strings"
)

// Units of the stroke font, see glyphPath.
const (
	glyphBase   = 4    // height of the base line above the lowest foot
	glyphTop    = 16   // height of a capital above the lowest foot
	glyphGap    = 3.5  // between two characters
	glyphSpace  = 5.0  // a space is wide
	glyphRadius = 0.85 // half a stroke's thickness
)

// pen writes text of one size into a plane of pixels. Each character is drawn once and kept as a mask. One goroutine at a time.
type pen struct {
	scale  float64 // pixels per unit
	glyphs map[rune]*glyph
}

// glyph is a character's coverage: 0 none, 255 full.
type glyph struct {
	w, h    int
	cover   []uint8
	advance float64 // in pixels
}

// newPen returns a pen whose capitals are height pixels high.
func newPen(height float64) *pen {
	return &pen{scale: height / (glyphTop - glyphBase), glyphs: map[rune]*glyph{}}
}

// pad is the room around a mask for the stroke's thickness and for curves that swing out a little.
func (p *pen) pad() float64 { return math.Ceil((glyphRadius+0.4)*p.scale) + 1 }

// glyph returns the mask of r. Its lower left unit (0,0) is pad pixels inside the lower left corner.
func (p *pen) glyph(r rune) *glyph {
	if g := p.glyphs[r]; g != nil {
		return g
	}
	strokes, right := flatten(glyphPath(r))
	switch {
	case r == ' ':
		right = glyphSpace - glyphGap
	case r >= '0' && r <= '9':
		right = 8 // figures are equally wide, so that a clock does not dance
	}
	pad := p.pad()
	g := &glyph{
		w: int(right*p.scale+2*pad) + 1, h: int(glyphTop*p.scale+2*pad) + 1,
		advance: (right + glyphGap) * p.scale,
	}
	g.cover = make([]uint8, g.w*g.h)
	for _, s := range strokes {
		for i := range len(s) - 1 {
			g.line(s[i].onto(p.scale, pad, g.h), s[i+1].onto(p.scale, pad, g.h), glyphRadius*p.scale)
		}
	}
	p.glyphs[r] = g
	return g
}

// width is how many pixels text takes.
func (p *pen) width(text string) float64 {
	w := -glyphGap * p.scale
	for _, r := range text {
		w += p.glyph(r).advance
	}
	return w
}

// write draws text into plane (stride bytes a row) with the left end of its base line at x, y, in brightness luma. What does not fit is cut off.
func (p *pen) write(plane []uint8, stride int, x, y float64, text string, luma uint8) {
	pad := p.pad()
	bottom := int(y + glyphBase*p.scale + pad)
	for _, r := range text {
		g := p.glyph(r)
		g.stamp(plane, stride, int(x-pad), bottom-g.h, luma)
		x += g.advance
	}
}

// stamp blends luma into plane through the mask, whose upper left corner is at x, y.
func (g *glyph) stamp(plane []uint8, stride, x, y int, luma uint8) {
	rows := len(plane) / stride
	from, to := max(0, -x), min(g.w, stride-x)
	if from >= to {
		return
	}
	for gy := max(0, -y); gy < g.h && y+gy < rows; gy++ {
		src := g.cover[gy*g.w+from : gy*g.w+to]
		dst := plane[(y+gy)*stride+x+from:][:len(src)]
		for i, c := range src {
			switch c {
			case 0:
			case 255:
				dst[i] = luma
			default:
				dst[i] = uint8((int(dst[i])*(255-int(c)) + int(luma)*int(c)) / 255)
			}
		}
	}
}

// line draws a line with round ends of the given half thickness.
func (g *glyph) line(a, b point, radius float64) {
	reach := radius + 1
	x0, x1 := int(max(0, min(a.x, b.x)-reach)), int(min(float64(g.w-1), max(a.x, b.x)+reach))
	y0, y1 := int(max(0, min(a.y, b.y)-reach)), int(min(float64(g.h-1), max(a.y, b.y)+reach))
	dx, dy := b.x-a.x, b.y-a.y
	length2 := dx*dx + dy*dy
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			px, py := float64(x)-a.x, float64(y)-a.y
			t := 0.0
			if length2 > 0 {
				t = min(max((px*dx+py*dy)/length2, 0), 1)
			}
			c := radius + 0.5 - math.Hypot(px-t*dx, py-t*dy)
			i := y*g.w + x
			g.cover[i] = max(g.cover[i], uint8(min(max(c, 0), 1)*255))
		}
	}
}

type point struct{ x, y float64 }

// onto turns units, y upwards, into pixels of a mask h high, y downwards.
func (p point) onto(scale, pad float64, h int) point {
	return point{pad + p.x*scale, float64(h-1) - pad - p.y*scale}
}

// flatten turns a path into lines and returns its right edge. All in units.
func flatten(path string) (strokes [][]point, right float64) {
	for _, s := range strings.Fields(path) {
		smooth, closed := s[0] == '~', s[0] == '@'
		if smooth || closed {
			s = s[1:]
		}
		pts := make([]point, 0, len(s)/2)
		for i := 0; i+1 < len(s); i += 2 {
			p := point{unit(s[i]), unit(s[i+1])}
			right = max(right, p.x)
			pts = append(pts, p)
		}
		if smooth || closed {
			pts = spline(pts, closed)
		}
		strokes = append(strokes, pts)
	}
	return strokes, right
}

// unit is a base 36 figure's value.
func unit(c byte) float64 {
	if c >= 'a' {
		return float64(c-'a') + 10
	}
	return float64(c - '0')
}

// spline returns a Catmull-Rom curve through pts as lines.
func spline(pts []point, closed bool) []point {
	const steps = 8
	n := len(pts)
	at := func(i int) point {
		if closed {
			return pts[(i+n)%n]
		}
		return pts[min(max(i, 0), n-1)]
	}
	last := n - 1
	if closed {
		last = n
	}
	out := []point{at(0)}
	for i := range last {
		p0, p1, p2, p3 := at(i-1), at(i), at(i+1), at(i+2)
		for s := 1; s <= steps; s++ {
			t := float64(s) / steps
			out = append(out, point{catmullRom(p0.x, p1.x, p2.x, p3.x, t), catmullRom(p0.y, p1.y, p2.y, p3.y, t)})
		}
	}
	return out
}

func catmullRom(a, b, c, d, t float64) float64 {
	return 0.5 * (2*b + (c-a)*t + (2*a-5*b+4*c-d)*t*t + (3*b-a-3*c+d)*t*t*t)
}
