package media

import (
	"time"

	"github.com/pion/rtp"
)

type MergerConfig struct {
	Kind   Kind
	Window int
	Skew   time.Duration
}

type Merger struct{}

type MergerStats struct {
	Received, Duplicate, Late, Lost, Missing, Repaired, RepairsAsked uint64
	Highest                                                          uint32
	LongestGap                                                       time.Duration
}

func NewMerger(cfg MergerConfig, out Sink) *Merger { return &Merger{} }
func (m *Merger) AddLeg(name string) *MergerLeg    { return &MergerLeg{} }
func (m *Merger) Repairs(now time.Time) []uint16   { return nil }
func (m *Merger) Stats() MergerStats               { return MergerStats{} }
func (m *Merger) TakeGap() time.Duration           { return 0 }

type MergerLeg struct{}

type MergerLegStats struct {
	Received, First, Duplicate uint64
	LastArrival                time.Time
	Highest                    uint32
}

func (l *MergerLeg) WriteRTP(p *rtp.Packet) error { return nil }
func (l *MergerLeg) Stats() MergerLegStats        { return MergerLegStats{} }
func (l *MergerLeg) Close()                       {}
