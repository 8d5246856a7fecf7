package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"scanside/link"
)

// Gateway is the far end. Make one with New, then Run it once.
type Gateway struct {
	cfg       Config
	log       *slog.Logger
	rooms     []*room // in the order of the configuration
	door      *door
	resources *link.Resources
	media     *link.API // made by Run, unless given
	handler   http.Handler
	metrics   *metrics
	knownHost func(*http.Request) bool
	ends      *enders
	onward    []*onward // rooms that are passed on

	cert        *tls.Certificate // nil: plain HTTP, or somebody else's listener
	fingerprint string

	closing context.Context // done when Run ends
	close   context.CancelFunc
	port    *shared       // of console and media; nil: each has its own
	ready   chan struct{} // closed when Run serves
	address net.Addr      // of the HTTPS port, once ready
}

// maxPeers is how many WHIP and WHEP sessions there may be at once: 200 rooms with four of their own and four viewers.
const maxPeers = 2000

// New checks cfg and builds the rooms. Nothing listens and nothing runs before Run.
func New(cfg Config, log *slog.Logger) (*Gateway, error) {
	cfg.Sites, cfg.Users = slices.Clone(cfg.Sites), slices.Clone(cfg.Users)
	if m := cfg.check(); len(m) > 0 {
		return nil, m
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{cfg: cfg, log: log, media: cfg.Media, ends: &enders{}, ready: make(chan struct{})}
	g.closing, g.close = context.WithCancel(context.Background())
	for _, s := range cfg.Sites {
		r := newRoom(s, g.ends, log)
		hash, err := parseTokenHash(s.TokenHash)
		if err != nil {
			return nil, fmt.Errorf("site %s: token hash %w", s.ID, err)
		}
		r.token = hash
		g.rooms = append(g.rooms, r)
	}
	var err error
	if g.door, err = newDoor(cfg, log); err != nil {
		return nil, err
	}
	g.restoreSessions()
	if g.onward, err = g.onwards(); err != nil {
		return nil, err
	}
	g.resources = link.NewResources(link.ResourcesConfig{Principal: g.principal, Limit: maxPeers, Log: log,
		Relays: func(principal string) []link.Relay { return g.relays(relayUser(principal)) }})
	g.metrics = newMetrics(g)
	g.door.count = g.metrics.signIn
	if err := g.prepareTLS(); err != nil {
		return nil, err
	}
	g.handler = g.buildHandler()
	return g, nil
}

// room is the room of a site, or nil.
func (g *Gateway) room(site string) *room {
	for _, r := range g.rooms {
		if r.site.ID == site {
			return r
		}
	}
	return nil
}

// SignInCode makes a code that signs this user in once, within ten minutes, at /signin/once?code=CODE.
func (g *Gateway) SignInCode(user string) (string, error) {
	if _, known := g.door.user(user); !known {
		return "", fmt.Errorf("make sign-in code: there is no user %q", user)
	}
	return g.door.codes.make(user, time.Now())
}

// Registry holds the gateway's metrics.
func (g *Gateway) Registry() *prometheus.Registry { return g.metrics.registry }

// Ready is closed when Run has opened every port.
func (g *Gateway) Ready() <-chan struct{} { return g.ready }

// Addr is where people and boxes reach the HTTPS port; nil before Ready and where there is none.
func (g *Gateway) Addr() net.Addr {
	select {
	case <-g.ready:
		return g.address
	default:
		return nil
	}
}

// Run serves until ctx ends, then ends every session and waits for all it started. It may be called once.
func (g *Gateway) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer g.close()
	if g.media == nil {
		api, err := g.openMedia()
		if g.port != nil {
			defer g.port.Close()
		}
		if err != nil {
			return err
		}
		g.media = api
		defer api.Close()
	}
	servers, err := g.openServers()
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	failed := make(chan error, len(servers))
	for _, s := range servers {
		wg.Go(func() {
			if err := s.serve(); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve %s: %w", s.what, err)
			}
		})
	}
	for _, r := range g.rooms {
		wg.Go(func() { r.keep(ctx) })
	}
	for _, o := range g.onward {
		wg.Go(func() { o.Run(ctx) })
	}
	wg.Go(func() { g.sweep(ctx) })
	if g.cfg.GiveWay != "" {
		wg.Go(func() { g.giveWay(ctx); cancel() })
	}
	close(g.ready)
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	g.shutdown(servers, cancel)
	wg.Wait()
	return err
}

// stopPatience is how long answers under way may take at the end.
const stopPatience = 2 * time.Second

func (g *Gateway) shutdown(servers []*server, cancel context.CancelFunc) {
	g.close() // ends event streams and presence requests
	ctx, done := context.WithTimeout(context.Background(), stopPatience)
	defer done()
	var wg sync.WaitGroup
	for _, s := range servers {
		wg.Go(func() {
			if s.http.Shutdown(ctx) != nil {
				s.http.Close()
			}
		})
	}
	wg.Wait()
	cancel()
	g.keepSessions(time.Now().Add(keepEvery)) // whatever the time
	g.Close()
}

// Close ends every session and waits. Run does it at its end; it is for a gateway whose Handler was used and that never ran.
// Idempotent.
func (g *Gateway) Close() error {
	g.close()
	for _, r := range g.rooms {
		r.shut()
	}
	err := g.resources.Close()
	g.ends.wait()
	return err
}

// sweep ends what has expired, and what people had open in rooms when they were signed out.
func (g *Gateway) sweep(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			g.door.sessions.sweep(now)
			for _, r := range g.rooms {
				r.endSignedOut()
			}
			g.keepSessions(now)
			if n%600 == 0 {
				g.door.codes.sweep(now)
			}
		}
	}
}

// keepSessions writes who is signed in; without a state folder nobody stays signed in over a restart.
func (g *Gateway) keepSessions(now time.Time) {
	if g.cfg.StateDir == "" {
		return
	}
	if err := g.door.sessions.keep(filepath.Join(g.cfg.StateDir, sessionsFile), now); err != nil {
		g.log.Warn("who is signed in will not be known after a restart", "reason", err)
	}
}

func (g *Gateway) restoreSessions() {
	if g.cfg.StateDir == "" {
		return
	}
	if err := g.door.sessions.restore(filepath.Join(g.cfg.StateDir, sessionsFile), g.door.user, time.Now()); err != nil {
		g.log.Warn("everybody has to sign in again", "reason", err)
	}
}
