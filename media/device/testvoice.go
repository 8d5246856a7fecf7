package device

import (
	"context"
	"time"

	"scanside/media"
)

// maxVoiceLag is how many packets of voice may be made at once after the machine stood still. What is older is skipped:
// a burst of late voice is worse than a gap.
const maxVoiceLag = 5

// TestVoice is the source without a microphone: a drawn voice that can be told from silence.
type TestVoice struct {
	voiceStream
	beep bool
}

// NewTestVoice returns a source that is ready to Run once. bitrate is in bit/s; 0 means 30 kbit/s.
func NewTestVoice(bitrate int) *TestVoice {
	t := &TestVoice{}
	t.condition = newCondition(media.Voice, "test voice", nil)
	t.SetRate(orDefault(bitrate, defaultVoiceBitrate))
	return t
}

// NewBeep returns a test voice that beeps with a NewFlash's flashes.
func NewBeep() *TestVoice {
	t := NewTestVoice(0)
	t.beep = true
	return t
}

// Run makes 50 packets a second until ctx ends, then returns nil. It fails only if there is no encoder.
func (t *TestVoice) Run(ctx context.Context, out media.Sink) error {
	if err := t.open(); err != nil {
		return err
	}
	const every = voiceFrame * time.Second / voiceClock
	tick := time.NewTicker(every)
	defer tick.Stop()
	t.edit(func(h *media.Health) { h.Opens = 1 })
	var tone media.Tone
	pcm := make([]int16, voiceFrame)
	start := time.Now()
	for {
		now := time.Now()
		due := uint64(now.Sub(start)/every) + 1 // packets that should have been sent by now
		if sent := t.samples / voiceFrame; due > sent+maxVoiceLag {
			t.skip((due - sent - maxVoiceLag) * voiceFrame)
		}
		muted := t.muted()
		if muted {
			t.skip(due*voiceFrame - min(t.samples, due*voiceFrame))
			t.closed(now)
		}
		for ; t.samples/voiceFrame < due; t.frame(now) {
			if t.beep { // what sounded until now, as a microphone's packet holds it
				media.Beep(pcm, start.Add(time.Duration(t.samples)*time.Second/voiceClock-every))
			} else {
				tone.Read(pcm)
			}
			if err := t.put(pcm, out); err != nil {
				return err
			}
		}
		if !muted {
			t.good(now)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
