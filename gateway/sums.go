package gateway

import "scanside/media"

const (
	fromRoom = iota
	toRoom
	directions
)

// sums is what counters stand on when the run or talk that counted is over, so that they never fall.
type sums struct {
	runs, sessions, talks, keyFrames uint64

	merged        [media.NumKinds]media.MergerStats // of runs that are over
	talked        [media.NumKinds]media.MergerStats // of talks that are over
	viewerDropped [media.NumKinds]uint64

	replayed [media.NumKinds]replayed // to the room, on uplinks that took a stream over

	lost [directions][media.NumKinds]uint64 // the most that was exported: a late packet takes its loss back, a counter must not
}

func (s *sums) add(r *run) {
	for k, m := range r.mergers {
		s.merged[k] = plus(s.merged[k], m.Stats())
	}
}

func (s *sums) addTalk(t *talk) {
	for k, m := range t.mergers {
		s.talked[k] = plus(s.talked[k], m.Stats())
	}
}

// plus adds counts; what is not a count (Highest, Missing, LongestGap) is b's.
func plus(a, b media.MergerStats) media.MergerStats {
	b.Received += a.Received
	b.Duplicate += a.Duplicate
	b.Late += a.Late
	b.Lost += a.Lost
	b.Repaired += a.Repaired
	b.RepairsAsked += a.RepairsAsked
	return b
}

// replayed is what was sent again when return media changed uplinks.
type replayed struct{ packets, bytes uint64 }
