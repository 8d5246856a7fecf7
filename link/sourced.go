package link

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxSources bounds what is remembered of who sent to which address; forged senders must not fill the memory.
const maxSources = 1 << 16

// sourcedConn is a UDP socket on the unspecified address that answers each peer from the address that the peer sent to.
// The kernel would answer from the address that its route back prefers; on a server with several addresses ICE then
// throws the answer away (RFC 8445 7.2.5.2.1), and a NAT drops it.
type sourcedConn struct {
	*net.UDPConn

	mu   sync.RWMutex
	from map[netip.AddrPort]netip.Addr // the address of ours that a peer sent to
}

// sourced wraps c if it is a real socket on the unspecified address, and returns anything else as it is.
func sourced(c net.PacketConn) (net.PacketConn, error) {
	udp, ok := c.(*net.UDPConn)
	if !ok || !udp.LocalAddr().(*net.UDPAddr).IP.IsUnspecified() {
		return c, nil
	}
	raw, err := udp.SyscallConn()
	if err != nil {
		return nil, err
	}
	var v4, v6 error
	err = raw.Control(func(fd uintptr) {
		v4 = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		v6 = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
	})
	if err != nil {
		return nil, err
	}
	if v4 != nil && v6 != nil {
		return nil, fmt.Errorf("ask for the addresses that datagrams are sent to: %w", v4)
	}
	return &sourcedConn{UDPConn: udp, from: map[netip.AddrPort]netip.Addr{}}, nil
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter, which pion's mux reads by.
func (c *sourcedConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	var oob [128]byte
	n, m, _, peer, err := c.UDPConn.ReadMsgUDPAddrPort(b, oob[:])
	if err == nil {
		if to := destination(oob[:m]); to.IsValid() {
			c.remember(peer, to)
		}
	}
	return n, peer, err
}

// ReadFrom implements net.PacketConn.
func (c *sourcedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, peer, err := c.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(peer), nil
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (c *sourcedConn) WriteToAddrPort(b []byte, peer netip.AddrPort) (int, error) {
	c.mu.RLock()
	from, ok := c.from[plainAddrPort(peer)]
	c.mu.RUnlock()
	if !ok {
		return c.UDPConn.WriteToUDPAddrPort(b, peer)
	}
	var oob [64]byte
	n, _, err := c.UDPConn.WriteMsgUDPAddrPort(b, packetInfo(oob[:], from), peer)
	return n, err
}

// WriteTo implements net.PacketConn.
func (c *sourcedConn) WriteTo(b []byte, peer net.Addr) (int, error) {
	udp, ok := peer.(*net.UDPAddr)
	if !ok {
		return 0, fmt.Errorf("send to %v: not a UDP address", peer)
	}
	return c.WriteToAddrPort(b, udp.AddrPort())
}

func (c *sourcedConn) remember(peer netip.AddrPort, to netip.Addr) {
	peer = plainAddrPort(peer)
	c.mu.RLock()
	known := c.from[peer]
	c.mu.RUnlock()
	if known == to {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.from) >= maxSources {
		clear(c.from) // the living send again within a second
	}
	c.from[peer] = to
}

func plainAddrPort(ap netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// destination is the address that a datagram was sent to, out of its control messages (ip(7), ipv6(7)).
func destination(oob []byte) netip.Addr {
	for len(oob) >= unix.CmsgLen(0) {
		head, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return netip.Addr{}
		}
		switch {
		case head.Level == unix.IPPROTO_IP && head.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			return netip.AddrFrom4([4]byte(data[8:12])) // struct in_pktinfo: ifindex, spec_dst, addr
		case head.Level == unix.IPPROTO_IPV6 && head.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			return netip.AddrFrom16([16]byte(data[:16])).Unmap()
		}
		oob = rest
	}
	return netip.Addr{}
}

// packetInfo writes the control message that sends from an address into oob, which must be zero and large enough.
func packetInfo(oob []byte, from netip.Addr) []byte {
	level, kind, size := int32(unix.IPPROTO_IPV6), int32(unix.IPV6_PKTINFO), unix.SizeofInet6Pktinfo
	if from.Is4() {
		level, kind, size = unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo
	}
	head := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
	head.Level, head.Type = level, kind
	head.SetLen(unix.CmsgLen(size))
	data := oob[unix.CmsgLen(0):]
	if from.Is4() {
		four := from.As4()
		copy(data[4:8], four[:]) // spec_dst
	} else {
		sixteen := from.As16()
		copy(data[:16], sixteen[:])
	}
	return oob[:unix.CmsgSpace(size)]
}
