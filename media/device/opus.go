package device

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/hraban/opus"

	"scanside/media"
)

const (
	// voiceFrame is one packet of voice in samples: 20 ms at 48 kHz.
	voiceFrame = 960

	// leastLoss, in percent, is what the encoder is armed against at the least: at 10 it puts a coarse copy of each voiced
	// frame into the next packet (RFC 6716 2.1.7). Cellular uplinks reach it without warning, and the arming comes too late
	// for the first loss. Beyond mostLoss the copies take so much of the rate that speech itself suffers.
	leastLoss = 10
	mostLoss  = 30

	// voiceEffort is Opus' complexity, 0 to 10. 5 costs 0.5 % of a core; more cannot be heard in speech.
	voiceEffort = 5

	// maxOpus is the longest Opus packet of 20 ms in bytes (RFC 6716 3.2.1).
	maxOpus = 1275
)

// voiceStream is what microphone and test voice share: samples in, packets out. put belongs to Run's goroutine, the rest
// may be called by any.
type voiceStream struct {
	*condition
	shutter
	rate atomic.Int64 // wanted rate, bit/s
	loss atomic.Int64 // measured, percent

	meter   media.Meter       // of what is encoded
	clean   func(pcm []int16) // changes what is encoded, in place; nil: nothing does
	cleaned [voiceFrame]int16
	enc     *opus.Encoder
	coded   int    // enc's rate, bit/s
	armed   int    // the loss enc is armed against, percent
	samples uint64 // RTP time: samples since Run started, the ones that were lost included
	buf     [maxOpus]byte
	packets
}

// Kind is media.Voice.
func (v *voiceStream) Kind() media.Kind { return media.Voice }

// RequestKeyFrame does nothing: voice has none.
func (v *voiceStream) RequestKeyFrame() {}

// SetRate sets the wanted rate in bits a second, held between 12 and 128 kbit/s. Any goroutine may call it.
func (v *voiceStream) SetRate(bps int) {
	v.rate.Store(int64(min(max(bps, minVoiceBitrate), maxVoiceBitrate)))
}

// SetLoss says what share of the packets is being lost on the way; the encoder arms itself against it, held between 10 and 30 %.
// Any goroutine may call it.
func (v *voiceStream) SetLoss(share float64) { v.loss.Store(int64(math.Round(100 * share))) }

// Loudness is how loud what leaves the room is.
func (v *voiceStream) Loudness() media.Loudness { return v.meter.Loudness() }

// Clean has each 20 ms changed in place before they are encoded: echo cancellation. Call it before Run. What the device gave is
// judged by itself: a device that gives silence is not excused by a treatment that would.
func (v *voiceStream) Clean(with func(pcm []int16)) { v.clean = with }

// open makes the encoder: mono (a stereo decoder plays it on both sides, RFC 7587 3.4), in-band FEC, no DTX. Its memory
// is Go's, there is nothing to close.
func (v *voiceStream) open() error {
	enc, err := opus.NewEncoder(voiceClock, 1, opus.AppVoIP)
	if err != nil {
		return fmt.Errorf("opus: build an encoder: %w", err)
	}
	v.enc, v.coded, v.armed = enc, 0, 0
	for _, set := range []func() error{
		func() error { return enc.SetInBandFEC(true) },
		func() error { return enc.SetComplexity(voiceEffort) },
		func() error { return enc.SetDTX(false) },
	} {
		if err := set(); err != nil {
			return fmt.Errorf("opus: set the encoder up: %w", err)
		}
	}
	return nil
}

// put encodes one frame of voiceFrame samples and sends it as one packet.
func (v *voiceStream) put(pcm []int16, out media.Sink) error {
	if bps := int(v.rate.Load()); bps != v.coded {
		if err := v.enc.SetBitrate(bps); err != nil {
			return fmt.Errorf("opus: set the rate to %d bit/s: %w", bps, err)
		}
		v.coded = bps
	}
	if loss := min(max(int(v.loss.Load()), leastLoss), mostLoss); loss != v.armed {
		if err := v.enc.SetPacketLossPerc(loss); err != nil {
			return fmt.Errorf("opus: arm against a loss of %d %%: %w", loss, err)
		}
		v.armed = loss
	}
	sound := pcm
	if v.clean != nil {
		sound = append(v.cleaned[:0], pcm...)
		v.clean(sound)
	}
	v.meter.Hear(time.Now(), sound)
	n, err := v.enc.Encode(sound, v.buf[:])
	if err != nil {
		return fmt.Errorf("opus: encode 20 ms of voice: %w", err)
	}
	payload := append([]byte(nil), v.buf[:n]...) // the sink keeps it
	// The marker stays clear: it starts a talk spurt after DTX (RFC 3551 4.1), and there is none.
	_ = out.WriteRTP(v.next(payload, uint32(v.samples), false)) // the sink counts its own failures
	v.samples += uint64(len(pcm))
	return nil
}

// skip moves the RTP time over n samples that are missing.
func (v *voiceStream) skip(n uint64) { v.samples += n }
