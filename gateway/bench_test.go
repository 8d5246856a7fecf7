package gateway

import (
	"log/slog"
	"testing"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

// BenchmarkPacket is what a packet of video costs the gateway from the uplink's callback to a viewer's queue: two copies in,
// one out to one viewer, without SRTP and sockets.
func BenchmarkPacket(b *testing.B) {
	r := newRoom(Site{ID: "north"}, &enders{}, slog.New(slog.DiscardHandler))
	now := time.Now()
	run := newRun("box", "run", now, &r.out)
	r.run = run
	var seats [2]*seat
	for i, name := range []string{"wired", "cellular"} {
		seats[i] = &seat{room: r, run: run}
		seats[i].up.Store(run.addUplink(name))
	}
	leg := r.out[media.Video].fan.AddLeg("viewer", media.SinkFunc(func(*rtp.Packet) error { return nil }))
	leg.Select(true)
	defer leg.Close()
	payload := make([]byte, 1100)
	packets := make([]*rtp.Packet, 4096)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%len(packets) == 0 { // a packet handed over is frozen: the ring must not meet the same ones again
			b.StopTimer()
			for i := range packets {
				packets[i] = &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(n + i), Timestamp: uint32(n+i) * 400}, Payload: payload}
			}
			b.StartTimer()
		}
		p := packets[n%len(packets)]
		seats[0].packet(media.Video, p)
		seats[1].packet(media.Video, p)
	}
}
