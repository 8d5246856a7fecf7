package synthetic

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"scanside/media"
)

const (
	voiceFrame = 20 * time.Millisecond
	voiceRate  = 28400 // bits a second: 71 bytes a packet, what Opus makes of speech at its default of 30 kbit/s
	// opusTOC is a table of contents byte: CELT only, full band, 20 ms, mono, one frame (RFC 6716 section 3.1).
	opusTOC = 31 << 3
)

// Voice is a media.Source shaped like Opus: 50 packets a second.
type Voice struct {
	stream
	loss atomic.Uint64 // as told, bits of a float64
}

// NewVoice returns a Voice of 28.4 kbit/s.
func NewVoice() *Voice {
	v := &Voice{}
	v.init(media.Voice, voicePayloadType, voiceFirstSequence, voiceRate)
	return v
}

// SetLoss is part of media.Armed. Nothing is encoded here, so it is only remembered.
func (v *Voice) SetLoss(share float64) { v.loss.Store(math.Float64bits(share)) }

// Loss is what SetLoss was last told. Any goroutine may call it.
func (v *Voice) Loss() float64 { return math.Float64frombits(v.loss.Load()) }

// RequestKeyFrame is part of media.Source; voice has none.
func (v *Voice) RequestKeyFrame() {}

// Run is part of media.Source. One Run at a time; each is a new run by its stamps.
func (v *Voice) Run(ctx context.Context, out media.Sink) error {
	v.pace(ctx, voiceFrame, func(n uint64) bool {
		if v.muted.Load() {
			return false
		}
		size := int(v.rate.Load()) / 8 / int(time.Second/voiceFrame)
		payload := fill(min(max(size, 1+stampSize), 1180))
		payload[0] = opusTOC
		v.send(out, payload, 1, Stamp{Frame: n, Count: 1})
		return true
	})
	return nil
}
