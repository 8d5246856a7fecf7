package roomscene

import (
	"math"
	"math/rand/v2"
	"time"
)

// Day is a room's ordinary life: everything in it is well, and much of it looks a little like a fault for a while. Ask for shots in
// order of time.
type Day struct {
	rng    *rand.Rand
	light  float64 // what the lamps give
	gain   float64 // what the exposure makes of it
	people []walker
	next   time.Duration // of the next event
	until  time.Duration // of the present one
	event  event
	bump   int
}

type walker struct {
	Person
	vx, vy float64
	stays  time.Duration
}

type event uint8

const (
	nothing event = iota
	passesClose
	hunts // the autofocus
	bumped
)

// NewDay begins a day.
func NewDay(seed uint64) *Day {
	return &Day{rng: rand.New(rand.NewPCG(seed, 2)), light: 1, gain: 1}
}

// At is the shot at a time.
func (d *Day) At(t, step time.Duration) Shot {
	if t >= d.next {
		d.happen(t)
	}
	// Exposure follows light within a second or two, up to 8 fold; beyond that the picture is dark. Gain brings noise.
	want := min(1/d.light, 8)
	d.gain += (want - d.gain) * min(step.Seconds()/1.2, 1)
	s := Shot{Light: min(d.light*d.gain, 1.4), Noise: 1 + 0.8*d.gain}
	d.walk(t, step)
	for _, p := range d.people {
		s.People = append(s.People, p.Person)
	}
	if t < d.until {
		left := (d.until - t).Seconds()
		switch d.event {
		case passesClose:
			s.Hand = min(left/0.2, 1)
		case hunts:
			s.Blur = 30 * math.Abs(math.Sin(left*3))
		case bumped:
			s.Shift = int(6 * math.Sin(left*30))
		}
	}
	s.Shift += d.bump
	return s
}

// happen changes something, every quarter of a minute or so.
func (d *Day) happen(t time.Duration) {
	d.next = t + time.Duration((2+26*d.rng.Float64())*float64(time.Second))
	d.event = nothing
	lasts := 0.0
	switch d.rng.IntN(10) {
	case 0, 1: // the light: full, dimmed for the patient, one screen in a dark room
		d.light = []float64{1, 1, 0.6, 0.3, 0.12, 0.05, 0.035}[d.rng.IntN(7)]
	case 2:
		d.event, lasts = passesClose, 0.3+0.6*d.rng.Float64()
	case 3:
		d.event, lasts = hunts, 0.4+0.8*d.rng.Float64()
	case 4:
		d.event, lasts, d.bump = bumped, 0.5, d.rng.IntN(9)-4
	case 5, 6, 7:
		if len(d.people) < 4 {
			d.people = append(d.people, walker{
				Person: Person{X: -0.1, Y: 0.45 + 0.2*d.rng.Float64(), Size: 0.35 + 0.5*d.rng.Float64(), Tone: 40 + 180*d.rng.Float64()},
				vx:     0.05 + 0.1*d.rng.Float64(), stays: t + time.Duration(20+200*d.rng.Float64())*time.Second,
			})
		}
	}
	d.until = t + time.Duration(lasts*float64(time.Second))
}

// walk moves the people: to a place, a little about, and out.
func (d *Day) walk(t, step time.Duration) {
	kept := d.people[:0]
	for _, p := range d.people {
		p.X += p.vx * step.Seconds()
		if p.X > 0.3+0.4*p.Size && t < p.stays {
			p.vx = 0.01 * math.Sin(t.Seconds()/3+p.Tone)
		} else if t >= p.stays {
			p.vx = 0.12
		}
		if p.X < 1.2 {
			kept = append(kept, p)
		}
	}
	d.people = kept
}
