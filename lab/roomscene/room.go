package roomscene

import (
	"math"
	"math/rand/v2"

	"scanside/media/content"
)

// Shot is how the room is taken in one picture. The zero value is dark and without noise.
type Shot struct {
	Light  float64 // 1: a lit room, well exposed
	Noise  float64 // standard deviation of a sample, levels
	Blur   float64 // standard deviation of the blur, in pixels of a picture 1280 wide
	Hand   float64 // share of the lens that a hand covers, from the left, 0 to 1
	Cloth  bool    // a curtain hangs before the lens
	Shift  int     // pixels: somebody bumped into the camera
	People []Person
}

// Person is a figure in the room, in parts of the picture's width and height.
type Person struct {
	X, Y, Size float64
	Tone       float64 // brightness of the clothes, levels
}

// Room is one room seen by one camera. One goroutine.
type Room struct {
	w, h  int
	base  []float32
	work  []float32
	blur  []float32
	pix   []byte
	noise [1 << 15]float32
	rng   *rand.Rand
	hand  []float32
	cloth []float32
}

// New furnishes a room.
func New(seed uint64, w, h int) *Room {
	r := &Room{w: w, h: h, rng: rand.New(rand.NewPCG(seed, 1))}
	for _, p := range []*[]float32{&r.base, &r.work, &r.blur, &r.hand, &r.cloth} {
		*p = make([]float32, w*h)
	}
	r.pix = make([]byte, w*h)
	for i := range r.noise {
		r.noise[i] = float32(r.rng.NormFloat64())
	}
	r.furnish()
	r.drape()
	return r
}

// Luma is the picture drawn last.
func (r *Room) Luma() content.Luma {
	return content.Luma{Pix: r.pix, Stride: r.w, Width: r.w, Height: r.h}
}

// surface is brightness with the spectrum of real surfaces: each octave has half the height of the one before (1/f).
func (r *Room) surface(dst []float32, height float64) {
	for cell := float64(r.w) / 3; cell >= 1.5; cell /= 2 {
		cols, rows := int(float64(r.w)/cell)+3, int(float64(r.h)/cell)+3
		knots := make([]float32, cols*rows)
		for i := range knots {
			knots[i] = float32(r.rng.NormFloat64() * height)
		}
		for y := range r.h {
			fy := float64(y) / cell
			iy, ty := int(fy), float32(ease(fy))
			for x := range r.w {
				fx := float64(x) / cell
				ix, tx := int(fx), float32(ease(fx))
				k := knots[iy*cols+ix:]
				a := k[0] + (k[1]-k[0])*tx
				b := k[cols] + (k[cols+1]-k[cols])*tx
				dst[y*r.w+x] += a + (b-a)*ty
			}
		}
		height /= 2
	}
}

func ease(v float64) float64 { t := v - math.Floor(v); return t * t * (3 - 2*t) }

// furnish draws what does not move.
func (r *Room) furnish() {
	w, h := float64(r.w), float64(r.h)
	floor := h * (0.62 + 0.12*r.rng.Float64())
	for y := range r.h {
		for x := range r.w {
			v := 150 - 40*float64(y)/h + 20*math.Sin(float64(x)/w*2)
			if float64(y) > floor {
				v = 95 + 30*float64(y)/h
			}
			r.base[y*r.w+x] = float32(v)
		}
	}
	r.surface(r.base, 7)
	for range 9 + r.rng.IntN(6) { // cabinets, doors, screens, a window
		bw, bh := w*(0.04+0.13*r.rng.Float64()), h*(0.08+0.3*r.rng.Float64())
		r.box(r.rng.Float64()*(w-bw), r.rng.Float64()*(floor-bh/2), bw, bh, 35+190*r.rng.Float64())
	}
	cx, cy, out := w*(0.4+0.2*r.rng.Float64()), h*0.48, h*(0.24+0.1*r.rng.Float64())
	r.ellipse(r.base, cx, cy, out, out, 215)
	r.ellipse(r.base, cx, cy, out*0.55, out*0.55, 60)
	r.box(cx-out*0.3, cy+out*0.2, out*0.6, h*0.45, 185) // the table
	r.box(cx-out*0.22, cy+out*0.25, out*0.44, h*0.4, 120)
}

func (r *Room) box(x0, y0, w, h, v float64) {
	for y := max(int(y0), 0); y < min(int(y0+h), r.h); y++ {
		for x := max(int(x0), 0); x < min(int(x0+w), r.w); x++ {
			at := &r.base[y*r.w+x]
			*at = float32(v) + (*at-120)*0.3
		}
	}
}

func (r *Room) ellipse(dst []float32, cx, cy, rx, ry, v float64) {
	for y := max(int(cy-ry), 0); y < min(int(cy+ry)+1, r.h); y++ {
		dy := (float64(y) - cy) / ry
		half := rx * math.Sqrt(max(0, 1-dy*dy))
		for x := max(int(cx-half), 0); x < min(int(cx+half)+1, r.w); x++ {
			shade := 1 - 0.25*(float64(x)-cx)/rx
			dst[y*r.w+x] = float32(v*shade) + (r.base[y*r.w+x]-120)*0.15
		}
	}
}

// drape draws what can hang or be held before the lens: near, so out of focus.
func (r *Room) drape() {
	r.surface(r.cloth, 1.2)
	soft := make([]float32, len(r.cloth))
	smooth(r.cloth, soft, r.w, r.h, 9*float64(r.w)/1280)
	for y := range r.h {
		for x := range r.w {
			fold := math.Sin(float64(x)/float64(r.w)*2*math.Pi*2.3 + 0.4*float64(y)/float64(r.h))
			r.cloth[y*r.w+x] += float32(105 + 14*fold)
			dx, dy := float64(x)/float64(r.w)-0.55, float64(y)/float64(r.h)-0.4
			r.hand[y*r.w+x] = float32(38 + 45*math.Exp(-6*(dx*dx+dy*dy)))
		}
	}
}

// Draw takes the picture.
func (r *Room) Draw(s Shot) content.Luma {
	copy(r.work, r.base)
	for _, p := range s.People {
		r.person(p)
	}
	if s.Cloth {
		copy(r.work, r.cloth)
	}
	if s.Hand > 0 {
		edge := min(s.Hand, 1) * float64(r.w) * 1.1
		for y := range r.h {
			row, hand := r.work[y*r.w:][:r.w], r.hand[y*r.w:][:r.w]
			for x := range row {
				k := float32(min(max((edge-float64(x))/(0.1*float64(r.w)), 0), 1)) // its edge is out of focus
				row[x] += (hand[x] - row[x]) * k
			}
		}
	}
	if s.Blur > 0 {
		smooth(r.work, r.blur, r.w, r.h, s.Blur*float64(r.w)/1280)
	}
	light, noise := float32(s.Light), float32(s.Noise)
	for y := range r.h {
		from := r.rng.IntN(len(r.noise))
		row := r.pix[y*r.w:][:r.w]
		src := r.work[y*r.w:][:r.w]
		for x := range row {
			k := min(max(x+s.Shift, 0), r.w-1)
			v := 16 + (src[k]-16)*light + noise*r.noise[(from+x)&(len(r.noise)-1)]
			row[x] = byte(min(max(v+0.5, 0), 255))
		}
	}
	return r.Luma()
}

func (r *Room) person(p Person) {
	x, y, s := p.X*float64(r.w), p.Y*float64(r.h), p.Size*float64(r.h)
	r.ellipse(r.work, x, y, s*0.16, s*0.34, p.Tone)
	r.ellipse(r.work, x, y-s*0.42, s*0.075, s*0.1, 165)
	r.ellipse(r.work, x-s*0.17, y-s*0.05, s*0.05, s*0.22, p.Tone*0.8)
	r.ellipse(r.work, x+s*0.17, y-s*0.05, s*0.05, s*0.22, p.Tone*0.8)
}

// smooth blurs in place: three box filters come close to a Gaussian.
func smooth(img, tmp []float32, w, h int, sigma float64) {
	radius := int(math.Round((math.Sqrt(4*sigma*sigma+1) - 1) / 2)) // three boxes' variances add up to sigma's square
	if radius == 0 {
		return
	}
	for range 3 {
		for y := range h {
			slide(img[y*w:], tmp[y*w:], w, 1, radius)
		}
		for x := range w {
			slide(tmp[x:], img[x:], h, w, radius)
		}
	}
}

func slide(src, dst []float32, n, step, radius int) {
	sum := float32(0)
	at := func(i int) float32 { return src[min(max(i, 0), n-1)*step] }
	for i := -radius; i <= radius; i++ {
		sum += at(i)
	}
	for i := range n {
		dst[i*step] = sum / float32(2*radius+1)
		sum += at(i+radius+1) - at(i-radius)
	}
}
