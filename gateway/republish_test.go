package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/transport/v5/vnet"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"scanside/link"
	"scanside/media"
)

// sfu is a WHIP server of another make on the world's network.
type sfu struct {
	*vnet.Net
	t         *testing.T
	api       *link.API
	resources *link.Resources
	calls     chan net.Conn
	gone      chan struct{}
	over      sync.Once

	mu      sync.Mutex
	in      *link.Inbound
	refuse  int // status for POST; 0: welcome
	said    []string
	packets [media.NumKinds]int
	holes   [media.NumKinds]int
	number  [media.NumKinds]uint16
	whole   bool // the first packet of the picture began a key frame
}

// DialContext implements link.Net for the gateway's way out: there is nothing but the sfu.
func (s *sfu) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case s.calls <- far:
		return near, nil
	case <-s.gone:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *sfu) Accept() (net.Conn, error) {
	select {
	case c := <-s.calls:
		return c, nil
	case <-s.gone:
		return nil, net.ErrClosed
	}
}
func (s *sfu) Close() error   { s.over.Do(func() { close(s.gone) }); return nil }
func (s *sfu) Addr() net.Addr { return &net.TCPAddr{} }

// passes makes a world whose rooms are passed on to an sfu.
func passes(t *testing.T, change func(*Config), hosts ...string) (*world, *sfu) {
	s := &sfu{t: t, calls: make(chan net.Conn), gone: make(chan struct{})}
	server := &http.Server{Handler: s}
	w := newWorldWith(t, func(w *world, cfg *Config) {
		s.Net = w.host("10.0.0.70")
		there := w.host("10.0.0.71")
		udp, err := there.ListenPacket("udp4", "10.0.0.71:5000")
		must(t, err)
		s.api, err = link.NewAPI(link.APIConfig{UDP: udp, Net: there})
		must(t, err)
		s.resources = link.NewResources(link.ResourcesConfig{Principal: func(*http.Request) string { return "gateway" }})
		cfg.Net, cfg.StateDir = s, t.TempDir()
		cfg.Republish = []Republish{{WHIP: "http://sfu.example/whip/{site}", Sites: []string{"north"}}}
		go server.Serve(s)
		change(cfg)
	}, hosts...)
	// Stops run from the last: the gateway ends before what it passes on to.
	w.stops = append([]func(){func() { server.Close(); s.Close(); s.resources.Close(); s.api.Close() }}, w.stops...)
	return w, s
}

// answers sets the status with which it refuses; 0: it does not.
func (s *sfu) answers(refuse int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = refuse
}

func (s *sfu) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.said = append(s.said, r.Method+" "+r.URL.String())
	refuse := s.refuse
	s.mu.Unlock()
	switch {
	case r.URL.Path != "/whip/north":
		s.resources.ServeHTTP(w, r)
	case refuse != 0:
		http.Error(w, "Endpoint ID already in use", refuse)
	default:
		body, _ := io.ReadAll(r.Body)
		text := strings.ReplaceAll(string(body), "a=x-scanside-echo:1\r\n", "")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		s.resources.Create(w, r, "/session", "gateway", s.publish)
	}
}

func (s *sfu) publish(offer string) (link.Peer, string, error) {
	in, answer, err := s.api.AcceptPublish(offer, link.PublishEvents{Packet: func(k media.Kind, p *rtp.Packet) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.packets[k] == 0 {
			s.whole = s.whole || k == media.Video && media.H264KeyFrame(p.Payload)
		} else {
			s.holes[k] += int(max(int16(p.SequenceNumber-s.number[k]), 1)) - 1
		}
		s.packets[k]++
		s.number[k] = p.SequenceNumber
	}})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in = in
	return in, answer, err
}

func (s *sfu) seen() (packets, holes [media.NumKinds]int, said []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.packets, s.holes, slices.Clone(s.said)
}

// A room is passed on while its box sends: from a whole picture on, without a hole when the box loses an uplink, with the
// server's requests for key frames taken to the box; the room is told; and it ends when the box is gone.
func TestRepublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := passes(t, func(*Config) {}, "2", "3")
		defer w.stop()
		time.Sleep(5 * time.Second)
		if _, _, said := s.seen(); len(said) != 0 || w.north().Onward.State != OnwardWaiting || w.room("south").view(time.Now()).Onward != nil {
			t.Fatalf("before the box came the server heard %q; %+v", said, w.north().Onward)
		}
		b := w.newBox("box-1", "run-1", "2", "3")
		time.Sleep(3 * time.Second)
		if v := w.north(); v.Onward.State != OnwardLive || !strings.Contains(v.Onward.Sentence, "sfu.example") || len(v.Watchers) != 1 || v.Watchers[0].Name != "viewers of sfu.example" {
			t.Errorf("%+v, watchers %+v", v.Onward, v.Watchers)
		}
		if !s.whole {
			t.Error("the picture did not begin with a key frame")
		}
		asked := b.video.KeyFrameRequests()
		for range 5 {
			s.in.AskKeyFrame()
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		if n := b.video.KeyFrameRequests() - asked; n < 1 || n > 2 {
			t.Errorf("five requests for a key frame within 100 ms became %d", n)
		}
		before, _, _ := s.seen()
		w.cut("3")
		time.Sleep(10 * time.Second)
		after, holes, _ := s.seen()
		if after[media.Voice]-before[media.Voice] < 495 || after[media.Video] == before[media.Video] || holes != [media.NumKinds]int{} {
			t.Errorf("while an uplink was cut: %d packets, %d holes", after, holes)
		}
		if n := testutil.CollectAndCount(newRoomCollector(w.Gateway), "scanside_gateway_republish_packets_total"); n != 2 {
			t.Errorf("%d series", n)
		}
		b.stop()
		time.Sleep(publishedFor + 2*time.Second)
		if _, _, said := s.seen(); s.resources.Len() != 0 || !strings.HasPrefix(said[len(said)-1], "DELETE /session/") || w.north().Onward.State != OnwardWaiting {
			t.Errorf("after the box had gone: %d sessions, %q", s.resources.Len(), said)
		}
	})
}

// A server that refuses is tried again, and what it said is shown; at the end its session is ended; and one that a killed run
// left is ended before anything else.
func TestRepublishRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept string
		w, s := passes(t, func(cfg *Config) {
			kept = filepath.Join(cfg.StateDir, "republished", "north")
			must(t, replaceFile(kept, []byte("http://sfu.example/session/left\n")))
		}, "2")
		s.answers(403)
		w.newBox("box-1", "run-1", "2")
		time.Sleep(5 * time.Second)
		_, _, said := s.seen()
		if v := w.north().Onward; v.State != OnwardFailed || !strings.Contains(v.Sentence, "already in use") || v.Failures == 0 || said[0] != "DELETE /session/left" || said[1] != "POST /whip/north" {
			t.Errorf("%+v, %q", v, said)
		}
		s.answers(0)
		time.Sleep(refusedWait + 15*time.Second)
		if v := w.north().Onward; v.State != OnwardLive {
			t.Errorf("%+v", v)
		}
		if text, err := os.ReadFile(kept); err != nil || !strings.HasPrefix(string(text), "http://sfu.example/session/") {
			t.Errorf("kept %q, %v", text, err)
		}
		w.stop()
		if _, err := os.Stat(kept); err == nil {
			t.Error("a session that was ended is remembered")
		}
		if _, _, said := s.seen(); !strings.HasPrefix(said[len(said)-1], "DELETE /session/") {
			t.Errorf("%q", said)
		}
	})
}

func TestRepublishConfig(t *testing.T) {
	cfg, _ := testConfig(t)
	cfg.Ports.UDP = ":8443"
	cfg.Republish = []Republish{
		{WHIP: "https://sfu.example/whip"},
		{},
		{WHIP: "https://sfu.example/whip/{room}"},
		{WHIP: "http://sfu.example/whip/{site}", TokenFile: "/t", Sites: []string{"east"}},
		{WHIP: "https://sfu.example/whip/north", Sites: []string{"north"}},
	}
	text := cfg.check().Err().Error()
	for _, want := range []string{
		"republish[0].whip: has no {site}", "republish[1].whip: is missing", "republish[2].whip: has another placeholder", "republish[3].whip: would send the token unprotected",
		`republish[3].sites[0]: there is no site "east"`, "republish[4]: passes site north on, as republish[0] does",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said in\n%s", want, text)
		}
	}
}
