package bubble

import (
	"net"
	"sync"
	"time"

	"github.com/pion/transport/v5"

	"scanside/link"
)

// tap notes when the first media left the room over an uplink and when the first came back over it, since it was set. The
// zero value is ready.
type tap struct {
	mu        sync.Mutex
	sent, got time.Time // zero: none yet
}

func (t *tap) set() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent, t.got = time.Time{}, time.Time{}
}

// turn is from the first media sent to the first that came back; false where there was not both.
func (t *tap) turn() (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.got.Sub(t.sent), !t.sent.IsZero() && !t.got.IsZero()
}

// note takes a datagram that passed; at is t.sent or t.got.
func (t *tap) note(b []byte, at *time.Time) {
	if len(b) < 2 || b[0]>>6 != 2 || b[1] >= 192 && b[1] <= 223 { // not RTP (RFC 7983), or RTCP (RFC 5761 section 4)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if at.IsZero() {
		*at = time.Now()
	}
}

// tapped is an uplink's network with a tap on its media.
type tapped struct {
	link.Net
	tap *tap
}

func (n tapped) ListenUDP(network string, laddr *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.Net.ListenUDP(network, laddr)
	if err != nil {
		return nil, err
	}
	return tappedConn{c, n.tap}, nil
}

type tappedConn struct {
	transport.UDPConn
	tap *tap
}

func (c tappedConn) WriteTo(b []byte, to net.Addr) (int, error) {
	c.tap.note(b, &c.tap.sent)
	return c.UDPConn.WriteTo(b, to)
}

func (c tappedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.UDPConn.ReadFrom(b)
	c.tap.note(b[:n], &c.tap.got)
	return n, from, err
}
