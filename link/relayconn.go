package link

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
)

// relayConn is a connection to a relay. Write never blocks: what a stuck connection does not take is dropped, each write
// being one whole message (RFC 8656 section 12.5), for a write that waits would hold up the link's probes with its media.
type relayConn struct {
	net.Conn
	of      *relays
	to      relayTarget
	local   *net.TCPAddr
	out     chan []byte
	once    sync.Once
	closed  chan struct{}
	carries atomic.Bool  // media goes through it
	asked   atomic.Int32 // times that the relay asked who we are
}

func (c *relayConn) Write(b []byte) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
	}
	select {
	case c.out <- slices.Clone(b):
	default: // the newest is dropped, as a full router does
		meterOf(c.of.Net).drop()
	}
	return len(b), nil
}

// carry writes until the connection ends.
func (c *relayConn) carry() {
	for {
		select {
		case b := <-c.out:
			if _, err := c.Conn.Write(b); err != nil {
				c.broke()
				return
			}
		case <-c.closed:
			return
		}
	}
}

func (c *relayConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.broke()
		return n, err
	}
	if !c.carries.Load() {
		c.of.heard(c.to, &c.asked, b[:n])
	}
	return n, nil
}

// broke tells that the path is gone, unless we ended it ourselves.
func (c *relayConn) broke() {
	select {
	case <-c.closed:
		return
	default:
	}
	_ = c.Close()
	if c.carries.Load() {
		c.of.broken(errRelayBroken)
	}
}

func (c *relayConn) Close() error {
	var err error
	c.once.Do(func() {
		close(c.closed)
		if inner, ok := c.Conn.(interface{ NetConn() net.Conn }); ok {
			err = inner.NetConn().Close() // TLS would wait for its goodbye to be taken
		} else {
			err = c.Conn.Close()
		}
	})
	return err
}

// LocalAddr is a TCP address whatever the Net is made of: pion takes it apart.
func (c *relayConn) LocalAddr() net.Addr { return c.local }

// relaySocket is a socket to a relay by UDP. It learns from the first datagram which one.
type relaySocket struct {
	net.PacketConn
	of    *relays
	to    atomic.Pointer[relayTarget]
	asked atomic.Int32
}

func (s *relaySocket) WriteTo(b []byte, addr net.Addr) (int, error) {
	if s.to.Load() == nil {
		s.of.mu.Lock()
		if t, ok := s.of.hosts[addr.String()]; ok {
			s.to.Store(&t)
			if local, ok := s.LocalAddr().(*net.UDPAddr); ok {
				s.of.ports[uint16(local.Port)] = &relayUse{relayTarget: t}
			}
		}
		s.of.mu.Unlock()
	}
	return s.PacketConn.WriteTo(b, addr)
}

func (s *relaySocket) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := s.PacketConn.ReadFrom(b)
	if t := s.to.Load(); err == nil && t != nil {
		s.of.heard(*t, &s.asked, b[:n])
	}
	return n, from, err
}

func sorted(all []string) []string { return slices.Sorted(slices.Values(all)) }
