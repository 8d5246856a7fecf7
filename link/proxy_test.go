package link

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"scanside/media"
)

// connectProxy is a CONNECT proxy on a loopback address.
type connectProxy struct {
	net.Listener
	basic string // what Proxy-Authorization must be; "": nothing
	asked atomic.Int32
	from  atomic.Pointer[net.TCPAddr]
	wg    sync.WaitGroup
}

func newConnectProxy(t *testing.T, basic string) *connectProxy {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.8:0")
	must(t, err)
	p := &connectProxy{Listener: l, basic: basic}
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.from.Store(c.RemoteAddr().(*net.TCPAddr))
			p.wg.Go(func() { p.serve(c) })
		}
	})
	return p
}

func (p *connectProxy) close() {
	_ = p.Close()
	p.wg.Wait()
}

func (p *connectProxy) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	p.asked.Add(1)
	if req.Header.Get("Proxy-Authorization") != p.basic {
		_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
		return
	}
	far, err := net.Dial("tcp4", req.RequestURI)
	if err != nil {
		_, _ = io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	defer far.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(far, r)
		_ = far.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(c, far)
	_ = c.Close()
	<-ended
}

// Where only the proxy lets anything out, signalling and media go through it: straight to the far end, or to a relay.
func TestThroughProxy(t *testing.T) {
	for _, kind := range []PathKind{PathTCP, PathRelayTLS} {
		t.Run(kind.String(), func(t *testing.T) {
			leaks(t)
			f := newRealFar(t)
			if kind != PathTCP {
				f.close()
				f = newWalledFar(t)
			}
			defer f.close()
			proxy := newConnectProxy(t, "Basic "+base64.StdEncoding.EncodeToString([]byte("scan:side")))
			defer proxy.close()
			p := Proxy{Addr: proxy.Addr().String(), User: "scan", Password: func() (string, error) { return "side", nil }}
			cfg := f.config(p.Wrap(noUDP{bound(t, "127.0.0.2")}))
			if kind == PathRelayTLS {
				cfg.Relays = []Relay{newRealRelay(t).relay(kind)}
			}
			s, l := dial(t, cfg)
			defer s.Close()
			if got := s.Path(); got.Kind != kind || got.Proxy != p.Addr {
				t.Errorf("path %+v", got)
			}
			if from := proxy.from.Load(); from == nil || !from.IP.Equal(net.IPv4(127, 0, 0, 2)) {
				t.Errorf("the proxy was dialled from %v, want 127.0.0.2", from)
			}
			stream(s.Leg(media.Voice), media.Voice, 1, 20, time.Millisecond)
			eventually(t, "voice arrives", func() bool { return f.count("u2", media.Voice).packets == 20 })
			eventually(t, "probes are answered", func() bool { return countAnswered(l.take(), time.Time{}) > 0 })
		})
	}
}

func TestProxyRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		user   string
		want   string
	}{
		"asks for a user":   {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "", "the proxy p:3128 asks for a user and a password (407)"},
		"refuses the user":  {"HTTP/1.1 407 Proxy Authentication Required\r\nX: y\r\n\r\n", "u", "the proxy p:3128 refuses this user and password (407)"},
		"forbids":           {"HTTP/1.0 403 Forbidden\r\n\r\n<html>", "", "the proxy p:3128 does not let us through to far:443 (403)"},
		"cannot reach":      {"HTTP/1.1 503 no\r\n\r\n", "", "the proxy p:3128 cannot reach far:443 (503)"},
		"sends elsewhere":   {"HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n", "", "does not connect us to far:443 (302)"},
		"is another server": {"SSH-2.0-OpenSSH_9.2\r\n", "", "the proxy p:3128 answers, but not as an HTTP proxy does"},
		"is a liar":         {"HTTP/9 what\r\n\r\n", "", "answers, but not as an HTTP proxy does"},
		"never stops":       {"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 3000), "", "answers, but not as an HTTP proxy does"},
		"says nothing":      {"", "", "takes the connection and does not answer within 5s"},
		"says a part":       {"HTTP/1.1 200 OK\r\n", "", "takes the connection and does not answer within 5s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := pipeNet{far: make(chan net.Conn, 1)}
				p := Proxy{Addr: "p:3128", User: c.user, Password: func() (string, error) { return "hush", nil }}
				var served sync.WaitGroup
				served.Go(func() {
					far := <-n.far
					served.Go(func() { _, _ = io.Copy(io.Discard, far) })
					_, _ = io.WriteString(far, c.answer)
				})
				_, err := p.Wrap(n).DialContext(t.Context(), "tcp", "far:443")
				var pe *ProxyError
				if !errors.As(err, &pe) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
					t.Errorf("%v, want %q", err, c.want)
				}
				served.Wait()
			})
		})
	}
	p := Proxy{Addr: "127.0.0.8:1"}
	_, err := p.Wrap(bound(t, "127.0.0.2")).DialContext(t.Context(), "tcp", "far:443")
	if err == nil || !strings.Contains(err.Error(), "the proxy 127.0.0.8:1 cannot be reached") {
		t.Errorf("a proxy that is down: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := p.Wrap(bound(t, "127.0.0.2")).DialTCP("tcp4", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}); err == nil || ctx.Err() != nil {
		t.Error("something dials past the proxy")
	}
}
