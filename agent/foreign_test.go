package agent

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"scanside/link"
	"scanside/media"
	"scanside/supervision"
)

// stranger is a WHIP server of another make in the world: every endpoint is a publisher of its own, nothing is merged, and
// probes are not answered.
type stranger struct {
	t         *testing.T
	api       *link.API
	resources *link.Resources

	mu    sync.Mutex
	paths map[string]*publisher // by path of the endpoint
	wrong []string              // what it should not have been asked
}

// publisher is what came to an endpoint.
type publisher struct {
	packets [media.NumKinds]int
	last    [media.NumKinds]time.Time
	begun   [media.NumKinds]time.Time // the first since the last look
	keys    int                       // key frames since the last look
	number  [media.NumKinds]uint16
	holes   [media.NumKinds]int // numbers left out
	live    int
}

func (w *world) stranger() (s *stranger, stop func()) {
	w.t.Helper()
	socket, err := w.hosts["far"].ListenPacket("udp4", "10.0.0.100:3478")
	if err != nil {
		w.t.Fatal(err)
	}
	s = &stranger{t: w.t, paths: map[string]*publisher{}}
	if s.api, err = link.NewAPI(link.APIConfig{UDP: socket, Net: w.hosts["far"]}); err != nil {
		w.t.Fatal(err)
	}
	s.resources = link.NewResources(link.ResourcesConfig{Principal: func(*http.Request) string { return "anybody" }})
	off := w.serve(s)
	return s, func() { off(); s.resources.Close(); s.api.Close() }
}

func (s *stranger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/session/"):
		s.resources.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/live/") && r.URL.RawQuery == "":
		body, _ := io.ReadAll(r.Body)
		body = []byte(strings.ReplaceAll(string(body), "a=x-scanside-echo:1\r\n", ""))
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
		s.resources.Create(w, r, "/session", "anybody", func(offer string) (link.Peer, string, error) { return s.publish(r.URL.Path, offer) })
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		if asked := r.Method + " " + r.URL.String(); asked != "GET /healthz" || r.Header.Get("Authorization") != "" {
			s.wrong = append(s.wrong, asked) // an uplink that died is examined: any answer will do there, and no token goes with it
		}
		http.NotFound(w, r)
	}
}

func (s *stranger) publish(path, offer string) (link.Peer, string, error) {
	s.mu.Lock()
	p := s.paths[path]
	if p == nil {
		p = &publisher{}
		s.paths[path] = p
	}
	s.mu.Unlock()
	begun := [media.NumKinds]bool{}
	in, answer, err := s.api.AcceptPublish(offer, link.PublishEvents{Packet: func(k media.Kind, packet *rtp.Packet) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if begun[k] {
			p.holes[k] += int(max(int16(packet.SequenceNumber-p.number[k]), 1)) - 1
		}
		begun[k] = true
		if p.packets[k]++; p.packets[k] == 1 {
			p.begun[k] = time.Now()
		}
		p.last[k], p.number[k] = time.Now(), packet.SequenceNumber
		if k == media.Video && media.H264KeyFrame(packet.Payload) {
			p.keys++
		}
	}})
	if err == nil {
		s.mu.Lock()
		p.live++
		s.mu.Unlock()
		go func() {
			<-in.Done()
			s.mu.Lock()
			defer s.mu.Unlock()
			p.live--
		}()
	}
	return in, answer, err
}

// look is what an endpoint has got since the last look.
func (s *stranger) look(path string) publisher {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.paths[path]
	if p == nil {
		return publisher{}
	}
	was := *p
	p.packets, p.keys, p.holes = [media.NumKinds]int{}, 0, [media.NumKinds]int{}
	return was
}

// A far end that merges nothing gets one picture at a time: the other uplink stands by, connected and silent, takes over when
// the one in use is down, with a whole picture first, and gives back; and nobody is told that supervision is there.
func TestForeignFarEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s, off := w.stranger()
		defer off()
		cfg := w.config()
		cfg.FarEnd = FarEnd{WHIP: "http://far/live/{site}-{uplink}"}
		a, stop := w.start(cfg)
		defer stop()
		const primary, cellular = "/live/mri-2-primary", "/live/mri-2-cellular"
		until(t, a, 20*time.Second, "both up", verdicts("up", "up"))
		time.Sleep(5 * time.Second)
		s.look(primary)
		s.look(cellular)
		time.Sleep(10 * time.Second)
		active, idle := s.look(primary), s.look(cellular)
		if active.packets[media.Voice] < 490 || active.packets[media.Video] < 250 || idle.live != 1 || idle.packets != [media.NumKinds]int{} {
			t.Errorf("in 10 s: %+v; standing by: %+v", active, idle)
		}
		snap := a.Snapshot()
		if snap.Supervision.State != supervision.Unknown || snap.Supervision.Reason != supervision.FarEndForeign || snap.Status.Verdict.Qualifying || snap.Status.Verdict.Level == "ok" {
			t.Errorf("the verdict is %+v", snap.Status.Verdict)
		}
		if p := snap.Status.Problem; len(p) != 1 || p[0].ID != "far-end-foreign" || !strings.Contains(p[0].Text, "Nothing comes back") {
			t.Errorf("problems %+v", p)
		}
		if why := snap.Status.Uplinks[1].Why; !strings.Contains(why, "Stands by, connected") {
			t.Errorf("cellular: %s", why)
		}

		w.cut("primary", true)
		cut := time.Now()
		until(t, a, 3*time.Second, "primary down", verdicts("down", "up"))
		time.Sleep(time.Second)
		old, now := s.look(primary), s.look(cellular)
		if now.packets[media.Voice] < 30 || now.packets[media.Video] < 20 {
			t.Fatalf("a second after the switch: %+v", now)
		}
		if gap := now.begun[media.Voice].Sub(old.last[media.Voice]); gap > 1500*time.Millisecond || old.last[media.Voice].Sub(cut) > 100*time.Millisecond || now.keys == 0 {
			t.Errorf("voice was silent for %v; %d key frames on the uplink that took over", gap, now.keys)
		} else {
			t.Logf("voice was silent for %v", gap)
		}
		time.Sleep(4 * time.Second)
		if snap := a.Snapshot(); snap.Supervision.State != supervision.Unknown {
			t.Errorf("on one uplink: %v, %s", snap.Supervision.State, snap.Supervision.Sentence)
		}

		w.cut("primary", false)
		until(t, a, 60*time.Second, "primary is in use again", func(s *Snapshot) bool { return s.Engine.Plan.HasBest && s.Engine.Plan.Best == 0 })
		time.Sleep(2 * time.Second)
		s.look(primary)
		s.look(cellular)
		time.Sleep(time.Second)
		if active, idle := s.look(primary), s.look(cellular); active.packets[media.Voice] < 49 || active.holes != [media.NumKinds]int{} || idle.packets != [media.NumKinds]int{} {
			t.Errorf("after the return: %+v; standing by: %+v", active, idle)
		}
		stop()
		if left := s.resources.Len(); left != 0 {
			t.Errorf("%d sessions left", left)
		}
		if len(s.wrong) > 0 {
			t.Errorf("the server was asked %q", s.wrong)
		}
	})
}
