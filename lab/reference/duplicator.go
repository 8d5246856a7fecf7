package reference

import (
	"context"
	"fmt"
	"net"
	"time"
)

// Duplicate sends the stream from each of these addresses to one far end, every packet from all, until ctx ends.
func Duplicate(ctx context.Context, from []string, to string) error {
	far, err := net.ResolveUDPAddr("udp4", to)
	if err != nil {
		return err
	}
	var sockets []*net.UDPConn
	for _, address := range from {
		s, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(address)}, far)
		if err != nil {
			return fmt.Errorf("open a socket on %s: %w", address, err)
		}
		defer s.Close()
		sockets = append(sockets, s)
	}
	return speak(ctx, func(number uint32) error {
		data := stamp(number)
		for _, s := range sockets {
			_, _ = s.Write(data) // one that fails is what the other is for
		}
		return nil
	})
}

// speak calls send every 20 ms with the next number until ctx ends.
func speak(ctx context.Context, send func(number uint32) error) error {
	tick := time.NewTicker(Cadence)
	defer tick.Stop()
	for number := uint32(1); ; number++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := send(number); err != nil {
			return err
		}
	}
}

// Listen hears stamped datagrams at an address until ctx ends.
func (e *Ear) Listen(ctx context.Context, at string) error {
	socket, err := net.ListenPacket("udp4", at)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer stop()
	buf := make([]byte, 2048)
	for {
		n, _, err := socket.ReadFrom(buf)
		if err != nil {
			return nil // closed
		}
		e.hear(buf[:n])
	}
}
