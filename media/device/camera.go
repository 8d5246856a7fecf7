package device

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"scanside/devices"
	"scanside/media"
	"scanside/media/content"
)

// CameraConfig says which cameras and what they should produce.
type CameraConfig struct {
	// Devices are cameras in the order of preference: each a name in /dev/v4l/by-id or by-path, a name in /dev ("video0") or a
	// path; "", or an empty list, takes the first camera found.
	Devices []string
	VideoConfig
	Log *slog.Logger // nil: silent
}

// slateEvery is the time between two pictures of a slate: enough to show that the link lives, nearly free. It is also how
// often the choice of the camera is made anew.
const slateEvery = 100 * time.Millisecond

// Camera is the room's picture as a source: one camera, or the first of several that works. See the package's promises.
type Camera struct {
	videoStream
	*selection
	cfg    CameraConfig
	lenses []*lens
	wake   chan struct{} // some lens has a picture
}

// NewCamera returns a source that is ready to Run once; the cameras need not be there.
func NewCamera(cfg CameraConfig) *Camera {
	cfg.VideoConfig = cfg.orDefaults()
	if len(cfg.Devices) == 0 {
		cfg.Devices = []string{""}
	}
	c := &Camera{cfg: cfg, wake: make(chan struct{}, 1)}
	var names []string
	for _, device := range cfg.Devices {
		name := cmp.Or(device, "first camera")
		names = append(names, name)
		c.lenses = append(c.lenses, &lens{
			condition: newCondition(media.Video, name, cfg.Log), want: cfg.VideoConfig, slot: newSlot(c.wake),
			open: func() (*capture, error) { return openCamera(device, cfg.VideoConfig) },
		})
	}
	c.selection = newSelection(media.Video, names, cfg.Log, func(i int) (devices.Condition, media.Health) { return c.lenses[i].how() })
	c.condition = newCondition(media.Video, names[0], nil)
	c.ladder.Rate = cfg.Bitrate
	c.SetRate(cfg.Bitrate)
	return c
}

// Health is what is known of the camera in use, and of the stream it is encoded to.
func (c *Camera) Health() media.Health {
	h := c.lenses[c.Used()].Health()
	stream, fault := c.stream()
	h.Slates, h.Skipped = stream.Slates, stream.Skipped
	if fault != "" {
		h.OK, h.Reason, h.Fault = false, fault, content.Absent
	}
	return h
}

// Run captures, encodes and sends until ctx ends, then returns nil, at the latest after closePatience. While no camera gives a
// picture it sends a slate with the reason.
func (c *Camera) Run(ctx context.Context, out media.Sink) error {
	c.selection.begin(time.Now())
	var running sync.WaitGroup
	for _, l := range c.lenses {
		running.Go(func() { l.keep(ctx, &c.shutter, l.condition, l.session, l.failed) })
	}
	defer running.Wait()
	defer c.close()
	c.encode(ctx, out)
	return nil
}

// encode is the goroutine that owns the encoder, and makes the choice true.
func (c *Camera) encode(ctx context.Context, out media.Sink) {
	tick := time.NewTicker(slateEvery)
	defer tick.Stop()
	c.start, c.pace = time.Now(), float64(c.cfg.FPS)
	l := c.lenses[0]
	l.used.Store(true)
	slate := &slate{size: c.cfg.size(), fps: c.cfg.FPS}
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
			l = c.choose(time.Now(), l)
			if p := l.slot.take(); p != nil {
				c.show(p, slate, out)
				l.slot.give(p)
			}
		case now := <-tick.C:
			for _, l := range c.lenses {
				l.look(now, c.start)
			}
			l = c.choose(now, l)
			reason, failed := l.trouble()
			if c.muted() {
				reason, failed = media.MutedPicture, true
			}
			if failed {
				c.encoder(now, c.put(slate.draw(now, reason), now, 0, out))
				c.edit(func(h *media.Health) { h.Slates++ })
			}
		}
	}
}

// show encodes a picture, unless it is too old, for this program itself stood still, or was taken before the room muted it, or is a
// dead one.
func (c *Camera) show(p *picture, slate *slate, out media.Sink) {
	if time.Since(p.at) >= staleAfter(p.fps) || c.muted() || p.dead {
		return
	}
	if slate.used() {
		c.RequestKeyFrame() // the slate's last picture predicts nothing of the room
	}
	slate.reset(p.img.Rect.Size())
	c.encoder(p.at, c.put(p.img, p.taken, p.fps, out))
}

// choose makes the choice, unless all is muted, and changes from one camera to another: the stream goes on with a key frame, and with a picture that
// was taken after the change.
func (c *Camera) choose(now time.Time, from *lens) *lens {
	if c.muted() {
		return from
	}
	used, changed := c.step(now)
	to := c.lenses[used]
	for _, l := range c.lenses {
		if l != to || changed {
			if p := l.slot.take(); p != nil {
				l.slot.give(p)
			}
		}
	}
	if !changed {
		return to
	}
	from.used.Store(false)
	to.used.Store(true)
	c.RequestKeyFrame()
	return to
}
