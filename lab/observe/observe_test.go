package observe_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/goleak"

	"scanside/lab/observe"
	"scanside/link"
	"scanside/media"
)

// patience bounds waits for what takes a second; only something broken uses it up.
const patience = 20 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server passes what is published at /whip on to whoever plays /whep: a far end without rooms. It also returns what has
// been published.
func server(t *testing.T) (*httptest.Server, *[media.NumKinds]*media.Fanout) {
	t.Helper()
	api, err := link.NewAPI(link.APIConfig{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	var fans [media.NumKinds]*media.Fanout
	for k := range fans {
		fans[k] = media.NewFanout(media.FanoutConfig{Kind: media.Kind(k)})
	}
	var publisher atomic.Pointer[link.Inbound]
	resources := link.NewResources(link.ResourcesConfig{Principal: func(*http.Request) string { return "all" }})
	mux := http.NewServeMux()
	mux.HandleFunc("/whip", func(w http.ResponseWriter, r *http.Request) {
		resources.Create(w, r, "/session", "all", func(offer string) (link.Peer, string, error) {
			in, answer, err := api.AcceptPublish(offer, link.PublishEvents{
				Packet: func(k media.Kind, p *rtp.Packet) { fans[k].WriteRTP(p) },
			})
			if err != nil {
				return nil, "", err
			}
			publisher.Store(in)
			return in, answer, nil
		})
	})
	mux.HandleFunc("/whep", func(w http.ResponseWriter, r *http.Request) {
		resources.Create(w, r, "/session", "all", func(offer string) (link.Peer, string, error) {
			var legs []*media.Leg
			ready := make(chan struct{})
			out, answer, err := api.AcceptPlay(offer, "room", link.PlayEvents{
				KeyFrame: func() { publisher.Load().AskKeyFrame() },
				Connected: func() {
					<-ready
					for _, l := range legs {
						l.Select(true)
					}
				},
			})
			if err != nil {
				return nil, "", err
			}
			for k := range fans {
				legs = append(legs, fans[k].AddLeg("viewer", out.Leg(media.Kind(k))))
			}
			t.Cleanup(func() {
				for _, l := range legs {
					l.Close()
				}
			})
			close(ready)
			return out, answer, nil
		})
	})
	mux.Handle("/session/", resources)
	s := httptest.NewServer(mux)
	t.Cleanup(func() { s.Close(); api.Close() })
	return s, &fans
}

func wait(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ready(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func TestViewerSeesPhysician(t *testing.T) {
	s, published := server(t)
	defer s.Client().CloseIdleConnections()
	doc, err := observe.Talk(t.Context(), observe.Config{URL: s.URL + "/whip", Client: s.Client(), Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Close()
	wait(t, "a picture that is well past its first key frame", func() bool { return published[media.Video].Stats().Packets > 100 })
	v, err := observe.Play(t.Context(), observe.Config{URL: s.URL + "/whep", Client: s.Client(), Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	wait(t, "voice and picture", v.Receiving)
	wait(t, "a key frame asked for by a viewer who came late", func() bool { return doc.KeyFrameRequests() > 0 })
	v.Mark()
	wait(t, "fifty packets of voice", func() bool { return v.Stats(media.Voice).Packets >= 50 })
	v.End()
	way := v.Way()
	if way.Voice.Sent < 50 || way.Video.FramesSent < 20 {
		t.Errorf("counted %+v in the time of fifty packets of voice", way)
	}
}

func TestRefusals(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "somebody else talks", http.StatusConflict)
	}))
	defer s.Close()
	defer s.Client().CloseIdleConnections()
	_, err := observe.Talk(t.Context(), observe.Config{URL: s.URL, Client: s.Client(), Loopback: true})
	var refused *observe.Refused
	if !errors.As(err, &refused) || refused.Status != http.StatusConflict {
		t.Errorf("talking was refused with 409, and the error is %v", err)
	}
	if _, err := observe.Play(t.Context(), observe.Config{URL: s.URL, Client: s.Client(), Loopback: true}); !errors.As(err, &refused) {
		t.Errorf("playing was refused with 409, and the error is %v", err)
	}
	if err := observe.SignIn(t.Context(), s.Client(), s.URL, "code"); !errors.As(err, &refused) {
		t.Errorf("signing in was refused with 409, and the error is %v", err)
	}
}
