package device

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"sync/atomic"
	"syscall"
	"time"

	"scanside/devices"
	"scanside/media"
	"scanside/media/content"
)

// lens is one of a Camera's devices: opened, read and watched whether it is the one in use or stands by.
type lens struct {
	*condition
	sessions
	want    VideoConfig
	open    func() (*capture, error)
	slot    *slot
	used    atomic.Bool // its pictures are shown
	waiting atomic.Bool // bad because nothing came, not by its driver's word
	stale   atomic.Int64
}

// standbyEvery is how often a picture of a camera that stands by is looked at: often enough to know how it is, and cheap.
const standbyEvery = 200 * time.Millisecond

// how is what the choice goes by.
func (l *lens) how() (devices.Condition, media.Health) {
	h := l.Health()
	switch {
	case h.OK && h.Fault == content.None:
		return devices.OK, h
	case h.OK, h.Fault == content.Blurred: // better than no picture
		return devices.Doubtful, h
	case h.Muted, h.Reason == "", l.waiting.Load() && h.LastFrame.IsZero():
		return devices.Unknown, h
	}
	return devices.Failed, h
}

// look says that the camera gives nothing, when it is so.
func (l *lens) look(now, since time.Time) {
	h := l.Health()
	if h.LastFrame.After(since) {
		since = h.LastFrame
	}
	if ok, reason := l.device(); (ok || reason == "") && now.Sub(since) >= max(StaleAfter, time.Duration(l.stale.Load())) {
		l.waiting.Store(true)
		l.bad(now, "the camera gives no picture: waiting for it")
	}
}

// staleAfter is StaleAfter, or three pictures of a slow camera. An fps of 0 is unknown.
func staleAfter(fps float64) time.Duration {
	if fps == 0 {
		return StaleAfter
	}
	return max(StaleAfter, time.Duration(3/fps*float64(time.Second)))
}

// failed says what an error means: the file of a session that hangs keeps the camera busy.
func (l *lens) failed(err error) string {
	l.waiting.Store(false)
	if n, _ := l.counts(); n > 0 || errors.Is(err, errHung) {
		return fmt.Sprintf("camera %s does not answer: %v", l.Health().Device, errHung)
	}
	return err.Error()
}

// session is one opening of the camera.
func (l *lens) session(ctx context.Context, s *session) (worked bool, err error) {
	cam, err := l.open()
	if err != nil {
		return false, err
	}
	if s.alive(readPatience) {
		l.edit(func(h *media.Health) {
			h.Device, h.Width, h.Height = cam.name, even(cam.mode.width), even(cam.mode.height)
			h.Opens++
		})
		worked, err = l.read(ctx, s, cam)
	}
	if closeErr := cam.close(); err == nil && closeErr != nil {
		err = closeErr
	}
	return worked, err
}

// maxBadPictures in a row mean that the camera, not a picture, is broken: a second's worth.
const maxBadPictures = 30

// read passes pictures on until the camera fails or ctx ends. It says whether there was at least one.
func (l *lens) read(ctx context.Context, s *session, cam *capture) (worked bool, err error) {
	thin, fps := thinning(cam.mode.fps, l.want.FPS)
	l.stale.Store(int64(staleAfter(fps)))
	sight := content.NewPicture(content.DefaultPolicy())
	last := time.Now() // of the last picture that came
	var passed time.Time
	for bad := 0; ctx.Err() == nil; {
		raw, err := cam.read()
		now := time.Now()
		if !s.alive(readPatience) {
			return worked, nil
		}
		if err == nil && (now.Sub(passed) < thin || !l.used.Load() && now.Sub(passed) < standbyEvery) {
			last = now
			continue
		}
		var p *picture
		if err == nil {
			p, err = convert(raw, l.slot)
		}
		if err != nil {
			bad++
			l.edit(func(h *media.Health) { h.Bad++ })
			if err := verdict(cam.name, err, bad, now.Sub(last)); err != nil {
				return worked, err
			}
			continue
		}
		shows := sight.See(now, raw.at, content.Luma{Pix: p.img.Y, Stride: p.img.YStride, Width: p.img.Rect.Dx(), Height: p.img.Rect.Dy()}).Fault
		p.at, p.taken, p.fps, p.dead = now, believed(raw.at, now, shows), fps, shows.Weight() == content.Dead
		l.frame(now)
		l.good(now)
		l.found(now, shows)
		l.slot.put(p)
		l.edit(func(h *media.Health) { h.Dropped = l.slot.lost() })
		worked, bad, last, passed = true, 0, now, now
	}
	return worked, nil
}

// believed is when a picture that came now was taken: the driver's word, unless it gives none, or one that cannot be.
func believed(stamp, now time.Time, shows content.Fault) time.Time {
	if stamp.IsZero() || stamp.After(now) || now.Sub(stamp) >= content.DefaultPolicy().StampSlack || shows == content.Backward {
		return now
	}
	return stamp
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
func convert(raw shot, s *slot) (*picture, error) {
	size := raw.size
	if size.X < minSide || size.Y < minSide {
		return nil, fmt.Errorf("a picture of %dx%d", size.X, size.Y)
	}
	p := s.buffer(image.Pt(even(size.X), even(size.Y)))
	if err := raw.into(p.img); err != nil {
		s.give(p)
		return nil, err
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
