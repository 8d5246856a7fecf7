package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pion/transport/v5"
	"golang.org/x/sys/unix"
)

const (
	// userTimeout ends a TCP connection whose data stays unacknowledged, so that signalling on a dead uplink fails in
	// seconds instead of the kernel's quarter of an hour (TCP_USER_TIMEOUT, tcp(7)).
	userTimeout = 5 * time.Second
	// unsentLimit is what the kernel keeps of TCP data that it has not sent yet (TCP_NOTSENT_LOWAT, tcp(7)): 50 ms of one
	// room's 2.5 Mbit/s. Megabytes, as it comes, would be seconds of media that are stale when they leave.
	unsentLimit = 16 << 10
	// dialTimeout bounds the dials of pion, which carry no context.
	dialTimeout = 10 * time.Second
)

// BoundNet makes real sockets that are all bound to one uplink. Use BindInterface or BindAddress. Safe for concurrent use.
type BoundNet struct {
	iface string     // bind to this device, or
	addr  netip.Addr // to this source address, or to none
	gate  *gate
	names names
}

// BindInterface binds every socket to the named interface (SO_BINDTODEVICE), name look-ups too. The interface may be
// absent now; what is tried while it is absent fails and says so.
func BindInterface(name string) (*BoundNet, error) {
	if name == "" || len(name) >= unix.IFNAMSIZ || strings.ContainsAny(name, "/ \t\n") {
		return nil, fmt.Errorf("bind to interface %q: not an interface name; `ip link` lists them", name)
	}
	return &BoundNet{iface: name, gate: newGate()}, nil
}

// BindAddress binds every socket to a source address instead of an interface (demo, tests, an address per uplink). The
// kernel still chooses the way out by the destination, unless a rule of its own says otherwise.
func BindAddress(ip netip.Addr) (*BoundNet, error) {
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() {
		return nil, fmt.Errorf("bind to address %v: not an address of one machine", ip)
	}
	return &BoundNet{addr: ip.Unmap(), gate: newGate()}, nil
}

// HostNet leaves the way out to the kernel's routes: for a server, which has no uplinks of its own to choose from.
func HostNet() *BoundNet { return &BoundNet{gate: newGate()} }

// String names what the sockets are bound to, for errors and logs.
func (n *BoundNet) String() string {
	if n.iface != "" {
		return "interface " + n.iface
	}
	if !n.addr.IsValid() {
		return "this host"
	}
	return "address " + n.addr.String()
}

// Cut black-holes the uplink for a drill: existing and new sockets, both directions, until Cut(false). Datagrams vanish
// without an error; TCP connections stall, as they do when packets vanish.
func (n *BoundNet) Cut(on bool) { n.gate.set(on) }

// IsCut reports whether Cut(true) is in force.
func (n *BoundNet) IsCut() bool { return n.gate.cut() }

// control is called for each socket before it is bound or connected.
func (n *BoundNet) control(network, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		if n.iface != "" {
			if failed = unix.BindToDevice(int(fd), n.iface); failed != nil {
				failed = n.explain(failed)
				return
			}
		}
		if strings.HasPrefix(network, "tcp") {
			failed = errors.Join(
				unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds())),
				unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentLimit),
			)
		}
	})
	if err != nil {
		return err
	}
	return failed
}

func (n *BoundNet) explain(err error) error {
	if err == unix.ENODEV {
		return fmt.Errorf("interface %s is not there; is it plugged in and spelled right? `ip link` lists what is", n.iface)
	}
	return fmt.Errorf("bind to %v: %w", n, err)
}

// source is the address a socket of this family starts from: nil lets the kernel choose (the device decides).
func (n *BoundNet) source(network string, ip net.IP, port int) (net.IP, error) {
	if n.iface != "" || !n.addr.IsValid() {
		return ip, nil
	}
	if strings.HasSuffix(network, "6") && n.addr.Is4() || strings.HasSuffix(network, "4") && n.addr.Is6() {
		return nil, fmt.Errorf("%s port %d: %v has no address of that family", network, port, n)
	}
	if len(ip) > 0 && !ip.IsUnspecified() && !ip.Equal(n.addr.AsSlice()) {
		return nil, fmt.Errorf("%s from %v: this uplink is bound to %v", network, ip, n)
	}
	return n.addr.AsSlice(), nil
}

// ListenPacket implements transport.Net.
func (n *BoundNet) ListenPacket(network, address string) (net.PacketConn, error) {
	laddr, err := net.ResolveUDPAddr(network, address)
	if err != nil {
		return nil, err
	}
	return n.ListenUDP(network, laddr)
}

// ListenUDP implements transport.Net.
func (n *BoundNet) ListenUDP(network string, laddr *net.UDPAddr) (transport.UDPConn, error) {
	if laddr == nil {
		laddr = &net.UDPAddr{}
	}
	ip, err := n.source(network, laddr.IP, laddr.Port)
	if err != nil {
		return nil, err
	}
	local := net.UDPAddr{IP: ip, Port: laddr.Port, Zone: laddr.Zone}
	lc := net.ListenConfig{Control: n.control}
	c, err := lc.ListenPacket(context.Background(), network, local.String())
	if err != nil {
		return nil, fmt.Errorf("open a socket on %v: %w", n, err)
	}
	widen(c)
	return &udpConn{UDPConn: c.(*net.UDPConn), gate: n.gate}, nil
}

// mediaBuffer is what a media socket asks the kernel to hold while this process is kept from running: Linux gives twice
// net.core.rmem_max at most, 416 KiB as it comes, which is 0.6 s of one room's 2.5 Mbit/s over two legs.
const mediaBuffer = 4 << 20

// widen asks for that buffer. A socket that cannot have it works with less.
func widen(c net.PacketConn) {
	if b, ok := c.(interface{ SetReadBuffer(bytes int) error }); ok {
		_ = b.SetReadBuffer(mediaBuffer)
	}
}

// ListenTCP implements transport.Net. Nothing of a link listens on TCP.
func (n *BoundNet) ListenTCP(string, *net.TCPAddr) (transport.TCPListener, error) {
	return nil, transport.ErrNotSupported
}

// Dial implements transport.Net.
func (n *BoundNet) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	return n.DialContext(ctx, network, address)
}

// DialUDP implements transport.Net.
func (n *BoundNet) DialUDP(network string, laddr, raddr *net.UDPAddr) (transport.UDPConn, error) {
	if raddr == nil {
		return nil, fmt.Errorf("dial %s over %v: no address given", network, n)
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	c, err := n.dialAddr(ctx, network, laddr, raddr.AddrPort())
	if err != nil {
		return nil, err
	}
	return c.(*udpConn), nil
}

// DialTCP implements transport.Net.
func (n *BoundNet) DialTCP(network string, laddr, raddr *net.TCPAddr) (transport.TCPConn, error) {
	if raddr == nil {
		return nil, fmt.Errorf("dial %s over %v: no address given", network, n)
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	var local *net.UDPAddr
	if laddr != nil {
		local = &net.UDPAddr{IP: laddr.IP, Port: laddr.Port, Zone: laddr.Zone}
	}
	c, err := n.dialAddr(ctx, network, local, raddr.AddrPort())
	if err != nil {
		return nil, err
	}
	return c.(*tcpConn), nil
}

// DialContext implements Net: it looks the name up over this uplink and takes the first address that answers. The last address that
// worked is remembered, so that a name server that is gone does not keep a known far end out of reach.
func (n *BoundNet) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("dial %q over %v: %w", addr, n, err)
	}
	portNumber, err := net.DefaultResolver.LookupPort(ctx, network, port)
	if err != nil {
		return nil, fmt.Errorf("dial %q over %v: %w", addr, n, err)
	}
	ips, err := n.lookup(ctx, network, host)
	if err != nil {
		return nil, fmt.Errorf("dial %s over %v: %w", addr, n, err)
	}
	addrs := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		addrs[i] = netip.AddrPortFrom(ip, uint16(portNumber))
	}
	c, to, err := race(ctx, addrs, func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		return n.dialAddr(ctx, network, nil, to)
	})
	if err != nil {
		return nil, fmt.Errorf("dial %s over %v: %w", addr, n, err)
	}
	n.names.worked(host, to.Addr())
	return c, nil
}

func (n *BoundNet) dialAddr(ctx context.Context, network string, laddr *net.UDPAddr, to netip.AddrPort) (net.Conn, error) {
	if laddr == nil {
		laddr = &net.UDPAddr{}
	}
	tcp := strings.HasPrefix(network, "tcp")
	if !tcp && !strings.HasPrefix(network, "udp") {
		return nil, fmt.Errorf("dial %s %v over %v: only tcp and udp are bound to an uplink", network, to, n)
	}
	ip, err := n.source(network, laddr.IP, laddr.Port)
	if err != nil {
		return nil, err
	}
	if err := n.speaks(to.Addr()); err != nil {
		return nil, fmt.Errorf("dial %v over %v: %w", to, n, err)
	}
	if tcp { // a black hole swallows the first packet of a new connection too
		if err := n.gate.wait(ctx.Done(), nil); err != nil {
			return nil, fmt.Errorf("dial %v over %v: %w", to, n, context.Cause(ctx))
		}
	}
	d := net.Dialer{Control: n.control}
	if tcp {
		d.LocalAddr = &net.TCPAddr{IP: ip, Port: laddr.Port, Zone: laddr.Zone}
	} else {
		d.LocalAddr = &net.UDPAddr{IP: ip, Port: laddr.Port, Zone: laddr.Zone}
	}
	c, err := d.DialContext(ctx, network, to.String())
	if err != nil {
		return nil, fmt.Errorf("dial %v over %v: %w", to, n, err)
	}
	if tcp {
		return newTCPConn(c.(*net.TCPConn), n.gate), nil
	}
	return &udpConn{UDPConn: c.(*net.UDPConn), gate: n.gate}, nil
}

// speaks says why an address cannot be reached from here for its family alone. An interface without an address of the family is
// no hindrance to the kernel: it borrows another interface's, and what is sent so is never answered.
func (n *BoundNet) speaks(to netip.Addr) error {
	to = to.Unmap()
	same := func(a netip.Addr) bool { return a.Is4() == to.Is4() }
	switch {
	case n.addr.IsValid() && !same(n.addr):
		return fmt.Errorf("not the same address family: %w", unix.EADDRNOTAVAIL)
	case n.iface == "" || to.IsLinkLocalUnicast():
		return nil
	}
	if here := addressesOf(n.iface); len(here) > 0 && !slices.ContainsFunc(here, same) {
		return fmt.Errorf("the interface has no address of that family: %w", unix.EADDRNOTAVAIL)
	}
	return nil
}

// CreateDialer implements transport.Net.
func (n *BoundNet) CreateDialer(*net.Dialer) transport.Dialer { return n }

// CreateListenConfig implements transport.Net.
func (n *BoundNet) CreateListenConfig(*net.ListenConfig) transport.ListenConfig {
	return boundListen{n}
}

type boundListen struct{ n *BoundNet }

func (l boundListen) Listen(context.Context, string, string) (net.Listener, error) {
	return nil, transport.ErrNotSupported
}

func (l boundListen) ListenPacket(_ context.Context, network, address string) (net.PacketConn, error) {
	return l.n.ListenPacket(network, address)
}
