package media

import (
	"time"

	"scanside/media/content"
)

// Health is what a source knows about its device right now. The zero value is a source that has not started.
type Health struct {
	OK     bool
	Reason string // one sentence: what is wrong and what to do; empty when OK
	// Fault is what is wrong with the picture or the sound: content's verdict, else Absent while the device gives nothing and Private
	// while it is muted. OK is false from content.Unusable on.
	Fault  content.Fault
	Muted  bool   // the device is closed because the room has muted it; OK is false and Reason one of the two below
	Device string // what the source captures from, for people: "Logitech C920 (/dev/video0)", "test picture"

	Since     time.Time // since when OK and Reason are as they are
	LastFrame time.Time // when the device last gave a picture or sound; zero: never. A slate does not count

	Width, Height int     // of the pictures, pixels; 0 for voice
	FPS           float64 // pictures (or packets of voice) a second, counted over the last second

	Frames  uint64 // pictures (or packets of voice) that the device gave
	Slates  uint64 // pictures encoded that say why there is no other
	Bad     uint64 // pictures that could not be decoded and were skipped
	Dropped uint64 // pictures (or samples of voice) that came but were not encoded: the machine was too slow
	Skipped uint64 // pictures left out because the stream was too far ahead of its rate
	Hung    uint64 // times its driver hung, was left behind and opened anew
	Opens   uint64 // times the device was opened; more than 1: it was lost in between
}

// HealthReporter is a Source that knows its health. Any goroutine may call Health.
type HealthReporter interface{ Health() Health }

// What a muted source says of itself: to the room, and a camera's to the far end too, in its slate.
const (
	MutedPicture = "Camera muted in the room"
	MutedVoice   = "Microphone muted in the room"
)
