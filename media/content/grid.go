package content

import "math"

// Luma is the brightness plane of a picture.
type Luma struct {
	Pix                   []byte
	Stride, Width, Height int
}

// ok reports whether there is anything to look at, and all of it is there.
func (l Luma) ok() bool {
	return l.Width >= 16 && l.Height >= 16 && l.Stride >= l.Width && len(l.Pix) >= (l.Height-1)*l.Stride+l.Width
}

const (
	mostCols, mostRows = 160, 90
	perSide            = 4  // samples of a cell, across and down
	fine               = 16 // a cell's value is in sixteenths of a level
)

// grid is a picture drawn together, and the one before it.
type grid struct {
	cols, rows int
	now, was   []int16
	usable     bool // was holds a look at pictures of the same size
}

// look takes a picture in.
func (g *grid) look(l Luma) {
	cols, rows := min(mostCols, l.Width/2), min(mostRows, l.Height/2)
	g.usable = cols == g.cols && rows == g.rows
	if !g.usable {
		g.cols, g.rows = cols, rows
		g.now, g.was = make([]int16, cols*rows), make([]int16, cols*rows)
	}
	g.now, g.was = g.was, g.now
	var xs [mostCols * perSide]int // where to sample, the same in each row
	stepX := l.Width / cols
	nx := min(perSide, stepX)
	for c := range cols {
		for i := range nx {
			xs[c*nx+i] = c*l.Width/cols + i*stepX/nx
		}
	}
	stepY := l.Height / rows
	ny := min(perSide, stepY)
	n := nx * ny
	for r := range rows {
		out := g.now[r*cols:][:cols]
		clear(out)
		for i := range ny {
			line := l.Pix[(r*l.Height/rows+i*stepY/ny)*l.Stride:][:l.Width]
			for c := range out {
				sum := int16(0)
				for _, x := range xs[c*nx : c*nx+nx] {
					sum += int16(line[x])
				}
				out[c] += sum
			}
		}
		if n != fine {
			for c, v := range out {
				out[c] = int16(int(v) * fine / n)
			}
		}
	}
}

// histogram counts values in sixteenths of a level, below 4096.
type histogram struct {
	count [4096]int32
	n     int32
}

func (h *histogram) add(v int16) { h.count[v&4095]++; h.n++ }

// at is the value, in levels, that this share of the values does not exceed.
func (h *histogram) at(share float64) float64 {
	want := int32(math.Ceil(share * float64(h.n)))
	sum := int32(0)
	for v, c := range h.count {
		if sum += c; sum >= want && sum > 0 {
			return float64(v) / fine
		}
	}
	return 0
}

// mean is the mean, in levels, of this share of the values, the smallest.
func (h *histogram) mean(share float64) float64 {
	left := int32(share * float64(h.n))
	n, sum := left, 0.0
	for v, c := range h.count {
		c = min(c, left)
		sum += float64(v) * float64(c)
		if left -= c; left == 0 {
			break
		}
	}
	return sum / max(float64(n), 1) / fine
}

// Look is what one look at a picture found. Brightness is in levels.
type Look struct {
	Mean, Low, High float64 // of the cells; Low and High leave 2 % below and above
	Step            float64 // the steepest steps between neighbouring cells (99 %), noise taken off
	Noise           float64 // standard deviation of a cell from one look to the next
	Changed         float64 // share of cells, neither black nor white, that are not exactly as they were
	Middle          float64 // share of cells that are neither black nor white
	Sharpness       float64 // Step over the range; 0: there is no range
}

// Range is between the dark and the bright parts.
func (l Look) Range() float64 { return l.High - l.Low }

// mostNoise is that of a sensor at the end of its gain, in a cell of four samples; more is a picture that moves as a whole.
const mostNoise = 5

// clippedLow and clippedHigh bound what may stand still in a sensor's picture, because it is at the end of its scale, in levels.
const clippedLow, clippedHigh = 24, 228

// find measures what was last looked at.
func (g *grid) find() Look {
	var levels, steps, changes histogram
	var sum, middle, changed int64
	for r := range g.rows {
		row, old := g.now[r*g.cols:][:g.cols], g.was[r*g.cols:][:g.cols]
		for c, v := range row {
			levels.add(v)
			sum += int64(v)
			if c > 0 && r > 0 {
				steps.add(max(apart(v, row[c-1]), apart(v, g.now[(r-1)*g.cols+c])))
			}
			d := apart(v, old[c])
			changes.add(d)
			if v > clippedLow*fine && v < clippedHigh*fine {
				middle++
				if d != 0 {
					changed++
				}
			}
		}
	}
	n := float64(len(g.now))
	l := Look{Mean: float64(sum) / n / fine, Low: levels.at(0.02), High: levels.at(0.98), Middle: float64(middle) / n, Changed: 1}
	if g.usable {
		// What moves is in the upper half. The smaller half of a Gaussian's deviations has the mean 0.3245.
		l.Noise = min(changes.mean(0.5)/0.3245/math.Sqrt2, mostNoise)
		l.Changed = float64(changed) / max(float64(middle), 1)
	}
	// Of noise alone the steepest hundredth, the greater of two differences, is 4 deviations high; variances subtract.
	l.Step = math.Sqrt(max(0, square(steps.at(0.99))-square(4*l.Noise)))
	if l.Range() > 0 {
		l.Sharpness = l.Step / l.Range()
	}
	return l
}

func apart(a, b int16) int16 {
	if a < b {
		return b - a
	}
	return a - b
}

func square(v float64) float64 { return v * v }
