package gateway

import (
	"fmt"
	"sync"
	"time"

	"scanside/link"
	"scanside/media"
	"scanside/media/content"
)

// saidHolds is how long the box's word on its picture and sound is believed: a box that sends media says it twice a second, and a
// gap of both uplinks may come between.
const saidHolds = 5 * time.Second

// said is the box's own word on its sources. Any goroutine may use it.
type said struct {
	mu     sync.Mutex
	at     time.Time // zero: it has never said, as a WHIP client of another make never does
	faults link.Faults
}

// faults takes in what a probe over any uplink says of the room's sources.
func (s *seat) faults(f link.Faults) {
	if s.up.Load() == nil {
		return
	}
	w := &s.run.said
	w.mu.Lock()
	changed := w.faults != f || w.at.IsZero()
	w.at, w.faults = time.Now(), f
	w.mu.Unlock()
	if changed {
		s.room.notice.touch()
	}
}

// of is what is wrong with a stream of the room, in the physician's words; "" and Well: nothing that is known.
func (w *said) of(k media.Kind, now time.Time) (label string, words string, weight content.Weight) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch age := now.Sub(w.at); {
	case w.at.IsZero():
		return "", "", content.Well
	case age > saidHolds:
		return "unknown", fmt.Sprintf("The room's box has not said for %s whether this is the room.", longish(age)), content.Unusable
	}
	f := w.faults[k]
	if f == content.None {
		return "", "", content.Well
	}
	return f.String(), farWords(k, f), f.Weight()
}

// farWords says what a fault means to somebody who is not in the room.
func farWords(k media.Kind, f content.Fault) string {
	switch f {
	case content.Frozen:
		return "The room's camera hangs. This is a notice from the box, not the room."
	case content.Black:
		return "The picture is black: the room is dark, or the lens is covered."
	case content.Covered:
		return "Something covers the camera's lens."
	case content.Blurred:
		return "The camera is out of focus: faces and hands cannot be made out."
	case content.Backward:
		return "The camera's clock is wrong; its pictures are shown as they arrive."
	case content.Silent, content.Muted:
		return "The room's microphone is muted or broken: you do not hear the room."
	case content.Clipping:
		return "The room's microphone is overdriven: speech may be distorted."
	case content.Hum:
		return "The room's microphone brings little but mains hum."
	case content.TooQuiet:
		return "The room's microphone is too quiet: you may not hear the room."
	case content.Private:
		if k == media.Video {
			return "The room has switched its camera off."
		}
		return "The room has switched its microphone off."
	}
	if k == media.Video {
		return "The room's camera gives no picture. This is a notice from the box, not the room."
	}
	return "The room's microphone gives no sound."
}
