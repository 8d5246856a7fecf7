package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/turn/v5"

	"scanside/media"
)

// realRelay is a TURN server on real sockets of 127.0.0.9: UDP, TCP and TLS.
type realRelay struct {
	udp, tcp, tls string
	pool          *x509.CertPool
	from          [3]*spyListener // TCP and TLS: who connected
	asked         atomic.Int32    // requests for an allocation
}

func newRealRelay(t *testing.T) *realRelay {
	t.Helper()
	r := &realRelay{pool: x509.NewCertPool()}
	socket, err := net.ListenPacket("udp4", "127.0.0.9:0")
	must(t, err)
	r.udp = socket.LocalAddr().String()
	var listeners []turn.ListenerConfig
	stub := httptest.NewUnstartedServer(nil) // its certificate is for 127.0.0.1 and example.com, not for 127.0.0.9
	stub.StartTLS()
	stub.Close()
	relayed := func() turn.RelayAddressGenerator {
		n, err := stdnet.NewNet()
		must(t, err)
		return &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 9), Address: "127.0.0.9", Net: n}
	}
	for i := range 2 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		must(t, err)
		r.from[i] = &spyListener{Listener: l}
		var out net.Listener = r.from[i]
		if i == 1 {
			out = tls.NewListener(out, &tls.Config{Certificates: stub.TLS.Certificates})
			r.pool.AddCert(stub.Certificate())
			r.tls = l.Addr().String()
		} else {
			r.tcp = l.Addr().String()
		}
		listeners = append(listeners, turn.ListenerConfig{Listener: out, RelayAddressGenerator: relayed()})
	}
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: "relay.example", LoggerFactory: quietPion(),
		AuthHandler: func(a *turn.RequestAttributes) (string, []byte, bool) {
			r.asked.Add(1)
			return a.Username, turn.GenerateAuthKey(a.Username, a.Realm, "word"), a.Username == "box"
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: socket, RelayAddressGenerator: relayed()}},
		ListenerConfigs:   listeners,
	})
	must(t, err)
	t.Cleanup(func() { must(t, server.Close()) })
	return r
}

func (r *realRelay) relay(kind PathKind) Relay {
	one := Relay{Username: "box", Credential: "word", TLS: &tls.Config{RootCAs: r.pool}}
	switch kind {
	case PathRelayUDP:
		one.URL = "turn:" + r.udp
	case PathRelayTCP:
		one.URL = "turn:" + r.tcp + "?transport=tcp"
	case PathRelayTLS:
		one.URL = "turns:" + r.tls
	}
	return one
}

// newWalledFar is a far end that cannot be reached by TCP media, to be dialled with a Net that swallows datagrams.
func newWalledFar(t testing.TB) *realFar {
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(t, err)
	f := &realFar{farEnd: newFarEnd(t, APIConfig{UDP: udp, Loopback: true})}
	f.web = httptest.NewTLSServer(f)
	return f
}

// Through each kind of relay media flows both ways, from the uplink's own address; the session says which way it goes; and
// the next one, which knows, does not wait for what does not work.
func TestRelayKinds(t *testing.T) {
	for _, kind := range []PathKind{PathRelayUDP, PathRelayTCP, PathRelayTLS} {
		t.Run(kind.String(), func(t *testing.T) {
			leaks(t)
			f := newWalledFar(t)
			defer f.close()
			relay := newRealRelay(t)
			cfg := f.config(noUDP{bound(t, "127.0.0.2")})
			cfg.Relays, cfg.Memory = []Relay{relay.relay(kind)}, &Memory{}
			for range 2 {
				start := time.Now()
				s, l := dial(t, cfg)
				t.Logf("dial: %v", time.Since(start))
				if got := s.Path(); got.Kind != kind || !strings.HasSuffix(cfg.Relays[0].URL, got.Relay) && !strings.Contains(cfg.Relays[0].URL, got.Relay+"?") {
					t.Errorf("path %+v, want %v by %s", got, kind, cfg.Relays[0].URL)
				}
				if got := cfg.Memory.best(time.Now()); got != s.Path() {
					t.Errorf("remembered %+v", got)
				}
				before := f.count("u2", media.Voice).packets
				stream(s.Leg(media.Voice), media.Voice, 1, 50, time.Millisecond)
				eventually(t, "voice arrives", func() bool { return f.count("u2", media.Voice).packets == before+50 })
				stream(f.player("u2").Leg(media.Voice), media.Voice, 1, 20, time.Millisecond)
				eventually(t, "return voice arrives", func() bool { return len(l.received(media.Voice)) == 20 })
				eventually(t, "probes are answered", func() bool { return countAnswered(l.take(), time.Time{}) > 0 })
				must(t, s.Close())
			}
			for i, k := range []PathKind{PathRelayTCP, PathRelayTLS} {
				if from := relay.from[i].from.Load(); k == kind && (from == nil || !from.IP.Equal(net.IPv4(127, 0, 0, 2))) {
					t.Errorf("the relay was dialled from %v, want 127.0.0.2", from)
				}
			}
		})
	}
}

// A link that gets through by UDP asks no relay for anything.
func TestRelayNotNeeded(t *testing.T) {
	leaks(t)
	f := newRealFar(t)
	defer f.close()
	relay := newRealRelay(t)
	cfg := f.config(bound(t, "127.0.0.2"))
	cfg.Relays = []Relay{relay.relay(PathRelayUDP), relay.relay(PathRelayTCP), relay.relay(PathRelayTLS)}
	s, _ := dial(t, cfg)
	if got := s.Path(); got != (Path{Kind: PathUDP}) {
		t.Errorf("path %+v", got)
	}
	<-time.After(udpHeadStart + 100*time.Millisecond)
	must(t, s.Close())
	if n := relay.asked.Load(); n != 0 {
		t.Errorf("the relay was asked %d times", n)
	}
}

// What is wrong with a relay is said in words, and nothing is left.
func TestRelayRefuses(t *testing.T) {
	closed, err := net.Listen("tcp4", "127.0.0.9:0")
	must(t, err)
	closed.Close()
	for name, c := range map[string]struct {
		change func(*Relay)
		kind   PathKind
		want   string
	}{
		"wrong credential by UDP": {func(r *Relay) { r.Credential = "x" }, PathRelayUDP, "it refuses this user and credential (401)"},
		"wrong credential by TLS": {func(r *Relay) { r.Credential = "x" }, PathRelayTLS, "it refuses this user and credential (401)"},
		"unknown authority":       {func(r *Relay) { r.TLS = nil }, PathRelayTLS, "certificate signed by unknown authority"},
		"relay down":              {func(r *Relay) { r.URL = "turn:" + closed.Addr().String() + "?transport=tcp" }, PathRelayTCP, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			leaks(t)
			f := newWalledFar(t)
			defer f.close()
			r := newRealRelay(t).relay(c.kind)
			c.change(&r)
			cfg := f.config(noUDP{bound(t, "127.0.0.2")})
			cfg.Relays = []Relay{r}
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			_, err := Dial(ctx, cfg, Events{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "the relay 127.0.0.") {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "word") {
				t.Errorf("the error tells the credential: %v", err)
			}
			eventually(t, "nothing is left at the far end", func() bool { return f.resources.Len() == 0 })
		})
	}
}

// The name in a relay's certificate is checked whatever the configured TLS says of names.
func TestRelayName(t *testing.T) {
	leaks(t)
	relay := newRealRelay(t)
	_, port, _ := net.SplitHostPort(relay.tls)
	r := newRelays(namedNet{bound(t, "127.0.0.2")}, []Relay{{URL: "turns:relay.example:" + port, Username: "u", Credential: "c", TLS: &tls.Config{RootCAs: relay.pool, ServerName: "example.com"}}}, Path{}, nil)
	defer r.Close()
	_, err := r.Dial("tcp4", "relay.example:"+port)
	var name x509.HostnameError
	if !errors.As(err, &name) {
		t.Errorf("a certificate of example.com for relay.example: %v", err)
	}
	if why := r.why(); !strings.Contains(why, "the relay relay.example:"+port+" by TLS: TLS: ") {
		t.Errorf("why: %q", why)
	}
}

// namedNet takes every name for 127.0.0.1.
type namedNet struct{ *BoundNet }

func (n namedNet) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return n.BoundNet.DialContext(ctx, network, "127.0.0.1:"+port)
}

func TestParseRelay(t *testing.T) {
	for raw, want := range map[string]string{
		"turn:a.example":                      "relay-udp a.example:3478",
		"turn:a.example:443?transport=udp":    "relay-udp a.example:443",
		"turn:10.0.0.1:80?transport=tcp":      "relay-tcp 10.0.0.1:80",
		"turns:a.example":                     "relay-tls a.example:5349",
		"turns:[2001:db8::1]:443":             "relay-tls [2001:db8::1]:443",
		"TURNS:a.example:443?transport=tcp":   "relay-tls a.example:443",
		"turns:a.example:443?transport=udp":   "DTLS",
		"stun:a.example":                      "is not a relay's address",
		"https://a.example":                   "is not a relay's address",
		"turn://a.example":                    "names no host",
		"turn:user@a.example":                 "names no host",
		"turn:":                               "names no host",
		"turn:a.example:99999":                "no usable port",
		"turn:a.example?transport=pigeon":     "unknown ending",
		"turn:a.example:3478?secret=in-clear": "unknown ending",
	} {
		a, err := parseRelay(raw)
		got := a.kind.String() + " " + a.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

// What worked last is remembered for a day; relays that a far end named, until their credentials end.
func TestMemory(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var nobody *Memory
	nobody.worked(Path{Kind: PathUDP}, now)
	nobody.name([]Relay{{URL: "turn:a"}}, now)
	if nobody.best(now) != (Path{}) || nobody.relays(now) != nil {
		t.Error("nobody remembers something")
	}
	m := &Memory{}
	if m.best(now) != (Path{}) || m.relays(now) != nil {
		t.Error("an empty memory remembers something")
	}
	path := Path{Kind: PathRelayTLS, Relay: "a:443"}
	m.worked(path, now)
	if m.best(now.Add(memoryLasts)) != path || m.best(now.Add(memoryLasts+1)).Kind != PathUnknown {
		t.Error("the path is not remembered for a day")
	}
	for user, lasts := range map[string]time.Duration{"1800000060:box": time.Minute, "box": unstampedLasts, "12:box": unstampedLasts} {
		m.name([]Relay{{URL: "turn:a", Username: user}, {URL: "turn:b", Username: "1800009999"}}, now)
		if len(m.relays(now.Add(lasts-1))) != 2 || m.relays(now.Add(lasts)) != nil {
			t.Errorf("relays of %s are not remembered for %v", user, lasts)
		}
	}
}
