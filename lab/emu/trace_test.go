package emu

import (
	"math"
	"strings"
	"testing"
	"time"
)

func recorded(t *testing.T, text string) *Trace {
	t.Helper()
	trace, err := ReadTrace(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

func TestTrace(t *testing.T) {
	// Two packets at 10 ms, one at 50, one at 100; then again: 110, 110, 150, 200 …
	trace := recorded(t, "10\n10\n50\n100\n")
	for _, c := range []struct {
		name  string
		shape Shape
		steps []step
		want  string
	}{
		{"one packet for each opportunity; the first packet begins the trace", Shape{Trace: trace}, []step{sized(0, "a", 1500), sized(0, "b", 1500), sized(0, "c", 1500)}, "a@10 b@10 c@50"},
		{"small packets share one", Shape{Trace: trace}, []step{sized(0, "a", 700), sized(0, "b", 700), sized(0, "c", 700), sized(0, "d", 1500)}, "a@10 b@10 c@10 d@50"},
		{"what nobody used is gone", Shape{Trace: trace}, []step{send(0, "a"), send(60, "b"), send(101, "c")}, "a@10 b@100 c@110"},
		{"the trace begins anew at its end", Shape{Trace: trace}, []step{send(0, "x"), sized(60, "a", 1500), sized(61, "b", 1500), sized(62, "c", 1500), sized(63, "d", 1500)}, "x@10 a@100 b@110 c@110 d@150"},
		{"it may be entered later", Shape{Trace: trace, TraceFrom: 40 * time.Millisecond}, []step{send(5, "a")}, "a@15"},
		{"delay is added", Shape{Trace: trace, Delay: 7 * time.Millisecond}, []step{send(5, "a")}, "a@22"},
		{"a full queue drops the tail", Shape{Trace: trace, Queue: 3000}, []step{sized(0, "a", 1500), sized(0, "b", 1500), sized(0, "c", 1500), sized(20, "d", 1500)}, "a@10 b@10 d@50"},
		{"a rate takes over behind what waits", Shape{Trace: trace}, []step{sized(0, "a", 3000), sized(0, "b", 1500), reshape(1, Shape{Rate: 800_000}), send(2, "c")}, "a@10 b@50 c@51"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := play(NewPipe(c.shape, 1), c.steps); got != c.want {
				t.Errorf("came out %q, want %q", got, c.want)
			}
		})
	}
}

func TestReadTraceSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":          "empty",
		"0\n0\n":    "lasts no time",
		"5\n4\n":    "line 2: 4ms lies before",
		"5\nsoon\n": "line 2: \"soon\" is not a millisecond",
		"-1\n":      "line 1:",
	} {
		if _, err := ReadTrace(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// Holes take their share of the time, last as long as was said on average, and come at the same moments for the same seed
// whatever is sent.
func TestHoles(t *testing.T) {
	const share, mean, length = 0.1, 200 * time.Millisecond, 3 * time.Hour
	dead := func(seed uint64, every time.Duration) (moments map[time.Duration]bool, count, holes int) {
		p := NewPipe(Shape{Burst: share, BurstMean: mean}, seed)
		moments = map[time.Duration]bool{}
		was := false
		for at := time.Duration(0); at < length; at += every {
			now := time.Unix(0, 0).Add(at)
			ok := p.Push(now, Packet{Data: []byte{1}})
			p.Pop(now)
			if moments[at] = !ok; !ok {
				count++
				if !was {
					holes++
				}
			}
			was = !ok
		}
		return moments, count, holes
	}
	fine, n, holes := dead(1, 5*time.Millisecond)
	if got := float64(n) / float64(length/(5*time.Millisecond)); math.Abs(got-share) > 0.01 {
		t.Errorf("dead for %.3f of the time, want %.2f", got, share)
	}
	if got := time.Duration(n) * 5 * time.Millisecond / time.Duration(holes); got < 180*time.Millisecond || got > 220*time.Millisecond {
		t.Errorf("a hole lasts %v on average, want %v", got, mean)
	}
	coarse, _, _ := dead(1, 20*time.Millisecond)
	for at, lost := range coarse {
		if fine[at] != lost {
			t.Fatalf("at %v: sending less often moved a hole", at)
		}
	}
}
