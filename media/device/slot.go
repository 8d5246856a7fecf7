package device

import (
	"image"
	"sync"
	"time"
)

// picture is a camera's picture on its way to the encoder.
type picture struct {
	img   *image.YCbCr
	at    time.Time // when it was read
	taken time.Time // when it was captured, by the driver's word where that can be believed; else at
	fps   float64   // how often the camera gives one
	// dead: it is not of the room now, and must not be shown.
	dead bool
}

// slot hands pictures from the goroutine that reads the camera to the one that encodes. It holds one; a newer one takes
// its place, because a late picture is worth less than a fresh one. Buffers go round, so nothing is allocated per picture.
type slot struct {
	wake chan<- struct{} // has room for one: something was put, here or in another slot of the same source

	mu      sync.Mutex
	held    *picture
	free    []*picture
	dropped uint64
}

func newSlot(wake chan<- struct{}) *slot { return &slot{wake: wake} }

// buffer returns a picture of this size to fill and put.
func (s *slot) buffer(size image.Point) *picture {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.free) > 0 {
		p := s.free[len(s.free)-1]
		s.free = s.free[:len(s.free)-1]
		if p.img.Rect.Size() == size {
			return p
		}
	}
	return &picture{img: image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)}
}

// put makes p the picture to encode next.
func (s *slot) put(p *picture) {
	s.mu.Lock()
	if s.held != nil {
		s.dropped++
		s.free = append(s.free, s.held)
	}
	s.held = p
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns the newest picture, nil if it was taken already. Give it back when it is encoded.
func (s *slot) take() *picture {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.held
	s.held = nil
	return p
}

func (s *slot) give(p *picture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, p)
}

// lost is how many pictures were replaced before they were encoded.
func (s *slot) lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}
