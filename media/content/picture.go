package content

import (
	"hash/crc32"
	"time"
)

// Picture judges one camera's pictures. It belongs to one goroutine.
type Picture struct {
	policy  Policy
	verdict Verdict
	look    Look

	grid  grid
	past  memory
	table *crc32.Table
	sum   uint32
	last  time.Time // of the last look
	noise float64   // usual share of cells that change
	taken time.Time // the newest stamp of the device
	came  time.Time // and when that picture came

	frozen, black, covered, blurred, backward held
}

// NewPicture returns a judge that has seen nothing.
func NewPicture(p Policy) *Picture {
	return &Picture{policy: p, table: crc32.MakeTable(crc32.Castagnoli)} // Castagnoli: the polynomial that processors know
}

// See takes a picture that came at a time, and was taken at another by the device's word; taken is zero where the device says nothing.
// It keeps nothing of the picture's memory.
func (p *Picture) See(at, taken time.Time, l Luma) Verdict {
	p.stamp(at, taken)
	passed := at.Sub(p.last)
	if l.ok() && (p.last.IsZero() || passed >= p.policy.Every || passed < 0) {
		if passed > p.policy.Gap || passed < 0 {
			for _, h := range []*held{&p.frozen, &p.black, &p.covered, &p.blurred} {
				h.gap()
			}
			passed = 0
		}
		if p.last.IsZero() {
			passed = 0
		}
		p.last = at
		p.judge(at, passed, l)
	}
	p.verdict.set(at, p.worst())
	return p.verdict
}

// Look is what the last look found.
func (p *Picture) Look() Look { return p.look }

// Usual is the sharpness of the scene's past; false while there is too little of it.
func (p *Picture) Usual() (float64, bool) { return p.past.sharpness, p.past.known() }

// Reset forgets the scene, for another camera.
func (p *Picture) Reset() { *p = *NewPicture(p.policy) }

// stamp judges the device's clock by itself and against ours.
func (p *Picture) stamp(at, taken time.Time) {
	if taken.IsZero() {
		return
	}
	if at.Sub(p.came) > p.policy.Gap {
		p.backward.gap()
		p.taken = time.Time{}
	}
	off := taken.Sub(at).Abs() > p.policy.StampSlack
	back := !p.taken.IsZero() && !taken.After(p.taken)
	p.backward.step(at, off || back, !off && !back, p.policy.Backward)
	p.taken, p.came = taken, at
}

func (p *Picture) judge(at time.Time, passed time.Duration, l Luma) {
	sum := p.checksum(l)
	same := sum == p.sum && p.grid.usable
	p.sum = sum
	p.grid.look(l)
	p.look = p.grid.find()
	if !p.grid.usable {
		return // without a look before it is not known what is noise
	}
	k, pol := &p.look, &p.policy

	// What is at the end of its scale stands still in a living camera too: that is for Black and Covered.
	bare := k.Middle > 0.1
	noiseless := p.noise > pol.NoisyShare && k.Changed < pol.NoiselessShare
	p.frozen.step(at, bare && (same || noiseless), !same && !noiseless, pol.Frozen)
	if !p.frozen.on && !same && !noiseless && bare && passed > 0 {
		p.noise += min(passed.Seconds()/10, 1) * (k.Changed - p.noise)
	}

	p.black.step(at, k.High <= pol.DarkBright && k.Mean <= pol.DarkMean, k.High > pol.LightBright || k.Mean > pol.LightMean, pol.Black)

	now := p.grid.layout()
	dark := k.High <= pol.DarkBright && k.Mean <= pol.DarkMean
	flat := k.Range() <= pol.FlatRange && k.Step <= pol.FlatStep
	smooth, sharp := p.smooth(*k)
	// What is smooth is the room, blurred, if its light and dark are where they were; a hand or a cloth has its own.
	alike := k.Range() > pol.FlatRange && (!p.past.known() || now.alike(&p.past.layout) >= pol.Alike)
	covers := !dark && (flat || smooth && !alike)
	p.covered.step(at, covers, !flat && sharp, pol.Covered)
	p.blurred.step(at, !dark && !flat && smooth && alike, dark || sharp, pol.Blurred)

	switch {
	case p.frozen.on || p.black.on || p.covered.on || dark || flat || passed == 0:
	case p.blurred.on:
		p.past.follow(*k, now, passed, followSoft)
	case !smooth:
		p.past.follow(*k, now, passed, followWell)
	}
}

// smooth says whether a picture has no edges, and whether it surely has.
func (p *Picture) smooth(k Look) (smooth, sharp bool) {
	least := p.policy.Smooth
	if p.past.known() {
		least = max(least, min(p.policy.SmoothAt, p.policy.SmoothOfUsual*p.past.sharpness))
	}
	return k.Sharpness < least, k.Sharpness > least*p.policy.Regain
}

// checksum is over every pixel, so that the smallest change is seen.
func (p *Picture) checksum(l Luma) uint32 {
	if l.Stride == l.Width {
		return crc32.Checksum(l.Pix[:l.Width*l.Height], p.table)
	}
	sum := uint32(0)
	for y := range l.Height {
		sum = crc32.Update(sum, p.table, l.Pix[y*l.Stride:][:l.Width])
	}
	return sum
}

// worst is T3.
func (p *Picture) worst() Fault {
	switch {
	case p.frozen.on:
		return Frozen
	case p.black.on:
		return Black
	case p.covered.on:
		return Covered
	case p.blurred.on:
		return Blurred
	case p.backward.on:
		return Backward
	}
	return None
}
