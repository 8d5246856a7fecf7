package link

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pion/transport/v5/deadline"
)

// gate is the switch of a drill, shared by all sockets of one uplink.
type gate struct {
	shut atomic.Bool
	mu   sync.Mutex
	open chan struct{} // closed while the gate is open
}

func newGate() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
}

func (g *gate) set(cut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if cut == g.shut.Load() {
		return
	}
	if cut {
		g.open = make(chan struct{})
	} else {
		close(g.open)
	}
	g.shut.Store(cut)
}

func (g *gate) cut() bool { return g.shut.Load() }

var errGaveUp = errors.New("gave up waiting while the uplink is cut for a drill")

// wait returns nil when the gate is open and errGaveUp when one of the channels closes first.
func (g *gate) wait(a, b <-chan struct{}) error {
	if !g.shut.Load() {
		return nil
	}
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
		return nil
	case <-a:
		return errGaveUp
	case <-b:
		return errGaveUp
	}
}

// udpConn drops what it sends and receives while its uplink is cut. Every way of reading and writing that a *net.UDPConn
// has is covered, or promoted methods would pass the gate by.
type udpConn struct {
	*net.UDPConn
	gate *gate
}

// transient are errors that an ICMP message or an interface leaves on a socket; pion would stop reading for good.
func transient(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) ||
		errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.ENETDOWN)
}

// again reports whether a read's result is to be thrown away.
func (c *udpConn) again(err error) bool {
	if err != nil {
		return transient(err)
	}
	return c.gate.cut()
}

// Read is for connected sockets, where a refusal is an answer.
func (c *udpConn) Read(b []byte) (int, error) {
	for {
		n, err := c.UDPConn.Read(b)
		if err != nil || !c.gate.cut() {
			return n, err
		}
	}
}

func (c *udpConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, a, err := c.UDPConn.ReadFrom(b)
		if !c.again(err) {
			return n, a, err
		}
	}
}

func (c *udpConn) ReadFromUDP(b []byte) (int, *net.UDPAddr, error) {
	for {
		n, a, err := c.UDPConn.ReadFromUDP(b)
		if !c.again(err) {
			return n, a, err
		}
	}
}

func (c *udpConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, a, err := c.UDPConn.ReadFromUDPAddrPort(b)
		if !c.again(err) {
			return n, a, err
		}
	}
}

// ReadFromAddrPort makes it an ice.AddrPortReaderWriter: no allocation per packet.
func (c *udpConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	return c.ReadFromUDPAddrPort(b)
}

func (c *udpConn) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	for {
		n, oobn, flags, addr, err = c.UDPConn.ReadMsgUDP(b, oob)
		if !c.again(err) {
			return
		}
	}
}

func (c *udpConn) ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error) {
	for {
		n, oobn, flags, addr, err = c.UDPConn.ReadMsgUDPAddrPort(b, oob)
		if !c.again(err) {
			return
		}
	}
}

func (c *udpConn) Write(b []byte) (int, error) {
	if c.gate.cut() {
		return len(b), nil
	}
	return c.UDPConn.Write(b)
}

func (c *udpConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	if c.gate.cut() {
		return len(b), nil
	}
	return c.UDPConn.WriteTo(b, addr)
}

func (c *udpConn) WriteToUDP(b []byte, addr *net.UDPAddr) (int, error) {
	if c.gate.cut() {
		return len(b), nil
	}
	return c.UDPConn.WriteToUDP(b, addr)
}

func (c *udpConn) WriteToUDPAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	if c.gate.cut() {
		return len(b), nil
	}
	return c.UDPConn.WriteToUDPAddrPort(b, addr)
}

// WriteToAddrPort makes it an ice.AddrPortReaderWriter.
func (c *udpConn) WriteToAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	return c.WriteToUDPAddrPort(b, addr)
}

func (c *udpConn) WriteMsgUDP(b, oob []byte, addr *net.UDPAddr) (n, oobn int, err error) {
	if c.gate.cut() {
		return len(b), len(oob), nil
	}
	return c.UDPConn.WriteMsgUDP(b, oob, addr)
}

func (c *udpConn) WriteMsgUDPAddrPort(b, oob []byte, addr netip.AddrPort) (n, oobn int, err error) {
	if c.gate.cut() {
		return len(b), len(oob), nil
	}
	return c.UDPConn.WriteMsgUDPAddrPort(b, oob, addr)
}

// tcpConn stalls in both directions while its uplink is cut, until the gate opens, a deadline passes or it is closed.
type tcpConn struct {
	*net.TCPConn
	gate   *gate
	rd, wd *deadline.Deadline
	once   sync.Once
	closed chan struct{}

	mu   sync.Mutex // one reader at a time
	held []byte     // came in while cut: delivered when the gate opens
}

func newTCPConn(c *net.TCPConn, g *gate) *tcpConn {
	return &tcpConn{TCPConn: c, gate: g, rd: deadline.New(), wd: deadline.New(), closed: make(chan struct{})}
}

// pass waits for the gate, the deadline or Close.
func (c *tcpConn) pass(d *deadline.Deadline) error {
	if err := c.gate.wait(d.Done(), c.closed); err == nil {
		return nil
	}
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
		return os.ErrDeadlineExceeded
	}
}

func (c *tcpConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.pass(c.rd); err != nil {
		return 0, err
	}
	if len(c.held) > 0 {
		n := copy(b, c.held)
		c.held = c.held[n:]
		return n, nil
	}
	n, err := c.TCPConn.Read(b)
	if n > 0 && c.gate.cut() { // the gate shut while this read was waiting
		if late := c.pass(c.rd); late != nil {
			c.held = append(c.held[:0:0], b[:n]...)
			return 0, late
		}
	}
	return n, err
}

func (c *tcpConn) Write(b []byte) (int, error) {
	if err := c.pass(c.wd); err != nil {
		return 0, err
	}
	return c.TCPConn.Write(b)
}

// ReadFrom and WriteTo keep the kernel's shortcuts (splice, sendfile) from passing the gate by.
func (c *tcpConn) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}

func (c *tcpConn) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}

func (c *tcpConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.TCPConn.Close()
}

func (c *tcpConn) SetDeadline(t time.Time) error {
	c.rd.Set(t)
	c.wd.Set(t)
	return c.TCPConn.SetDeadline(t)
}

func (c *tcpConn) SetReadDeadline(t time.Time) error {
	c.rd.Set(t)
	return c.TCPConn.SetReadDeadline(t)
}

func (c *tcpConn) SetWriteDeadline(t time.Time) error {
	c.wd.Set(t)
	return c.TCPConn.SetWriteDeadline(t)
}
