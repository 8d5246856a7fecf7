package media

import "github.com/pion/rtp"

type FanoutConfig struct {
	Kind  Kind
	Queue int
	Ring  int
}

type Fanout struct{}

type FanoutStats struct {
	Packets  uint64
	Bytes    uint64
	Highest  uint64
	RingHeld int
	Stale    uint64
}

func NewFanout(FanoutConfig) *Fanout              { return &Fanout{} }
func (f *Fanout) WriteRTP(p *rtp.Packet) error    { return nil }
func (f *Fanout) Rebase()                         {}
func (f *Fanout) AddLeg(name string, s Sink) *Leg { return &Leg{} }
func (f *Fanout) Stats() FanoutStats              { return FanoutStats{} }

type Leg struct{}

type LegStats struct {
	Sent, Bytes, Dropped, Errors, Resent, Replayed uint64
}

func (l *Leg) Select(on bool)           {}
func (l *Leg) SelectAtKeyFrame()        {}
func (l *Leg) Replay(after uint16) int  { return 0 }
func (l *Leg) Resend(seqs []uint16) int { return 0 }
func (l *Leg) Close()                   {}
func (l *Leg) Stats() LegStats          { return LegStats{} }
