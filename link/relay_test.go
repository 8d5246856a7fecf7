package link

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v5/vnet"
	"github.com/pion/turn/v5"

	"scanside/media"
)

// Where nothing but a relay gets through, the far end's Link headers lead to it (RFC 9725 4.6): the first attempt is given
// up early, undone, and made again with the relay.
func TestRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2", "9")
		defer w.close()
		socket, err := w.nets["9"].ListenPacket("udp4", "10.0.0.9:3478")
		must(t, err)
		relay, err := turn.NewServer(turn.ServerConfig{
			Realm: "far.example", LoggerFactory: quietPion(),
			AuthHandler: func(a *turn.RequestAttributes) (string, []byte, bool) {
				return a.Username, turn.GenerateAuthKey(a.Username, a.Realm, "word"), a.Username == "box"
			},
			PacketConnConfigs: []turn.PacketConnConfig{{
				PacketConn: socket,
				RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{
					RelayAddress: net.IPv4(10, 0, 0, 9), Address: "10.0.0.9", Net: w.nets["9"],
				},
			}},
		})
		must(t, err)
		defer relay.Close()
		direct := func(c vnet.Chunk) bool {
			ends := hostPart(c.SourceAddr()) + " " + hostPart(c.DestinationAddr())
			return ends == "10.0.0.2 10.0.0.1" || ends == "10.0.0.1 10.0.0.2"
		}
		w.drop.Store(&direct)
		w.serve(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Add("Link", `<turn:10.0.0.9:3478?transport=udp>; rel="ice-server"; username="box"; credential="word"; credential-type="password"`)
			w.far.ServeHTTP(rw, r)
		})
		cfg := w.config("2")
		cfg.Memory = &Memory{}
		start := time.Now()
		s, l := dial(t, cfg)
		t.Logf("connected through the relay after %v", time.Since(start))
		if got := s.Path(); got != (Path{Kind: PathRelayUDP, Relay: "10.0.0.9:3478"}) {
			t.Errorf("path %+v", got)
		}
		if got := w.far.resources.Len(); got != 2 {
			t.Errorf("%d sessions at the far end, want the 2 that live", got)
		}
		stream(s.Leg(media.Voice), media.Voice, 1, 50, 20*time.Millisecond)
		time.Sleep(100 * time.Millisecond)
		if got := w.far.count("u2", media.Voice).packets; got != 50 {
			t.Errorf("%d packets of 50 through the relay", got)
		}
		if sample := lastAnswer(t, l.take()); sample.RTT < 40*time.Millisecond {
			t.Errorf("round trip through the relay: %v", sample.RTT)
		}
		must(t, s.Close())

		// The next session knows the relay, and that nothing else gets through.
		start = time.Now()
		s, _ = dial(t, cfg)
		if took := time.Since(start); took > time.Second {
			t.Errorf("the second dial took %v", took)
		} else {
			t.Logf("the second dial took %v", took)
		}
		must(t, s.Close())

		// A relay with a wrong word leaves nothing behind either.
		w.serve(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Add("Link", `<turn:10.0.0.9:3478?transport=udp>; rel="ice-server"; username="nobody"; credential="x"`)
			w.far.ServeHTTP(rw, r)
		})
		_, err = Dial(t.Context(), w.config("2"), Events{})
		var p *Problem
		if err == nil || errors.As(err, &p) || !strings.Contains(err.Error(), "no media path came up") {
			t.Errorf("with a relay that refuses: %v", err)
		}
		if got := w.far.resources.Len(); got != 0 {
			t.Errorf("%d sessions left", got)
		}
	})
}

// What relayLink writes, iceServers reads.
func TestRelayLink(t *testing.T) {
	want := Relay{URL: "turns:[2001:db8::1]:443?transport=tcp", Username: `17:a"b\c`, Credential: "x, y; z=="}
	got := named(iceServers([]string{relayLink(want) + `, <stun:a>; rel="ice-server"`}))
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %+v", got)
	}
}
