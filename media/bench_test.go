package media

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// packet returns a packet of video size.
func packet(seq uint16) *rtp.Packet {
	return &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq}, Payload: make([]byte, 1100)}
}

// measure starts the clocks of a benchmark; the returned function stops them and prints, beside the time on the wall, that of the CPU, which a busy
// machine does not change much.
func measure(b *testing.B) func() {
	b.ReportAllocs()
	before := cpu()
	b.ResetTimer()
	return func() {
		b.StopTimer()
		b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
	}
}

// cpu is the time this process has spent on any CPU.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail with these arguments
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFanout prints the cost of a packet on 0 to 4 legs, on one thread. The cost of one more leg is the difference. A leg's goroutine is woken once
// for a burst: 8 packets are a frame of video, 1 is voice.
func BenchmarkFanout(b *testing.B) {
	for _, burst := range []int{1, 8} {
		for _, legs := range []int{0, 1, 2, 4} {
			b.Run(fmt.Sprintf("burst=%d/legs=%d", burst, legs), func(b *testing.B) { benchFanout(b, burst, legs) })
		}
	}
}

func benchFanout(b *testing.B, burst, legs int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f := NewFanout(FanoutConfig{Kind: Video})
	defer f.Close()
	var taken atomic.Int64
	for i := range legs {
		f.AddLeg(fmt.Sprint(i), SinkFunc(func(*rtp.Packet) error { taken.Add(1); return nil })).Select(true)
	}
	p := packet(0)
	defer measure(b)()
	for i := range b.N {
		p.SequenceNumber = uint16(i)
		_ = f.WriteRTP(p)
		if i%burst == burst-1 {
			for taken.Load() < int64((i+1)*legs) {
				runtime.Gosched()
			}
		}
	}
}

// BenchmarkMerger prints the cost of a packet that arrives on one of two legs, first copies and duplicates in turn.
func BenchmarkMerger(b *testing.B) {
	m := NewMerger(MergerConfig{Kind: Video}, SinkFunc(func(*rtp.Packet) error { return nil }))
	legs := [2]*MergerLeg{m.AddLeg("wired"), m.AddLeg("cellular")}
	p := packet(0)
	defer measure(b)()
	for i := range b.N {
		p.SequenceNumber = uint16(i / 2)
		_ = legs[i%2].WriteRTP(p)
	}
}

// BenchmarkMergerLoss is the same with each tenth packet missing on both legs, and repairs asked for each 10 ms of stream.
func BenchmarkMergerLoss(b *testing.B) {
	m := NewMerger(MergerConfig{Kind: Video}, SinkFunc(func(*rtp.Packet) error { return nil }))
	legs := [2]*MergerLeg{m.AddLeg("wired"), m.AddLeg("cellular")}
	p := packet(0)
	now := time.Now()
	defer measure(b)()
	for i := range b.N {
		if i/2%10 == 9 {
			continue
		}
		p.SequenceNumber = uint16(i / 2)
		_ = legs[i%2].WriteRTP(p)
		if i%5 == 0 {
			now = now.Add(10 * time.Millisecond)
			m.Repairs(now)
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	var f Filter
	defer measure(b)()
	for i := range b.N {
		f.First(uint64(i / 2))
	}
}

// BenchmarkDraw prints the cost of one picture of 1280x720.
func BenchmarkDraw(b *testing.B) {
	p := NewPattern(1280, 720, 30)
	at := time.Date(2026, 11, 23, 14, 5, 9, 0, time.UTC)
	defer measure(b)()
	for i := range b.N {
		p.Draw(uint64(i), at.Add(time.Duration(i)*time.Second/30))
	}
}

// BenchmarkTone prints the cost of 20 ms of test voice.
func BenchmarkTone(b *testing.B) {
	var t Tone
	pcm := make([]int16, ToneRate/50)
	defer measure(b)()
	for range b.N {
		t.Read(pcm)
	}
}

// BenchmarkReference is a fixed piece of work, to read the other figures by on a busy machine: a lock taken and given back.
func BenchmarkReference(b *testing.B) {
	f := NewFanout(FanoutConfig{})
	defer measure(b)()
	for range b.N {
		f.Stats()
	}
}
