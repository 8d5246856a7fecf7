package media

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
)

const ms = time.Millisecond

// merged is a Merger with two legs and a tape behind it, in a bubble.
type merged struct {
	*Merger
	t     *testing.T
	start time.Time
	out   tape
	legs  [2]*MergerLeg
}

func newMerged(t *testing.T, cfg MergerConfig) *merged {
	m := &merged{t: t, start: time.Now()}
	m.Merger = NewMerger(cfg, &m.out)
	m.legs = [2]*MergerLeg{m.AddLeg("wired"), m.AddLeg("cellular")}
	return m
}

// at sleeps until d after the start.
func (m *merged) at(d time.Duration) { time.Sleep(time.Until(m.start.Add(d))) }

func (m *merged) wants(want MergerStats) {
	m.t.Helper()
	got := m.Stats()
	want.LongestGap, want.RecentGap = got.LongestGap, got.RecentGap
	if got != want {
		m.t.Errorf("stats\n got %+v\nwant %+v", got, want)
	}
}

// stream feeds packets first to first+n-1, one each 4 ms; fate says on which leg each arrives and how late, negative for never. Repairs is called each 4 ms too, and
// what it returns is collected with its time.
func (m *merged) stream(first uint16, n int, fate func(i int) [2]time.Duration) (asked map[uint16][]time.Duration) {
	asked = map[uint16][]time.Duration{}
	begin := time.Now()
	var wg sync.WaitGroup
	for i := range n {
		for leg, late := range fate(i) {
			if late >= 0 {
				wg.Go(func() {
					time.Sleep(time.Until(begin.Add(time.Duration(i)*4*ms + late)))
					feed(m.t, m.legs[leg], first+uint16(i))
				})
			}
		}
	}
	for range n + 300 {
		synctest.Wait()
		for _, seq := range m.Repairs(time.Now()) {
			asked[seq] = append(asked[seq], time.Since(begin)-time.Duration(seq-first)*4*ms)
		}
		time.Sleep(4 * ms)
	}
	wg.Wait()
	return asked
}

func TestMergerFirstCopyWins(t *testing.T) {
	for _, c := range []struct {
		name string
		legs []int
		seqs []uint16
		want []uint16
		dup  uint64
	}{
		{"one leg", []int{0, 0, 0}, []uint16{1, 2, 3}, []uint16{1, 2, 3}, 0},
		{"both, one behind", []int{0, 0, 1, 1, 0, 1}, []uint16{1, 2, 1, 2, 3, 3}, []uint16{1, 2, 3}, 3},
		{"each leg loses what the other brings", []int{0, 1, 0, 1, 0, 1}, []uint16{1, 1, 3, 2, 4, 4}, []uint16{1, 3, 2, 4}, 2},
		{"order is passed on as it comes", []int{0, 0, 0}, []uint16{3, 1, 2}, []uint16{3, 1, 2}, 0},
		{"across the wrap, the slow leg behind it", []int{0, 0, 0, 1, 1, 1}, []uint16{65534, 65535, 0, 65534, 65535, 0}, []uint16{65534, 65535, 0}, 3},
		{"copies on the same leg", []int{0, 0, 0}, []uint16{9, 9, 9}, []uint16{9}, 2},
		{"from before we came in", []int{0, 1, 1}, []uint16{0, 65535, 0}, []uint16{0, 65535}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMerged(t, MergerConfig{})
				for i, seq := range c.seqs {
					feed(t, m.legs[c.legs[i]], seq)
				}
				wantSeqs(t, &m.out, c.want...)
				if s := m.Stats(); s.Duplicate != c.dup || s.Received != uint64(len(c.want)) || s.Missing+s.Lost != 0 {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

// "asked for only when missing on all living legs beyond what these usually differ; each at most five times, spaced; then lost".
func TestMergerRepairs(t *testing.T) {
	both := [2]time.Duration{10 * ms, 30 * ms}
	never := [2]time.Duration{-1, -1}
	for _, c := range []struct {
		name  string
		cfg   MergerConfig
		fate  func(i int) [2]time.Duration
		asked map[uint16][]time.Duration // after they were sent, to the 4 ms of the caller's step, below
		lost  uint64
	}{
		{"nothing missing", MergerConfig{}, func(int) [2]time.Duration { return both }, nil, 0},
		{"a cut of the fast leg", MergerConfig{}, func(i int) [2]time.Duration {
			if i >= 150 {
				return [2]time.Duration{-1, 30 * ms}
			}
			return both
		}, nil, 0},
		{"every third packet lost on the fast leg", MergerConfig{}, func(i int) [2]time.Duration {
			if i%3 == 0 {
				return [2]time.Duration{-1, 30 * ms}
			}
			return both
		}, nil, 0},
		{"the slow leg 90 ms behind, once that is known", MergerConfig{}, func(i int) [2]time.Duration {
			if i%10 == 9 && i > 100 {
				return [2]time.Duration{-1, 100 * ms}
			}
			return [2]time.Duration{10 * ms, 100 * ms}
		}, nil, 0},
		{"lost on both legs: when both have passed it, 20 ms for disorder, or the skew", MergerConfig{}, func(i int) [2]time.Duration {
			if i == 100 {
				return never
			}
			return both
			// Noticed after 14 ms, asked once both legs have passed it (34 ms) and 20 ms have gone: on the caller's step at 36 ms.
		}, map[uint16][]time.Duration{100: {36 * ms, 136 * ms, 336 * ms, 536 * ms, 736 * ms}}, 1},
		{"lost on the only leg", MergerConfig{}, func(i int) [2]time.Duration {
			if i == 100 {
				return never
			}
			return [2]time.Duration{10 * ms, -1}
		}, map[uint16][]time.Duration{100: {36 * ms, 136 * ms, 336 * ms, 536 * ms, 736 * ms}}, 1},
		{"a fixed skew", MergerConfig{Skew: 80 * ms}, func(i int) [2]time.Duration {
			if i == 100 {
				return never
			}
			return both
		}, map[uint16][]time.Duration{100: {96 * ms, 196 * ms, 396 * ms, 596 * ms, 796 * ms}}, 1},
		{"disorder within 12 ms", MergerConfig{}, func(i int) [2]time.Duration {
			return [2]time.Duration{time.Duration(i%4) * 4 * ms, -1}
		}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMerged(t, c.cfg)
				asked := m.stream(0, 300, c.fate)
				if len(asked) != len(c.asked) {
					t.Errorf("asked for %v, want %v", asked, c.asked)
				}
				for seq, want := range c.asked {
					if !slices.Equal(asked[seq], want) {
						t.Errorf("asked for %d after %v, want %v", seq, asked[seq], want)
					}
				}
				if s := m.Stats(); s.Lost != c.lost || s.Missing != 0 || s.Received != 300-c.lost {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

func TestMergerRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMerged(t, MergerConfig{})
		feed(t, m.legs[0], 1, 3, 5)
		m.at(20 * ms)
		if got := m.Repairs(time.Now()); !slices.Equal(got, []uint16{2, 4}) {
			t.Fatalf("asked for %v", got)
		}
		m.at(80 * ms)
		feed(t, m.legs[1], 2)
		m.wants(MergerStats{Received: 4, Missing: 1, Repaired: 1, RepairsAsked: 2, Highest: 65541})
		for d := 100 * ms; d < 2*time.Second; d += 10 * ms { // 4 is asked for four times more, in vain
			m.at(d)
			m.Repairs(time.Now())
			feed(t, m.legs[0], 5) // the leg lives
		}
		lost := MergerStats{Received: 4, Duplicate: 190, Lost: 1, Repaired: 1, RepairsAsked: 6, Highest: 65541}
		m.wants(lost)
		feed(t, m.legs[1], 4, 4) // "a late original still passes on"
		lost.Received, lost.Duplicate, lost.Lost, lost.Late = 5, 191, 0, 1
		m.wants(lost)
		wantSeqs(t, &m.out, 1, 3, 5, 2, 4)
	})
}

// With no living leg there is nobody to ask; what stays away is lost after two seconds.
func TestMergerNobodyToAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMerged(t, MergerConfig{Skew: 400 * ms})
		feed(t, m.legs[0], 1, 3)
		for d := time.Duration(0); d < 2*time.Second; d += 10 * ms {
			m.at(d)
			if got := m.Repairs(time.Now()); got != nil {
				t.Fatalf("asked for %v at %v", got, d)
			}
		}
		m.wants(MergerStats{Received: 2, Missing: 1, Highest: 65539})
		m.at(2 * time.Second)
		m.Repairs(time.Now())
		m.wants(MergerStats{Received: 2, Lost: 1, Highest: 65539})
	})
}

// After an outage nobody asks for seconds of old picture; if it comes by itself it still passes.
func TestMergerOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMerged(t, MergerConfig{})
		feed(t, m.legs[0], 65000)
		m.at(2 * time.Second)
		feed(t, m.legs[1], 464) // 1000 later
		m.at(3 * time.Second)
		feed(t, m.legs[1], 465)
		if got := m.Repairs(time.Now()); got != nil {
			t.Errorf("asked for %d packets", len(got))
		}
		m.wants(MergerStats{Received: 3, Lost: 999, Highest: 65536*2 + 465})
		feed(t, m.legs[1], 65001, 463)
		m.wants(MergerStats{Received: 5, Lost: 997, Late: 2, Highest: 65536*2 + 465})
	})
}

// After minutes of silence a number may be past half the number space: it must not be taken for an old one. Soon after a packet it must.
func TestMergerLongSilence(t *testing.T) {
	for _, c := range []struct {
		name    string
		silence time.Duration
		want    []uint16
	}{
		{"after three minutes the stream went on", 3 * time.Minute, []uint16{1, 2, 40000, 40001}},
		{"after a second it is a stray", time.Second, []uint16{1, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMerged(t, MergerConfig{})
				feed(t, m.legs[0], 1, 2)
				m.at(c.silence)
				feed(t, m.legs[0], 40000, 40001)
				wantSeqs(t, &m.out, c.want...)
			})
		})
	}
}

func TestMergerGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMerged(t, MergerConfig{})
		want := func(all, since time.Duration) {
			t.Helper()
			if got := m.Stats().LongestGap; got != all {
				t.Errorf("longest gap %v, want %v", got, all)
			}
			if got := m.TakeGap(); got != since {
				t.Errorf("gap since last taken %v, want %v", got, since)
			}
		}
		want(0, 0)
		feed(t, m.legs[0], 1)
		m.at(50 * ms)
		feed(t, m.legs[0], 2)
		m.at(70 * ms)
		feed(t, m.legs[1], 2) // a duplicate ends no gap
		m.at(90 * ms)
		feed(t, m.legs[0], 3)
		want(50*ms, 50*ms)
		want(50*ms, 0)
		m.at(120 * ms)
		want(50*ms, 30*ms) // the silence so far counts
		m.at(190 * ms)
		want(100*ms, 100*ms) // all of it
	})
}

func TestMergerLegs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMerged(t, MergerConfig{})
		a, b := m.legs[0], m.legs[1]
		if s := a.Stats(); s != (MergerLegStats{}) {
			t.Errorf("stats of a fresh leg %+v", s)
		}
		feed(t, a, 1, 2)
		m.at(5 * ms)
		feed(t, b, 1, 2, 3)
		want := MergerLegStats{Received: 3, First: 1, Duplicate: 2, LastArrival: m.start.Add(5 * ms), Highest: 65539}
		if s := b.Stats(); !s.LastArrival.Equal(want.LastArrival) || s.Received != 3 || s.First != 1 || s.Duplicate != 2 || s.Highest != 65539 {
			t.Errorf("stats %+v, want %+v", s, want)
		}
		b.Close()
		b.Close()
		feed(t, b, 4)
		feed(t, a, 3, 4)
		wantSeqs(t, &m.out, 1, 2, 3, 4)
	})
}

func TestMergerDoesNotAllocate(t *testing.T) {
	m := NewMerger(MergerConfig{}, SinkFunc(func(*rtp.Packet) error { return nil }))
	legs := [2]*MergerLeg{m.AddLeg("wired"), m.AddLeg("cellular")}
	p := packet(0)
	lossy := func() {
		p.SequenceNumber++
		if p.SequenceNumber%7 != 0 {
			_ = legs[0].WriteRTP(p)
			_ = legs[1].WriteRTP(p)
		}
		m.Repairs(m.epoch)
	}
	for range 3000 {
		lossy() // until the list of what is missing has its size
	}
	if n := testing.AllocsPerRun(2000, lossy); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

// Everything at once, for the race detector.
func TestMergerConcurrent(t *testing.T) {
	m := NewMerger(MergerConfig{}, SinkFunc(func(*rtp.Packet) error { return nil }))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			l := m.AddLeg("x")
			for i := range 2000 {
				feed(t, l, uint16(i))
				if i%100 == 0 {
					m.Repairs(time.Now())
					m.Stats()
					m.TakeGap()
					l.Stats()
				}
			}
			l.Close()
		})
	}
	wg.Wait()
	if s := m.Stats(); s.Received+s.Lost+s.Missing != 2000 {
		t.Errorf("stats %+v", s)
	}
}

// FuzzMerger compares a Merger with a map that forgets nothing. Each two bytes are a step: which leg, how far the number moves and whether backwards, and how much
// time goes by before Repairs is called.
func FuzzMerger(f *testing.F) {
	f.Add(uint16(0), []byte{0, 1, 1, 0, 0, 2, 0x80, 1})
	f.Add(uint16(65530), []byte{0, 9, 0, 5, 0xff, 3, 0x40, 200, 0x41, 255, 0, 100})
	f.Fuzz(func(t *testing.T, start uint16, steps []byte) {
		var passed uint64
		m := NewMerger(MergerConfig{}, SinkFunc(func(*rtp.Packet) error { passed++; return nil }))
		legs := [2]*MergerLeg{m.AddLeg("wired"), m.AddLeg("cellular")}
		now := time.Now()
		num, first, highest := 65536+uint64(start), uint64(0), uint64(0)
		seen, asked := map[uint64]bool{}, map[uint64]int{}
		var below uint64 // passed on, but from before the first
		for ; len(steps) >= 2; steps = steps[2:] {
			move := uint64(steps[0]&0x3e) >> 1 * uint64(1+steps[1]&0x0f)
			if steps[0]&0x80 != 0 {
				num = max(num-move, 32768, highest-min(highest, 30000)) // a 16 bit number tells no further back
			} else {
				num += move
			}
			if highest == 0 {
				first = num
			}
			highest = max(highest, num)
			want := !seen[num] && highest-num < FilterWindow
			before := passed
			feed(t, legs[steps[0]&1], uint16(num))
			if got := passed != before; got != want {
				t.Fatalf("packet %d passed on: %v, highest %d", num, got, highest)
			}
			if want && num < first {
				below++
			}
			seen[num] = true
			now = now.Add(time.Duration(steps[1]>>4) * 10 * ms)
			for _, seq := range m.Repairs(now) {
				n := highest - uint64(uint16(highest)-seq)
				if seen[n] || n < first {
					t.Fatalf("asked for %d, which arrived", n)
				}
				if asked[n]++; asked[n] > maxAsks {
					t.Fatalf("asked for %d %d times", n, asked[n])
				}
			}
			s := m.Stats()
			if s.Received != passed || s.Received-below+s.Lost+s.Missing != highest-first+1 {
				t.Fatalf("the books do not balance: %+v, first %d, highest %d, below %d", s, first, highest, below)
			}
		}
	})
}
