package synthetic

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

// path is a way through a network: a delay, a cut, and each nth packet lost.
type path struct {
	delay time.Duration
	nth   int64
	cut   atomic.Bool
	sent  atomic.Int64
	queue chan timed
	start time.Time
}

func newPath(delay time.Duration, nth int64, out media.Sink) *path {
	p := &path{delay: delay, nth: nth, queue: make(chan timed, 1000), start: time.Now()}
	go func() {
		for q := range p.queue {
			time.Sleep(time.Until(p.start.Add(q.at)))
			_ = out.WriteRTP(q.p)
		}
	}()
	return p
}

func (p *path) WriteRTP(pkt *rtp.Packet) error {
	if n := p.sent.Add(1); !p.cut.Load() && (p.nth == 0 || n%p.nth != 0) {
		p.queue <- timed{pkt, time.Since(p.start) + p.delay}
	}
	return nil
}

// world is the life of a packet without a network: source, fanout, two paths, merger, fanout, viewer.
type world struct {
	source  media.Source
	fan     *media.Fanout
	legs    [2]*media.Leg
	paths   [2]*path
	merger  *media.Merger
	viewers *media.Fanout
	counter *Counter
	stop    func()
}

// newWorld starts a world with the lab's paths: wired 10 ms, cellular 30 ms one way.
func newWorld(t *testing.T, k media.Kind, nth int64) *world {
	w := &world{counter: NewCounter(k)}
	w.source = NewVoice()
	if k == media.Video {
		w.source = NewVideo(VideoConfig{})
	}
	w.viewers = media.NewFanout(media.FanoutConfig{Kind: k})
	w.viewers.AddLeg("viewer", w.counter).SelectAtKeyFrame()
	w.merger = media.NewMerger(media.MergerConfig{Kind: k}, w.viewers)
	w.fan = media.NewFanout(media.FanoutConfig{Kind: k})
	for i, delay := range []time.Duration{10 * ms, 30 * ms} {
		w.paths[i] = newPath(delay, nth, w.merger.AddLeg("leg"))
		w.legs[i] = w.fan.AddLeg("leg", w.paths[i])
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		time.Sleep(ms) // the test chooses its legs first, or the first key frame passes them by
		_ = w.source.Run(ctx, w.fan)
	})
	wg.Go(func() { // what the agent's loop does: repairs, answered over the leg that lives
		for ctx.Err() == nil {
			time.Sleep(10 * ms)
			if seqs := w.merger.Repairs(time.Now()); len(seqs) > 0 {
				time.Sleep(w.paths[1].delay)
				w.legs[1].Resend(seqs)
			}
		}
	})
	w.stop = func() {
		cancel()
		wg.Wait()
		w.fan.Close()
		for _, p := range w.paths {
			close(p.queue)
		}
		synctest.Wait()
		time.Sleep(100 * ms) // what is on its way
		w.viewers.Close()
	}
	return w
}

// G1, G2: with two copies, a cut of either leg loses nothing and adds at most the skew.
func TestCutWithTwoCopies(t *testing.T) {
	for _, k := range []media.Kind{media.Voice, media.Video} {
		cadence := []time.Duration{20 * ms, time.Second / 30}[k]
		for leg, skew := range []time.Duration{20 * ms, 0} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, k, 0)
				w.legs[0].Select(true)
				w.legs[1].Select(true)
				time.Sleep(3 * time.Second)
				w.counter.Mark()
				w.paths[leg].cut.Store(true)
				time.Sleep(3 * time.Second)
				w.counter.End()
				time.Sleep(time.Second)
				w.stop()
				s, m := w.counter.Stats(), w.merger.Stats()
				if s.Lost != 0 || s.FramesLost != 0 || s.Packets < 140 || m.RepairsAsked != 0 {
					t.Errorf("%v, leg %d cut: %+v, merger %+v", k, leg, s, m)
				}
				if bound := cadence + skew + 5*ms; s.LongestGap > bound || s.LongestFreeze > bound {
					t.Errorf("%v, leg %d cut: gap %v, freeze %v, bound %v", k, leg, s.LongestGap, s.LongestFreeze, bound)
				}
			})
		}
	}
}

// G3: with one copy until doubt, a replay to the other leg loses no frame; the freeze is what detection, the replay and the other leg's delay add up to.
func TestCutWithReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const detect = 100 * ms
		w := newWorld(t, media.Video, 0)
		w.legs[0].Select(true)
		time.Sleep(3 * time.Second)
		w.counter.Mark()
		w.paths[0].cut.Store(true)
		time.Sleep(detect)
		w.legs[1].Select(true)
		replayed := w.legs[1].Replay(uint16(w.merger.Stats().Highest))
		time.Sleep(3 * time.Second)
		w.counter.End()
		time.Sleep(time.Second)
		w.stop()
		s := w.counter.Stats()
		if s.Lost != 0 || s.FramesLost != 0 || s.KeyFrames != 0 || s.LongestFreeze > 200*ms {
			t.Errorf("%+v", s)
		}
		t.Logf("detected after %v: %d packets replayed, longest freeze %v", detect, replayed.Packets, s.LongestFreeze)
	})
}

// Loss on both legs is repaired, and only what both lost is asked for.
func TestLossIsRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, media.Video, 20)
		w.legs[1].Select(true)
		time.Sleep(10 * time.Second)
		w.counter.End()
		time.Sleep(time.Second)
		w.stop()
		s, m := w.counter.Stats(), w.merger.Stats()
		if s.Lost != 0 || s.FramesLost != 0 || m.Repaired < 50 || m.Lost != 0 {
			t.Errorf("%+v, merger %+v", s, m)
		}
		t.Logf("5 %% lost: %d repaired with %d requests, longest freeze %v", m.Repaired, m.RepairsAsked, s.LongestFreeze)
	})
}

// The agent restarts: a new run with numbers of its own and a fresh merger. The viewer's stream goes on, and its picture returns with the first key frame.
func TestRestartBehindTheViewersFanout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, media.Video, 0)
		w.legs[0].Select(true)
		var seen []rtp.Header // read after stop
		w.viewers.AddLeg("by numbers", media.SinkFunc(func(p *rtp.Packet) error {
			seen = append(seen, p.Header)
			return nil
		})).Select(true)
		time.Sleep(2 * time.Second)
		w.legs[0].Close()
		time.Sleep(500 * ms)

		w.viewers.Rebase()
		leg := media.NewMerger(media.MergerConfig{Kind: media.Video}, w.viewers).AddLeg("wired")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_ = NewVideo(VideoConfig{}).Run(ctx, leg)
		s := w.counter.Stats()
		w.stop()
		if s.Runs != 2 || s.Lost != 0 || s.FramesLost != 0 || s.FramesShown != s.Frames || s.LongestFreeze > 600*ms {
			t.Errorf("%+v", s)
		}
		for i := range len(seen) - 1 {
			a, b := seen[i], seen[i+1]
			if step := b.Timestamp - a.Timestamp; b.SequenceNumber != a.SequenceNumber+1 || step > 90000 {
				t.Fatalf("packet %d: number %d to %d, time moves by %d", i, a.SequenceNumber, b.SequenceNumber, step)
			}
		}
	})
}

// What comes later than LateAfter is counted once, by the stamps, and not when it was sent before the measurement.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCounter(media.Voice)
		quick, slow := newPath(30*ms, 10, c), newPath(LateAfter+ms, 0, c)
		defer close(quick.queue)
		defer close(slow.queue)
		ctx, stop := context.WithTimeout(t.Context(), 4*time.Second)
		defer stop()
		_ = NewVoice().Run(ctx, media.SinkFunc(func(p *rtp.Packet) error {
			return errors.Join(quick.WriteRTP(p), slow.WriteRTP(p))
		}))
		if s := c.Stats(); s.Late < 18 || s.Late > 20 || s.Lost != 0 {
			t.Errorf("each tenth of 200 comes by the slow path alone, and %d are late, %d lost", s.Late, s.Lost)
		}
		time.Sleep(quick.delay + ms)
		c.Mark()
		time.Sleep(time.Second)
		if got := c.Stats().Late; got != 0 {
			t.Errorf("%d are late of those sent before the measurement", got)
		}
	})
}
