package content

import (
	"math"
	"time"
)

const layoutCols, layoutRows = 16, 9

// layout is a picture's light and dark in 16 x 9 fields: what remains of a room when its edges are gone.
type layout [layoutCols * layoutRows]float64

func (g *grid) layout() layout {
	var all layout
	for r := range layoutRows {
		for c := range layoutCols {
			sum, n := 0, 0
			for y := r * g.rows / layoutRows; y < max((r+1)*g.rows/layoutRows, r*g.rows/layoutRows+1); y++ {
				for x := c * g.cols / layoutCols; x < max((c+1)*g.cols/layoutCols, c*g.cols/layoutCols+1); x++ {
					sum += int(g.now[y*g.cols+x])
					n++
				}
			}
			all[r*layoutCols+c] = float64(sum) / float64(n)
		}
	}
	return all
}

// alike is the correlation of two layouts, -1 to 1; how bright the light is and how exposed does not matter.
func (l *layout) alike(o *layout) float64 {
	var a, b float64
	for i := range l {
		a, b = a+l[i], b+o[i]
	}
	a, b = a/float64(len(l)), b/float64(len(l))
	var ab, aa, bb float64
	for i := range l {
		ab += (l[i] - a) * (o[i] - b)
		aa += square(l[i] - a)
		bb += square(o[i] - b)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// How fast the memory of a scene follows: while all is well over a minute, so that a door, a curtain or another view is soon usual; while it is
// ruled blurred over ten, so that a scene which is soft by nature is so in the end.
const (
	followWell  = time.Minute
	followSoft  = 10 * time.Minute
	rememberAll = 10 * time.Second // a scene seen for less has no past to be held against
)

// memory is the scene's own past. The zero value remembers nothing.
type memory struct {
	seen      time.Duration
	sharpness float64
	layout    layout
}

// follow takes a look in that was made so long after the one before.
func (m *memory) follow(l Look, now layout, passed, over time.Duration) {
	part := passed.Seconds() / over.Seconds()
	if m.seen += passed; m.seen < over {
		part = max(part, passed.Seconds()/m.seen.Seconds()) // at first a mean of what there was
	}
	part = min(part, 1)
	m.sharpness += part * (l.Sharpness - m.sharpness)
	for i := range m.layout {
		m.layout[i] += part * (now[i] - m.layout[i])
	}
}

func (m *memory) known() bool { return m.seen >= rememberAll }
