package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
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
	api  atomic.Pointer[link.API] // nil: the page is told so
	back *returnPath
	run  string // stream id that the pages see
	log  *slog.Logger
	open *link.Resources
	gate media.KeyFrameGate
	wg   sync.WaitGroup
	bind func(network, address string) (net.PacketConn, error)
}

func newScreens(back *returnPath, run string, log *slog.Logger) *screens {
	return &screens{back: back, run: run, log: log, bind: net.ListenPacket, open: link.NewResources(link.ResourcesConfig{
		Principal: func(*http.Request) string { return "room" }, // who may reach the page may use it
		Limit:     maxScreens, Log: log,
	})}
}

// serve makes the API of the pages beside the status page: the same address, any UDP port. The room's own screen is on this
// machine or in this room, so no candidate but that address is offered; where other machines may look (wide), all of them are, for the
// screen at the box must not depend on any network.
func (s *screens) serve(listen string, wide bool) (stop func(), err error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort(host, "0")
	if wide {
		address = ":0"
	}
	socket, err := s.bind("udp", address)
	if err != nil {
		return nil, fmt.Errorf("open a media port for the room's screen: %w", err)
	}
	api, err := link.NewAPI(link.APIConfig{UDP: socket, Loopback: wide || loopback(host), Log: s.log})
	if err != nil {
		socket.Close()
		return nil, fmt.Errorf("open a media port for the room's screen: %w", err)
	}
	s.api.Store(api)
	return func() { s.api.Store(nil); api.Close() }, nil
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
	case s.api.Load() == nil:
		link.WriteProblem(w, &link.Problem{
			Status: http.StatusServiceUnavailable, Title: "The room's screen has no media port.",
			Detail: "The box could not open one and keeps trying; its log says why.",
		})
	default:
		s.open.Create(w, r, "/room/session", "room", s.accept)
	}
}

// accept starts one screen.
func (s *screens) accept(offer string) (link.Peer, string, error) {
	api := s.api.Load()
	if api == nil {
		return nil, "", errors.New("the box ends")
	}
	one := &screen{}
	out, answer, err := api.AcceptPlay(offer, s.run, link.PlayEvents{KeyFrame: s.keyFrame, Connected: s.keyFrame, Repair: one.resend})
	if err != nil {
		return nil, "", err
	}
	one.mu.Lock()
	for k, fanout := range s.back.out {
		one.legs[k] = fanout.AddViewer("screen", out.Leg(media.Kind(k)))
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
