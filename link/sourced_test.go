package link

import (
	"net"
	"testing"
	"time"
)

// A server on every address answers from the one that was asked, whichever the kernel's route would prefer.
func TestAnswersFromTheAddressAsked(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", "[::]:0"} {
		c, err := net.ListenPacket("udp", listen)
		if err != nil {
			t.Skipf("no socket on %s on this machine: %v", listen, err)
		}
		s, err := sourced(c)
		must(t, err)
		if _, wrapped := s.(*sourcedConn); !wrapped {
			t.Fatalf("%s is not wrapped", listen)
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			buf := make([]byte, 100)
			for {
				n, peer, err := s.ReadFrom(buf)
				if err != nil {
					return
				}
				_, _ = s.WriteTo(buf[:n], peer)
			}
		}()
		client, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)})
		must(t, err)
		port := c.LocalAddr().(*net.UDPAddr).Port
		for _, asked := range []net.IP{net.IPv4(127, 0, 0, 5), net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 9)} {
			_, err = client.WriteTo([]byte("hello"), &net.UDPAddr{IP: asked, Port: port})
			must(t, err)
			must(t, client.SetReadDeadline(time.Now().Add(20*time.Second)))
			buf := make([]byte, 100)
			_, from, err := client.ReadFrom(buf)
			must(t, err)
			if !from.(*net.UDPAddr).IP.Equal(asked) {
				t.Errorf("%s: asked %v, answered from %v", listen, asked, from)
			}
		}
		must(t, client.Close())
		must(t, s.Close())
		<-served
	}
	specific, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(t, err)
	defer specific.Close()
	if s, err := sourced(specific); err != nil || s != specific {
		t.Errorf("a socket of one address is wrapped: %v", err)
	}
}
