package bubble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
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
	viewerIP, physicianIP, pageIP = "10.0.0.50", "10.0.0.51", "10.0.0.60"
	boxHTTP                       = "127.0.0.1:8480"
)

// World is network, gateways and a room's box, running. It is made and closed inside a bubble.
type World struct {
	Set  *emu.Set
	Fars []*FarEnd // in the order of the box's configuration; all run at the start
	Box  *Box

	log               *slog.Logger
	scenario          scenario.Scenario
	token, tokenHash  string
	internet          *internet
	uplinks           map[string]*host
	taps              map[string]*tap
	viewer, doc, page *host
	stops             []func() // in the order of starting
	agents            sync.Map // the agent that runs last, by its page's address
}

// Box is one agent with its pages. Its state is kept in a folder, so that a box which is started again is the same box.
type Box struct {
	Agent *agent.Agent
	Video *synthetic.Video // the room's picture
	Voice *synthetic.Voice // and its sound

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
	for ip, h := range map[string]**host{viewerIP: &w.viewer, physicianIP: &w.doc, pageIP: &w.page} {
		if *h, err = w.internet.host(ip); err != nil {
			return err
		}
	}
	w.uplinks, w.taps = map[string]*host{}, map[string]*tap{}
	for i, u := range w.scenario.Uplinks {
		w.taps[u.Name] = &tap{}
		if w.uplinks[u.Name], err = w.internet.host(fmt.Sprintf("10.0.0.%d", i+1)); err != nil {
			return err
		}
	}
	for i := range scenario.FarEnds() {
		if err = w.addFarEnd(i); err != nil {
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
	for _, f := range w.Fars {
		if err = f.Start(); err != nil {
			return err
		}
		w.stops = append(w.stops, f.Stop)
	}
	w.Box, err = w.StartBox(boxHTTP, state)
	return err
}

// StartBox starts an agent whose pages answer at addr. Closing the world stops it.
func (w *World) StartBox(addr, state string) (*Box, error) {
	log := w.log.With("program", "agent", "box", addr)
	api, err := link.NewAPI(link.APIConfig{Net: w.page, Log: log})
	if err != nil {
		return nil, err
	}
	b := &Box{Video: synthetic.NewVideo(synthetic.VideoConfig{}), Voice: synthetic.NewVoice()}
	b.Agent, err = agent.New(w.agentConfig(state), agent.Parts{
		Sources: []media.Source{b.Voice, b.Video},
		Net:     w.net,
		Media:   api, Demo: w.Set, Version: "bubble", Log: log,
	})
	if err != nil {
		return nil, errors.Join(err, api.Close())
	}
	w.agents.Store(addr, b.Agent)
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

// net is an uplink of the box.
func (w *World) net(u agent.Uplink) (link.Net, error) {
	n, err := w.Set.Wrap(u.Name, w.uplinks[u.Name])
	if err != nil {
		return nil, err
	}
	return tapped{n, w.taps[u.Name]}, nil
}

func (w *World) agentConfig(state string) agent.Config {
	cfg := agent.DefaultConfig()
	cfg.Site, cfg.StateDir = site, state
	for _, f := range w.Fars {
		cfg.FarEnds = append(cfg.FarEnds, agent.FarEnd{URL: f.url(), Token: w.token})
	}
	cfg.Status.Listen = ""
	protect(&cfg.Protection.Voice, w.scenario.Voice)
	protect(&cfg.Protection.Video, w.scenario.Video)
	for _, u := range w.scenario.Uplinks {
		cfg.Uplinks = append(cfg.Uplinks, agent.Uplink{Name: u.Name, Interface: u.Name + "0", Metered: u.Metered})
	}
	return cfg
}

// protect sets what a scenario says; of "default" it says nothing.
func protect(stream *failover.Protection, word string) {
	_ = stream.UnmarshalText([]byte(word)) // leaves alone what is no protection
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

// RoomViewer looks at the room's own screen.
func (w *World) RoomViewer(ctx context.Context) (*observe.Viewer, error) {
	return observe.Play(ctx, observe.Config{URL: "http://" + boxHTTP + "/room/whep", Client: w.atTheBox(), Net: w.page})
}

// Page looks at the status page at addr.
func (w *World) Page(addr string) observe.Box {
	return observe.Box{URL: "http://" + addr, Client: w.atTheBox()}
}

// atTheBox is a client that speaks to the box as its commands do.
func (w *World) atTheBox() *http.Client {
	c := w.browser(w.page)
	c.Transport = keyed{c.Transport, w}
	return c
}

// keyed shows the console key of the box that answers at the address now.
type keyed struct {
	next http.RoundTripper
	w    *World
}

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if a, ok := k.w.agents.Load(r.URL.Host); ok {
		r.Header.Set("Authorization", "Bearer "+a.(*agent.Agent).ConsoleKey())
	}
	return k.next.RoundTrip(r)
}

// Do does what a scenario says.
func (w *World) Do(e scenario.Event) error {
	switch e.Verb {
	case scenario.IfDown:
		return w.Set.Unplug(e.Uplink, true)
	case scenario.IfUp:
		return w.Set.Unplug(e.Uplink, false)
	case scenario.Procedure:
		return w.Page(boxHTTP).Procedure(context.Background(), e.What == "open")
	case scenario.FarEnd:
		f := w.Fars[slices.Index(scenario.FarEnds(), e.Whom)]
		switch e.What {
		case "down":
			f.Vanish()
			return nil
		case "up":
			return f.Return()
		}
		return f.Start()
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
