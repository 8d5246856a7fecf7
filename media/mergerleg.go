package media

import (
	"slices"
	"time"

	"github.com/pion/rtp"
)

// MergerLeg is one of the legs of a Merger. Any goroutine may call its methods.
type MergerLeg struct {
	name   string
	merger *Merger
	id     uint16 // from 1

	// Under merger.mu.
	closed                     bool
	received, first, duplicate uint64
	last                       time.Duration
	highest                    uint64
}

// MergerLegStats is what a MergerLeg saw since it was made.
type MergerLegStats struct {
	Received    uint64    // packets that arrived on this leg
	First       uint64    // of these, the first copies: what this leg won
	Duplicate   uint64    // of these, further copies
	LastArrival time.Time // zero before the first packet
	Highest     uint32    // as in MergerStats
}

// AddLeg adds a leg. Its name is for people.
func (m *Merger) AddLeg(name string) *MergerLeg {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nextLeg = max(m.nextLeg+1, 1)
	l := &MergerLeg{name: name, merger: m, id: m.nextLeg}
	m.legs = append(m.legs, l)
	return l
}

// Name is the name given to AddLeg.
func (l *MergerLeg) Name() string { return l.name }

// WriteRTP takes a packet that arrived on this leg. After Close it drops it.
func (l *MergerLeg) WriteRTP(p *rtp.Packet) error { return l.merger.write(l, p) }

// Stats returns the counters as they are now.
func (l *MergerLeg) Stats() MergerLegStats {
	l.merger.mu.Lock()
	defer l.merger.mu.Unlock()
	s := MergerLegStats{Received: l.received, First: l.first, Duplicate: l.duplicate, Highest: uint32(l.highest)}
	if l.received > 0 {
		s.LastArrival = l.merger.epoch.Add(l.last)
	}
	return s
}

// Close takes the leg off its Merger. It does not wait for anything: the Merger has no goroutine. Closing twice is harmless.
func (l *MergerLeg) Close() {
	l.merger.mu.Lock()
	defer l.merger.mu.Unlock()
	l.closed = true
	l.merger.legs = slices.DeleteFunc(l.merger.legs, func(o *MergerLeg) bool { return o == l })
}
