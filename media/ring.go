package media

import "github.com/pion/rtp"

// ring keeps the newest packets of a stream by number, for replay and repair. Not safe for concurrent use.
type ring struct {
	slots []slot // a power of two
	held  int
}

type slot struct {
	num uint64
	p   *rtp.Packet // nil: empty
}

// newRing returns a ring of at least size packets.
func newRing(size int) ring {
	n := 1
	for n < size && n < 1<<15 { // half the 16 bit number space: beyond it a number is ambiguous
		n <<= 1
	}
	return ring{slots: make([]slot, n)}
}

// put keeps p, in the place of the packet len(slots) older. A packet older than what holds its place is not kept.
func (r *ring) put(num uint64, p *rtp.Packet) {
	s := &r.slots[num&uint64(len(r.slots)-1)]
	switch {
	case s.p == nil:
		r.held++
	case s.num > num:
		return
	}
	*s = slot{num, p}
}

// get returns packet num, or nil when it is no longer held, or never was.
func (r *ring) get(num uint64) *rtp.Packet {
	if s := r.slots[num&uint64(len(r.slots)-1)]; s.num == num {
		return s.p
	}
	return nil
}

// oldest is the lowest number that can still be held when highest is the newest.
func (r *ring) oldest(highest uint64) uint64 {
	return highest - min(highest, uint64(len(r.slots)-1))
}
