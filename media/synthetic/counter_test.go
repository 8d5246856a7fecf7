package synthetic

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

const ms = time.Millisecond

// fate says when the packets of a recording arrive: after these times, once for each; none for a lost packet.
type fate func(i int, st Stamp) []time.Duration

func arrive(after ...time.Duration) []time.Duration { return after }

// arrival is one delivery of packet i of a recording.
type arrival struct {
	i  int
	at time.Duration
}

// arrivals are all deliveries in order of time.
func arrivals(rec []timed, f fate) []arrival {
	var as []arrival
	for i, r := range rec {
		st, _ := ReadStamp(r.p.Payload)
		for _, d := range f(i, st) {
			as = append(as, arrival{i, r.at + d})
		}
	}
	slices.SortStableFunc(as, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	return as
}

// play delivers to c at the right times. In a bubble only.
func play(c *Counter, rec []timed, as []arrival) {
	start := time.Now()
	for _, a := range as {
		time.Sleep(time.Until(start.Add(a.at)))
		_ = c.WriteRTP(rec[a.i].p)
	}
}

// without returns the recording without its stamps, as a real encoder would send it, and with numbers that wrap at packet 100.
func without(rec []timed) []timed {
	bare := slices.Clone(rec)
	for i, r := range bare {
		p := &rtp.Packet{Header: r.p.Header, Payload: bytes.ReplaceAll(r.p.Payload, []byte(stampMagic), []byte("\xff\xff\xff\xff"))}
		p.SequenceNumber = 65436 + uint16(i)
		bare[i].p = p
	}
	return bare
}

// recording is 4 s of a source: 200 packets of voice, or 120 frames of video of which 0 and 90 are key frames. In a bubble only.
func recording(t *testing.T, k media.Kind) []timed {
	if k == media.Voice {
		return record(t, NewVoice(), 4*time.Second, nil)
	}
	v := NewVideo(VideoConfig{})
	return record(t, v, 4*time.Second, func(second int) {
		if second == 3 {
			v.RequestKeyFrame()
		}
	})
}

// missing is how many packets between the first and the last delivered were not.
func missing(as []arrival) uint64 {
	seen := map[int]bool{}
	low, high := as[0].i, as[0].i
	for _, a := range as {
		seen[a.i] = true
		high = max(high, a.i)
	}
	n := uint64(0)
	for i := low; i <= high; i++ {
		if !seen[i] {
			n++
		}
	}
	return n
}

func TestCounter(t *testing.T) {
	const cadence, frame = 20 * ms, time.Second / 30
	all := func(int, Stamp) []time.Duration { return arrive(30 * ms) }
	lose := func(lost func(i int, st Stamp) bool) fate {
		return func(i int, st Stamp) []time.Duration {
			if lost(i, st) {
				return nil
			}
			return arrive(30 * ms)
		}
	}
	for _, c := range []struct {
		name string
		kind media.Kind
		fate fate
		want Stats // what is 0 or has to be counted from the recording is left out
	}{
		{"voice, all there", media.Voice, all, Stats{LongestGap: cadence, LongestFreeze: cadence}},
		{"voice, two of each", media.Voice, func(int, Stamp) []time.Duration {
			return arrive(30*ms, 40*ms)
		}, Stats{LongestGap: cadence, LongestFreeze: cadence, Duplicates: 200}},
		{"voice, three lost in a row", media.Voice, lose(func(i int, _ Stamp) bool { return i >= 50 && i < 53 }),
			Stats{FramesLost: 3, LongestGap: 4 * cadence, LongestFreeze: 4 * cadence}},
		{"voice, one overtaken by two", media.Voice, func(i int, _ Stamp) []time.Duration {
			if i == 100 {
				return arrive(75 * ms)
			}
			return arrive(30 * ms)
		}, Stats{Reordered: 1, LongestGap: 2 * cadence, LongestFreeze: 2 * cadence}},
		{"voice, ten replayed after the first of the new leg", media.Voice, func(i int, _ Stamp) []time.Duration {
			if i >= 50 && i < 60 {
				return arrive(time.Duration(60-i)*cadence + 35*ms)
			}
			return arrive(30 * ms)
		}, Stats{Reordered: 10, LongestGap: 11 * cadence, LongestFreeze: 11 * cadence}},
		{"voice, a second lost, the copies of before coming after it", media.Voice, func(i int, _ Stamp) []time.Duration {
			if i >= 100 && i < 150 {
				return nil
			}
			return arrive(30*ms, 1500*ms)
		}, Stats{FramesLost: 50, Duplicates: 150, LongestGap: 1470 * ms, LongestFreeze: 1470 * ms}}, // up to now, the last of the copies

		{"video, all there", media.Video, all, Stats{LongestGap: frame, LongestFreeze: frame, KeyFrames: 2}},
		{"video, the first frame lost: not ours", media.Video, lose(func(_ int, st Stamp) bool { return st.Frame == 0 }),
			Stats{LongestGap: frame, LongestFreeze: frame, KeyFrames: 1}},
		{"video, joined in the middle of a frame", media.Video, lose(func(_ int, st Stamp) bool { return st.Frame < 5 || st.Frame == 5 && st.Index < 4 }),
			Stats{LongestGap: frame, LongestFreeze: frame, KeyFrames: 1}},
		{"video, the middle of a frame lost: no picture until the key frame", media.Video,
			lose(func(_ int, st Stamp) bool { return st.Frame == 60 && st.Index == 2 }),
			Stats{FramesLost: 1, LongestGap: frame, LongestFreeze: 31 * frame, KeyFrames: 2}},
		{"video, the first packet of a frame lost", media.Video, lose(func(_ int, st Stamp) bool { return st.Frame == 60 && st.Index == 0 }),
			Stats{FramesLost: 1, LongestGap: frame, LongestFreeze: 31 * frame, KeyFrames: 2}},
		{"video, the last packet of a frame lost", media.Video, lose(func(_ int, st Stamp) bool { return st.Frame == 60 && st.Index == st.Count-1 }),
			Stats{FramesLost: 1, LongestGap: frame, LongestFreeze: 31 * frame, KeyFrames: 2}},
		{"video, five whole frames lost", media.Video, lose(func(_ int, st Stamp) bool { return st.Frame >= 60 && st.Frame < 65 }),
			Stats{FramesLost: 5, LongestGap: 6 * frame, LongestFreeze: 31 * frame, KeyFrames: 2}},
		{"video, from the middle of a frame to that of another", media.Video, lose(func(_ int, st Stamp) bool {
			return st.Frame == 60 && st.Index > 3 || st.Frame == 61 || st.Frame == 62 && st.Index < 3
		}), Stats{FramesLost: 3, LongestGap: 2 * frame, LongestFreeze: 31 * frame, KeyFrames: 2}},
		{"video, every tenth frame damaged", media.Video, lose(func(_ int, st Stamp) bool { return st.Frame%10 == 9 && st.Index == 1 }),
			Stats{FramesLost: 11, LongestGap: frame, LongestFreeze: 82 * frame, KeyFrames: 2}}, // frame 119, the newest, is not counted; 8 to 90
		{"video, one packet 100 ms late: later frames wait for it", media.Video, func(_ int, st Stamp) []time.Duration {
			if st.Frame == 60 && st.Index == 2 {
				return arrive(130 * ms)
			}
			return arrive(30 * ms)
		}, Stats{Reordered: 1, LongestGap: frame, LongestFreeze: frame + 100*ms, KeyFrames: 2}},
		{"video, the key frame damaged: no picture to the end", media.Video, lose(func(_ int, st Stamp) bool { return st.Frame == 90 && st.Index == 0 }),
			Stats{FramesLost: 1, LongestGap: frame, LongestFreeze: 30 * frame, KeyFrames: 1}},
	} {
		for _, stamped := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/stamps=%v", c.name, stamped), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					rec := recording(t, c.kind)
					as := arrivals(rec, c.fate)
					if !stamped {
						rec = without(rec)
					}
					counter := NewCounter(c.kind)
					play(counter, rec, as)
					got, want := counter.Stats(), c.want
					want.Runs, want.Lost = 1, missing(as)
					check(t, got, want)
				})
			})
		}
	}
}

// check compares what want has, and what must hold for any.
func check(t *testing.T, got, want Stats) {
	t.Helper()
	near := func(a, b time.Duration) bool { return max(a-b, b-a) < ms }
	if !near(got.LongestGap, want.LongestGap) || !near(got.LongestFreeze, want.LongestFreeze) {
		t.Errorf("gap %v freeze %v, want %v and %v", got.LongestGap, got.LongestFreeze, want.LongestGap, want.LongestFreeze)
	}
	if got.Sent != got.Packets+got.Lost || got.Frames != got.FramesComplete+got.FramesLost || got.FramesShown > got.FramesComplete || got.Packets == 0 {
		t.Errorf("the books do not balance: %+v", got)
	}
	type counts struct{ lost, duplicates, reordered, framesLost, keyFrames, runs uint64 }
	of := func(s Stats) counts {
		return counts{s.Lost, s.Duplicates, s.Reordered, s.FramesLost, s.KeyFrames, uint64(s.Runs)}
	}
	if of(got) != of(want) {
		t.Errorf("\n got %+v\nwant %+v", of(got), of(want))
	}
}
