package link

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/rtp"

	"scanside/media"
)

func quietPion() logging.LoggerFactory {
	f := logging.NewDefaultLoggerFactory()
	f.DefaultLogLevel = logging.LogLevelDisabled
	return f
}

// listener collects a session's events.
type listener struct {
	mu        sync.Mutex
	samples   []Sample
	keyFrames int
	repairs   [media.NumKinds][]uint16
	packets   [media.NumKinds][]*rtp.Packet
	playing   []string
}

func (l *listener) events() Events {
	return Events{
		Sample:   func(s Sample) { l.mu.Lock(); l.samples = append(l.samples, s); l.mu.Unlock() },
		KeyFrame: func() { l.mu.Lock(); l.keyFrames++; l.mu.Unlock() },
		Repair: func(k media.Kind, seqs []uint16) {
			l.mu.Lock()
			l.repairs[k] = append(l.repairs[k], seqs...)
			l.mu.Unlock()
		},
		Packet: func(k media.Kind, p *rtp.Packet) {
			l.mu.Lock()
			l.packets[k] = append(l.packets[k], p)
			l.mu.Unlock()
		},
		Playing: func(on bool, reason string) {
			word := "playing"
			if !on {
				word = reason
			}
			l.mu.Lock()
			l.playing = append(l.playing, word)
			l.mu.Unlock()
		},
	}
}

// take returns the samples so far and forgets them.
func (l *listener) take() []Sample {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.samples
	l.samples = nil
	return out
}

func (l *listener) received(k media.Kind) []*rtp.Packet {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.packets[k]
}

// stream writes n packets of one kind, one every interval, numbered from first.
func stream(sink media.Sink, k media.Kind, first uint16, n int, every time.Duration) {
	for i := range n {
		p := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: first + uint16(i), Timestamp: uint32(i) * 960, PayloadType: 99}, Payload: make([]byte, 80)}
		p.Payload[0] = byte(i)
		p.Payload[1] = byte(k)
		_ = sink.WriteRTP(p)
		time.Sleep(every)
	}
}

func dial(t *testing.T, cfg Config) (*Session, *listener) {
	t.Helper()
	l := &listener{}
	s, err := Dial(context.Background(), cfg, l.events())
	must(t, err)
	return s, l
}

func TestSessionInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2", "3")
		defer w.close()
		a, la := dial(t, w.config("2"))
		b, lb := dial(t, w.config("3"))

		// Probes are answered before any media flows.
		time.Sleep(time.Second)
		for _, l := range []*listener{la, lb} {
			samples := l.take()
			if len(samples) < 18 {
				t.Fatalf("%d samples in a second at 50 ms", len(samples))
			}
			for _, s := range samples {
				if !s.Answered || s.RTT < 20*time.Millisecond || s.RTT > 25*time.Millisecond {
					t.Errorf("sample %+v; want an answer after 20 ms", s)
				}
			}
		}

		// Media out on both links, return media on one.
		var sending sync.WaitGroup
		sending.Go(func() { stream(a.Leg(media.Voice), media.Voice, 65500, 100, 20*time.Millisecond) })
		sending.Go(func() { stream(b.Leg(media.Voice), media.Voice, 65500, 100, 20*time.Millisecond) })
		sending.Go(func() { stream(a.Leg(media.Video), media.Video, 7, 300, 6*time.Millisecond) })
		sending.Go(func() { stream(w.far.player("u3").Leg(media.Voice), media.Voice, 1, 100, 20*time.Millisecond) })
		sending.Wait()
		time.Sleep(100 * time.Millisecond)
		for _, c := range []struct {
			uplink string
			kind   media.Kind
			want   int
		}{{"u2", media.Voice, 100}, {"u3", media.Voice, 100}, {"u2", media.Video, 300}, {"u3", media.Video, 0}} {
			if got := w.far.count(c.uplink, c.kind).packets; got != c.want {
				t.Errorf("%s %v: %d packets arrived, want %d", c.uplink, c.kind, got, c.want)
			}
		}
		if got := lb.received(media.Voice); len(got) != 100 || got[0].SequenceNumber != 1 || got[0].Payload[1] != byte(media.Voice) {
			var seqs []uint16
			for _, p := range got {
				seqs = append(seqs, p.SequenceNumber)
			}
			t.Errorf("return voice: %d packets: %v", len(got), seqs)
		}

		// The answers carry the word about all legs.
		far := lastAnswer(t, lb.take()).Far
		if len(far) != 2 || far[media.Voice].Received != 200 || len(far[media.Voice].Legs) != 2 || far[media.Video].Legs[0] != (LegReport{"u2", 300, 306}) {
			t.Errorf("far end's word: %v", far)
		}

		// Repair and key frames, both directions.
		w.far.publisher("u2").AskRepair(media.Video, []uint16{8, 9, 300})
		w.far.publisher("u2").AskKeyFrame()
		b.AskRepair(media.Voice, []uint16{3, 65535})
		b.AskKeyFrame()
		time.Sleep(100 * time.Millisecond)
		la.mu.Lock()
		if got := la.repairs[media.Video]; len(got) != 3 || la.keyFrames != 1 {
			t.Errorf("asked of the agent: repair %v, key frames %d", got, la.keyFrames)
		}
		la.mu.Unlock()
		w.far.mu.Lock()
		if got := w.far.nack[media.Voice]; len(got) != 2 || w.far.asks.Load() != 1 {
			t.Errorf("asked of the far end: repair %v, key frames %d", got, w.far.asks.Load())
		}
		w.far.mu.Unlock()

		if got := len(a.Resources()); got != 2 {
			t.Errorf("%d resources while live, want 2", got)
		}
		start := time.Now()
		must(t, a.Close())
		must(t, b.Close())
		t.Logf("both closed in %v", time.Since(start))
		if a.Err() != nil || len(a.Resources()) != 0 || w.far.resources.Len() != 0 {
			t.Errorf("after Close: err %v, resources %v, at the far end %d", a.Err(), a.Resources(), w.far.resources.Len())
		}
		if err := a.Leg(media.Voice).WriteRTP(&rtp.Packet{}); err == nil {
			t.Error("a leg of a closed session takes packets")
		}
	})
}

func lastAnswer(t *testing.T, samples []Sample) Sample {
	t.Helper()
	for i := len(samples) - 1; i >= 0; i-- {
		if samples[i].Answered {
			return samples[i]
		}
	}
	t.Fatal("no probe was answered")
	return Sample{}
}

// Dial's time is part of every recovery; printed, not judged.
func TestDialTime(t *testing.T) {
	for _, rtt := range []time.Duration{0, 20 * time.Millisecond, 60 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, rtt/2, "2")
			defer w.close()
			start := time.Now()
			s, _ := dial(t, w.config("2"))
			took := time.Since(start)
			must(t, s.Close())
			trips := 0.0
			if rtt > 0 {
				trips = float64(took) / float64(rtt)
			}
			t.Logf("dial at %v round trip: %v (%.1f round trips, TCP and TLS included)", rtt, took, trips)
		})
	}
}
