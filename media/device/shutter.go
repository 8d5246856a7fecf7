package device

import (
	"context"
	"sync"
)

// shutter keeps a device closed while the room has muted it. The zero value is open. Any goroutine may call it.
type shutter struct {
	mu     sync.Mutex
	shut   bool
	turned chan struct{} // closed when shut changes; nil: nobody waits
}

// Mute closes the device and keeps it closed, or lets it be opened again; see media.Source.
func (s *shutter) Mute(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut == on {
		return
	}
	s.shut = on
	if s.turned != nil {
		close(s.turned)
		s.turned = nil
	}
}

func (s *shutter) muted() bool { shut, _ := s.look(); return shut }

// look says how the shutter stands, and what is closed when it turns.
func (s *shutter) look() (shut bool, turned <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turned == nil {
		s.turned = make(chan struct{})
	}
	return s.shut, s.turned
}

// await waits until the device may be opened, and calls closed first if it may not. What it returns ends when ctx does and
// when the device must be closed again; release it.
func (s *shutter) await(ctx context.Context, closed func()) (while context.Context, release context.CancelFunc) {
	while, cancel := context.WithCancel(ctx)
	shut, turned := s.look()
	for ; shut && ctx.Err() == nil; shut, turned = s.look() {
		closed()
		select {
		case <-turned:
		case <-ctx.Done():
		}
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-turned:
			cancel()
		case <-while.Done():
		}
	}()
	return while, func() { cancel(); <-watched }
}
