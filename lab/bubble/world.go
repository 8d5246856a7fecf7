package bubble

import (
	"context"
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

// World is agent, gateway and network, running. It is made and closed inside a bubble.
type World struct {
	Set     *emu.Set
	Gateway *gateway.Gateway
	Agent   *agent.Agent
	Video   *synthetic.Video // the room's picture

	internet          *internet
	viewer, doc, page *host
	stops             []func() // in the order of starting
}

// NewWorld starts everything that a scenario needs but the people. Close ends it, also after an error.
func NewWorld(s scenario.Scenario, log *slog.Logger) (*World, error) {
	w := &World{Video: synthetic.NewVideo(synthetic.VideoConfig{})}
	if err := w.start(s, log); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *World) start(s scenario.Scenario, log *slog.Logger) (err error) {
	if w.internet, err = newInternet(); err != nil {
		return err
	}
	var far *host
	for ip, h := range map[string]**host{gatewayIP: &far, viewerIP: &w.viewer, physicianIP: &w.doc, pageIP: &w.page} {
		if *h, err = w.internet.host(ip); err != nil {
			return err
		}
	}
	uplinks := map[string]*host{}
	for i, u := range s.Uplinks {
		if uplinks[u.Name], err = w.internet.host(fmt.Sprintf("10.0.0.%d", i+1)); err != nil {
			return err
		}
	}
	if err = w.internet.router.Start(); err != nil {
		return err
	}
	w.stops = append(w.stops, func() { _ = w.internet.router.Stop() })
	w.Set = emu.NewSet(1, s.Paths()...)
	w.stops = append(w.stops, w.Set.Close)
	token, err := w.startGateway(far, log.With("program", "gateway"))
	if err != nil {
		return err
	}
	return w.startAgent(s, token, uplinks, log.With("program", "agent"))
}

func (w *World) startGateway(far *host, log *slog.Logger) (token string, err error) {
	socket, err := far.ListenPacket("udp4", gatewayIP+mediaPort)
	if err != nil {
		return "", err
	}
	api, err := link.NewAPI(link.APIConfig{UDP: socket, Net: far, Log: log})
	if err != nil {
		return "", err
	}
	w.stops = append(w.stops, func() { _ = api.Close() })
	token, hash := gateway.NewSiteToken()
	w.Gateway, err = gateway.New(gateway.Config{
		Media: api,
		Hosts: []string{"localhost"},
		Sites: []gateway.Site{{ID: site, Name: "Room 1", TokenHash: hash}},
		Users: []gateway.User{{Name: physician, DisplayName: "Dr Lab", Role: gateway.Supervisor}},
	}, log)
	if err != nil {
		return "", err
	}
	w.run(w.Gateway.Run)
	w.stops = append(w.stops, w.internet.serve(gatewayHTTP, w.Gateway.Handler()))
	return token, nil
}

func (w *World) startAgent(s scenario.Scenario, token string, uplinks map[string]*host, log *slog.Logger) error {
	cfg := agent.DefaultConfig()
	cfg.Site, cfg.StateDir = site, ""
	cfg.FarEnd = agent.FarEnd{URL: "http://" + gatewayHTTP, Token: token}
	cfg.Status.Listen = ""
	cfg.Protection.Voice, cfg.Protection.Video = protection(s.Voice), protection(s.Video)
	for _, u := range s.Uplinks {
		cfg.Uplinks = append(cfg.Uplinks, agent.Uplink{Name: u.Name, Interface: u.Name + "0", Metered: u.Metered})
	}
	api, err := link.NewAPI(link.APIConfig{Net: w.page, Log: log})
	if err != nil {
		return err
	}
	w.stops = append(w.stops, func() { _ = api.Close() })
	w.Agent, err = agent.New(cfg, agent.Parts{
		Sources: []media.Source{synthetic.NewVoice(), w.Video},
		Net:     func(u agent.Uplink) (link.Net, error) { return w.Set.Wrap(u.Name, uplinks[u.Name]) },
		Media:   api, Demo: w.Set, Version: "bubble", Log: log,
	})
	if err != nil {
		return err
	}
	w.run(w.Agent.Run)
	w.stops = append(w.stops, w.internet.serve(boxHTTP, w.Agent.Handler()))
	return nil
}

func protection(word string) failover.Protection {
	switch word {
	case "on_doubt":
		return failover.OnDoubt
	case "never":
		return failover.Never
	}
	return failover.Always
}

// run starts a component; closing the world ends it and waits.
func (w *World) run(component func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	var gone sync.WaitGroup
	gone.Go(func() { _ = component(ctx) })
	w.stops = append(w.stops, func() { stop(); gone.Wait() })
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

// RoomViewer looks at the room's own page.
func (w *World) RoomViewer(ctx context.Context) (*observe.Viewer, error) {
	return observe.Play(ctx, observe.Config{URL: "http://" + boxHTTP + "/room/whep", Client: w.browser(w.page), Net: w.page})
}

// Box looks at the status page.
func (w *World) Box() observe.Box {
	return observe.Box{URL: "http://" + boxHTTP, Client: w.browser(w.page)}
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
