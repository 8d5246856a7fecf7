package gateway

import (
	"errors"
	"sync"

	"github.com/pion/rtp"

	"scanside/media"
)

// errOffStage is what a producer gets whose turn is over; nobody needs to be told.
var errOffStage = errors.New("another producer has taken over")

// stage lets one producer at a time feed a fanout. Who that is changes when a box restarts or another person talks; those
// who listen keep their connection, and numbering goes on without a jump (media.Fanout.Rebase).
type stage struct {
	fan *media.Fanout

	mu   sync.Mutex
	turn uint64
}

// take gives the stage to a new producer: from the return of take on, no packet of an earlier one gets through.
func (s *stage) take() media.Sink {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	s.fan.Rebase()
	mine := s.turn
	return media.SinkFunc(func(p *rtp.Packet) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.turn != mine {
			return errOffStage
		}
		return s.fan.WriteRTP(p)
	})
}
