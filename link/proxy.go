package link

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/pion/transport/v5"
)

const (
	// proxyTimeout bounds a proxy's answer to CONNECT, its own dial to the other side included.
	proxyTimeout = 5 * time.Second
	// maxProxyAnswer bounds the head of that answer; real ones have a few hundred bytes.
	maxProxyAnswer = 8 << 10
)

// Proxy is an HTTP proxy that an uplink's TCP goes through by CONNECT (RFC 9110 9.3.6): signalling, ICE over TCP, relays
// over TCP and TLS, whatever else dials over the uplink. Datagrams do not.
type Proxy struct {
	Addr     string                 // host:port
	User     string                 // "": no authentication
	Password func() (string, error) // asked at each dial, so that it can be changed; nil: empty
}

// ProxyError is why a proxy did not carry a connection.
type ProxyError struct {
	Proxy, To string
	Status    int   // of its answer; 0: it did not answer in HTTP
	SentUser  bool  // a user was named
	Err       error // when Status is 0
}

func (e *ProxyError) Unwrap() error { return e.Err }

func (e *ProxyError) Error() string { return "the proxy " + e.Proxy + " " + e.Reason() }

// Reason completes the sentence "the proxy X …".
func (e *ProxyError) Reason() string {
	switch {
	case e.Status == http.StatusProxyAuthRequired && e.SentUser:
		return "refuses this user and password (407)"
	case e.Status == http.StatusProxyAuthRequired:
		return "asks for a user and a password (407)"
	case e.Status == http.StatusForbidden:
		return "does not let us through to " + e.To + " (403)"
	case e.Status >= 500:
		return fmt.Sprintf("cannot reach %s (%d)", e.To, e.Status)
	case e.Status != 0:
		return fmt.Sprintf("does not connect us to %s (%d)", e.To, e.Status)
	}
	return e.Err.Error()
}

var (
	errNotProxy    = errors.New("answers, but not as an HTTP proxy does")
	errProxySilent = fmt.Errorf("takes the connection and does not answer within %v", proxyTimeout)
)

// Wrap is n with its TCP through the proxy.
func (p Proxy) Wrap(n Net) Net { return &proxied{n, p} }

type proxied struct {
	Net
	proxy Proxy
}

// Direct is n without its proxy: what the uplink itself reaches. It reports whether there is one.
func Direct(n Net) (direct Net, isProxied bool) {
	if p, ok := n.(*proxied); ok {
		return p.Net, true
	}
	return n, false
}

// ProxyAddr names the proxy, for people.
func (n *proxied) ProxyAddr() string { return n.proxy.Addr }

// String names the uplink, and its proxy.
func (n *proxied) String() string { return fmt.Sprintf("%v through the proxy %s", n.Net, n.proxy.Addr) }

// DialContext implements Net.
func (n *proxied) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if !strings.HasPrefix(network, "tcp") {
		return n.Net.DialContext(ctx, network, addr)
	}
	if network == "tcp6" {
		return nil, fmt.Errorf("dial %s: the proxy chooses the family itself", addr)
	}
	c, err := n.Net.DialContext(ctx, "tcp", n.proxy.Addr)
	if err != nil {
		return nil, &ProxyError{Proxy: n.proxy.Addr, To: addr, Err: fmt.Errorf("cannot be reached: %w", err)}
	}
	if err := n.proxy.connect(ctx, c, addr); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// Dial implements transport.Net.
func (n *proxied) Dial(network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	return n.DialContext(ctx, network, addr)
}

// DialTCP implements transport.Net by refusing: nothing dials past the proxy.
func (n *proxied) DialTCP(string, *net.TCPAddr, *net.TCPAddr) (transport.TCPConn, error) {
	return nil, transport.ErrNotSupported
}

// CreateDialer implements transport.Net.
func (n *proxied) CreateDialer(*net.Dialer) transport.Dialer { return n }

// ResolveUDP looks up by the uplink's own name servers; see BoundNet.
func (n *proxied) ResolveUDP(ctx context.Context, network, address string) (*net.UDPAddr, error) {
	return resolveUDP(ctx, n.Net, network, address)
}

// connect asks the proxy for a tunnel to addr.
func (p Proxy) connect(ctx context.Context, c net.Conn, addr string) error {
	fail := &ProxyError{Proxy: p.Addr, To: addr, SentUser: p.User != ""}
	ask := "CONNECT " + addr + " HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: scanside\r\n"
	if p.User != "" {
		var password string
		if p.Password != nil {
			var err error
			if password, err = p.Password(); err != nil {
				fail.Err = fmt.Errorf("was not asked: %w", err)
				return fail
			}
		}
		ask += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(p.User+":"+password)) + "\r\n"
	}
	ctx, cancel := context.WithTimeoutCause(ctx, proxyTimeout, errProxySilent)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) }) // ends a read and a write that wait
	answer, err := exchange(c, ask+"\r\n")
	if !stop() { // time was up, and the deadline may be set late
		err = context.Cause(ctx)
	}
	if err != nil {
		fail.Err = err
		return fail
	}
	if answer/100 != 2 {
		fail.Status = answer
		return fail
	}
	return nil
}

// exchange sends the request and reads the head of the answer, and not a byte of what follows it.
func exchange(c net.Conn, ask string) (status int, err error) {
	if _, err := io.WriteString(c, ask); err != nil {
		return 0, fmt.Errorf("hangs up: %w", err)
	}
	var head []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		if _, err := io.ReadFull(c, one); err != nil {
			if len(head) > 0 && !bytes.HasPrefix(head, []byte("HTTP/")[:min(len(head), 5)]) {
				return 0, errNotProxy
			}
			return 0, fmt.Errorf("hangs up before it has answered: %w", err)
		}
		head = append(head, one[0])
		if len(head) == 5 && string(head) != "HTTP/" || len(head) > maxProxyAnswer {
			return 0, errNotProxy
		}
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return 0, errNotProxy
	}
	return resp.StatusCode, nil
}
