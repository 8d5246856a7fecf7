package agent

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"scanside/link"
	"scanside/media"
)

const (
	maxScreens = 8 // pages that show the physician at once; a room has one or two
	gateEvery  = 100 * time.Millisecond
)

// screens serves the pages that show the physician in the room: WHEP on POST /room/whep, then /room/session/{id}.
type screens struct {
	api  *link.API // nil: the page is told so
	back *returnPath
	run  string // stream id that the pages see
	log  *slog.Logger
	open *link.Resources
	gate media.KeyFrameGate
	wg   sync.WaitGroup
}

func newScreens(api *link.API, back *returnPath, run string, log *slog.Logger) *screens {
	return &screens{api: api, back: back, run: run, log: log, open: link.NewResources(link.ResourcesConfig{
		Principal: func(*http.Request) string { return "room" }, // who may reach the page may use it
		Limit:     maxScreens, Log: log,
	})}
}

// Run passes held key frame requests on until ctx ends, then lets the screens go.
func (s *screens) Run(ctx context.Context) error {
	tick := time.NewTicker(gateEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.open.Close()
			s.wg.Wait()
			return nil
		case now := <-tick.C:
			if s.gate.Due(now) {
				s.back.askKeyFrame()
			}
		}
	}
}

func (s *screens) keyFrame() {
	if s.gate.Ask(time.Now()) {
		s.back.askKeyFrame()
	}
}

func (s *screens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/room/whep":
		s.open.ServeHTTP(w, r)
	case s.api == nil:
		link.WriteProblem(w, &link.Problem{
			Status: http.StatusServiceUnavailable, Title: "The room's screen has no media port.",
			Detail: "The box could not open one at its start; its log says why.",
		})
	default:
		s.open.Create(w, r, "/room/session/", "room", s.accept)
	}
}

// accept starts one screen.
func (s *screens) accept(offer string) (link.Peer, string, error) {
	one := &screen{}
	out, answer, err := s.api.AcceptPlay(offer, s.run, link.PlayEvents{KeyFrame: s.keyFrame, Connected: s.keyFrame, Repair: one.resend})
	if err != nil {
		return nil, "", err
	}
	one.mu.Lock()
	for k, fanout := range s.back.out {
		one.legs[k] = fanout.AddLeg("screen", out.Leg(media.Kind(k)))
		one.legs[k].SelectAtKeyFrame()
	}
	one.mu.Unlock()
	s.wg.Go(func() {
		<-out.Done()
		for _, leg := range one.legs {
			leg.Close()
		}
	})
	return out, answer, nil
}

// screen is one page that shows the physician.
type screen struct {
	mu   sync.Mutex
	legs [media.NumKinds]*media.Leg
}

func (o *screen) resend(k media.Kind, seqs []uint16) {
	o.mu.Lock()
	leg := o.legs[k]
	o.mu.Unlock()
	if leg != nil {
		leg.Resend(seqs)
	}
}
