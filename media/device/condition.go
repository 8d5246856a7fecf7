package device

import (
	"log/slog"
	"sync"
	"time"

	"scanside/media"
	"scanside/media/content"
)

// condition keeps a source's Health. Any goroutine may call it. A change between good and bad, or of the reason, is
// logged once.
type condition struct {
	log  *slog.Logger
	kind media.Kind

	mu     sync.Mutex
	health media.Health  // OK and Reason are the device's alone
	fault  string        // why the encoder fails, a fault of ours; empty if it does not
	shows  content.Fault // what is wrong with the picture or sound that the device gives
	now    media.Shape   // of pictures as they are sent
	full   media.Shape   // and as they come
	window time.Time     // start of the second in which frames are counted
	frames int
}

func newCondition(kind media.Kind, device string, log *slog.Logger) *condition {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &condition{log: log, kind: kind, health: media.Health{Device: device}}
}

// frame notes a picture or a packet of voice from the device, captured at at.
func (c *condition) frame(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health.LastFrame = at
	c.health.Frames++
	c.frames++
	if passed := at.Sub(c.window); passed >= time.Second {
		if passed < 2*time.Second {
			c.health.FPS = float64(c.frames) / passed.Seconds()
		}
		c.window, c.frames = at, 0
	}
}

// good says that the device works; bad says why it does not.
func (c *condition) good(now time.Time) {
	c.change(now, func() { c.health.OK, c.health.Reason, c.health.Muted = true, "", false })
}

func (c *condition) bad(now time.Time, reason string) {
	c.change(now, func() {
		c.health.OK, c.health.Reason, c.health.FPS, c.health.Muted, c.shows = false, reason, 0, false, content.None
	})
}

// closed says that the device is closed because the room wants it so.
func (c *condition) closed(now time.Time) {
	reason := media.MutedVoice
	if c.kind == media.Video {
		reason = media.MutedPicture
	}
	c.change(now, func() {
		c.health.OK, c.health.Reason, c.health.FPS, c.health.Muted, c.shows = false, reason, 0, true, content.None
	})
}

// found says what is wrong with what the device gives, while it works.
func (c *condition) found(now time.Time, f content.Fault) {
	c.change(now, func() { c.shows = f })
}

// encoder says how the last encoding went.
func (c *condition) encoder(now time.Time, err error) {
	c.change(now, func() {
		c.fault = ""
		if err != nil {
			c.fault = "it could not be encoded: " + err.Error()
		}
	})
}

func (c *condition) change(now time.Time, how func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.merged()
	how()
	after := c.merged()
	if !after.Since.IsZero() && before.OK == after.OK && before.Reason == after.Reason && before.Fault == after.Fault {
		return
	}
	c.health.Since = now
	if after.Muted {
		c.log.Info("source is muted, its device closed", "stream", c.kind.String(), "device", after.Device)
	} else if after.OK && after.Fault != content.None {
		c.log.Warn("source is impaired", "stream", c.kind.String(), "device", after.Device, "reason", after.Fault.Sentence())
	} else if after.OK {
		c.log.Info("source works", "stream", c.kind.String(), "device", after.Device)
	} else if after.Reason != "" {
		c.log.Warn("source does not work", "stream", c.kind.String(), "device", after.Device, "reason", after.Reason)
	}
}

// trouble says why nothing that the device gives may be shown, if that is so: it does not work and says so, or its picture is dead.
func (c *condition) trouble() (reason string, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.health.OK && c.shows.Weight() == content.Dead {
		return c.shows.Sentence(), true
	}
	return c.health.Reason, !c.health.OK && c.health.Reason != ""
}

// device says whether the device works, whatever its pictures show; an empty reason while it does not: it has not begun.
func (c *condition) device() (ok bool, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.health.OK, c.health.Reason
}

// merged is the Health as others see it: a fault of the encoder is one of the source.
func (c *condition) merged() media.Health {
	h := c.health
	if c.fault != "" {
		h.OK, h.Reason = false, c.fault
	}
	switch {
	case h.Muted:
		h.Fault = content.Private
	case !h.OK:
		h.Fault = content.Absent
	case c.shows.Weight() >= content.Unusable:
		h.OK, h.Reason, h.Fault = false, c.shows.Sentence(), c.shows
	default:
		h.Fault = c.shows
	}
	return h
}

// edit changes the rest of the Health.
func (c *condition) edit(change func(*media.Health)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.health)
}

// Health is what the source knows about its device right now. Any goroutine may call it.
func (c *condition) Health() media.Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.merged()
}

// stream is what is known beside the device: how the stream itself goes, and why its encoder fails.
func (c *condition) stream() (h media.Health, fault string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.health, c.fault
}

// shaped notes how pictures are sent, and how they come.
func (c *condition) shaped(now, full media.Shape) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now != c.now && c.now != (media.Shape{}) {
		c.log.Info("pictures are sent in another shape", "stream", c.kind.String(), "shape", now.String(), "comes", full.String())
	}
	c.now, c.full = now, full
}

// Shapes is how pictures are sent, and how they come. Any goroutine may call it.
func (c *condition) Shapes() (now, full media.Shape) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now, c.full
}
