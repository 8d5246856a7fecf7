package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// Relay is a TURN server (RFC 8656) that a session may go through where nothing better gets through.
type Relay struct {
	URL        string      // turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT] (RFC 7065)
	Username   string      //
	Credential string      // the password
	TLS        *tls.Config // roots for turns:; nil: the system's. The name is always checked
}

const (
	// relayTimeout bounds one attempt to reach a relay: look-up, connect, TLS.
	relayTimeout = 5 * time.Second
	// relayGoodbye is how long giving an allocation back may take.
	relayGoodbye = time.Second
	// hostPatience is how long the addresses of our own, which need no network, are waited for while relays come later.
	hostPatience = 50 * time.Millisecond
)

var errRelayBroken = errors.New("the connection to the relay that carried the media broke")

// relays is one half's way to its relays. pion gathers relay candidates by itself; this is its dialler for TCP and TLS
// (pion would dial past the Net, ice gather.go) and its Net for UDP. Relays wait a head start out, as ICE over TCP does, so
// that a link that needs none asks for none; the one that worked last waits for nobody.
type relays struct {
	Net
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	known  map[string]relayWay // by key: network and host:port
	broken func(error)         // a connection that carried media broke

	mu      sync.Mutex
	settled bool                   // another path won: no more dialling
	lost    map[string]string      // by host:port and kind: why a relay could not be used
	ports   map[uint16]*relayUse   // by the local port
	hosts   map[string]relayTarget // relays by UDP, by the address their names were looked up to
	sockets []net.PacketConn       // to relays by UDP
	next    uint16                 // port of a connection that has none (in-memory networks)
}

type relayWay struct {
	Relay
	relayAddress
	start time.Time // not before
	first bool      // it worked last
}

type relayTarget struct {
	kind PathKind
	host string
}

// relayUse is one connection, or socket, to a relay.
type relayUse struct {
	relayTarget
	conn *relayConn // nil: UDP
}

func newRelays(n Net, all []Relay, last Path, broken func(error)) *relays {
	r := &relays{Net: n, broken: broken, known: map[string]relayWay{}, lost: map[string]string{}, ports: map[uint16]*relayUse{}, hosts: map[string]relayTarget{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	begun := time.Now()
	for _, one := range all {
		a, err := parseRelay(one.URL)
		if err != nil {
			continue // checked by Dial; those of far ends were parsed before
		}
		w := relayWay{Relay: one, relayAddress: a, start: begun.Add(udpHeadStart)}
		if last.Kind == a.kind && last.Relay == a.String() {
			w.start, w.first = begun, true
		}
		r.known[relayKey(a.kind != PathRelayUDP, a.String())] = w
	}
	return r
}

func relayKey(tcp bool, hostPort string) string {
	if tcp {
		return "tcp " + hostPort
	}
	return "udp " + hostPort
}

// servers is what pion is told.
func (r *relays) servers() []webrtc.ICEServer {
	var out []webrtc.ICEServer
	for _, w := range r.known {
		out = append(out, webrtc.ICEServer{URLs: []string{w.uri()}, Username: w.Username, Credential: w.Credential})
	}
	return out
}

func (w relayWay) uri() string {
	scheme, transport := "turn", "tcp"
	switch w.kind {
	case PathRelayUDP:
		transport = "udp"
	case PathRelayTLS:
		scheme = "turns"
	}
	return scheme + ":" + w.String() + "?transport=" + transport
}

// patience is how long gathering is waited for; 0: until it is complete.
func (r *relays) patience() time.Duration {
	if len(r.known) == 0 {
		return 0
	}
	return hostPatience
}

// acceptAfter is how long a relay is not chosen for, in case a better path comes up.
func (r *relays) acceptAfter() time.Duration {
	for _, w := range r.known {
		if w.first {
			return relayWait / 5
		}
	}
	return relayWait
}

// wait waits the head start out.
func (r *relays) wait(w relayWay) error {
	select {
	case <-time.After(time.Until(w.start)):
	case <-r.ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settled || r.ctx.Err() != nil {
		return net.ErrClosed
	}
	return nil
}

// Dial is called by pion for relays over TCP and TLS, once for each address family.
func (r *relays) Dial(network, address string) (net.Conn, error) {
	w, ok := r.known[relayKey(true, address)]
	if !ok {
		return nil, fmt.Errorf("dial relay %s: not one of ours", address)
	}
	if !sameFamily(network, w.host) {
		return nil, fmt.Errorf("dial relay %s: no address of that family", address)
	}
	if err := r.wait(w); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(r.ctx, relayTimeout, fmt.Errorf("no answer within %v", relayTimeout))
	defer cancel()
	c, err := r.connect(ctx, network, w)
	to := relayTarget{w.kind, w.String()}
	if err != nil {
		if r.ctx.Err() == nil && !strings.HasSuffix(network, "6") {
			r.failed(to, err)
		}
		return nil, fmt.Errorf("dial relay %v: %w", w, err)
	}
	return r.adopt(c, to)
}

func (r *relays) connect(ctx context.Context, network string, w relayWay) (net.Conn, error) {
	c, err := r.Net.DialContext(ctx, network, w.String())
	if err != nil || w.kind != PathRelayTLS {
		return c, err
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if w.TLS != nil {
		cfg = w.TLS.Clone()
	}
	cfg.ServerName = w.host
	secured := tls.Client(c, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secured, nil
}

// adopt wraps a new connection and remembers its port.
func (r *relays) adopt(c net.Conn, to relayTarget) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settled || r.ctx.Err() != nil {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	out := &relayConn{Conn: c, of: r, to: to, out: make(chan []byte, tcpQueue), closed: make(chan struct{}), local: &net.TCPAddr{IP: net.IPv4zero}}
	if tcp, ok := c.LocalAddr().(*net.TCPAddr); ok {
		out.local = tcp
	} else {
		r.next++
		out.local.Port = int(r.next)
	}
	r.ports[uint16(out.local.Port)] = &relayUse{to, out}
	r.wg.Go(out.carry)
	return out, nil
}

// ResolveUDPAddr implements transport.Net; pion calls it first for a relay by UDP.
func (r *relays) ResolveUDPAddr(network, address string) (*net.UDPAddr, error) {
	w, ok := r.known[relayKey(false, address)]
	if !ok {
		return r.Net.ResolveUDPAddr(network, address)
	}
	if !sameFamily(network, w.host) {
		return nil, fmt.Errorf("relay %s: no address of that family", address)
	}
	if err := r.wait(w); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.ctx, relayTimeout)
	defer cancel()
	at, err := resolveUDP(ctx, r.Net, network, address)
	if err != nil {
		if r.ctx.Err() == nil && !strings.HasSuffix(network, "6") {
			r.failed(relayTarget{w.kind, w.String()}, err)
		}
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hosts[at.String()] = relayTarget{w.kind, w.String()}
	return at, nil
}

// ListenPacket implements transport.Net: pion's socket to a relay by UDP.
func (r *relays) ListenPacket(network, address string) (net.PacketConn, error) {
	c, err := r.Net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sockets = append(r.sockets, c)
	return &relaySocket{PacketConn: c, of: r}, nil
}

// sameFamily reports whether a host, if it is an address, can be reached by network.
func sameFamily(network, host string) bool {
	ip, err := netip.ParseAddr(host)
	return err != nil || ip.Unmap().Is4() != strings.HasSuffix(network, "6")
}

// through says which relay a local port leads to.
func (r *relays) through(port uint16) (PathKind, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if use := r.ports[port]; use != nil {
		return use.kind, use.host
	}
	return PathRelayUDP, "" // no socket but a relay's makes a relay candidate
}

// settle ends what is not needed when a path was chosen. Sockets by UDP stay until the end, which gives them back to the relay.
func (r *relays) settle(p Path) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settled = true
	for _, use := range r.ports {
		if use.conn == nil {
			continue
		}
		if use.kind == p.Kind && use.host == p.Relay {
			use.conn.carries.Store(true)
		} else {
			_ = use.conn.Close()
		}
	}
}

// stop ends what is under way; connections that carry stay for the peer to take leave by. Close ends them and waits.
func (r *relays) stop() { r.cancel() }

// Close implements io.Closer.
func (r *relays) Close() error {
	r.cancel()
	r.mu.Lock()
	for _, use := range r.ports {
		if use.conn != nil {
			_ = use.conn.Close()
		}
	}
	for _, c := range r.sockets {
		_ = c.Close()
	}
	r.mu.Unlock()
	r.wg.Wait()
	return nil
}
