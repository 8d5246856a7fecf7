package link

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v5"

	"scanside/media"
)

// natted is an uplink behind a NAT that can forget: from then on the far end sees every socket with another address, and what it
// sends to the old one arrives nowhere.
type natted struct {
	*worldNet
	mu   sync.Mutex
	open []*nattedConn
}

func (n *natted) ListenUDP(network string, a *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.worldNet.ListenUDP(network, a)
	if err != nil {
		return nil, err
	}
	conn := &nattedConn{UDPConn: c, outside: c}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open = append(n.open, conn)
	return conn, nil
}

// forget gives every socket another address outside.
func (n *natted) forget(t *testing.T) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.open {
		other, err := n.worldNet.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(n.ip)})
		must(t, err)
		c.mu.Lock()
		old := c.outside
		c.outside = other
		c.mu.Unlock()
		_ = old.Close()
	}
}

// nattedConn keeps its address inside, whatever it is outside.
type nattedConn struct {
	transport.UDPConn // as it was made; its address
	mu                sync.Mutex
	outside           transport.UDPConn
	closed            bool
}

func (c *nattedConn) now() (transport.UDPConn, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outside, c.closed
}

func (c *nattedConn) WriteTo(b []byte, a net.Addr) (int, error) {
	out, _ := c.now()
	return out.WriteTo(b, a)
}

func (c *nattedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		out, _ := c.now()
		n, a, err := out.ReadFrom(b)
		if again, closed := c.now(); err != nil && again != out && !closed {
			continue // the NAT forgot while we waited
		}
		return n, a, err
	}
}

func (c *nattedConn) Close() error {
	c.mu.Lock()
	c.closed = true
	out := c.outside
	c.mu.Unlock()
	return out.Close()
}

// G12 for an uplink that is well but for its address: the same session goes on within a fraction of a second, in both
// directions, when a NAT forgets the path, and when it does so again.
func TestNATForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		cfg := w.config("2")
		nat := &natted{worldNet: cfg.Net.(*worldNet)}
		cfg.Net = nat
		s, l := dial(t, cfg)
		time.Sleep(3 * time.Second)
		for round := range uint16(3) {
			l.take()
			nat.forget(t)
			forgot := time.Now()
			for answered := false; !answered; time.Sleep(time.Millisecond) {
				for _, sample := range l.take() {
					answered = answered || sample.Answered && sample.Sent.After(forgot)
				}
				if time.Since(forgot) > 5*time.Second {
					t.Fatalf("not answered within 5 s: %v", s.Err())
				}
			}
			t.Logf("answered again %v after the NAT forgot", time.Since(forgot))
			if took := time.Since(forgot); took > 500*time.Millisecond {
				t.Errorf("answered again only after %v", took)
			}
			time.Sleep(time.Second)
			before, there := len(l.received(media.Voice)), w.far.count("u2", media.Voice).packets
			stream(s.Leg(media.Voice), media.Voice, 100*round+1, 10, 20*time.Millisecond)
			stream(w.far.player("u2").Leg(media.Voice), media.Voice, 100*round+1, 10, 20*time.Millisecond)
			time.Sleep(time.Second)
			if n, m := w.far.count("u2", media.Voice).packets-there, len(l.received(media.Voice))-before; n != 10 || m != 10 {
				t.Errorf("of 10 packets each way %d and %d arrived", n, m)
			}
			if s.Err() != nil || w.far.resources.Len() != 2 {
				t.Errorf("another session: %v, %d resources", s.Err(), w.far.resources.Len())
			}
			time.Sleep(3 * time.Second)
		}
		must(t, s.Close())
	})
}
