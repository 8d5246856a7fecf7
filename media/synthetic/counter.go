package synthetic

import (
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

// Counter is a media.Sink that measures what arrives.
type Counter struct{}

// Stats is what a Counter measured since its last Mark (or since its first packet) up to End (or now).
type Stats struct {
	Sent       uint64 // packets the far end must have been sent: first number to highest
	Packets    uint64 // of these, arrived (each counted once)
	Lost       uint64 // Sent - Packets
	Duplicates uint64
	Reordered  uint64
	LongestGap time.Duration // longest time without a new packet, the silence up to now (or End) included

	Frames         uint64 // video: frames sent, as far as the arrived numbers tell
	FramesComplete uint64
	FramesLost     uint64
	FramesShown    uint64        // complete, and decodable in order
	KeyFrames      uint64        // complete key frames
	LongestFreeze  time.Duration // longest time between two shown frames, up to now (or End) included

	LongestDelay time.Duration // stamped streams: longest time from source to here, same clock
	Runs         int           // producers seen (a restarted source is a new one)
}

func NewCounter(k media.Kind) *Counter          { return &Counter{} }
func (c *Counter) WriteRTP(p *rtp.Packet) error { return nil }

// Mark starts a new measurement: counts begin at zero with the next packet.
func (c *Counter) Mark() {}

// End ends the measurement: only what was sent before now counts, but stragglers still may arrive. Let the source run on.
func (c *Counter) End()         {}
func (c *Counter) Stats() Stats { return Stats{} }
