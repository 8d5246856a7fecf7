package media

import (
	"image"
	"time"
)

// Pattern draws the test picture. One goroutine at a time.
type Pattern struct{ img *image.YCbCr }

// NewPattern returns a Pattern of w x h pixels for fps frames a second.
func NewPattern(w, h, fps int) *Pattern {
	return &Pattern{img: image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)}
}

// Draw draws frame n as it is at the wall clock time at. The image is valid until the next Draw or Slate.
func (p *Pattern) Draw(n uint64, at time.Time) *image.YCbCr { return p.img }

// Slate draws a picture that says in words why there is no other. The image is valid until the next Draw or Slate.
func (p *Pattern) Slate(n uint64, at time.Time, reason string) *image.YCbCr { return p.img }
