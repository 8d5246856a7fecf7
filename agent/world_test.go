package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"
	"go.uber.org/goleak"

	"scanside/gateway"
	"scanside/link"
	"scanside/media"
	"scanside/media/synthetic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host is one machine on a virtual network whose HTTP goes through pipes to whatever stands at "far".
type host struct {
	*vnet.Net
	world *world
	ip    string
}

func ipOf(a net.Addr) string {
	host, _, _ := net.SplitHostPort(a.String())
	return host
}

// cut takes a host's packets away, and what it sends to anybody's HTTP; or brings both back.
func (w *world) cut(host string, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent[w.hosts[host].ip] = on
}

func (h *host) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	h.world.mu.Lock()
	far, silent := h.world.far, h.world.silent[h.ip]
	h.world.mu.Unlock()
	if silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if far == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
	}
	near, other := net.Pipe()
	select {
	case far.calls <- other:
		return near, nil
	case <-far.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// world is a network with two uplinks and a far end that a test chooses. It lives inside a bubble.
type world struct {
	giveWay string // asks the agent to end
	t       *testing.T
	router  *vnet.Router
	hosts   map[string]*host
	dir     string

	token, hash string // the site's, which every gateway of this world knows

	suspended func() time.Duration // nil: the machine's own

	mu     sync.Mutex
	far    *farEnd
	silent map[string]bool // hosts that are cut off
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, hosts: map[string]*host{}, silent: map[string]bool{}, dir: t.TempDir()}
	w.token, w.hash = gateway.NewSiteToken()
	var err error
	w.router, err = vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}})
	if err != nil {
		t.Fatal(err)
	}
	for name, ip := range map[string]string{"primary": "10.0.0.1", "cellular": "10.0.0.2", "far": "10.0.0.100", "page": "10.0.0.60"} {
		n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
		if err == nil {
			err = w.router.AddNet(n)
		}
		if err != nil {
			t.Fatal(err)
		}
		w.hosts[name] = &host{n, w, ip}
	}
	w.router.AddChunkFilter(func(c vnet.Chunk) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return !w.silent[ipOf(c.SourceAddr())] && !w.silent[ipOf(c.DestinationAddr())]
	})
	if err := w.router.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.router.Stop() })
	return w
}

// farEnd is an HTTP server on pipes.
type farEnd struct {
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (f *farEnd) Accept() (net.Conn, error) {
	select {
	case c := <-f.calls:
		return c, nil
	case <-f.closed:
		return nil, net.ErrClosed
	}
}
func (f *farEnd) Close() error   { f.once.Do(func() { close(f.closed) }); return nil }
func (f *farEnd) Addr() net.Addr { return &net.TCPAddr{} }

// serve puts a far end in place of the one before; stop takes it away.
func (w *world) serve(h http.Handler) (stop func()) {
	f := &farEnd{calls: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	var gone sync.WaitGroup
	gone.Go(func() { server.Serve(f) })
	w.mu.Lock()
	w.far = f
	w.mu.Unlock()
	return func() {
		w.mu.Lock()
		if w.far == f {
			w.far = nil
		}
		w.mu.Unlock()
		server.Close()
		gone.Wait()
	}
}

// config is a room with two uplinks whose far end is "far".
func (w *world) config() Config {
	cfg := DefaultConfig()
	cfg.Site, cfg.StateDir, cfg.Status.Listen = "mri-2", w.dir, ""
	cfg.FarEnd = FarEnd{URL: "http://far", Token: w.token}
	cfg.Uplinks = []Uplink{{Name: "primary", Interface: "eth0"}, {Name: "cellular", Interface: "wwan0"}}
	return cfg
}

// start runs an agent with synthetic sources until stop, which waits.
func (w *world) start(cfg Config) (a *Agent, stop func()) {
	w.t.Helper()
	api, err := link.NewAPI(link.APIConfig{Net: w.hosts["page"]})
	if err != nil {
		w.t.Fatal(err)
	}
	a, err = New(cfg, Parts{
		Sources: []media.Source{synthetic.NewVoice(), synthetic.NewVideo(synthetic.VideoConfig{})},
		Net:     func(u Uplink) (link.Net, error) { return w.hosts[u.Name], nil },
		Media:   api, GiveWay: w.giveWay, Version: "test", Log: logger(w.t),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.suspended != nil {
		a.loop.rest = rest{suspended: w.suspended}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var gone sync.WaitGroup
	gone.Go(func() { a.Run(ctx) })
	return a, func() { cancel(); gone.Wait(); api.Close() }
}

func logger(t *testing.T) *slog.Logger {
	var out io.Writer = io.Discard
	if os.Getenv("SCANSIDE_LOG") != "" {
		out = t.Output()
	}
	return slog.New(slog.NewTextHandler(out, nil))
}

// until waits for something to become true of the agent, for at most a simulated time.
func until(t *testing.T, a *Agent, limit time.Duration, what string, is func(*Snapshot) bool) *Snapshot {
	t.Helper()
	end := time.NewTimer(limit)
	defer end.Stop()
	for {
		s := a.Snapshot()
		if is(s) {
			return s
		}
		select {
		case <-s.Superseded():
		case <-end.C:
			t.Fatalf("not within %v: %s; now: %s %v", limit, what, s.Status.Verdict.Sentence, s.Status.Problem)
		}
	}
}
