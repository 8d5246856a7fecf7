package bubble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"

	"scanside/agent"
	"scanside/failover"
	"scanside/gateway"
	"scanside/lab/emu"
	"scanside/lab/observe"
	"scanside/lab/scenario"
	"scanside/link"
	"scanside/media"
	"scanside/media/synthetic"
)

const (
	site      = "room-1"
	physician = "dr-lab"
	// Addresses of the virtual machines. HTTP servers are named as the programs' own checks of the Host header want it.
	gatewayIP, viewerIP, physicianIP, pageIP = "10.0.0.100", "10.0.0.50", "10.0.0.51", "10.0.0.60"
	mediaPort                                = ":3478"
	gatewayHTTP                              = "localhost:8080"
	boxHTTP                                  = "127.0.0.1:8480"
)

// World is network, gateway and a room's box, running. It is made and closed inside a bubble.
type World struct {
	Set     *emu.Set
	Gateway *gateway.Gateway
	Box     *Box

	log               *slog.Logger
	scenario          scenario.Scenario
	token, tokenHash  string
	internet          *internet
	uplinks           map[string]*host
	far               *host
	viewer, doc, page *host
	stopGateway       func()
	stops             []func() // in the order of starting
}

// Box is one agent with its pages. Its state is kept in a folder, so that a box which is started again is the same box.
type Box struct {
	Agent *agent.Agent
	Video *synthetic.Video // the room's picture

	stop func()
}

// Stop ends the agent as a service manager does, and waits. Stopping twice is fine.
func (b *Box) Stop() { b.stop() }

// NewWorld starts everything that a scenario needs but the people. The box's state is kept in state. Close ends it.
func NewWorld(s scenario.Scenario, state string, log *slog.Logger) (*World, error) {
	w := &World{scenario: s, log: log}
	if err := w.start(state); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *World) start(state string) (err error) {
	if w.internet, err = newInternet(); err != nil {
		return err
	}
	for ip, h := range map[string]**host{gatewayIP: &w.far, viewerIP: &w.viewer, physicianIP: &w.doc, pageIP: &w.page} {
		if *h, err = w.internet.host(ip); err != nil {
			return err
		}
	}
	w.uplinks = map[string]*host{}
	for i, u := range w.scenario.Uplinks {
		if w.uplinks[u.Name], err = w.internet.host(fmt.Sprintf("10.0.0.%d", i+1)); err != nil {
			return err
		}
	}
	if err = w.internet.router.Start(); err != nil {
		return err
	}
	w.stops = append(w.stops, func() { _ = w.internet.router.Stop() })
	w.Set = emu.NewSet(1, w.scenario.Paths()...)
	w.stops = append(w.stops, w.Set.Close)
	w.token, w.tokenHash = gateway.NewSiteToken()
	if err = w.StartGateway(); err != nil {
		return err
	}
	w.stops = append(w.stops, func() { w.stopGateway() })
	w.Box, err = w.StartBox(boxHTTP, state)
	return err
}

// StartGateway starts the far end; one that runs is stopped first, and everything it knew is gone.
func (w *World) StartGateway() error {
	if w.stopGateway != nil {
		w.stopGateway()
	}
	log := w.log.With("program", "gateway")
	socket, err := w.far.ListenPacket("udp4", gatewayIP+mediaPort)
	if err != nil {
		return err
	}
	api, err := link.NewAPI(link.APIConfig{UDP: socket, Net: w.far, Log: log})
	if err != nil {
		return err
	}
	w.Gateway, err = gateway.New(gateway.Config{
		Media: api,
		Hosts: []string{"localhost"},
		Sites: []gateway.Site{{ID: site, Name: "Room 1", TokenHash: w.tokenHash}},
		Users: []gateway.User{{Name: physician, DisplayName: "Dr Lab", Role: gateway.Supervisor}},
	}, log)
	if err != nil {
		return errors.Join(err, api.Close())
	}
	end := run(w.Gateway.Run)
	hangUp := w.internet.serve(gatewayHTTP, w.Gateway.Handler())
	w.stopGateway = sync.OnceFunc(func() {
		hangUp()
		end()
		_ = api.Close()
	})
	return nil
}

// StartBox starts an agent whose pages answer at addr. Closing the world stops it.
func (w *World) StartBox(addr, state string) (*Box, error) {
	log := w.log.With("program", "agent", "box", addr)
	api, err := link.NewAPI(link.APIConfig{Net: w.page, Log: log})
	if err != nil {
		return nil, err
	}
	b := &Box{Video: synthetic.NewVideo(synthetic.VideoConfig{})}
	b.Agent, err = agent.New(w.agentConfig(state), agent.Parts{
		Sources: []media.Source{synthetic.NewVoice(), b.Video},
		Net:     func(u agent.Uplink) (link.Net, error) { return w.Set.Wrap(u.Name, w.uplinks[u.Name]) },
		Media:   api, Demo: w.Set, Version: "bubble", Log: log,
	})
	if err != nil {
		return nil, errors.Join(err, api.Close())
	}
	end := run(b.Agent.Run)
	hangUp := w.internet.serve(addr, b.Agent.Handler())
	b.stop = sync.OnceFunc(func() {
		hangUp()
		end()
		_ = api.Close()
	})
	w.stops = append(w.stops, b.stop)
	return b, nil
}

func (w *World) agentConfig(state string) agent.Config {
	cfg := agent.DefaultConfig()
	cfg.Site, cfg.StateDir = site, state
	cfg.FarEnd = agent.FarEnd{URL: "http://" + gatewayHTTP, Token: w.token}
	cfg.Status.Listen = ""
	cfg.Protection.Voice, cfg.Protection.Video = protection(w.scenario.Voice), protection(w.scenario.Video)
	for _, u := range w.scenario.Uplinks {
		cfg.Uplinks = append(cfg.Uplinks, agent.Uplink{Name: u.Name, Interface: u.Name + "0", Metered: u.Metered})
	}
	return cfg
}

func protection(word string) failover.Protection {
	switch word {
	case "on-doubt":
		return failover.OnDoubt
	case "never":
		return failover.Never
	}
	return failover.Always
}

// run starts a component; end ends it and waits.
func run(component func(context.Context) error) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var gone sync.WaitGroup
	gone.Go(func() { _ = component(ctx) })
	return func() { cancel(); gone.Wait() }
}

// Close ends everything in the reverse order of starting, and waits.
func (w *World) Close() {
	for i := len(w.stops) - 1; i >= 0; i-- {
		w.stops[i]()
	}
	w.stops = nil
}

// browser is an HTTP client on a host, with a cookie jar that keeps secure cookies though the pipes have no TLS.
func (w *World) browser(h *host) *http.Client {
	transport := &http.Transport{DialContext: h.DialContext}
	w.stops = append(w.stops, transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Jar: &pocket{}}
}

// signIn makes a client a physician's console.
func (w *World) signIn(ctx context.Context, c *http.Client) error {
	code, err := w.Gateway.SignInCode(physician)
	if err != nil {
		return err
	}
	return observe.SignIn(ctx, c, "http://"+gatewayHTTP, code)
}

// Viewer is a console that looks at the room, signed in.
func (w *World) Viewer(ctx context.Context) (*observe.Viewer, error) {
	c := w.browser(w.viewer)
	if err := w.signIn(ctx, c); err != nil {
		return nil, err
	}
	return observe.Play(ctx, observe.Config{URL: "http://" + gatewayHTTP + "/rooms/" + site + "/whep", Client: c, Net: w.viewer})
}

// Physician is a console that talks into the room, signed in.
func (w *World) Physician(ctx context.Context) (*observe.Physician, error) {
	c := w.browser(w.doc)
	if err := w.signIn(ctx, c); err != nil {
		return nil, err
	}
	return observe.Talk(ctx, observe.Config{URL: "http://" + gatewayHTTP + "/rooms/" + site + "/whip", Client: c, Net: w.doc})
}

// RoomViewer looks at the room's own screen.
func (w *World) RoomViewer(ctx context.Context) (*observe.Viewer, error) {
	return observe.Play(ctx, observe.Config{URL: "http://" + boxHTTP + "/room/whep", Client: w.browser(w.page), Net: w.page})
}

// Page looks at the status page at addr.
func (w *World) Page(addr string) observe.Box {
	return observe.Box{URL: "http://" + addr, Client: w.browser(w.page)}
}

// Do does what a scenario says.
func (w *World) Do(e scenario.Event) error {
	switch e.Verb {
	case scenario.IfDown:
		return w.Set.Unplug(e.Uplink, true)
	case scenario.IfUp:
		return w.Set.Unplug(e.Uplink, false)
	}
	return e.Apply(w.Set)
}

// pocket is a cookie jar for one site.
type pocket struct {
	mu      sync.Mutex
	cookies []*http.Cookie
}

func (p *pocket) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cookies = append(p.cookies, cookies...)
}

func (p *pocket) Cookies(*url.URL) []*http.Cookie {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cookies
}
