package emu

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"

	"github.com/pion/transport/v5"
)

// Inner is the network that is led through the lines: a bound one of package link, or a virtual one.
type Inner interface {
	transport.Net
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// Net is all networking of one emulated uplink. What its sockets send goes through the up line, what they receive through
// the down line; name look-ups and the list of interfaces are the inner network's own. It satisfies link.Net.
//
// Each UDP socket costs one goroutine, each TCP connection two, and the lines two for all of them together. Every Close
// waits for its socket's goroutines. Listening for TCP is not supported: an uplink of a scan room only dials.
type Net struct {
	inner     Inner
	up, down  *Line
	unplugged *atomic.Bool // shared by all nets of an uplink
}

// Wrap leads inner through the lines, which may be shared: sockets that share a line share its rate and its queue.
func Wrap(inner Inner, up, down *Line) *Net {
	return &Net{inner: inner, up: up, down: down, unplugged: new(atomic.Bool)}
}

// Unplug is the loud failure, as when the interface goes down: sending a datagram and dialing fail at once, nothing
// arrives, and TCP connections stand still. Cutting the lines is the silent one.
func (n *Net) Unplug(on bool) { n.unplugged.Store(on) }

// Cut black-holes the inner network's sockets, where it can: for a drill, beneath what the lines do.
func (n *Net) Cut(on bool) {
	if c, ok := n.inner.(interface{ Cut(on bool) }); ok {
		c.Cut(on)
	}
}

func (n *Net) refused(op, network string) error {
	if n.unplugged.Load() {
		return &net.OpError{Op: op, Net: network, Err: syscall.ENETUNREACH}
	}
	return nil
}

// ListenPacket implements transport.Net.
func (n *Net) ListenPacket(network, address string) (net.PacketConn, error) {
	inner, err := n.inner.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	return newUDPConn(n, inner, nil), nil
}

// ListenUDP implements transport.Net.
func (n *Net) ListenUDP(network string, laddr *net.UDPAddr) (transport.UDPConn, error) {
	inner, err := n.inner.ListenUDP(network, laddr)
	if err != nil {
		return nil, err
	}
	return newUDPConn(n, inner, nil), nil
}

// DialUDP implements transport.Net.
func (n *Net) DialUDP(network string, laddr, raddr *net.UDPAddr) (transport.UDPConn, error) {
	if err := n.refused("dial", network); err != nil {
		return nil, err
	}
	inner, err := n.inner.DialUDP(network, laddr, raddr)
	if err != nil {
		return nil, err
	}
	return newUDPConn(n, inner, raddr), nil
}

// Dial implements transport.Net.
func (n *Net) Dial(network, address string) (net.Conn, error) {
	return n.DialContext(context.Background(), network, address)
}

// DialContext opens TCP after one round trip through the lines, as a handshake takes, or UDP at once.
func (n *Net) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if err := n.refused("dial", network); err != nil {
		return nil, err
	}
	switch network {
	case "udp", "udp4", "udp6":
		raddr, err := n.inner.ResolveUDPAddr(network, address)
		if err != nil {
			return nil, err
		}
		return n.DialUDP(network, nil, raddr)
	case "tcp", "tcp4", "tcp6":
		c, err := n.dialStream(ctx, func() (net.Conn, error) { return n.inner.DialContext(ctx, network, address) })
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	return nil, fmt.Errorf("dial %s %s: an emulated uplink knows udp and tcp", network, address)
}

// DialTCP implements transport.Net.
func (n *Net) DialTCP(network string, laddr, raddr *net.TCPAddr) (transport.TCPConn, error) {
	if err := n.refused("dial", network); err != nil {
		return nil, err
	}
	c, err := n.dialStream(context.Background(), func() (net.Conn, error) { return n.inner.DialTCP(network, laddr, raddr) })
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ListenTCP implements transport.Net by refusing.
func (n *Net) ListenTCP(network string, laddr *net.TCPAddr) (transport.TCPListener, error) {
	return nil, fmt.Errorf("listen %s %v on an emulated uplink: %w", network, laddr, transport.ErrNotSupported)
}

// ResolveIPAddr implements transport.Net.
func (n *Net) ResolveIPAddr(network, address string) (*net.IPAddr, error) {
	return n.inner.ResolveIPAddr(network, address)
}

// ResolveUDPAddr implements transport.Net.
func (n *Net) ResolveUDPAddr(network, address string) (*net.UDPAddr, error) {
	return n.inner.ResolveUDPAddr(network, address)
}

// ResolveTCPAddr implements transport.Net.
func (n *Net) ResolveTCPAddr(network, address string) (*net.TCPAddr, error) {
	return n.inner.ResolveTCPAddr(network, address)
}

// Interfaces implements transport.Net.
func (n *Net) Interfaces() ([]*transport.Interface, error) { return n.inner.Interfaces() }

// InterfaceByIndex implements transport.Net.
func (n *Net) InterfaceByIndex(index int) (*transport.Interface, error) {
	return n.inner.InterfaceByIndex(index)
}

// InterfaceByName implements transport.Net.
func (n *Net) InterfaceByName(name string) (*transport.Interface, error) {
	return n.inner.InterfaceByName(name)
}

// CreateDialer implements transport.Net. Of the dialer only its time limit counts.
func (n *Net) CreateDialer(d *net.Dialer) transport.Dialer { return dialer{n, d} }

// CreateListenConfig implements transport.Net.
func (n *Net) CreateListenConfig(*net.ListenConfig) transport.ListenConfig { return listenConfig{n} }

type dialer struct {
	n *Net
	d *net.Dialer
}

func (d dialer) Dial(network, address string) (net.Conn, error) {
	ctx := context.Background()
	if d.d != nil && d.d.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.d.Timeout)
		defer cancel()
	}
	return d.n.DialContext(ctx, network, address)
}

type listenConfig struct{ n *Net }

func (c listenConfig) Listen(_ context.Context, network, address string) (net.Listener, error) {
	return nil, fmt.Errorf("listen %s %s on an emulated uplink: %w", network, address, transport.ErrNotSupported)
}

func (c listenConfig) ListenPacket(_ context.Context, network, address string) (net.PacketConn, error) {
	return c.n.ListenPacket(network, address)
}
