package link

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/transport/v5/vnet"

	"scanside/media"
)

// headers are what IPv4 and UDP add to a datagram.
const headers = 28

// What an idle link costs on a metered uplink; printed, not judged (G11 wants 0.5 MB an hour).
func TestIdleCost(t *testing.T) {
	for _, every := range []time.Duration{50 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 10*time.Millisecond, "2")
			defer w.close()
			cfg := w.config("2")
			var meter Meter
			cfg.Net = Metered(cfg.Net, &meter)
			cfg.ProbeEvery = func() time.Duration { return every }
			s, _ := dial(t, cfg)
			time.Sleep(time.Second)
			var bytes, datagrams atomic.Int64
			count := func(c vnet.Chunk) bool {
				bytes.Add(int64(len(c.UserData()) + headers))
				datagrams.Add(1)
				return false
			}
			w.drop.Store(&count)
			before := meter.Sent() + meter.Received()
			time.Sleep(10 * time.Minute)
			if metered := int64(meter.Sent() + meter.Received() - before); max(metered-bytes.Load(), bytes.Load()-metered) > 2000 { // some were under way
				t.Errorf("the meter counts %d bytes where the network carried %d", metered, bytes.Load())
			}
			t.Logf("idle, probes every %v: %.2f MB an hour both ways, %.1f datagrams a second", every, float64(bytes.Load())*6/1e6, float64(datagrams.Load())/600)
			if s.Err() != nil || !s.Playing() {
				t.Errorf("an idle session ended: %v, playing %v", s.Err(), s.Playing())
			}
			must(t, s.Close())
		})
	}
}

// An offer that was damaged on the way, in a thousand ways, is refused or served; it never takes the server down (L4).
func TestDamagedOffers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	whole := offerFile(t, "chromium-publish.sdp")
	alone(t, func(t *testing.T, api *API) {
		served := 0
		for range 400 {
			lines := strings.SplitAfter(whole, "\r\n")
			for range 1 + random.IntN(4) {
				i := random.IntN(len(lines))
				switch random.IntN(5) {
				case 0:
					lines[i] = ""
				case 1:
					lines[i] += lines[random.IntN(len(lines))]
				case 2:
					b := []byte(lines[i])
					if len(b) > 2 {
						b[2+random.IntN(len(b)-2)] = byte(random.IntN(256))
					}
					lines[i] = string(b)
				case 3:
					lines[i] = lines[i][:random.IntN(len(lines[i])+1)]
				case 4:
					lines[i] = strings.ReplaceAll(lines[i], "1", "99999999999999999999")
				}
			}
			in, _, err := api.AcceptPublish(strings.Join(lines, ""), PublishEvents{})
			if err != nil {
				continue
			}
			served++
			_ = in.Trickle("a=ice-ufrag:" + in.ufrag + "\r\na=ice-pwd:" + in.pwd + "\r\na=" + lines[random.IntN(len(lines))])
			_, _ = in.Restart("a=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n")
			must(t, in.Close())
		}
		t.Logf("%d of 400 damaged offers were still servable", served)
		if api.Len() != 0 {
			t.Errorf("%d peers left", api.Len())
		}
	})
}

// BenchmarkLeg is the cost of one copy of a video packet on one leg, SRTP and the send included (G7).
func BenchmarkLeg(b *testing.B) {
	f := newRealFar(b)
	defer f.close()
	n := bound(b, "127.0.0.2")
	s, err := Dial(b.Context(), f.config(n), Events{})
	must(b, err)
	defer s.Close()
	leg := s.Leg(media.Video)
	p := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, 1180)}
	b.ReportAllocs()
	b.SetBytes(1180)
	for b.Loop() {
		p.SequenceNumber++
		if err := leg.WriteRTP(p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(f.count("u2", media.Video).packets)/float64(b.N), "arrived/op")
}
