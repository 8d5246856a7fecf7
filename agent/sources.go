package agent

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"scanside/link"
	"scanside/media"
	"scanside/media/content"
)

// sourceRetry is how long a source that failed rests before it is started again. A device comes back by being plugged in,
// which takes a person seconds.
const sourceRetry = time.Second

// source keeps one media.Source running and counts what it makes.
type source struct {
	src    media.Source
	kind   media.Kind
	fanout *media.Fanout
	log    *slog.Logger
	gate   media.KeyFrameGate // far end → source

	frames   atomic.Uint64 // whole pictures, or packets of voice
	last     atomic.Int64  // unix nanoseconds of the last packet; 0: never
	starts   atomic.Uint64
	asked    atomic.Uint64 // key frame requests from the far end, before coalescing
	askedAt  atomic.Int64  // unix nanoseconds of the newest; 0: never
	trouble  atomic.Pointer[string]
	measured rateMeter // the loop's

	muted atomic.Bool   // people in the room have closed the device
	cut   bool          // a packet that was under way then was left out; only WriteRTP's goroutine
	told  time.Time     // the loop's: the last change of the device that the tale tells
	saved *deviceChange // the loop's: the last of them whose trace was written; nil: none

	stopped atomic.Bool // nothing goes to the legs
	missing bool        // something did not; only WriteRTP's goroutine
}

// WriteRTP counts a packet and passes it on to the legs.
func (s *source) WriteRTP(p *rtp.Packet) error {
	if s.kind == media.Voice && s.muted.Load() { // a muted picture is a slate that says so; there is no such voice
		s.cut = true
		return nil
	}
	if s.cut {
		s.fanout.Rebase()
		s.cut = false
	}
	now := time.Now().UnixNano()
	s.last.Store(now)
	if s.kind == media.Voice || p.Marker { // the marker ends a picture (RFC 6184 5.1)
		s.frames.Add(1)
	}
	if s.stopped.Load() {
		s.missing = true
		return nil
	}
	if s.missing { // its numbers go on as if nothing had been left out, from a whole picture on
		if !media.H264KeyFrame(p.Payload) {
			return nil
		}
		s.fanout.Rebase()
		s.missing = false
	}
	return s.fanout.WriteRTP(p)
}

// mute closes the device or lets it be opened again. From here on none of what is still under way leaves the room.
func (s *source) mute(on bool) {
	s.muted.Store(on)
	s.src.Mute(on)
}

// stop lets nothing more through, or everything again; it says whether that is a return, which needs a key frame. What the far end misses
// of a stopped stream is not repaired: it would stand in the way of what the stop made room for.
func (s *source) stop(on bool) (again bool) {
	was := s.stopped.Swap(on)
	if on && !was {
		s.fanout.Forget()
	}
	return was && !on
}

// Run runs the source until ctx ends and starts it again when it fails, however it does: a driver's panic must not take the
// room's other half with it.
func (s *source) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if s.starts.Add(1) > 1 {
			s.fanout.Rebase()
		}
		err := s.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		text := "it ended by itself"
		if err != nil {
			text = err.Error()
		}
		s.trouble.Store(&text)
		s.log.Warn("source ended, starting it again", "stream", s.kind, "err", text)
		pause(ctx, sourceRetry)
	}
	return nil
}

func (s *source) once(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its driver crashed: %v", p)
		}
	}()
	return s.src.Run(ctx, s)
}

// keyFrame takes a request of the far end's; it may be called by any goroutine.
func (s *source) keyFrame(now time.Time) {
	s.asked.Add(1)
	s.askedAt.Store(now.UnixNano())
	if s.gate.Ask(now) {
		s.src.RequestKeyFrame()
	}
}

// justAsked reports whether a key frame was asked for a moment ago.
func (s *source) justAsked(now time.Time) bool {
	return now.UnixNano()-s.askedAt.Load() < int64(keyFrameFresh)
}

// keyFrameFresh is how long a key frame that was asked for serves everybody: from the first sign of a link's life to the ruling about it.
const keyFrameFresh = 500 * time.Millisecond

// due passes a held request on.
func (s *source) due(now time.Time) {
	if s.gate.Due(now) {
		s.src.RequestKeyFrame()
	}
}

// health is the source's own word, or what can be counted from outside.
func (s *source) health(now time.Time) media.Health {
	var h media.Health
	if r, ok := s.src.(media.HealthReporter); ok {
		h = r.Health()
	} else {
		h.Frames, h.FPS = s.frames.Load(), s.measured.frames
		if at := s.last.Load(); at > 0 {
			h.LastFrame = time.Unix(0, at)
		}
		h.OK = !h.LastFrame.IsZero() && now.Sub(h.LastFrame) < sourceSilent
	}
	if h.OK || h.Reason != "" {
		return h
	}
	if t := s.trouble.Load(); t != nil && now.Sub(h.LastFrame) > sourceSilent {
		h.Reason = *t
	}
	return h
}

// fault is what is wrong with what the source sends. Any goroutine may call it.
func (s *source) fault(now time.Time) content.Fault {
	r, ok := s.src.(media.HealthReporter)
	switch {
	case s.muted.Load():
		return content.Private
	case ok:
		return r.Health().Fault
	case now.UnixNano()-s.last.Load() < int64(sourceSilent):
		return content.None
	}
	return content.Absent
}

// faults is what is wrong with the room's sources. Any goroutine may call it.
func (a *Agent) faults() link.Faults {
	var f link.Faults
	now := time.Now()
	for k := range f {
		f[k] = content.Absent
		if s := a.source(media.Kind(k)); s != nil {
			f[k] = s.fault(now)
		}
	}
	return f
}

// sourceSilent is how long a source may be silent before the page says so (G17: said within 2 s).
const sourceSilent = 1500 * time.Millisecond

// rateMeter turns counters that are read now and then into rates over about two seconds.
type rateMeter struct {
	at     time.Time
	n, b   uint64
	frames float64 // a second
	bits   float64 // a second
}

func (m *rateMeter) read(now time.Time, frames, bytes uint64) {
	switch d := now.Sub(m.at).Seconds(); {
	case m.at.IsZero():
	case d < 2:
		return
	default:
		m.frames, m.bits = float64(frames-m.n)/d, float64(bytes-m.b)*8/d
	}
	m.at, m.n, m.b = now, frames, bytes
}
