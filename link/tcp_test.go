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
