package link

import (
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/transport/v5"
	"go.uber.org/goleak"

	"scanside/media"
)

// realFar is a far end on real sockets of 127.0.0.1.
type realFar struct {
	*farEnd
	web *httptest.Server
	tcp *spyListener
}

// spyListener remembers who connected.
type spyListener struct {
	net.Listener
	from atomic.Pointer[net.TCPAddr]
}

func (l *spyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.from.Store(c.RemoteAddr().(*net.TCPAddr))
	}
	return c, err
}

func newRealFar(t testing.TB) *realFar { return newRealFarOn(t, "udp4", "127.0.0.1:0") }

func newRealFarOn(t testing.TB, network, address string) *realFar {
	t.Helper()
	udp, err := net.ListenPacket(network, address)
	must(t, err)
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	spy := &spyListener{Listener: tcp}
	f := &realFar{farEnd: newFarEnd(t, APIConfig{UDP: udp, TCP: spy, Loopback: true}), tcp: spy}
	f.web = httptest.NewTLSServer(f)
	f.web.Config.ErrorLog = nil
	return f
}

func (f *realFar) close() {
	f.web.Close()
	f.farEnd.close()
}

func (f *realFar) config(n Net) Config {
	tls := clientTLS()
	tls.ServerName = ""
	return Config{
		Uplink: "u2", WHIP: f.web.URL + "/whip/room", WHEP: f.web.URL + "/whep/room", Token: "Bearer secret-token",
		Run: "run-1", Box: "box-1", TLS: tls, Net: n, Loopback: true,
	}
}

// eventually waits for a condition of real sockets; the bound only ends a failed test.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func leaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

func bound(t testing.TB, ip string) *BoundNet {
	t.Helper()
	n, err := BindAddress(netip.MustParseAddr(ip))
	must(t, err)
	return n
}

func TestLoopback(t *testing.T) {
	leaks(t)
	f := newRealFar(t)
	defer f.close()
	for i, ip := range []string{"127.0.0.2", "127.0.0.3"} {
		cfg := f.config(bound(t, ip))
		cfg.Uplink = []string{"u2", "u3"}[i]
		start := time.Now()
		s, l := dial(t, cfg)
		t.Logf("dial from %s: %v", ip, time.Since(start))
		defer s.Close()
		pair, err := s.pub.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
		must(t, err)
		if pair.Local.Address != ip {
			t.Errorf("media leaves from %v, want %s", pair.Local, ip)
		}
		stream(s.Leg(media.Voice), media.Voice, 1, 50, time.Millisecond)
		eventually(t, "voice arrives", func() bool { return f.count(cfg.Uplink, media.Voice).packets == 50 })
		stream(f.player(cfg.Uplink).Leg(media.Voice), media.Voice, 1, 50, time.Millisecond)
		eventually(t, "return voice arrives", func() bool { return len(l.received(media.Voice)) == 50 })
		eventually(t, "probes are answered", func() bool {
			for _, s := range l.take() {
				if s.Answered && s.RTT > 0 && len(s.Far) == 2 {
					return true
				}
			}
			return false
		})
	}
}

// A gateway's usual socket: every address of the machine, both families.
func TestOneSocketForAllAddresses(t *testing.T) {
	leaks(t)
	f := newRealFarOn(t, "udp", ":0")
	defer f.close()
	s, l := dial(t, f.config(bound(t, "127.0.0.2")))
	defer s.Close()
	stream(s.Leg(media.Voice), media.Voice, 1, 20, time.Millisecond)
	eventually(t, "voice arrives", func() bool { return f.count("u2", media.Voice).packets == 20 })
	eventually(t, "probes are answered", func() bool { return countAnswered(l.take(), time.Time{}) > 0 })
}

// Cut black-holes existing sockets both ways; when it ends before consent does, the same session goes on.
func TestCut(t *testing.T) {
	leaks(t)
	f := newRealFar(t)
	defer f.close()
	n := bound(t, "127.0.0.2")
	s, l := dial(t, f.config(n))
	defer s.Close()
	eventually(t, "a first answer", func() bool { return countAnswered(l.take(), time.Time{}) > 0 })
	cut := time.Now()
	n.Cut(true)
	missed := 0
	eventually(t, "probes are missed", func() bool {
		samples := l.take()
		missed += len(samples) - countAnswered(samples, time.Time{})
		if got := countAnswered(samples, cut); got > 0 {
			t.Errorf("%d probes that left after the cut were answered", got)
		}
		return missed >= 10
	})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if c, err := n.DialContext(ctx, "tcp", f.web.Listener.Addr().String()); err == nil {
		c.Close()
		t.Error("a new connection came up while cut")
	}
	before := f.count("u2", media.Voice).packets
	stream(s.Leg(media.Voice), media.Voice, 1, 10, time.Millisecond)
	n.Cut(false)
	restored := time.Now()
	eventually(t, "answered again", func() bool { return countAnswered(l.take(), restored) > 0 })
	if got := f.count("u2", media.Voice).packets; got != before {
		t.Errorf("%d packets passed the cut", got-before)
	}
	if s.Err() != nil || !s.Playing() {
		t.Errorf("after the cut: err %v, playing %v", s.Err(), s.Playing())
	}
}

func countAnswered(samples []Sample, since time.Time) int {
	n := 0
	for _, s := range samples {
		if s.Answered && !s.Sent.Before(since) {
			n++
		}
	}
	return n
}

// noUDP is a network that swallows every datagram, as some hospitals' firewalls do.
type noUDP struct{ *BoundNet }

func (n noUDP) ListenUDP(network string, a *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.BoundNet.ListenUDP(network, a)
	return swallow{c}, err
}

type swallow struct{ transport.UDPConn }

func (swallow) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }

// Where UDP is dropped, media goes over TCP, still from the uplink's own address: pion's dialler would go its own way.
func TestMediaOverTCP(t *testing.T) {
	leaks(t)
	f := newRealFar(t)
	defer f.close()
	n := bound(t, "127.0.0.2")
	start := time.Now()
	s, l := dial(t, f.config(noUDP{n}))
	t.Logf("dial where UDP is dropped: %v", time.Since(start))
	defer s.Close()
	if from := f.tcp.from.Load(); from == nil || !from.IP.Equal(net.IPv4(127, 0, 0, 2)) {
		t.Errorf("media connection from %v, want 127.0.0.2", from)
	}
	stream(s.Leg(media.Video), media.Video, 1, 200, time.Millisecond)
	eventually(t, "video arrives over TCP", func() bool { return f.count("u2", media.Video).packets == 200 })
	stream(f.player("u2").Leg(media.Voice), media.Voice, 1, 20, time.Millisecond)
	eventually(t, "return voice arrives over TCP", func() bool { return len(l.received(media.Voice)) == 20 })
	eventually(t, "probes are answered over TCP", func() bool { return countAnswered(l.take(), time.Time{}) > 0 })

	n.Cut(true)
	cut := time.Now()
	missed := 0
	eventually(t, "probes over TCP are missed", func() bool {
		samples := l.take()
		if countAnswered(samples, cut) > 0 {
			t.Error("a probe that left after the cut was answered")
		}
		missed += len(samples)
		return missed > 5
	})
	n.Cut(false)
	eventually(t, "answered again over TCP", func() bool { return countAnswered(l.take(), time.Now().Add(-100*time.Millisecond)) > 0 })
}

func TestBindInterface(t *testing.T) {
	leaks(t)
	f := newRealFar(t)
	defer f.close()
	n, err := BindInterface("lo")
	must(t, err)
	s, l := dial(t, f.config(n))
	defer s.Close()
	eventually(t, "probes are answered over interface lo", func() bool { return countAnswered(l.take(), time.Time{}) > 0 })

	absent, err := BindInterface("absent0")
	must(t, err)
	_, err = Dial(t.Context(), f.config(absent), Events{})
	if err == nil || !strings.Contains(err.Error(), "interface absent0 is not there") {
		t.Errorf("dial over an absent interface: %v", err)
	}
	if _, err := absent.DialContext(t.Context(), "tcp", "127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Errorf("dial over an absent interface: %v", err)
	}
	if _, err := absent.ListenUDP("udp4", nil); err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Errorf("socket on an absent interface: %v", err)
	}
	for _, bad := range []string{"", "a b", "../x", "0123456789abcdef"} {
		if _, err := BindInterface(bad); err == nil {
			t.Errorf("interface name %q is taken", bad)
		}
	}
	for _, bad := range []netip.Addr{{}, netip.IPv4Unspecified(), netip.MustParseAddr("224.0.0.1")} {
		if _, err := BindAddress(bad); err == nil {
			t.Errorf("address %v is taken", bad)
		}
	}
}

// ICE must see nothing but the uplink's own address.
func TestInterfaces(t *testing.T) {
	for _, c := range []struct {
		n    *BoundNet
		want string
	}{{bound(t, "127.0.0.2"), "127.0.0.2"}, {bound(t, "127.0.0.1"), "127.0.0.1"}} {
		all, err := c.n.Interfaces()
		must(t, err)
		addrs, err := all[0].Addrs()
		must(t, err)
		if len(all) != 1 || len(addrs) != 1 || addrs[0].(*net.IPNet).IP.String() != c.want {
			t.Errorf("%v lists %v with %v", c.n, all, addrs)
		}
	}
	if _, err := bound(t, "192.0.2.7").Interfaces(); err == nil || !strings.Contains(err.Error(), "no interface has the address") {
		t.Errorf("an address of nobody: %v", err)
	}
	if err := usable(bound(t, "127.0.0.2"), false); err == nil {
		t.Error("the loopback is usable without Loopback")
	}
}

// Name look-ups leave by the uplink too, and a name server that is gone does not hide a known far end.
func TestNamesOverTheUplink(t *testing.T) {
	leaks(t)
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(t, err)
	var asked atomic.Pointer[net.UDPAddr]
	served := make(chan struct{})
	go func() { defer close(served); serveNames(server, &asked) }()
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	_, port, _ := net.SplitHostPort(web.Listener.Addr().String())

	n := bound(t, "127.0.0.2")
	n.SetNameservers(server.LocalAddr().(*net.UDPAddr).AddrPort())
	c, err := n.DialContext(t.Context(), "tcp", "far.example:"+port)
	must(t, err)
	if got := c.LocalAddr().(*net.TCPAddr).IP.String(); got != "127.0.0.2" {
		t.Errorf("connected from %s", got)
	}
	c.Close()
	if from := asked.Load(); from == nil || from.IP.String() != "127.0.0.2" {
		t.Errorf("asked from %v", from)
	}
	server.Close()
	<-served
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	c, err = n.DialContext(ctx, "tcp", "far.example:"+port)
	must(t, err)
	c.Close()
}

// serveNames answers every question with 127.0.0.1 (RFC 1035 section 4.1).
func serveNames(c net.PacketConn, asked *atomic.Pointer[net.UDPAddr]) {
	buf := make([]byte, 512)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		asked.Store(from.(*net.UDPAddr))
		end := 12
		for end < n && buf[end] != 0 {
			end += int(buf[end]) + 1
		}
		end += 5 // root label, type, class
		answer := append([]byte(nil), buf[:end]...)
		binary.BigEndian.PutUint16(answer[2:], 0x8180)
		binary.BigEndian.PutUint16(answer[6:], 1)
		binary.BigEndian.PutUint32(answer[8:], 0)
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
		_, _ = c.WriteTo(answer, from)
	}
}
