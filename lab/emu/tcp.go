package emu

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pion/transport/v5/deadline"
)

// handshakeSize is a SYN or its answer on the wire, for the rate's sake.
const handshakeSize = 60

// tcpConn is a TCP connection whose bytes ride the lines of its Net both ways. Close discards what has not left yet, as
// a connection with SO_LINGER 0 does: nobody in this program closes before it has read the answer.
type tcpConn struct {
	inner         net.Conn
	up, down      *stream
	readBy, until *deadline.Deadline // until: of writing
	closed        chan struct{}
	once          sync.Once
	gone          sync.WaitGroup
}

// arrival is an outlet that only says: now.
type arrival chan struct{}

func (a arrival) deliver(Packet) { close(a) }

// pass waits until one small packet has crossed the line; a cut line holds it back.
func (l *Line) pass(ctx context.Context) error {
	there := make(arrival)
	l.send(Packet{Data: make([]byte, handshakeSize), Stream: true, out: there})
	select {
	case <-there:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-l.done:
		return net.ErrClosed
	}
}

func (n *Net) dialStream(ctx context.Context, dial func() (net.Conn, error)) (*tcpConn, error) {
	if err := n.up.pass(ctx); err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	inner, err := dial()
	if err != nil {
		return nil, err
	}
	if err := n.down.pass(ctx); err != nil {
		_ = inner.Close()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	c := &tcpConn{inner: inner, closed: make(chan struct{}), readBy: deadline.New(), until: deadline.New()}
	c.up, c.down = newStream(n.up, c.closed), newStream(n.down, c.closed)
	c.gone.Go(c.sendOut)
	c.gone.Go(c.takeIn)
	return c, nil
}

// sendOut writes to the inner connection what has crossed the up line.
func (c *tcpConn) sendOut() {
	buf := make([]byte, pieceSize)
	for {
		size, err := c.up.read(buf, nil)
		if err == io.EOF {
			if half, ok := c.inner.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
			return
		}
		if err != nil {
			return
		}
		if _, err := c.inner.Write(buf[:size]); err != nil {
			return // the other half notices and tells the reader
		}
	}
}

// takeIn sends down the line what arrives at the inner connection, its end included.
func (c *tcpConn) takeIn() {
	buf := make([]byte, pieceSize)
	for {
		size, err := c.inner.Read(buf)
		if size > 0 {
			if _, err := c.down.write(buf[:size], nil); err != nil {
				return
			}
		}
		if err != nil {
			c.down.finish(err)
			return
		}
	}
}

func (c *tcpConn) Read(b []byte) (int, error) {
	size, err := c.down.read(b, c.readBy.Done())
	return size, c.wrap("read", err)
}

func (c *tcpConn) Write(b []byte) (int, error) {
	size, err := c.up.write(b, c.until.Done())
	return size, c.wrap("write", err)
}

func (c *tcpConn) wrap(op string, err error) error {
	if _, already := err.(net.Error); err == nil || err == io.EOF || already {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

func (c *tcpConn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		close(c.closed)
		err = c.inner.Close()
	})
	c.gone.Wait()
	return err
}

// CloseWrite sends the end after what was written.
func (c *tcpConn) CloseWrite() error { c.up.finish(io.EOF); return nil }

// CloseRead has nothing to do: whoever stops reading fills the window.
func (c *tcpConn) CloseRead() error { return nil }

func (c *tcpConn) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r) // without the method, or Copy would call it for ever
}

func (c *tcpConn) LocalAddr() net.Addr  { return c.inner.LocalAddr() }
func (c *tcpConn) RemoteAddr() net.Addr { return c.inner.RemoteAddr() }

func (c *tcpConn) SetDeadline(t time.Time) error {
	c.readBy.Set(t)
	c.until.Set(t)
	return nil
}

func (c *tcpConn) SetReadDeadline(t time.Time) error  { c.readBy.Set(t); return nil }
func (c *tcpConn) SetWriteDeadline(t time.Time) error { c.until.Set(t); return nil }

// The socket options belong to a kernel that is not in the way here.

func (c *tcpConn) SetLinger(int) error                    { return nil }
func (c *tcpConn) SetKeepAlive(bool) error                { return nil }
func (c *tcpConn) SetKeepAlivePeriod(time.Duration) error { return nil }
func (c *tcpConn) SetNoDelay(bool) error                  { return nil }
func (c *tcpConn) SetWriteBuffer(int) error               { return nil }
func (c *tcpConn) SetReadBuffer(int) error                { return nil }
