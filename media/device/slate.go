package device

import (
	"image"
	"time"

	"scanside/media"
)

// slate draws what is shown instead of the room, at the size of the last picture, so that the encoder stays.
type slate struct {
	size    image.Point
	fps     int
	pattern *media.Pattern // nil: not shown since the camera last worked
	n       uint64
}

func (s *slate) used() bool { return s.pattern != nil }

// reset gives the slate's memory back; the next one has this size.
func (s *slate) reset(size image.Point) { s.size, s.pattern, s.n = size, nil, 0 }

func (s *slate) draw(at time.Time, reason string) *image.YCbCr {
	if s.pattern == nil {
		s.pattern = media.NewPattern(s.size.X, s.size.Y, s.fps)
	}
	s.n++
	return s.pattern.Slate(s.n-1, at, reason)
}
