package device

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"syscall"
	"time"

	"scanside/media"
)

// CameraConfig says which camera and what it should produce.
type CameraConfig struct {
	// Device is a name in /dev/v4l/by-id or by-path, a name in /dev ("video0") or a path; "" takes the first camera found.
	Device string
	VideoConfig
	Log *slog.Logger // nil: silent
}

// slateEvery is the time between two pictures of a slate: enough to show that the link lives, nearly free.
const slateEvery = 100 * time.Millisecond

// Camera is the room's camera as a source. See the package's promises 1, 2 and 5.
type Camera struct {
	videoStream
	cfg  CameraConfig
	open func() (*capture, error)
}

// NewCamera returns a source that is ready to Run once; the camera need not be there. Call it before other goroutines
// run: it sets an environment variable that mediadevices reads.
func NewCamera(cfg CameraConfig) *Camera {
	setReadTimeout()
	cfg.VideoConfig = cfg.orDefaults()
	c := &Camera{cfg: cfg}
	c.condition = newCondition(media.Video, cmp.Or(cfg.Device, "first camera"), cfg.Log)
	c.open = func() (*capture, error) { return openCamera(cfg.Device, cfg.VideoConfig) }
	c.ladder.Rate = cfg.Bitrate
	c.SetRate(cfg.Bitrate)
	return c
}

// Run captures, encodes and sends until ctx ends, then returns nil, at the latest after ReadTimeout. While the camera
// gives nothing it sends a slate with the reason.
func (c *Camera) Run(ctx context.Context, out media.Sink) error {
	s := newSlot()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		c.capture(ctx, s)
	}()
	defer func() { <-stopped }()
	defer c.close()
	c.encode(ctx, s, out)
	return nil
}

// encode is the goroutine that owns the encoder.
func (c *Camera) encode(ctx context.Context, s *slot, out media.Sink) {
	tick := time.NewTicker(slateEvery)
	defer tick.Stop()
	c.start, c.pace = time.Now(), float64(c.cfg.FPS)
	shown, stale := c.start, StaleAfter // when the last picture of the camera was shown, and when it is too old
	slate := &slate{size: c.cfg.size(), fps: c.cfg.FPS}
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
			p := s.take()
			if p == nil {
				continue
			}
			if c.muted() { // taken before the device was closed
				s.give(p)
				continue
			}
			stale = staleAfter(p.fps)
			if time.Since(p.at) < stale { // else this program itself stood still
				if slate.used() {
					c.RequestKeyFrame() // the slate's last picture predicts nothing of the room
				}
				slate.reset(p.img.Rect.Size())
				shown = p.at
				c.encoder(p.at, c.put(p.img, p.at, p.fps, out))
			}
			s.give(p)
		case now := <-tick.C:
			reason, failed := c.trouble()
			if c.muted() {
				reason, failed = media.MutedPicture, true
			}
			if !failed && now.Sub(shown) < stale {
				continue
			}
			if !failed {
				reason = "the camera gives no picture: waiting for it"
				c.bad(now, reason)
			}
			c.encoder(now, c.put(slate.draw(now, reason), now, 0, out))
			c.edit(func(h *media.Health) { h.Slates++ })
		}
	}
}

// staleAfter is StaleAfter, or three pictures of a slow camera. An fps of 0 is unknown.
func staleAfter(fps float64) time.Duration {
	if fps == 0 {
		return StaleAfter
	}
	return max(StaleAfter, time.Duration(3/fps*float64(time.Second)))
}

// Back-off between attempts to open a camera. The longest is short: an attempt costs one open(2), and a camera plugged
// back in should be seen within a second or two.
const (
	retryFirst = 250 * time.Millisecond
	retryMost  = 2 * time.Second
)

// capture is the goroutine that reads the camera: it opens it, reads until it fails, and starts again.
func (c *Camera) capture(ctx context.Context, s *slot) {
	wait := retryFirst
	for ctx.Err() == nil {
		open, release := c.await(ctx, func() { c.closed(time.Now()) })
		if open.Err() != nil {
			release()
			continue
		}
		cam, err := c.open()
		if err == nil {
			c.edit(func(h *media.Health) {
				h.Device, h.Width, h.Height = cam.name, even(cam.mode.width), even(cam.mode.height)
				h.Opens++
			})
			var worked bool
			worked, err = c.read(open, cam, s)
			if worked {
				wait = retryFirst
			}
			if closeErr := cam.close(); err == nil && closeErr != nil {
				err = closeErr
			}
		}
		if open.Err() == nil {
			c.bad(time.Now(), err.Error())
			select {
			case <-open.Done():
			case <-time.After(wait):
			}
			wait = min(2*wait, retryMost)
		}
		release()
	}
}

// maxBadPictures in a row mean that the camera, not a picture, is broken: a second's worth.
const maxBadPictures = 30

// read passes pictures on until the camera fails or ctx ends. It says whether there was at least one.
func (c *Camera) read(ctx context.Context, cam *capture, s *slot) (worked bool, err error) {
	thin, fps := thinning(cam.mode.fps, c.cfg.FPS)
	last := time.Now() // of the last picture that came
	var passed time.Time
	for bad := 0; ctx.Err() == nil; {
		img, err := cam.read()
		now := time.Now()
		if err == nil && now.Sub(passed) < thin {
			last = now
			continue
		}
		var p *picture
		if err == nil {
			p, err = convert(img, s)
		}
		if err != nil {
			bad++
			c.edit(func(h *media.Health) { h.Bad++ })
			if err := verdict(cam.name, err, bad, now.Sub(last)); err != nil {
				return worked, err
			}
			continue
		}
		p.at, p.fps = now, fps
		s.put(p)
		c.frame(now)
		c.good(now)
		c.edit(func(h *media.Health) { h.Dropped = s.lost() })
		worked, bad, last, passed = true, 0, now, now
	}
	return worked, nil
}

// verdict says what the nth failed read in a row means, silence after the last good one; nil: read on.
func verdict(name string, err error, n int, silence time.Duration) error {
	errno, kernel := errors.AsType[syscall.Errno](err)
	switch {
	case errors.Is(err, io.EOF), kernel && errno != syscall.EAGAIN && errno != syscall.EINTR:
		return explainCamera(name, err) // the kernel's word on the device, not a picture that could not be decoded
	case silence > ReadTimeout:
		return fmt.Errorf("camera %s gave no picture for %v: check its cable: %w", name, silence.Round(time.Millisecond), err)
	case n >= maxBadPictures:
		return fmt.Errorf("camera %s gave %d bad pictures in a row: unplug it and plug it in again: %w", name, n, err)
	}
	return nil
}

// convert copies a camera's picture into a buffer of our own: the camera's is overwritten by its next one.
func convert(img image.Image, s *slot) (*picture, error) {
	size := img.Bounds().Size()
	if size.X < minSide || size.Y < minSide {
		return nil, fmt.Errorf("a picture of %dx%d", size.X, size.Y)
	}
	p := s.buffer(image.Pt(even(size.X), even(size.Y)))
	if !copyI420(p.img, img) {
		s.give(p)
		return nil, fmt.Errorf("a picture of a kind that cannot be used (%T)", img)
	}
	return p, nil
}

// thinning says how far apart pictures must be when a camera gives more than wanted and cannot be told otherwise, and
// how many a second are left.
func thinning(fps float64, want int) (time.Duration, float64) {
	if fps <= 1.25*float64(want) {
		return 0, fps
	}
	return time.Second * 3 / 4 / time.Duration(want), float64(want)
}
