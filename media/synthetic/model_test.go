package synthetic

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"scanside/media"
)

// model counts by brute force, from a whole recording and the times of arrival, what a Counter has to find out packet by packet.
func model(k media.Kind, rec []timed, as []arrival) Stats {
	m := modelRun{here: map[int]bool{}, shown: -1}
	var s Stats
	var lastNew time.Duration
	for _, r := range rec {
		st, _ := ReadStamp(r.p.Payload)
		st.Key = st.Key || k == media.Voice // a packet of voice needs none before it
		m.stamps = append(m.stamps, st)
	}
	high, lastShown := as[0].i, as[0].at
	for n, a := range as {
		if m.here[a.i] {
			s.Duplicates++
			continue
		}
		if a.i < high {
			s.Reordered++
		}
		high = max(high, a.i)
		if n > 0 {
			s.LongestGap = max(s.LongestGap, a.at-lastNew)
		}
		lastNew = a.at
		m.here[a.i] = true
		for m.show(a.i) {
			s.FramesShown++
			s.LongestFreeze = max(s.LongestFreeze, a.at-lastShown)
			lastShown = a.at
		}
	}
	end := as[len(as)-1].at
	s.LongestGap, s.LongestFreeze = max(s.LongestGap, end-lastNew), max(s.LongestFreeze, end-lastShown)
	base := as[0].i
	for i := base; i <= high; i++ {
		s.Sent++
		if m.here[i] {
			s.Packets++
		}
		st := m.stamps[i]
		switch {
		case st.Index > 0: // counted with its frame's first packet
		case m.whole(i):
			s.FramesComplete++
			if st.Key && k == media.Video {
				s.KeyFrames++
			}
		case st.Frame < m.stamps[high].Frame:
			s.FramesLost++
		}
	}
	s.Frames, s.Lost, s.Runs = s.FramesComplete+s.FramesLost, s.Sent-s.Packets, 1
	return s
}

type modelRun struct {
	stamps []Stamp
	here   map[int]bool
	shown  int // last packet of the last frame shown
}

// whole says whether the frame that begins at packet i is all here.
func (m *modelRun) whole(i int) bool {
	for j := i; j < i+m.stamps[i].Count; j++ {
		if !m.here[j] {
			return false
		}
	}
	return true
}

// show shows the frame of packet i, or the one after the last shown, if it can.
func (m *modelRun) show(i int) bool {
	for _, i := range [...]int{i, m.shown + 1} {
		if i >= len(m.stamps) {
			continue
		}
		first := i - m.stamps[i].Index
		follows := m.shown < 0 || first == m.shown+1 || m.stamps[i].Key && first > m.shown
		if follows && m.whole(first) {
			m.shown = first + m.stamps[i].Count - 1
			return true
		}
	}
	return false
}

// TestCounterAgainstModel compares a Counter with the model under loss, bursts of loss, copies and disorder.
func TestCounterAgainstModel(t *testing.T) {
	for seed := range uint64(100) {
		kind := media.Kind(seed % 2)
		t.Run(fmt.Sprintf("%v/%d", kind, seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := recording(t, kind)
				as := arrivals(rec, randomFate(rand.New(rand.NewPCG(seed, 2))))
				want := model(kind, rec, as)
				for _, stamped := range []bool{true, false} {
					played := rec
					if !stamped {
						played = without(rec)
					}
					c := NewCounter(kind)
					play(c, played, as)
					got := c.Stats()
					got.LongestDelay, got.Late = 0, 0
					if got != want {
						t.Errorf("stamps %v\n got %+v\nwant %+v", stamped, got, want)
					}
				}
			})
		})
	}
}

// randomFate is a path with its own rates of loss, bursts of loss, copies and disorder.
func randomFate(r *rand.Rand) fate {
	loss, burst, copies, disorder := r.Float64()*0.2, r.Float64()*0.01, r.Float64()*0.5, r.Float64()*0.2
	dead := 0
	return func(i int, _ Stamp) []time.Duration {
		if r.Float64() < burst {
			dead = r.IntN(60)
		}
		dead--
		late := func() time.Duration {
			if r.Float64() < disorder {
				return 30*ms + time.Duration(r.IntN(200))*ms
			}
			return 30 * ms
		}
		switch {
		case dead >= 0 || r.Float64() < loss:
			return nil
		case r.Float64() < copies:
			return arrive(late(), late())
		}
		return arrive(late())
	}
}
