package emu

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/deadline"
)

const (
	inboxPackets = 1024     // what a socket holds for a reader that is late; then the newest is dropped, as a kernel does
	largestGram  = 64 << 10 // of UDP
)

// udpConn is a UDP socket whose datagrams ride the lines of its Net both ways.
type udpConn struct {
	n        *Net
	inner    net.PacketConn
	remote   *net.UDPAddr // of a connected socket
	inbox    chan Packet
	deadline *deadline.Deadline
	closed   chan struct{}
	once     sync.Once
	failed   error         // why the reader ended; read after broken is closed
	broken   chan struct{} // closed by the reader when it ends
	gone     sync.WaitGroup
	overflow atomic.Uint64
}

func newUDPConn(n *Net, inner net.PacketConn, remote *net.UDPAddr) *udpConn {
	c := &udpConn{n: n, inner: inner, remote: remote, inbox: make(chan Packet, inboxPackets), deadline: deadline.New(),
		closed: make(chan struct{}), broken: make(chan struct{})}
	c.gone.Go(c.receive)
	return c
}

// receive moves what arrives at the inner socket onto the down line.
func (c *udpConn) receive() {
	defer close(c.broken)
	buf := make([]byte, largestGram)
	for {
		size, addr, err := c.inner.ReadFrom(buf)
		if errors.Is(err, syscall.ECONNREFUSED) {
			continue // an ICMP answer to an earlier datagram; reading it has cleared it
		}
		if err != nil {
			c.failed = err
			return
		}
		if !c.n.unplugged.Load() {
			c.n.down.send(Packet{Data: append([]byte(nil), buf[:size]...), Addr: addr, out: arriving{c}})
		}
	}
}

// arriving and leaving are the two ends of the lines at this socket.
type (
	arriving struct{ *udpConn }
	leaving  struct{ *udpConn }
)

func (c arriving) deliver(pkt Packet) {
	select {
	case c.inbox <- pkt:
	default:
		c.overflow.Add(1)
	}
}

// deliver ignores errors: whoever sent the datagram has long been told that it is on its way.
func (c leaving) deliver(pkt Packet) {
	if w, ok := c.inner.(io.Writer); ok && c.remote != nil {
		_, _ = w.Write(pkt.Data)
		return
	}
	_, _ = c.inner.WriteTo(pkt.Data, pkt.Addr)
}

func (c *udpConn) ReadFrom(b []byte) (int, net.Addr, error) {
	expired := c.deadline.Done()
	select {
	case <-c.closed:
		return 0, nil, c.fail("read", net.ErrClosed)
	case <-expired:
		return 0, nil, c.fail("read", os.ErrDeadlineExceeded)
	default:
	}
	select {
	case pkt := <-c.inbox:
		return copy(b, pkt.Data), pkt.Addr, nil
	case <-c.closed:
		return 0, nil, c.fail("read", net.ErrClosed)
	case <-expired:
		return 0, nil, c.fail("read", os.ErrDeadlineExceeded)
	case <-c.broken:
		return 0, nil, c.failed
	}
}

func (c *udpConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	select {
	case <-c.closed:
		return 0, c.fail("write", net.ErrClosed)
	default:
	}
	if err := c.n.refused("write", "udp"); err != nil {
		return 0, err
	}
	c.n.up.send(Packet{Data: append([]byte(nil), b...), Addr: addr, out: leaving{c}})
	return len(b), nil
}

func (c *udpConn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		close(c.closed)
		err = c.inner.Close()
	})
	c.gone.Wait()
	return err
}

func (c *udpConn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: c.LocalAddr(), Err: err}
}

func (c *udpConn) Read(b []byte) (int, error) {
	size, _, err := c.ReadFrom(b)
	return size, err
}

func (c *udpConn) ReadFromUDP(b []byte) (int, *net.UDPAddr, error) {
	size, addr, err := c.ReadFrom(b)
	udp, _ := addr.(*net.UDPAddr)
	return size, udp, err
}

func (c *udpConn) Write(b []byte) (int, error) {
	if c.remote == nil {
		return 0, c.fail("write", syscall.EDESTADDRREQ)
	}
	return c.WriteTo(b, c.remote)
}

func (c *udpConn) WriteToUDP(b []byte, addr *net.UDPAddr) (int, error) { return c.WriteTo(b, addr) }

func (c *udpConn) LocalAddr() net.Addr { return c.inner.LocalAddr() }

func (c *udpConn) RemoteAddr() net.Addr {
	if c.remote == nil {
		return nil
	}
	return c.remote
}

// Only reading can wait, so only its deadline means something.

func (c *udpConn) SetDeadline(t time.Time) error     { return c.SetReadDeadline(t) }
func (c *udpConn) SetReadDeadline(t time.Time) error { c.deadline.Set(t); return nil }
func (c *udpConn) SetWriteDeadline(time.Time) error  { return nil }
func (c *udpConn) SetReadBuffer(int) error           { return nil }
func (c *udpConn) SetWriteBuffer(int) error          { return nil }
func (c *udpConn) ReadMsgUDP(_, _ []byte) (int, int, int, *net.UDPAddr, error) {
	return 0, 0, 0, nil, c.fail("read", transport.ErrNotSupported)
}

func (c *udpConn) WriteMsgUDP(_, _ []byte, _ *net.UDPAddr) (int, int, error) {
	return 0, 0, c.fail("write", transport.ErrNotSupported)
}
