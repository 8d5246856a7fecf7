package link

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v5"
)

// What a packet costs besides its payload, bytes. A carrier bills IP packets, not what is in them.
const (
	ip4Head    = 20 // RFC 791 3.1, without options
	ip6Head    = 40 // RFC 8200 3
	udpHead    = 8  // RFC 768
	tcpHead    = 32 // RFC 9293 3.1, and the time stamps that every segment carries (RFC 7323 3)
	tcpSynHead = 40 // the same with the options of a SYN: segment size, window scale, SACK permitted
	tcpSegment = 1448
)

// Meter counts what the sockets of one uplink moved, as a carrier bills it: payload and headers of IP and UDP or TCP, both
// ways. Datagrams are exact but for IP options. Of TCP the kernel shows the stream only: it is taken to travel in full
// segments of 1448 bytes, each write and each read rounded up to a whole one, with an acknowledgement for every second
// (RFC 5681 4.2), and opening and closing count as the usual exchange. Retransmissions by the kernel are not seen. The zero
// value is ready; safe for concurrent use.
type Meter struct {
	sent, received, dropped atomic.Uint64
}

// Sent is how many bytes have left the room so far.
func (m *Meter) Sent() uint64 { return m.sent.Load() }

// Received is how many bytes have come in so far.
func (m *Meter) Received() uint64 { return m.received.Load() }

// Dropped is how many packets were let go because a TCP connection, to the far end or to a relay, took nothing for so long that what waited
// for it filled its queue.
func (m *Meter) Dropped() uint64 { return m.dropped.Load() }

// drop counts one; a nil Meter counts nothing.
func (m *Meter) drop() {
	if m != nil {
		m.dropped.Add(1)
	}
}

// meterOf is what counts n's bytes; nil: nothing does.
func meterOf(n Net) *Meter {
	if w, ok := n.(*sendWatch); ok {
		n = w.Net
	}
	n, _ = Direct(n)
	if m, ok := n.(*metered); ok {
		return m.m
	}
	return nil
}

// Metered counts all that goes through n's sockets: media, STUN, TURN, probes, HTTPS and, where n binds real sockets, name
// look-ups.
func Metered(n Net, m *Meter) Net {
	if b, ok := n.(*BoundNet); ok {
		b.names.meter.Store(m)
	}
	return &metered{n, m}
}

type metered struct {
	Net
	m *Meter
}

func (n *metered) ListenPacket(network, address string) (net.PacketConn, error) {
	c, err := n.Net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	if udp, ok := c.(transport.UDPConn); ok {
		return n.m.udp(udp), nil
	}
	return &meteredPackets{c, n.m}, nil
}

func (n *metered) ListenUDP(network string, laddr *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.Net.ListenUDP(network, laddr)
	if err != nil {
		return nil, err
	}
	return n.m.udp(c), nil
}

func (n *metered) DialUDP(network string, laddr, raddr *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.Net.DialUDP(network, laddr, raddr)
	if err != nil {
		return nil, err
	}
	return n.m.udp(c), nil
}

func (n *metered) DialTCP(network string, laddr, raddr *net.TCPAddr) (transport.TCPConn, error) {
	c, err := n.Net.DialTCP(network, laddr, raddr)
	n.m.called(c, err == nil)
	if err != nil {
		return nil, err
	}
	return &meteredTCP{TCPConn: c, meteredStream: meteredStream{Conn: c, m: n.m}}, nil
}

func (n *metered) Dial(network, address string) (net.Conn, error) {
	c, err := n.Net.Dial(network, address)
	return n.m.conn(network, c, err)
}

func (n *metered) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := n.Net.DialContext(ctx, network, address)
	return n.m.conn(network, c, err)
}

func (n *metered) CreateDialer(*net.Dialer) transport.Dialer { return n }

func (n *metered) CreateListenConfig(c *net.ListenConfig) transport.ListenConfig {
	return meteredListen{n.Net.CreateListenConfig(c), n}
}

// ResolveUDP gives up with ctx where the Net can.
func (n *metered) ResolveUDP(ctx context.Context, network, address string) (*net.UDPAddr, error) {
	return resolveUDP(ctx, n.Net, network, address)
}

type meteredListen struct {
	transport.ListenConfig
	n *metered
}

func (l meteredListen) ListenPacket(_ context.Context, network, address string) (net.PacketConn, error) {
	return l.n.ListenPacket(network, address)
}

// conn counts a dialled connection. A name look-up needs to see a net.PacketConn where it dialled UDP (net.Resolver.Dial).
func (m *Meter) conn(network string, c net.Conn, err error) (net.Conn, error) {
	tcp := strings.HasPrefix(network, "tcp")
	if tcp {
		m.called(c, err == nil)
	}
	if err != nil {
		return nil, err
	}
	switch udp, ok := c.(transport.UDPConn); {
	case tcp:
		return &meteredStream{Conn: c, m: m}, nil
	case ok:
		return m.udp(udp), nil
	}
	return c, nil
}

// called counts the opening of a TCP connection, or the attempt.
func (m *Meter) called(c net.Conn, answered bool) {
	head := uint64(ip4Head)
	if answered {
		head = ipHead(c.RemoteAddr())
		m.received.Add(head + tcpSynHead)
		m.sent.Add(head + tcpHead)
	}
	m.sent.Add(head + tcpSynHead)
}

func (m *Meter) udp(c transport.UDPConn) transport.UDPConn {
	out := &meteredUDP{UDPConn: c, m: m}
	if quick, ok := c.(ice.AddrPortReaderWriter); ok {
		return &meteredQuick{out, quick}
	}
	return out
}

func (m *Meter) out(n int, head uint64, err error) {
	if err == nil {
		m.sent.Add(uint64(n) + head + udpHead)
	}
}

func (m *Meter) in(n int, head uint64, err error) {
	if err == nil {
		m.received.Add(uint64(n) + head + udpHead)
	}
}

// ipHead is the size of the IP header of packets to and from an address.
func ipHead(a net.Addr) uint64 {
	var ip net.IP
	switch a := a.(type) {
	case *net.UDPAddr:
		ip = a.IP
	case *net.TCPAddr:
		ip = a.IP
	}
	if len(ip) > 0 && ip.To4() == nil {
		return ip6Head
	}
	return ip4Head
}

func ipHeadOf(a netip.AddrPort) uint64 {
	if a.Addr().Is6() && !a.Addr().Is4In6() {
		return ip6Head
	}
	return ip4Head
}

// meteredPackets is a socket that is no UDPConn.
type meteredPackets struct {
	net.PacketConn
	m *Meter
}

func (c *meteredPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, a, err := c.PacketConn.ReadFrom(b)
	c.m.in(n, ipHead(a), err)
	return n, a, err
}

func (c *meteredPackets) WriteTo(b []byte, a net.Addr) (int, error) {
	n, err := c.PacketConn.WriteTo(b, a)
	c.m.out(n, ipHead(a), err)
	return n, err
}

// meteredUDP covers every way of reading and writing that a transport.UDPConn has.
type meteredUDP struct {
	transport.UDPConn
	m *Meter
}

func (c *meteredUDP) Read(b []byte) (int, error) {
	n, err := c.UDPConn.Read(b)
	c.m.in(n, ipHead(c.RemoteAddr()), err)
	return n, err
}

func (c *meteredUDP) ReadFrom(b []byte) (int, net.Addr, error) {
	n, a, err := c.UDPConn.ReadFrom(b)
	c.m.in(n, ipHead(a), err)
	return n, a, err
}

func (c *meteredUDP) ReadFromUDP(b []byte) (int, *net.UDPAddr, error) {
	n, a, err := c.UDPConn.ReadFromUDP(b)
	c.m.in(n, ipHead(a), err)
	return n, a, err
}

func (c *meteredUDP) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, a *net.UDPAddr, err error) {
	n, oobn, flags, a, err = c.UDPConn.ReadMsgUDP(b, oob)
	c.m.in(n, ipHead(a), err)
	return n, oobn, flags, a, err
}

func (c *meteredUDP) Write(b []byte) (int, error) {
	n, err := c.UDPConn.Write(b)
	c.m.out(n, ipHead(c.RemoteAddr()), err)
	return n, err
}

func (c *meteredUDP) WriteTo(b []byte, a net.Addr) (int, error) {
	n, err := c.UDPConn.WriteTo(b, a)
	c.m.out(n, ipHead(a), err)
	return n, err
}

func (c *meteredUDP) WriteToUDP(b []byte, a *net.UDPAddr) (int, error) {
	n, err := c.UDPConn.WriteToUDP(b, a)
	c.m.out(n, ipHead(a), err)
	return n, err
}

func (c *meteredUDP) WriteMsgUDP(b, oob []byte, a *net.UDPAddr) (int, int, error) {
	n, oobn, err := c.UDPConn.WriteMsgUDP(b, oob, a)
	c.m.out(n, ipHead(a), err)
	return n, oobn, err
}

// meteredQuick keeps the way without allocations for sockets that have one.
type meteredQuick struct {
	*meteredUDP
	quick ice.AddrPortReaderWriter
}

func (c *meteredQuick) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, a, err := c.quick.ReadFromAddrPort(b)
	c.m.in(n, ipHeadOf(a), err)
	return n, a, err
}

func (c *meteredQuick) WriteToAddrPort(b []byte, a netip.AddrPort) (int, error) {
	n, err := c.quick.WriteToAddrPort(b, a)
	c.m.out(n, ipHeadOf(a), err)
	return n, err
}

// meteredStream is one end of a TCP connection.
type meteredStream struct {
	net.Conn
	m    *Meter
	once sync.Once
}

// move is what n bytes of the stream cost in its own direction, and their acknowledgements in the other.
func (c *meteredStream) move(n int) (there, back uint64) {
	head := ipHead(c.RemoteAddr()) + tcpHead
	segments := uint64(n+tcpSegment-1) / tcpSegment
	return uint64(n) + segments*head, (segments + 1) / 2 * head
}

func (c *meteredStream) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	there, back := c.move(n)
	c.m.received.Add(there)
	c.m.sent.Add(back)
	return n, err
}

func (c *meteredStream) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	there, back := c.move(n)
	c.m.sent.Add(there)
	c.m.received.Add(back)
	return n, err
}

func (c *meteredStream) Close() error {
	c.once.Do(func() { // a FIN and its acknowledgement each way (RFC 9293 3.6)
		head := ipHead(c.RemoteAddr()) + tcpHead
		c.m.sent.Add(2 * head)
		c.m.received.Add(2 * head)
	})
	return c.Conn.Close()
}

// meteredTCP is the same for those who ask for a TCPConn (pion's TURN client).
type meteredTCP struct {
	transport.TCPConn
	meteredStream
}

func (c *meteredTCP) Read(b []byte) (int, error)  { return c.meteredStream.Read(b) }
func (c *meteredTCP) Write(b []byte) (int, error) { return c.meteredStream.Write(b) }
func (c *meteredTCP) Close() error                { return c.meteredStream.Close() }

// ReadFrom keeps the kernel's shortcut from passing the meter by.
func (c *meteredTCP) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{&c.meteredStream}, r)
}
