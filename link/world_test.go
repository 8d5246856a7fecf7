package link

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/transport/v5/vnet"

	"scanside/media"
)

// world is an in-memory network: one far end at 10.0.0.1 and an uplink at each further address, one way delay each way.
// It works inside a synctest bubble: no real socket, no lock held while time passes.
type world struct {
	t       *testing.T
	delay   time.Duration
	router  *vnet.Router
	farNet  *vnet.Net
	far     *farEnd
	handler atomic.Pointer[http.HandlerFunc]
	http    *http.Server
	listen  *pipeListener
	drop    atomic.Pointer[func(c vnet.Chunk) bool]
	nets    map[string]*vnet.Net
}

// newWorld starts a far end; uplinks are the last octets of the links' addresses.
func newWorld(t *testing.T, delay time.Duration, uplinks ...string) *world {
	t.Helper()
	w := &world{t: t, delay: delay, nets: map[string]*vnet.Net{}}
	var err error
	w.router, err = vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", MinDelay: delay, LoggerFactory: quietPion()})
	must(t, err)
	w.router.AddChunkFilter(func(c vnet.Chunk) bool {
		drop := w.drop.Load()
		return drop == nil || !(*drop)(c)
	})
	w.farNet = w.attach("10.0.0.1")
	for _, u := range uplinks {
		w.nets[u] = w.attach("10.0.0." + u)
	}
	must(t, w.router.Start())
	udp, err := w.farNet.ListenPacket("udp4", "10.0.0.1:7000")
	must(t, err)
	w.far = newFarEnd(t, APIConfig{UDP: udp, Net: w.farNet})
	w.listen = &pipeListener{accept: make(chan net.Conn), closed: make(chan struct{})}
	w.serve(w.far.ServeHTTP)
	w.http = &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*w.handler.Load())(rw, r) })}
	go func() { _ = w.http.Serve(tls.NewListener(w.listen, serverTLS(t))) }()
	return w
}

func (w *world) attach(ip string) *vnet.Net {
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
	must(w.t, err)
	must(w.t, w.router.AddNet(n))
	return n
}

// serve puts another handler in front of the world's HTTP server.
func (w *world) serve(h http.HandlerFunc) { w.handler.Store(&h) }

// close takes everything down; nothing may be left in the bubble.
func (w *world) close() {
	_ = w.http.Close()
	w.far.close()
	must(w.t, w.router.Stop())
	time.Sleep(time.Second) // of the bubble's: what was written last is still on its way
}

// cut drops what comes from or goes to the uplinks, both ways, signalling too; none: nothing is cut.
func (w *world) cut(uplinks ...string) {
	ips := map[string]bool{}
	for _, u := range uplinks {
		ips["10.0.0."+u] = true
	}
	drop := func(c vnet.Chunk) bool {
		return ips[hostPart(c.SourceAddr())] || ips[hostPart(c.DestinationAddr())]
	}
	w.drop.Store(&drop)
	w.listen.cut(ips)
}

func hostPart(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return ""
	}
	return ap.Addr().String()
}

// config is what an agent would dial the uplink with.
func (w *world) config(uplink string) Config {
	return Config{
		Uplink: "u" + uplink, WHIP: "https://far.example/whip/room", WHEP: "https://far.example/whep/room",
		Token: "secret-token", Run: "run-1", Box: "box-1", TLS: clientTLS(),
		Net: &worldNet{Net: w.nets[uplink], w: w, ip: "10.0.0." + uplink},
	}
}

// worldNet is one uplink: vnet for datagrams, pipes for signalling.
type worldNet struct {
	*vnet.Net
	w  *world
	ip string
}

func (n *worldNet) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return n.w.listen.dial(ctx, n.ip, n.w.delay)
}

func serverTLS(t testing.TB) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"far.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// clientTLS trusts whoever answers: these tests are not about certificates.
func clientTLS() *tls.Config { return &tls.Config{InsecureSkipVerify: true, ServerName: "far.example"} }

// farEnd is a small gateway: it counts what comes and mirrors nothing by itself.
type farEnd struct {
	t         testing.TB
	api       *API
	resources *Resources
	refuse    atomic.Pointer[Problem] // for WHEP

	mu   sync.Mutex
	in   map[string]*Inbound  // by uplink
	out  map[string]*Outbound // by uplink
	got  map[string]*[media.NumKinds]counter
	asks atomic.Int32 // key frames asked by players
	nack [media.NumKinds][]uint16
}

type counter struct {
	packets int
	highest uint16
}

func newFarEnd(t testing.TB, cfg APIConfig) *farEnd {
	api, err := NewAPI(cfg)
	must(t, err)
	return &farEnd{
		t: t, api: api, in: map[string]*Inbound{}, out: map[string]*Outbound{}, got: map[string]*[media.NumKinds]counter{},
		resources: NewResources(ResourcesConfig{Principal: principalOf}),
	}
}

func principalOf(r *http.Request) string {
	if r.Header.Get("Authorization") == "Bearer secret-token" {
		return "box-1"
	}
	return ""
}

func (f *farEnd) close() {
	_ = f.resources.Close()
	must(f.t, f.api.Close())
}

func (f *farEnd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	uplink := r.URL.Query().Get("uplink")
	who := principalOf(r)
	switch {
	case r.URL.Path == "/whip/room":
		f.resources.Create(w, r, "/session", who, func(offer string) (Peer, string, error) { return f.publish(uplink, offer) })
	case r.URL.Path == "/whep/room":
		f.resources.Create(w, r, "/session", who, func(offer string) (Peer, string, error) { return f.play(uplink, offer) })
	default:
		f.resources.ServeHTTP(w, r)
	}
}

func (f *farEnd) publish(uplink, offer string) (Peer, string, error) {
	in, answer, err := f.api.AcceptPublish(offer, PublishEvents{
		Packet: func(k media.Kind, p *rtp.Packet) {
			f.mu.Lock()
			defer f.mu.Unlock()
			c := f.counters(uplink)
			c[k].packets++
			c[k].highest = p.SequenceNumber
		},
		Report: f.report,
	})
	if err != nil {
		return nil, "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.in[uplink] = in
	return in, answer, nil
}

func (f *farEnd) play(uplink, offer string) (Peer, string, error) {
	if p := f.refuse.Load(); p != nil {
		return nil, "", p
	}
	out, answer, err := f.api.AcceptPlay(offer, "return", PlayEvents{
		KeyFrame: func() { f.asks.Add(1) },
		Repair: func(k media.Kind, seqs []uint16) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.nack[k] = append(f.nack[k], seqs...)
		},
	})
	if err != nil {
		return nil, "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out[uplink] = out
	return out, answer, nil
}

// counters needs mu.
func (f *farEnd) counters(uplink string) *[media.NumKinds]counter {
	if f.got[uplink] == nil {
		f.got[uplink] = &[media.NumKinds]counter{}
	}
	return f.got[uplink]
}

func (f *farEnd) count(uplink string, k media.Kind) counter {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counters(uplink)[k]
}

func (f *farEnd) player(uplink string) *Outbound {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out[uplink]
}

func (f *farEnd) publisher(uplink string) *Inbound {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.in[uplink]
}

// report tells what came on all uplinks, as a gateway's mergers would.
func (f *farEnd) report() []StreamReport {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []StreamReport
	for k := media.Kind(0); k < media.NumKinds; k++ {
		r := StreamReport{Kind: k}
		for _, uplink := range []string{"u2", "u3"} {
			if c := f.got[uplink]; c != nil {
				r.Received += uint32(c[k].packets)
				r.Highest = max(r.Highest, uint32(c[k].highest))
				r.Legs = append(r.Legs, LegReport{Uplink: uplink, Received: uint32(c[k].packets), Highest: uint32(c[k].highest)})
			}
		}
		out = append(out, r)
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
