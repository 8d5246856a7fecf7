package synthetic

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

func inOrder(int, Stamp) []time.Duration { return arrive(0) }

// Mark forgets what was before it; End keeps what was sent before it, and waits for stragglers.
func TestCounterMarkAndEnd(t *testing.T) {
	for _, stamped := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			rec := recording(t, media.Voice)
			as := arrivals(rec, func(i int, _ Stamp) []time.Duration {
				switch {
				case i == 10, i == 110, i == 160: // lost before, within and after the measurement
					return nil
				case i == 49: // sent before Mark, comes after it
					return arrive(100 * ms)
				case i == 148: // sent before End, comes after it
					return arrive(100 * ms)
				}
				return arrive(0)
			})
			if !stamped {
				rec = without(rec)
			}
			c := NewCounter(media.Voice)
			var wg sync.WaitGroup
			wg.Go(func() { play(c, rec, as) })
			time.Sleep(1005 * ms) // packets 0 to 50 were sent
			c.Mark()
			time.Sleep(2000 * ms) // 51 to 150
			c.End()
			atEnd := c.Stats()
			wg.Wait()
			check(t, c.Stats(), Stats{Lost: 1, FramesLost: 1, Reordered: 2, LongestGap: 40 * ms, LongestFreeze: 40 * ms, Runs: 1})
			if s := c.Stats(); s.Sent != 100 || s.Packets != 99 || atEnd.Packets != 98 {
				t.Errorf("measured %+v, at the end %+v", s, atEnd)
			}

			// A further measurement begins with the next packet.
			c.Mark()
			if s := c.Stats(); s.Sent != 0 || s.Packets != 0 || s.Frames != 0 {
				t.Errorf("after Mark %+v", s)
			}
			for _, r := range rec[180:190] {
				_ = c.WriteRTP(r.p)
			}
			if s := c.Stats(); s.Sent != 10 || s.Lost != 0 || s.FramesComplete != 10 {
				t.Errorf("measured again %+v", s)
			}
		})
	}
}

// The silence that lasts counts: a stream that never comes back must not look perfect.
func TestCounterSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCounter(media.Video)
		if s := c.Stats(); s != (Stats{}) {
			t.Errorf("nothing arrived: %+v", s)
		}
		rec := recording(t, media.Video)
		play(c, rec, arrivals(rec, inOrder))
		time.Sleep(5 * time.Second)
		if s := c.Stats(); s.LongestGap != 5*time.Second || s.LongestFreeze != 5*time.Second || s.Lost != 0 {
			t.Errorf("%+v", s)
		}
		c.Mark()
		time.Sleep(time.Second)
		c.End()
		time.Sleep(time.Second)
		if s := c.Stats(); s.LongestGap != 6*time.Second || s.Sent != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A picture that waits across Mark for a straggler goes on when it comes.
func TestCounterMarkWhileFrameIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := recording(t, media.Video)
		as := arrivals(rec, func(_ int, st Stamp) []time.Duration {
			if st.Frame == 30 && st.Index == 1 {
				return arrive(60 * ms)
			}
			return arrive(0)
		})
		c := NewCounter(media.Video)
		var wg sync.WaitGroup
		wg.Go(func() { play(c, rec, as) })
		time.Sleep(1010 * ms) // frame 30 is sent at 1000
		c.Mark()
		wg.Wait()
		s := c.Stats()
		if s.FramesLost != 0 || s.Lost != 0 || s.Frames != 89 || s.FramesShown != 90 || s.LongestFreeze > 100*ms {
			t.Errorf("%+v", s)
		}
	})
}

// A restarted source begins new numbers; the silence between counts, what it never sent does not.
func TestCounterRestart(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(first, second []timed) ([]timed, []timed)
		runs int
	}{
		{"stamps tell, the numbers go on", func(a, b []timed) ([]timed, []timed) { return a, b }, 2},
		{"no stamps, the numbers go on: a Fanout hides it", func(a, b []timed) ([]timed, []timed) {
			a, b = without(a), without(b)
			for i := range b {
				b[i].p.SequenceNumber += uint16(len(a))
			}
			return a, b
		}, 1},
		{"no stamps, the numbers start anew", func(a, b []timed) ([]timed, []timed) {
			a, b = without(a), without(b)
			for i := range b {
				b[i].p.SequenceNumber -= 30000
			}
			return a, b
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first, second := c.make(recording(t, media.Video), recording(t, media.Video))
				counter := NewCounter(media.Video)
				play(counter, first, arrivals(first, inOrder))
				time.Sleep(700 * ms)
				_ = counter.WriteRTP(first[len(first)-1].p) // a copy, late
				play(counter, second, arrivals(second, inOrder))
				if c.name == "stamps tell, the numbers go on" {
					for _, r := range first[len(first)-3:] {
						_ = counter.WriteRTP(r.p) // stragglers of the first run
					}
				}
				s := counter.Stats()
				if s.Lost != 0 || s.FramesLost != 0 || s.KeyFrames != 4 || s.FramesShown != 240 || s.Runs != c.runs {
					t.Errorf("%+v", s)
				}
				if s.LongestGap != 700*ms || s.LongestFreeze != 700*ms {
					t.Errorf("gap %v, freeze %v", s.LongestGap, s.LongestFreeze)
				}
			})
		})
	}
}

// small returns frames of ten small packets each, without pace.
func small(frames int) []timed {
	const count = 10
	rec := make([]timed, 0, frames*count)
	for i := range frames * count {
		st := Stamp{Run: 1, Packet: uint64(i), Frame: uint64(i / count), Index: i % count, Count: count}
		payload := fill(2 + stampSize)
		payload[0], payload[1] = headerSlice, sliceP
		if st.Index > 0 {
			payload[1] = 0x40 // a slice that is not the first of its frame
		}
		st.put(payload[2:])
		h := rtp.Header{SequenceNumber: uint16(i), Timestamp: uint32(st.Frame) * 3000, Marker: st.Index == count-1}
		rec = append(rec, timed{p: &rtp.Packet{Header: h, Payload: payload}})
	}
	return rec
}

// More than the window holds: what is settled stays settled, and the numbers wrap several times.
func TestCounterLong(t *testing.T) {
	for _, stamped := range []bool{true, false} {
		rec := small(15000)
		if !stamped {
			rec = without(rec)
		}
		c := NewCounter(media.Video)
		for i, r := range rec {
			if i%1000 != 500 {
				_ = c.WriteRTP(r.p)
			}
		}
		if s := c.Stats(); s.Sent != 150000 || s.Lost != 150 || s.FramesLost != 150 || s.Frames != 15000 {
			t.Errorf("stamps %v: %+v", stamped, s)
		}
	}
}

// An outage longer than the window, and longer than half the number space when there are stamps.
func TestCounterOutage(t *testing.T) {
	for _, c := range []struct {
		stamped bool
		lost    int
	}{{true, 6000}, {false, 6000}, {true, 40000}} {
		rec := small(5000)
		if !c.stamped {
			rec = without(rec)
		}
		counter := NewCounter(media.Video)
		for i, r := range rec {
			if i < 1000 || i >= 1000+c.lost {
				_ = counter.WriteRTP(r.p)
			}
		}
		if s := counter.Stats(); s.Sent != 50000 || s.Lost != uint64(c.lost) || s.FramesLost != uint64(c.lost/10) || s.Frames != 5000 {
			t.Errorf("%+v: %+v", c, s)
		}
	}
}

// FuzzCounter: whatever comes, nothing panics and the books balance.
func FuzzCounter(f *testing.F) {
	f.Add([]byte{1, 0, 2, 0, 3, 0x80, 9, 9, 200, 200})
	f.Fuzz(func(t *testing.T, steps []byte) {
		c := NewCounter(media.Video)
		seq := uint16(65000)
		for ; len(steps) >= 2; steps = steps[2:] {
			seq += uint16(int8(steps[0])) * uint16(1+steps[1]&0x3f)
			payload := fill(40 + int(steps[1]))
			payload[0], payload[1] = 0x61, sliceP
			if steps[1]&0x80 != 0 {
				payload = append(payload, fill(stampSize)...)
				Stamp{Run: uint32(steps[0] & 1), Packet: uint64(seq), Frame: uint64(seq) / 4, Index: int(seq) % 4, Count: 4}.put(payload[50:])
			}
			_ = c.WriteRTP(&rtp.Packet{Header: rtp.Header{SequenceNumber: seq, Timestamp: uint32(seq) / 3 * 3000, Marker: seq%3 == 2}, Payload: payload})
			if steps[1]&0x7f == 0x7f {
				c.Mark()
			} else if steps[1]&0x7f == 0x7e {
				c.End()
			}
			s := c.Stats()
			if s.Sent != s.Packets+s.Lost || s.Frames != s.FramesComplete+s.FramesLost || s.Lost > s.Sent || s.FramesLost > s.Sent {
				t.Fatalf("%+v", s)
			}
		}
	})
}
