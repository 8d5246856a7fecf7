package device

import (
	"context"
	"image"
	"time"

	"scanside/media"
)

// TestPicture is the source without a camera: the drawn, moving test picture, encoded as a camera's would be. It carries
// the words TEST PICTURE, so that nobody takes it for a room.
type TestPicture struct {
	videoStream
	want  VideoConfig
	flash bool
}

// NewTestPicture returns a source that is ready to Run once.
func NewTestPicture(want VideoConfig) *TestPicture {
	t := &TestPicture{want: want.orDefaults()}
	t.condition = newCondition(media.Video, "test picture", nil)
	t.ladder.Rate = t.want.Bitrate
	t.SetRate(t.want.Bitrate)
	return t
}

// NewFlash returns a test picture that flashes with a NewBeep's beeps (media.Beat), for measuring how far apart they arrive.
func NewFlash(want VideoConfig) *TestPicture {
	t := NewTestPicture(want)
	t.flash = true
	return t
}

// Run draws and encodes until ctx ends, then returns nil. It fails only if there is no encoder.
func (t *TestPicture) Run(ctx context.Context, out media.Sink) error {
	defer t.close()
	pattern := media.NewPattern(t.want.Width, t.want.Height, t.want.FPS)
	tick := time.NewTicker(time.Second / time.Duration(t.want.FPS))
	defer tick.Stop()
	t.start = time.Now()
	t.edit(func(h *media.Health) { h.Width, h.Height, h.Opens = t.want.Width, t.want.Height, 1 })
	for n := uint64(0); ; n++ {
		now := time.Now()
		var img *image.YCbCr
		if t.muted() {
			img = pattern.Slate(n, now, media.MutedPicture)
			t.closed(now)
		} else {
			img = pattern.Draw(n, now)
			if t.flash {
				pattern.Flash(now)
			}
			t.frame(now)
			t.good(now)
		}
		if err := t.put(img, now, float64(t.want.FPS), out); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
