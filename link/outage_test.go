package link

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/vnet"

	"scanside/media"
)

// checkBook checks invariant L2: a probe ends in exactly one sample that is not late and at most one that is, and a late one
// comes after the other.
func checkBook(t *testing.T, samples []Sample) (answered, missed, late int) {
	t.Helper()
	seen := map[uint32]int{}
	for _, s := range samples {
		switch {
		case s.Late && (seen[s.Number] != 1 || !s.Answered):
			t.Errorf("late sample %+v without a missed one before it", s)
		case !s.Late && seen[s.Number] != 0:
			t.Errorf("second sample of probe %d", s.Number)
		}
		seen[s.Number]++
		switch {
		case s.Late:
			late++
		case s.Answered:
			answered++
		default:
			missed++
		}
	}
	return answered, missed, late
}

// A probe must stay an honest sensor on a bad link: half of them are lost each way together, none is invented, and those
// that come back took as long as the path is.
func TestProbesUnderLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		s, l := dial(t, w.config("2"))
		random := rand.New(rand.NewPCG(1, 2))
		var mu sync.Mutex
		lossy := func(vnet.Chunk) bool {
			mu.Lock()
			defer mu.Unlock()
			return random.Float64() < 0.3
		}
		for w.far.player("u2") == nil || len(l.take()) == 0 { // the play half may need a second try: handshakes race
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second)
		l.take()
		playing := w.far.player("u2")
		w.drop.Store(&lossy)
		time.Sleep(100 * time.Second)
		if w.far.player("u2") != playing || s.Err() != nil {
			t.Errorf("a link that is merely bad lost its play session, or itself: %v", s.Err())
		}
		samples := l.take()
		answered, missed, late := checkBook(t, samples)
		for _, s := range samples {
			if s.Answered && (s.RTT < 20*time.Millisecond || s.RTT > 30*time.Millisecond) {
				t.Errorf("sample %+v; the path takes 20 ms", s)
			}
		}
		share := float64(answered) / float64(answered+missed)
		t.Logf("30 %% loss each way, 100 s: %d answered, %d missed, %d late: %.3f (0.7² = 0.49)", answered, missed, late, share)
		if share < 0.44 || share > 0.54 || late != 0 {
			t.Errorf("share %.3f late %d", share, late)
		}
		must(t, s.Close())
	})
}

// After an outage the first answers are to probes sent after it; the session is the same.
func TestOutage(t *testing.T) {
	for _, outage := range []time.Duration{10 * time.Second, 25 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 10*time.Millisecond, "2")
			defer w.close()
			s, l := dial(t, w.config("2"))
			time.Sleep(time.Second)
			w.cut("2")
			time.Sleep(100 * time.Millisecond) // what was on its way
			l.take()
			time.Sleep(outage - 100*time.Millisecond)
			for _, sample := range l.take() {
				if sample.Answered {
					t.Errorf("answered while cut: %+v", sample)
				}
			}
			back := time.Now()
			w.cut()
			time.Sleep(time.Second)
			samples := l.take()
			checkBook(t, samples)
			first := slices.IndexFunc(samples, func(s Sample) bool { return s.Answered })
			if first < 0 {
				t.Fatalf("not answered again after %v", outage)
			}
			if samples[first].Sent.Before(back) || samples[first].RTT > 25*time.Millisecond || samples[first].Late {
				t.Errorf("first answer after the outage: %+v, back at %v", samples[first], back)
			}
			t.Logf("outage %v: first answered probe left %v after it ended", outage, samples[first].Sent.Sub(back))
			stream(s.Leg(media.Voice), media.Voice, 1, 10, 20*time.Millisecond)
			time.Sleep(time.Second)
			if got := w.far.count("u2", media.Voice).packets; got != 10 {
				t.Errorf("%d of 10 packets after the outage", got)
			}
			select {
			case <-s.Done():
				t.Errorf("session ended: %v", s.Err())
			default:
			}
			must(t, s.Close())
		})
	}
}

// Silence longer than consent lasts ends the session by itself (RFC 7675 5.1: 30 s).
func TestDeadAfterConsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		s, _ := dial(t, w.config("2"))
		start := time.Now()
		w.cut("2")
		<-s.Done()
		took := time.Since(start)
		t.Logf("declared dead after %v: %v", took, s.Err())
		if !errors.Is(s.Err(), ErrSilent) || took < 28*time.Second || took > 33*time.Second {
			t.Errorf("after %v: %v", took, s.Err())
		}
		start = time.Now()
		must(t, s.Close())
		if took := time.Since(start); took > 2500*time.Millisecond {
			t.Errorf("Close took %v on a dead uplink", took)
		}
		if left := s.Resources(); len(left) == 0 {
			t.Error("what could not be deleted is not in Resources")
		}
		w.cut()
		if failed := Delete(t.Context(), w.config("2"), s.Resources()); len(failed) != 0 {
			t.Error(failed)
		}
	})
}

// heldNet keeps what is sent while held and hands it over at once afterwards: a modem's long queue.
type heldNet struct {
	*worldNet
	mu   sync.Mutex
	held bool
	late []func()
}

func (n *heldNet) ListenUDP(network string, a *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.worldNet.ListenUDP(network, a)
	return &heldConn{c, n}, err
}

type heldConn struct {
	transport.UDPConn
	n *heldNet
}

func (c *heldConn) WriteTo(b []byte, a net.Addr) (int, error) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if c.n.held {
		b = append([]byte(nil), b...)
		c.n.late = append(c.n.late, func() { _, _ = c.UDPConn.WriteTo(b, a) })
		return len(b), nil
	}
	return c.UDPConn.WriteTo(b, a)
}

func (n *heldNet) hold(on bool) {
	n.mu.Lock()
	n.held = on
	late := n.late
	n.late = nil
	n.mu.Unlock()
	for _, f := range late {
		f()
	}
}

// A queue that hands ten seconds of probes over at once must not look like a good link: each of those answers is late and
// carries its true round trip.
func TestStaleBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		cfg := w.config("2")
		held := &heldNet{worldNet: cfg.Net.(*worldNet)}
		cfg.Net = held
		s, l := dial(t, cfg)
		time.Sleep(time.Second)
		time.Sleep(30 * time.Millisecond) // not while a probe is on its way
		l.take()
		w.listen.cut(map[string]bool{"10.0.0.2": true}) // the queue holds signalling as well
		held.hold(true)
		time.Sleep(10 * time.Second)
		released := time.Now()
		held.hold(false)
		w.listen.cut(nil)
		time.Sleep(time.Second)
		samples := l.take()
		answered, missed, late := checkBook(t, samples)
		for _, sample := range samples {
			if sample.Answered && sample.Sent.Before(released) {
				if want := released.Add(20 * time.Millisecond).Sub(sample.Sent); sample.RTT < want {
					t.Errorf("probe %d: round trip %v, truly at least %v", sample.Number, sample.RTT, want)
				}
			}
		}
		t.Logf("10 s held: %d answered, %d missed, %d late", answered, missed, late)
		if late < 190 {
			t.Errorf("%d late answers of about 200", late)
		}
		must(t, s.Close())
	})
}

// G12: a far end that was restarted is noticed by asking it, not by waiting for consent.
func TestFarEndRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		s, _ := dial(t, w.config("2"))
		time.Sleep(time.Second)
		old := w.far
		// kill -9: nothing says goodbye. The media socket goes first, so that no close notify gets out.
		silent := func(vnet.Chunk) bool { return true }
		w.drop.Store(&silent)
		old.close()
		udp, err := w.farNet.ListenPacket("udp4", "10.0.0.1:7000")
		must(t, err)
		w.far = newFarEnd(t, APIConfig{UDP: udp, Net: w.farNet})
		w.serve(w.far.ServeHTTP)
		time.Sleep(50 * time.Millisecond) // what was said is dropped on the way
		w.cut()
		start := time.Now()
		<-s.Done()
		t.Logf("noticed after %v: %v", time.Since(start), s.Err())
		if !errors.Is(s.Err(), ErrForgotten) || time.Since(start) > 2*time.Second {
			t.Errorf("after %v: %v", time.Since(start), s.Err())
		}
		must(t, s.Close())
		again, _ := dial(t, w.config("2"))
		must(t, again.Close())
		w.close()
	})
}

// An uplink that carries signalling but lost its media path (a NAT forgot it, the address changed) needs a new session long
// before consent runs out; a short silence does not end it.
func TestPathBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		s, _ := dial(t, w.config("2"))
		media := func(vnet.Chunk) bool { return true } // signalling has its own way in this world
		w.drop.Store(&media)
		time.Sleep(4 * time.Second)
		w.cut()
		time.Sleep(5 * time.Second)
		if s.Err() != nil {
			t.Errorf("ended by 4 s of silence: %v", s.Err())
		}
		start := time.Now()
		w.drop.Store(&media)
		<-s.Done()
		t.Logf("given up after %v: %v", time.Since(start), s.Err())
		if !errors.Is(s.Err(), ErrPathBroken) || time.Since(start) > 8*time.Second {
			t.Errorf("after %v: %v", time.Since(start), s.Err())
		}
		must(t, s.Close())
	})
}

// Nobody there yet is a normal state: the session lives, and plays when somebody comes.
func TestNobodyThereYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		w.far.refuse.Store(&Problem{Status: http.StatusConflict, Title: "nobody sends yet", After: 3 * time.Second})
		s, l := dial(t, w.config("2"))
		if s.Playing() {
			t.Error("playing nothing")
		}
		time.Sleep(2 * time.Second)
		w.far.refuse.Store(nil)
		time.Sleep(1500 * time.Millisecond)
		time.Sleep(3 * time.Second)
		if !s.Playing() {
			t.Error("not playing though somebody came")
		}
		l.mu.Lock()
		if !slices.Equal(l.playing, []string{"nobody there yet", "playing"}) {
			t.Errorf("told: %q", l.playing)
		}
		l.mu.Unlock()
		must(t, s.Close())
	})
}

// The play half is dialled again by itself, whether its end is said or not.
func TestPlayHalfComesBack(t *testing.T) {
	for name, kill := range map[string]func(*world, *Session){
		"closed by the far end": func(w *world, _ *Session) { _ = w.far.player("u2").Close() },
		"silently dead": func(w *world, s *Session) {
			pair, err := s.nowPlaying().pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
			must(w.t, err)
			port := int(pair.Local.Port)
			drop := func(c vnet.Chunk) bool {
				from, to := c.SourceAddr().(*net.UDPAddr), c.DestinationAddr().(*net.UDPAddr)
				return from.Port == port || to.Port == port
			}
			w.drop.Store(&drop)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 10*time.Millisecond, "2")
				defer w.close()
				s, l := dial(t, w.config("2"))
				time.Sleep(2 * time.Second)
				first := w.far.player("u2")
				kill(w, s)
				start := time.Now()
				for w.far.player("u2") == first && time.Since(start) < time.Minute {
					time.Sleep(50 * time.Millisecond)
				}
				t.Logf("another play session after %v", time.Since(start))
				time.Sleep(time.Second)
				stream(w.far.player("u2").Leg(media.Voice), media.Voice, 1, 5, 20*time.Millisecond)
				time.Sleep(100 * time.Millisecond)
				if got := len(l.received(media.Voice)); got != 5 || !s.Playing() || s.Err() != nil {
					t.Errorf("%d packets on the new play session, playing %v, err %v", got, s.Playing(), s.Err())
				}
				must(t, s.Close())
			})
		})
	}
}

// When one half is refused the other is undone, at the far end too.
func TestDialUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		w.far.refuse.Store(&Problem{Status: http.StatusServiceUnavailable, Title: "full", After: 4 * time.Second})
		_, err := Dial(t.Context(), w.config("2"), Events{})
		var p *Problem
		if !errors.As(err, &p) || p.Status != 503 || p.After != 4*time.Second || p.Permanent() {
			t.Errorf("%v", err)
		}
		t.Log(err)
		if got := w.far.resources.Len(); got != 0 {
			t.Errorf("%d resources left at the far end", got)
		}
	})
}
