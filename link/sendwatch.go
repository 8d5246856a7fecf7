package link

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v5"
)

// sendWatch is a Net that remembers the kernel's refusals: pion's ICE logs a failed send and reports success
// (ice candidate_base.go writeTo), but a refused send is the quickest news of an uplink that went down.
type sendWatch struct {
	Net
	refused atomic.Uint64
	last    atomic.Pointer[error]
	sockets sync.Map               // of pion's ICE that are open, by their address
	checks  atomic.Pointer[checks] // nil: the far end answers probes
}

func (w *sendWatch) note(err error) {
	if err != nil {
		w.last.Store(&err)
		w.refused.Add(1)
	}
}

// count and since bracket one send: since returns the refusal that came after count, if one did. Legs send at once, so a
// refusal may be told to two of them; both were sending into the same socket. A nil sendWatch saw none.
func (w *sendWatch) count() uint64 {
	if w == nil {
		return 0
	}
	return w.refused.Load()
}

func (w *sendWatch) since(before uint64) error {
	if w == nil || w.refused.Load() == before {
		return nil
	}
	return *w.last.Load()
}

// ProxyAddr names the Net's proxy; "" when it has none.
func (w *sendWatch) ProxyAddr() string {
	if by, ok := w.Net.(interface{ ProxyAddr() string }); ok {
		return by.ProxyAddr()
	}
	return ""
}

// ResolveUDP gives up with ctx where the Net can.
func (w *sendWatch) ResolveUDP(ctx context.Context, network, address string) (*net.UDPAddr, error) {
	return resolveUDP(ctx, w.Net, network, address)
}

// ListenPacket implements transport.Net: a relay's socket by UDP.
func (w *sendWatch) ListenPacket(network, address string) (net.PacketConn, error) {
	c, err := w.Net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	return &watchedPackets{c, w}, nil
}

type watchedPackets struct {
	net.PacketConn
	watch *sendWatch
}

func (c *watchedPackets) WriteTo(b []byte, addr net.Addr) (int, error) {
	n, err := c.PacketConn.WriteTo(b, addr)
	c.watch.note(err)
	return n, err
}

// ListenUDP implements transport.Net.
func (w *sendWatch) ListenUDP(network string, laddr *net.UDPAddr) (transport.UDPConn, error) {
	c, err := w.Net.ListenUDP(network, laddr)
	if err != nil {
		return nil, err
	}
	watched := &watchedUDP{c, w}
	w.sockets.Store(c.LocalAddr().String(), watched)
	if quick, ok := c.(ice.AddrPortReaderWriter); ok {
		return &watchedQuick{watched, quick}, nil
	}
	return watched, nil
}

// socket is the open one with that address; nil: there is none.
func (w *sendWatch) socket(addr string) transport.UDPConn {
	if c, ok := w.sockets.Load(addr); ok {
		return c.(transport.UDPConn)
	}
	return nil
}

type watchedUDP struct {
	transport.UDPConn
	watch *sendWatch
}

// ReadFrom keeps the answers to our own checks from pion, which would not know them.
func (c *watchedUDP) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.UDPConn.ReadFrom(b)
		if err != nil || !c.watch.checks.Load().take(b[:n]) {
			return n, from, err
		}
	}
}

func (c *watchedUDP) WriteTo(b []byte, addr net.Addr) (int, error) {
	n, err := c.UDPConn.WriteTo(b, addr)
	c.watch.note(err)
	return n, err
}

func (c *watchedUDP) Close() error {
	c.watch.sockets.Delete(c.LocalAddr().String())
	return c.UDPConn.Close()
}

// watchedQuick keeps the way without allocations for sockets that have one.
type watchedQuick struct {
	*watchedUDP
	quick ice.AddrPortReaderWriter
}

func (c *watchedQuick) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := c.quick.ReadFromAddrPort(b)
		if err != nil || !c.watch.checks.Load().take(b[:n]) {
			return n, from, err
		}
	}
}

func (c *watchedQuick) WriteToAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	n, err := c.quick.WriteToAddrPort(b, addr)
	c.watch.note(err)
	return n, err
}
