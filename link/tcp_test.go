package link

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipeNet dials one end of a pipe.
type pipeNet struct {
	Net
	far chan net.Conn
}

func (n pipeNet) DialContext(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	n.far <- far
	return near, nil
}

// Ending a TCP candidate ends its reader too: the dialer waits for it. Many rounds, for it was a race.
func TestTCPEnds(t *testing.T) {
	for range 2000 {
		synctest.Test(t, func(t *testing.T) {
			n := pipeNet{far: make(chan net.Conn, 1)}
			d := newTCPDialer(n, udpHeadStart, func(err error) { t.Error(err) })
			l, err := d.GetConnByUfrag("u", false, net.IPv4(10, 0, 0, 2))
			must(t, err)
			_, err = l.WriteTo([]byte("x"), &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1})
			must(t, err)
			far := <-n.far
			defer far.Close()
			frame := make([]byte, 3)
			_, err = far.Read(frame)
			must(t, err)
			synctest.Wait()
			go d.settle()
			ended := make(chan struct{})
			go func() { _ = d.Close(); close(ended) }()
			select {
			case <-ended:
			case <-time.After(time.Minute):
				t.Error("a reader is left")
				_ = far.Close()
				<-ended
			}
		})
	}
}

// A connection that takes nothing, to the far end or to a relay: packets neither wait without end nor vanish uncounted.
func TestStuckTCPIsCounted(t *testing.T) {
	const over = 5
	synctest.Test(t, func(t *testing.T) {
		var meter Meter
		n := &sendWatch{Net: Metered(pipeNet{far: make(chan net.Conn, 1)}, &meter)}
		d := newTCPDialer(n, 0, nil)
		l, err := d.GetConnByUfrag("u", false, net.IPv4(10, 0, 0, 2))
		must(t, err)
		to := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1}
		send := func() { _, err := l.WriteTo([]byte("x"), to); must(t, err) }
		send() // is being written from now on, and never taken
		synctest.Wait()
		for range tcpQueue + over {
			send()
		}
		if got := meter.Dropped(); got != over {
			t.Errorf("the far end's connection dropped %d, want %d", got, over)
		}
		must(t, d.Close())

		r := newRelays(n, nil, Path{}, nil)
		near, far := net.Pipe()
		defer far.Close()
		c, err := r.adopt(near, relayTarget{})
		must(t, err)
		relayed := func() { _, err := c.Write([]byte("x")); must(t, err) }
		relayed()
		synctest.Wait()
		for range tcpQueue + over {
			relayed()
		}
		if got := meter.Dropped(); got != 2*over {
			t.Errorf("both together dropped %d, want %d", got, 2*over)
		}
		must(t, c.Close())
		must(t, r.Close())
	})
}
