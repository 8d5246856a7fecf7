package media

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
)

// tape is a Sink that keeps what it gets, and when.
type tape struct {
	mu   sync.Mutex
	got  []*rtp.Packet
	at   []time.Time
	gate chan struct{} // if not nil, each packet waits for it
	err  error
}

func (r *tape) WriteRTP(p *rtp.Packet) error {
	if r.gate != nil {
		<-r.gate
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got, r.at = append(r.got, p), append(r.at, time.Now())
	return r.err
}

func (r *tape) seqs() []uint16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var s []uint16
	for _, p := range r.got {
		s = append(s, p.SequenceNumber)
	}
	return s
}

// seqsFrom returns n sequence numbers from first on.
func seqsFrom(first uint16, n int) []uint16 {
	s := make([]uint16, n)
	for i := range s {
		s[i] = first + uint16(i)
	}
	return s
}

// feed writes packets with these sequence numbers.
func feed(t *testing.T, s Sink, seqs ...uint16) {
	t.Helper()
	for _, seq := range seqs {
		if err := s.WriteRTP(packet(seq)); err != nil {
			t.Fatal(err)
		}
	}
}

func wantSeqs(t *testing.T, r *tape, want ...uint16) {
	t.Helper()
	synctest.Wait()
	if got := r.seqs(); !slices.Equal(got, want) {
		t.Fatalf("got %v\nwant %v", got, want)
	}
}

// Gaps and disorder of the producer are the stream's own: hiding them would hide loss.
func TestFanoutKeepsGapsAndDisorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{})
		defer f.Close()
		var r tape
		f.AddLeg("a", &r).Select(true)
		feed(t, f, 65534, 65535, 1, 0, 5)
		wantSeqs(t, &r, 65534, 65535, 1, 0, 5)
	})
}

func TestFanoutRebase(t *testing.T) {
	for _, c := range []struct {
		name  string
		kind  Kind
		after time.Duration
		ticks uint32
	}{
		{"voice after a second", Voice, time.Second, 48000},
		{"video after a second", Video, time.Second, 90000},
		{"voice at once: one frame on", Voice, 0, 960},
		{"video at once: one frame on", Video, time.Millisecond, 3000},
		{"after a night: the clock of 32 bits wraps", Video, 14 * time.Hour, 14 * 3600 * 90000 & 0xffffffff},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := NewFanout(FanoutConfig{Kind: c.kind})
				defer f.Close()
				var r tape
				f.AddLeg("a", &r).Select(true)
				f.Rebase() // before the first packet there is nothing to continue
				old := packet(100)
				old.Timestamp = 0xfffffff0
				_ = f.WriteRTP(old)
				time.Sleep(c.after)
				f.Rebase()
				for _, seq := range []uint16{60000, 60001, 59999, 60003} { // 59999 was overtaken by the first
					p := packet(seq)
					p.Timestamp = 5000 + uint32(seq)
					_ = f.WriteRTP(p)
				}
				wantSeqs(t, &r, 100, 101, 102, 104)
				want := 0xfffffff0 + c.ticks
				if got := r.got[1].Timestamp; got-want > 2 && want-got > 2 {
					t.Errorf("timestamp moved by %d ticks, want %d", got-0xfffffff0, c.ticks)
				}
				if r.got[3].Timestamp-r.got[1].Timestamp != 3 {
					t.Error("timestamps of the new producer do not keep their distance")
				}
				if s := f.Stats(); s.Stale != 1 || s.Packets != 4 || uint16(s.Highest) != 104 {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

// A packet handed over is frozen: neither the producer's packet nor what another leg holds may change.
// A stream that went on unheard past half the number space (two minutes of 2.5 Mbit/s video) must not look old to whoever gets it from
// here: SRTP would throw it away for ever (RFC 3711 section 3.3.1).
func TestFanoutAfterALongOutage(t *testing.T) {
	for _, c := range []struct {
		name       string
		silent     time.Duration
		next, want uint16
	}{
		{"a gap that SRTP can follow is kept", time.Minute, 20_000, 20_000},
		{"past half the number space", 2 * time.Minute, 40_000, 10 + unheard},
		{"past all of it", 10 * time.Minute, 5000, 5000},
		{"old packets without a silence are old", time.Second, 65_000, 65_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := NewFanout(FanoutConfig{Kind: Video})
				defer f.Close()
				got := &tape{}
				f.AddLeg("viewer", got).Select(true)
				feed(t, f, seqsFrom(1, 10)...)
				time.Sleep(c.silent)
				feed(t, f, c.next, c.next+1)
				synctest.Wait()
				if seqs := got.seqs(); !slices.Equal(seqs, append(seqsFrom(1, 10), c.want, c.want+1)) {
					t.Errorf("left as %v, want %d after the silence", seqs, c.want)
				}
			})
		})
	}
}

func TestFanoutCopiesHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{})
		defer f.Close()
		var r tape
		f.AddLeg("a", &r).Select(true)
		feed(t, f, 7)
		f.Rebase()
		p := packet(1000)
		if err := p.SetExtension(1, []byte{1}); err != nil {
			t.Fatal(err)
		}
		_ = f.WriteRTP(p)
		wantSeqs(t, &r, 7, 8)
		if p.SequenceNumber != 1000 || !p.Extension {
			t.Error("the producer's packet was changed")
		}
		if r.got[1].Extension || len(r.got[1].Extensions) > 0 {
			t.Error("header extensions went on to another session")
		}
	})
}

// The producer never waits, and a leg that hangs costs the others nothing.
func TestFanoutStuckLeg(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{Queue: 8})
		defer f.Close()
		stuck, free := tape{gate: make(chan struct{})}, tape{}
		a, b := f.AddLeg("stuck", &stuck), f.AddLeg("free", &free)
		a.Select(true)
		b.Select(true)
		for _, seq := range seqsFrom(0, 20) {
			feed(t, f, seq)
			synctest.Wait()
		}
		wantSeqs(t, &free, seqsFrom(0, 20)...)
		if s := a.Stats(); s.Dropped != 20-8-1 { // eight wait, one is being written
			t.Errorf("dropped %d", s.Dropped)
		}
		close(stuck.gate)
		wantSeqs(t, &stuck, seqsFrom(0, 9)...)
		if n := a.Resend(seqsFrom(9, 8)); n != 8 {
			t.Errorf("resent %d, want 8", n)
		}
		time.Sleep(time.Second) // what is sent again is paced
		wantSeqs(t, &stuck, seqsFrom(0, 17)...)
	})
}

func TestFanoutErrorsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{})
		defer f.Close()
		r := tape{err: errors.New("no buffer")}
		l := f.AddLeg("a", &r)
		l.Select(true)
		feed(t, f, 1, 2)
		synctest.Wait()
		if s := l.Stats(); s.Errors != 2 || s.Sent != 0 || s.Bytes != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestLegSelect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{})
		defer f.Close()
		var r tape
		l := f.AddLeg("a", &r)
		feed(t, f, 1)
		l.Select(true)
		l.Select(true)
		feed(t, f, 2, 3)
		l.Select(false)
		feed(t, f, 4)
		wantSeqs(t, &r, 2, 3)
	})
}

func TestLegReplay(t *testing.T) {
	for _, c := range []struct {
		name    string
		written []uint16
		after   uint16
		want    []uint16
	}{
		{"nothing written yet", nil, 0, nil},
		{"the far end has all", seqsFrom(0, 10), 9, nil},
		{"the far end knows of more than there is", seqsFrom(0, 10), 20, nil},
		{"the last four", seqsFrom(0, 10), 5, seqsFrom(6, 4)},
		{"across the wrap", seqsFrom(65530, 12), 65532, seqsFrom(65533, 9)},
		{"only what the ring holds", seqsFrom(0, 100), 10, seqsFrom(84, 16)},
		{"only what the queue takes", seqsFrom(0, 100), 10, seqsFrom(84, 16)},
		{"gaps of the producer stay", []uint16{1, 2, 5, 4}, 1, []uint16{2, 4, 5}},
		{"what the ring held before a gap wider than itself is gone", append(seqsFrom(0, 10), 1000), 5, []uint16{1000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := NewFanout(FanoutConfig{Ring: 16, Queue: 32})
				defer f.Close()
				var r tape
				l := f.AddLeg("a", &r)
				feed(t, f, c.written...)
				if r := l.Replay(c.after); r.Packets != len(c.want) || int(l.Stats().Replayed) != r.Packets || int(l.Stats().ReplayedBytes) != r.Bytes {
					t.Errorf("replayed %+v, stats %+v", r, l.Stats())
				}
				time.Sleep(time.Second)
				wantSeqs(t, &r, c.want...)
			})
		})
	}
}

// A pace below the stream's own rate holds live packets back for a second, not for ever.
func TestLegPaceTooLow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{})
		defer f.Close()
		var r tape
		l := f.AddLeg("a", &r)
		feed(t, f, seqsFrom(0, 4)...)
		l.SetPace(1) // is raised to the least
		l.Select(true)
		l.Replay(65535)
		start := time.Now()
		for seq := range uint16(150) { // 100 packets a second, of which the pace would let through 30
			feed(t, f, 4+seq)
			time.Sleep(10 * time.Millisecond)
		}
		wantSeqs(t, &r, seqsFrom(0, 154)...)
		if caught := r.at[153].Sub(start); caught > 1500*time.Millisecond {
			t.Errorf("the last live packet left after %v", caught)
		}
	})
}

// A replay that does not fit leaves room for live packets and sends what is newest, paced.
func TestLegReplayPaceAndRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{Ring: 128, Queue: 64})
		defer f.Close()
		var r tape
		l := f.AddLeg("a", &r)
		feed(t, f, seqsFrom(0, 100)...)
		start := time.Now()
		l.SetPace(8_000_000)
		replayed := l.Replay(0)
		if replayed.Packets != 56 {
			t.Errorf("replayed %+v, want 56 of 64", replayed)
		}
		l.Select(true)
		feed(t, f, 100, 101)
		time.Sleep(time.Second)
		wantSeqs(t, &r, seqsFrom(44, 58)...)
		if took := r.at[55].Sub(start); took < replayed.Takes-2*paceStep || took > replayed.Takes {
			t.Errorf("56 packets took %v, want %v less the last pause", took, replayed.Takes)
		}
		if took := r.at[57].Sub(start); took < replayed.Takes-paceStep {
			t.Errorf("the live packets behind them came after %v: before the replay had left at its pace", took)
		}
		if l.Stats().Dropped != 0 {
			t.Error("a live packet was dropped")
		}
	})
}

func TestLegResend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{Ring: 16})
		defer f.Close()
		var r tape
		l := f.AddLeg("a", &r)
		feed(t, f, seqsFrom(65500, 50)...)
		if n := l.Resend([]uint16{65510, 13, 5, 3, 14, 40000}); n != 3 { // too old, newest, held, held, not yet, never
			t.Errorf("resent %d", n)
		}
		wantSeqs(t, &r, 13, 5, 3)
		if l.Stats().Resent != 3 {
			t.Errorf("stats %+v", l.Stats())
		}
	})
}

// A stream that stops makes room at once: nothing that waits leaves, nothing is repaired or replayed; what comes later goes on.
func TestFanoutForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{})
		defer f.Close()
		slow := tape{gate: make(chan struct{})}
		l := f.AddLeg("slow", &slow)
		l.Select(true)
		feed(t, f, 0)
		synctest.Wait() // it is being written
		feed(t, f, seqsFrom(1, 9)...)
		f.Forget()
		if n, r, s := l.Resend(seqsFrom(0, 10)), l.Replay(0), l.Stats(); n != 0 || r.Packets != 0 || s.Dropped != 9 || f.Stats().RingHeld != 0 {
			t.Errorf("after it: %d repaired, %d replayed, %d dropped, %d held", n, r.Packets, s.Dropped, f.Stats().RingHeld)
		}
		feed(t, f, 10)
		if n := l.Resend([]uint16{9, 10}); n != 1 {
			t.Errorf("what came later: %d repaired", n)
		}
		close(slow.gate)
		time.Sleep(time.Second)
		wantSeqs(t, &slow, 0, 10, 10)
	})
}

// A viewer asks for repair of what he was given, not for what was before he came.
func TestViewerFetchesNothingFromBefore(t *testing.T) {
	for _, c := range []struct {
		name string
		come func(*Leg)
		want []uint16
	}{
		{"not selected yet", func(*Leg) {}, nil},
		{"waiting for a key frame", (*Leg).SelectAtKeyFrame, seqsFrom(12, 3)}, // of which 12 is the first packet
		{"selected", func(l *Leg) { l.Select(true) }, seqsFrom(10, 5)},
		{"selected twice", func(l *Leg) { l.Select(true); l.Select(false); l.Select(true) }, seqsFrom(10, 5)},
		{"replayed", func(l *Leg) { l.Select(true); l.Replay(7) }, seqsFrom(8, 7)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := NewFanout(FanoutConfig{Kind: Video})
				defer f.Close()
				other := f.AddLeg("uplink", &tape{})
				var r tape
				l := f.AddViewer("viewer", &r)
				feed(t, f, seqsFrom(0, 10)...)
				c.come(l)
				feed(t, f, 10, 11)
				_ = f.WriteRTP(&rtp.Packet{Header: rtp.Header{SequenceNumber: 12}, Payload: []byte{0x67, 0x88}})
				feed(t, f, 13, 14)
				time.Sleep(time.Second)
				before := len(r.seqs())
				l.Resend(seqsFrom(0, 15))
				time.Sleep(time.Second)
				if got := r.seqs()[before:]; !slices.Equal(got, c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
				if n := other.Resend(seqsFrom(0, 15)); n != 15 {
					t.Errorf("%d packets over a leg that repairs for others, want 15", n)
				}
			})
		})
	}
}

func TestLegSelectAtKeyFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{Kind: Video})
		defer f.Close()
		var r tape
		l := f.AddLeg("viewer", &r)
		l.SelectAtKeyFrame()
		frame := func(seq uint16, nal byte) {
			_ = f.WriteRTP(&rtp.Packet{Header: rtp.Header{SequenceNumber: seq}, Payload: []byte{nal, 0x88}})
		}
		frame(1, 0x61)
		frame(2, 0x67)
		frame(3, 0x65)
		frame(4, 0x61)
		l.SelectAtKeyFrame() // already there
		frame(5, 0x61)
		wantSeqs(t, &r, 2, 3, 4, 5)

		var v tape
		voice := NewFanout(FanoutConfig{Kind: Voice})
		defer voice.Close()
		voice.AddLeg("viewer", &v).SelectAtKeyFrame()
		feed(t, voice, 9)
		wantSeqs(t, &v, 9)
	})
}

// RFC 3711 section 3.3.1: an index further than 2^15 from the last one is guessed wrong. So a leg that once sent never falls that far behind.
func TestIdleLegKeepsIndexAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{})
		defer f.Close()
		var used, fresh tape
		l := f.AddLeg("used", &used)
		f.AddLeg("fresh", &fresh)
		l.Select(true)
		feed(t, f, 0)
		l.Select(false)
		feed(t, f, seqsFrom(1, 3*idleNumbers)...)
		wantSeqs(t, &used, 0, idleNumbers, 2*idleNumbers, 3*idleNumbers)
		wantSeqs(t, &fresh)
	})
}

func TestLegClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFanout(FanoutConfig{})
		r := tape{gate: make(chan struct{})}
		l := f.AddLeg("a", &r)
		l.Select(true)
		feed(t, f, 1, 2, 3)
		synctest.Wait()
		closed := make(chan struct{})
		go func() { l.Close(); close(closed) }()
		synctest.Wait()
		select {
		case <-closed:
			t.Fatal("Close returned while the sink was being written")
		default:
		}
		close(r.gate)
		<-closed
		l.Close() // twice is harmless
		feed(t, f, 4)
		if n := l.Replay(1).Packets + l.Resend([]uint16{1}); n != 0 {
			t.Error("a closed leg took packets")
		}
		wantSeqs(t, &r, 1) // what waited is thrown away
		f.Close()
	})
}

// Everything at once, for the race detector.
func TestFanoutConcurrent(t *testing.T) {
	f := NewFanout(FanoutConfig{Kind: Video, Queue: 16, Ring: 64})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 50 {
				l := f.AddLeg("x", SinkFunc(func(*rtp.Packet) error { return nil }))
				l.SelectAtKeyFrame()
				l.Select(i%2 == 0)
				l.Replay(uint16(i))
				l.Resend([]uint16{uint16(i)})
				l.Stats()
				f.Stats()
				l.Close()
			}
		})
	}
	for i := range 2000 {
		feed(t, f, uint16(i))
		if i%100 == 0 {
			f.Rebase()
		}
	}
	wg.Wait()
	f.Close()
}
