package emu

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A story is pushes at given milliseconds and changes of shape between them; the answer is what came out when.
type step struct {
	at    int // ms
	send  string
	size  int    // bytes; 0 means 100
	piece bool   // of a stream
	shape *Shape // a change instead of a packet
}

func send(at int, name string) step             { return step{at: at, send: name} }
func sized(at int, name string, bytes int) step { return step{at: at, send: name, size: bytes} }
func piece(at int, name string) step            { return step{at: at, send: name, piece: true} }
func reshape(at int, s Shape) step              { return step{at: at, shape: &s} }

func play(p *Pipe, steps []step) string {
	start := time.Unix(0, 0)
	var out []string
	drain := func(until time.Time) {
		for {
			due, moving := p.Due()
			if !moving || due.After(until) {
				p.Pop(until) // takes what a cut line loses
				return
			}
			if pkt, ok := p.Pop(due); ok {
				name, _, _ := strings.Cut(string(pkt.Data), " ")
				out = append(out, fmt.Sprintf("%s@%d", name, due.Sub(start).Milliseconds()))
			}
		}
	}
	for _, s := range steps {
		now := start.Add(time.Duration(s.at) * time.Millisecond)
		drain(now)
		if s.shape != nil {
			p.Reshape(*s.shape)
			continue
		}
		data := make([]byte, max(s.size, 100))
		copy(data, s.send+" ")
		p.Push(now, Packet{Data: data, Stream: s.piece})
	}
	drain(start.Add(time.Hour))
	return strings.Join(out, " ")
}

func TestPipe(t *testing.T) {
	ten := Shape{Delay: 10 * time.Millisecond}
	far := Shape{Delay: 310 * time.Millisecond}
	cut := Shape{Delay: 10 * time.Millisecond, Cut: true}
	thin := Shape{Rate: 8000, Queue: 300} // 1 byte a millisecond
	for _, c := range []struct {
		name  string
		shape Shape
		steps []step
		want  string
	}{
		{"the zero shape delivers at once", Shape{}, []step{send(0, "a"), send(3, "b")}, "a@0 b@3"},
		{"delay moves everything by as much", ten, []step{send(0, "a"), send(3, "b")}, "a@10 b@13"},
		{"equal times keep the order of sending", ten, []step{send(0, "a"), send(0, "b"), send(0, "c")}, "a@10 b@10 c@10"},
		{"delay grows while packets are on the way", ten, []step{send(0, "a"), reshape(5, far), send(6, "b")}, "a@10 b@316"},
		{"delay shrinks: nobody overtakes", far, []step{send(0, "a"), reshape(5, ten), send(6, "b")}, "a@310 b@310"},
		{"delay shrinks and order is not kept", far, []step{send(0, "a"), reshape(5, Shape{Delay: ten.Delay, Reorder: true}), send(6, "b")}, "b@16 a@310"},
		{"a cut takes what is on the way and what comes", ten, []step{send(0, "a"), reshape(5, cut), send(6, "b"), reshape(50, ten), send(60, "c")}, "c@70"},
		{"a cut leaves what has arrived", ten, []step{send(0, "a"), reshape(10, cut), send(11, "b")}, "a@10"},
		{"a cut shorter than the delay loses what entered or was due in it", ten, []step{send(0, "a"), send(6, "b"), reshape(8, cut), send(9, "c"), reshape(12, ten), send(13, "d")}, "b@16 d@23"},
		{"a stream stands still in a cut", ten, []step{piece(0, "a"), reshape(5, cut), piece(6, "b"), send(7, "x"), reshape(500, ten), piece(600, "c")}, "a@10 b@16 c@610"},
		{"all is lost at loss 1, but a stream only waits", Shape{Loss: 1}, []step{send(0, "a"), piece(0, "b")}, "b@200"},
		{"a thin rate sends one after the other", Shape{Rate: 8000}, []step{send(0, "a"), send(0, "b"), send(150, "c")}, "a@100 b@200 c@300"},
		{"a thin rate is free again after a pause", Shape{Rate: 8000}, []step{send(0, "a"), send(500, "b")}, "a@100 b@600"},
		{"a full queue drops the tail", thin, []step{send(0, "a"), send(0, "b"), send(0, "c"), send(0, "d"), send(100, "e")}, "a@100 b@200 c@300 e@400"},
		{"a big packet does not fit behind a small one", thin, []step{sized(0, "a", 250), sized(0, "b", 100)}, "a@250"},
		{"streams and datagrams share the rate", Shape{Rate: 8000}, []step{send(0, "a"), piece(0, "b"), send(0, "c")}, "a@100 b@200 c@300"},
		{"a queue that filled at one rate is as long at another", thin, []step{sized(0, "a", 150), sized(0, "b", 150), reshape(1, Shape{Rate: 80_000, Queue: 300}), send(2, "c"), send(150, "d")}, "a@150 b@300 d@310"},
		{"a deep queue delays and loses nothing", Shape{Rate: 8000, Queue: 1000}, []step{send(0, "a"), send(0, "b"), send(0, "c"), send(0, "d"), send(0, "e")}, "a@100 b@200 c@300 d@400 e@500"},
		{"what is too big vanishes", Shape{MTU: 500}, []step{sized(0, "a", 501), sized(1, "b", 500)}, "b@1"},
		{"a firewall blocks datagrams, also those on the way, and streams pass", ten, []step{send(0, "a"), reshape(5, Shape{Delay: ten.Delay, NoGrams: true}), send(6, "b"), piece(7, "c")}, "c@17"},
		{"streams stand still and datagrams pass", ten, []step{piece(0, "a"), reshape(5, Shape{Delay: ten.Delay, NoStreams: true}), send(6, "b"), reshape(50, ten), send(60, "c")}, "b@16 a@10 c@70"},
		{"a stream stands still behind what is too big", Shape{MTU: 500}, []step{{at: 0, send: "a", size: 501, piece: true}, piece(1, "b"), send(2, "c"), reshape(50, Shape{}), send(60, "d")}, "c@2 a@0 b@1 d@60"},
		{"everything twice", Shape{Delay: 10 * time.Millisecond, Duplicate: 1}, []step{send(0, "a"), piece(1, "b")}, "a@10 a@10 b@11"},
		{"one hole without an end", Shape{Burst: 1}, []step{send(0, "a"), piece(1, "b")}, "b@201"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := NewPipe(c.shape, 1)
			if got := play(p, c.steps); got != c.want {
				t.Errorf("came out %q, want %q", got, c.want)
			}
		})
	}
}

// The stalled pieces of the cut case above come out at once when the line is restored, at the time they were due: their
// due time is in the past, so an adapter delivers them at its next look.
func TestStalledStreamIsDueAtOnce(t *testing.T) {
	start := time.Unix(0, 0)
	p := NewPipe(Shape{Cut: true}, 1)
	p.Push(start, Packet{Data: []byte("a"), Stream: true})
	if _, moving := p.Due(); moving {
		t.Fatal("a cut line moves")
	}
	p.Reshape(Shape{})
	if pkt, ok := p.Pop(start.Add(time.Minute)); !ok || string(pkt.Data) != "a" {
		t.Fatalf("after restoring: %q %v, want the piece", pkt.Data, ok)
	}
}

func TestLossIsSeededAndNearItsShare(t *testing.T) {
	lost := func(seed uint64) (pattern []bool, count int) {
		p := NewPipe(Shape{Loss: 0.3}, seed)
		for range 10_000 {
			ok := p.Push(time.Unix(0, 0), Packet{Data: []byte{1}})
			p.Pop(time.Unix(0, 0))
			pattern = append(pattern, ok)
			if !ok {
				count++
			}
		}
		return pattern, count
	}
	a, n := lost(7)
	b, _ := lost(7)
	c, _ := lost(8)
	if !slices.Equal(a, b) {
		t.Error("the same seed lost other packets")
	}
	if slices.Equal(a, c) {
		t.Error("another seed lost the same packets")
	}
	if n < 2850 || n > 3150 { // 3000 ± 3.3 standard deviations, and the seed is fixed
		t.Errorf("lost %d of 10000 at a share of 0.3", n)
	}
}

func TestJitterStaysInItsBoundsAndKeepsOrder(t *testing.T) {
	for _, reorder := range []bool{false, true} {
		p := NewPipe(Shape{Delay: 10 * time.Millisecond, Jitter: 50 * time.Millisecond, Reorder: reorder}, 3)
		start, overtaken := time.Unix(0, 0), false
		for i := range 1000 {
			p.Push(start.Add(time.Duration(i)*time.Millisecond), Packet{Data: []byte{byte(i >> 8), byte(i)}})
		}
		for last := -1; ; {
			due, moving := p.Due()
			if !moving {
				break
			}
			pkt, _ := p.Pop(due)
			i := int(pkt.Data[0])<<8 | int(pkt.Data[1])
			overtaken = overtaken || i < last
			last = max(i, last)
			if d := due.Sub(start) - time.Duration(i)*time.Millisecond; d < 10*time.Millisecond || d > 60*time.Millisecond {
				t.Fatalf("packet %d took %v, want 10…60 ms", i, d)
			}
		}
		if overtaken != reorder {
			t.Errorf("reorder %v: overtaken %v", reorder, overtaken)
		}
	}
}

// Every packet is in exactly one counter.
func TestCountersAddUp(t *testing.T) {
	p := NewPipe(Shape{Delay: time.Hour}, 1)
	now := time.Unix(0, 0)
	for range pipeLimit + 10 {
		p.Push(now, Packet{Data: []byte{1, 2}})
	}
	p.Reshape(Shape{Cut: true})
	p.Pop(now.Add(2 * time.Hour))
	p.Push(now, Packet{Data: []byte{1}})
	p.Reshape(Shape{Loss: 1})
	p.Push(now, Packet{Data: []byte{1}})
	p.Reshape(Shape{Rate: 8, Queue: 1})
	p.Push(now, Packet{Data: []byte{1, 2}})
	p.Reshape(Shape{})
	p.Push(now.Add(3*time.Hour), Packet{Data: []byte{1, 2, 3}})
	p.Push(now.Add(3*time.Hour), Packet{Data: []byte{1, 2, 3}})
	p.Pop(now.Add(3 * time.Hour))
	want := Counters{Passed: 1, Bytes: 3, Lost: 1, Cut: pipeLimit + 1, QueueFull: 1, PipeFull: 10, Waiting: 1}
	if got := p.Counters(); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}

func BenchmarkPipe(b *testing.B) {
	p := NewPipe(Shape{Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.01}, 1)
	data, now := make([]byte, 1200), time.Unix(0, 0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		p.Push(now, Packet{Data: data})
		for _, ok := p.Pop(now); ok; _, ok = p.Pop(now) {
		}
	}
}
