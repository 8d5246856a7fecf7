package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/vnet"

	"scanside/lab/observe"
	"scanside/link"
	"scanside/media"
	"scanside/media/synthetic"
)

const (
	farIP   = "10.0.0.1"
	farHTTP = "10.0.0.1:8080"
	oneWay  = 10 * time.Millisecond
)

// world is a gateway on an in-memory network: datagrams over vnet, signalling over pipes. It belongs inside a bubble.
type world struct {
	*Gateway
	t      *testing.T
	tokens []string
	router *vnet.Router
	http   chan net.Conn
	drop   atomic.Pointer[func(vnet.Chunk) bool]
	hosts  map[string]*vnet.Net
	stops  []func()
}

// newWorld runs a gateway; hosts are the last octets of the others' addresses.
func newWorld(t *testing.T, hosts ...string) *world {
	t.Helper()
	return newWorldWith(t, func(*world, *Config) {}, hosts...)
}

// newWorldWith is newWorld with another configuration.
func newWorldWith(t *testing.T, change func(*world, *Config), hosts ...string) *world {
	t.Helper()
	w := &world{t: t, http: make(chan net.Conn), hosts: map[string]*vnet.Net{}}
	var err error
	w.router, err = vnet.NewRouter(&vnet.RouterConfig{
		CIDR: "10.0.0.0/24", MinDelay: oneWay, LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
	})
	must(t, err)
	w.router.AddChunkFilter(func(c vnet.Chunk) bool {
		drop := w.drop.Load()
		return drop == nil || !(*drop)(c)
	})
	far := w.host(farIP)
	for _, h := range hosts {
		w.hosts[h] = w.host("10.0.0." + h)
	}
	must(t, w.router.Start())
	udp, err := far.ListenPacket("udp4", farIP+":7000")
	must(t, err)
	api, err := link.NewAPI(link.APIConfig{UDP: udp, Net: far})
	must(t, err)
	cfg, tokens := testConfig(t)
	w.tokens = tokens
	cfg.Media, cfg.Listener = api, w
	change(w, &cfg)
	w.Gateway, err = New(cfg, testLog(t))
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	<-w.Ready()
	w.stops = append(w.stops, func() {
		cancel()
		must(t, <-done)
		must(t, api.Close())
		must(t, w.router.Stop())
		time.Sleep(time.Second) // of the bubble's: what was written last is still under way
	})
	return w
}

func testLog(t *testing.T) *slog.Logger {
	if !testing.Verbose() {
		return nil
	}
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

func (w *world) host(ip string) *vnet.Net {
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
	must(w.t, err)
	must(w.t, w.router.AddNet(n))
	return n
}

// stop ends what the test left, newest first, the gateway last.
func (w *world) stop() {
	for i := len(w.stops) - 1; i >= 0; i-- {
		w.stops[i]()
	}
}

// The world is the gateway's listener.
func (w *world) Accept() (net.Conn, error) {
	c, ok := <-w.http
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (w *world) Close() error   { close(w.http); return nil }
func (w *world) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 8080} }

func (w *world) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case w.http <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// cut drops every datagram from and to these hosts; none: nothing is cut.
func (w *world) cut(hosts ...string) {
	w.dropIf(func(c vnet.Chunk) bool {
		for _, h := range hosts {
			if of(c, h) {
				return true
			}
		}
		return false
	})
}

func (w *world) dropIf(f func(vnet.Chunk) bool) { w.drop.Store(&f) }

func of(c vnet.Chunk, host string) bool {
	ip := "10.0.0." + host + ":"
	return strings.HasPrefix(c.SourceAddr().String(), ip) || strings.HasPrefix(c.DestinationAddr().String(), ip)
}

// uplinkNet is one of a box's uplinks.
type uplinkNet struct {
	*vnet.Net
	w *world
}

func (n uplinkNet) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return n.w.dial(ctx)
}

// box is an agent without a brain: it sends everything over all of its uplinks, and counts what comes back.
type box struct {
	w        *world
	run      string
	name     string
	video    *synthetic.Video
	fans     [media.NumKinds]*media.Fanout
	sessions map[string]*link.Session
	legs     map[string]*[media.NumKinds]*media.Leg
	back     map[string]*[media.NumKinds]*atomic.Int64 // return packets by uplink
	bytes    map[string]*[media.NumKinds]*atomic.Int64 // with headers
	merged   [media.NumKinds]*synthetic.Counter        // return packets, first copies
	mergers  [media.NumKinds]*media.Merger
	reports  atomic.Pointer[[]link.StreamReport]
	told     atomic.Pointer[link.Tally]
	faults   atomic.Pointer[link.Faults] // nil: all is well
	cancel   context.CancelFunc
	gone     sync.WaitGroup
}

// newBox dials the gateway over every uplink (a host each) and starts to send.
func (w *world) newBox(name, run string, uplinks ...string) *box {
	w.t.Helper()
	b := &box{
		w: w, run: run, name: name, video: synthetic.NewVideo(synthetic.VideoConfig{}),
		sessions: map[string]*link.Session{}, legs: map[string]*[media.NumKinds]*media.Leg{}, back: map[string]*[media.NumKinds]*atomic.Int64{},
		bytes: map[string]*[media.NumKinds]*atomic.Int64{},
	}
	for k := range b.fans {
		b.fans[k] = media.NewFanout(media.FanoutConfig{Kind: media.Kind(k)})
		b.merged[k] = synthetic.NewCounter(media.Kind(k))
		b.mergers[k] = media.NewMerger(media.MergerConfig{Kind: media.Kind(k)}, b.merged[k])
	}
	for _, u := range uplinks {
		must(w.t, b.dial(u))
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	b.gone.Go(func() { b.video.Run(ctx, b.fans[media.Video]) })
	b.gone.Go(func() { synthetic.NewVoice().Run(ctx, b.fans[media.Voice]) })
	w.stops = append(w.stops, b.stop)
	return b
}

func (b *box) config(uplink string) link.Config {
	return link.Config{
		Uplink: "u" + uplink, WHIP: "http://" + farHTTP + "/whip/north", WHEP: "http://" + farHTTP + "/whep/north",
		Token: b.w.tokens[0], Run: b.run, Box: b.name, Net: uplinkNet{b.w.hosts[uplink], b.w}, Log: testLog(b.w.t), Word: b.word,
		Faults: func() (f link.Faults) {
			if said := b.faults.Load(); said != nil {
				f = *said
			}
			return f
		},
	}
}

// word is what the box has of the return media.
func (b *box) word() (all []link.StreamReport) {
	for k, m := range b.mergers {
		if st := m.Stats(); st.Received > 0 {
			all = append(all, link.StreamReport{Kind: media.Kind(k), Highest: st.Highest, Received: uint32(st.Received)})
		}
	}
	return all
}

// carry lets exactly this uplink carry everything, as an agent does that moves over: what may be missing is sent again.
func (b *box) carry(uplink string) {
	for u, legs := range b.legs {
		for k, l := range legs {
			l.Select(u == uplink)
			if u == uplink {
				l.Replay(uint16(b.fans[k].Stats().Highest) - 20)
			}
		}
	}
}

func (b *box) dial(uplink string) error {
	counts, bytes := &[media.NumKinds]*atomic.Int64{{}, {}}, &[media.NumKinds]*atomic.Int64{{}, {}}
	var in [media.NumKinds]*media.MergerLeg
	for k := range in {
		in[k] = b.mergers[k].AddLeg(uplink)
	}
	var legs atomic.Pointer[[media.NumKinds]*media.Leg]
	s, err := link.Dial(context.Background(), b.config(uplink), link.Events{
		KeyFrame: b.video.RequestKeyFrame,
		Repair: func(k media.Kind, seqs []uint16) {
			if l := legs.Load(); l != nil {
				l[k].Resend(seqs)
			}
		},
		Packet: func(k media.Kind, p *rtp.Packet) {
			counts[k].Add(1)
			bytes[k].Add(int64(len(p.Payload)) + link.Headers)
			in[k].WriteRTP(p)
		},
		Sample: func(s link.Sample) {
			if s.Answered {
				b.reports.Store(&s.Far)
				if s.Back.Packets > 0 {
					b.told.Store(&s.Back)
				}
			}
		},
	})
	if err != nil {
		return err
	}
	b.hangUp(uplink)
	own := &[media.NumKinds]*media.Leg{}
	for k := range own {
		own[k] = b.fans[k].AddLeg(uplink, s.Leg(media.Kind(k)))
		own[k].Select(true)
	}
	legs.Store(own)
	b.sessions[uplink], b.legs[uplink], b.back[uplink], b.bytes[uplink] = s, own, counts, bytes
	return nil
}

// stop ends the box as a process that is told to stop.
func (b *box) stop() {
	b.cancel()
	b.gone.Wait()
	for u := range b.sessions {
		b.hangUp(u)
	}
}

func (b *box) hangUp(uplink string) {
	if s := b.sessions[uplink]; s != nil {
		s.Close()
		for _, l := range b.legs[uplink] {
			l.Close()
		}
	}
	delete(b.sessions, uplink)
}

// kill stops sending at once and says no word: kill -9. The sockets' other ends are cleaned up at the test's end.
func (b *box) kill() {
	b.cancel()
	b.gone.Wait()
	for _, legs := range b.legs {
		for _, l := range legs {
			l.Select(false)
		}
	}
}

// client is a signed-in browser on no host: for HTTP.
func (w *world) client(user string) *http.Client {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	must(w.t, err)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return w.dial(ctx) }}
	w.stops = append(w.stops, transport.CloseIdleConnections)
	c := &http.Client{Transport: transport, Jar: jar}
	code, err := w.SignInCode(user)
	must(w.t, err)
	must(w.t, observe.SignIn(w.t.Context(), c, "http://"+farHTTP, code))
	return c
}

func (w *world) watch(user, host string) *observe.Viewer {
	w.t.Helper()
	v, err := observe.Play(w.t.Context(), observe.Config{URL: "http://" + farHTTP + "/rooms/north/whep?desk=" + host, Client: w.client(user), Net: w.hosts[host]})
	must(w.t, err)
	w.stops = append(w.stops, func() { v.Close() })
	return v
}

func (w *world) talkAs(user, host, query string) (*observe.Physician, error) {
	w.t.Helper()
	p, err := observe.Talk(w.t.Context(), observe.Config{URL: "http://" + farHTTP + "/rooms/north/whip" + query, Client: w.client(user), Net: w.hosts[host]})
	if err == nil {
		w.stops = append(w.stops, func() { p.Close() })
	}
	return p, err
}

func (w *world) north() RoomView { return w.room("north").view(time.Now()) }

func (w *world) get(c *http.Client, path, token string, into any) {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+farHTTP+path, nil)
	must(w.t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.Do(req)
	must(w.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(w.t, err)
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("GET %s: %s: %s", path, res.Status, text)
	}
	must(w.t, json.Unmarshal(text, into))
}

// refusedWith is the problem in a refusal, nil if err is none.
func refusedWith(err error) *link.Problem {
	var p *link.Problem
	errors.As(err, &p)
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
