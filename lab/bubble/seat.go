package bubble

import (
	"context"
	"sync"
	"time"

	"scanside/lab/observe"
)

// seat is where people have a far end open: a console that looks and a physician who talks. When the far end has been away they sign
// in again, and press Talk when the room is there: a far end ends a talk to a room that stays away. What is seen counts into one
// viewer's counters, at whichever far end it is seen. One goroutine calls its methods.
type seat struct {
	far  *FarEnd
	tell *observe.Viewer            // whose counters
	here func(context.Context) bool // whether the room is at this far end

	stop func() // ends a sign-in that is still being tried, and waits
	// While a sign-in is being tried they are its goroutine's.
	console *observe.Viewer
	doc     *observe.Physician
	asked   uint64 // for key frames, of physicians who have left
}

// retry is how soon a console tries again to sign in.
const retry = 100 * time.Millisecond

// again leaves and signs in as soon as the far end lets them. It does not wait.
func (s *seat) again(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var gone sync.WaitGroup
	gone.Go(func() {
		s.leave()
		for !s.signIn(ctx) {
			select {
			case <-time.After(retry):
			case <-ctx.Done():
				return
			}
		}
	})
	s.stop = func() { cancel(); gone.Wait() }
}

func (s *seat) signIn(ctx context.Context) bool {
	if s.console == nil {
		s.console, _ = s.far.look(ctx, s.tell.Also)
	}
	if s.console != nil && s.doc == nil && s.here(ctx) {
		s.doc, _ = s.far.Physician(ctx)
	}
	return s.doc != nil
}

// still ends a sign-in that is being tried.
func (s *seat) still() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

// leave closes both. Leaving twice is fine.
func (s *seat) leave() {
	if s.console != nil {
		_ = s.console.Close()
	}
	if s.doc != nil {
		s.asked += s.doc.KeyFrameRequests()
		_ = s.doc.Close()
	}
	s.console, s.doc = nil, nil
}

// requests is how often physicians here were asked for a key frame.
func (s *seat) requests() uint64 {
	if s.doc == nil {
		return s.asked
	}
	return s.asked + s.doc.KeyFrameRequests()
}
