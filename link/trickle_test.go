package link

import (
	"io"
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

// Candidates that come after the offer has left are told in one PATCH; whatever becomes of it, nothing waits for it (checklist
// items 14 and 15 of RFC 9725 4.3.2; a server was seen that never answers one).
func TestTrickle(t *testing.T) {
	for name, answer := range map[string]func(w *world, rw http.ResponseWriter, r *http.Request){
		"taken":          func(w *world, rw http.ResponseWriter, r *http.Request) { w.far.ServeHTTP(rw, r) },
		"not allowed":    func(_ *world, rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(405) },
		"never answered": func(_ *world, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 40*time.Millisecond, "2", "9")
				defer w.close()
				socket, err := w.nets["9"].ListenPacket("udp4", "10.0.0.9:3478")
				must(t, err)
				relay, err := turn.NewServer(turn.ServerConfig{
					Realm: "far.example", LoggerFactory: quietPion(),
					AuthHandler: func(a *turn.RequestAttributes) (string, []byte, bool) {
						return a.Username, turn.GenerateAuthKey(a.Username, a.Realm, "word"), true
					},
					PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: socket, RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{
						RelayAddress: net.IPv4(10, 0, 0, 9), Address: "10.0.0.9", Net: w.nets["9"],
					}}},
				})
				must(t, err)
				defer relay.Close()
				direct := func(c vnet.Chunk) bool {
					ends := hostPart(c.SourceAddr()) + " " + hostPart(c.DestinationAddr())
					return ends == "10.0.0.2 10.0.0.1" || ends == "10.0.0.1 10.0.0.2"
				}
				w.drop.Store(&direct)
				var book notebook
				w.serve(func(rw http.ResponseWriter, r *http.Request) {
					if r.Method != http.MethodPatch {
						w.far.ServeHTTP(rw, r)
						return
					}
					s := book.note(r)
					r.Body = http.NoBody
					if name == "taken" {
						r.Body, r.ContentLength = readAgain(s.body), int64(len(s.body))
					}
					answer(w, rw, r)
				})
				cfg := w.config("2")
				cfg.WHEP, cfg.Relays = "", []Relay{{URL: "turn:10.0.0.9:3478?transport=udp", Username: "box", Credential: "word"}}
				begun := time.Now()
				s, _ := dial(t, cfg)
				if took := time.Since(begun); took > 2*time.Second || s.Path().Kind != PathRelayUDP {
					t.Errorf("connected by %+v after %v", s.Path(), took)
				}
				stream(s.Leg(media.Voice), media.Voice, 1, 50, 20*time.Millisecond)
				time.Sleep(2 * time.Second)
				if got := w.far.count("u2", media.Voice).packets; got != 50 || s.Err() != nil {
					t.Errorf("%d packets of 50 arrived; %v", got, s.Err())
				}
				patches := book.with(http.MethodPatch)
				if len(patches) != 1 {
					t.Fatalf("%d PATCHes: %+v", len(patches), patches)
				}
				p := patches[0]
				etag := w.far.publisher("u2").ETag()
				if p.match != etag || p.contentType != typeSDPFrag || p.token == "" || !strings.HasPrefix(p.path, "/session/") ||
					strings.Count(p.body, "m=") != 1 || !strings.Contains(p.body, " typ relay ") || strings.Contains(p.body, " typ host") ||
					!strings.Contains(p.body, "a=ice-ufrag:") || !strings.Contains(p.body, "a=ice-pwd:") || !strings.HasSuffix(p.body, "a=end-of-candidates\r\n") {
					t.Errorf("the session is %s, the PATCH %+v", etag, p)
				}
				must(t, s.Close())
			})
		})
	}
}

func readAgain(body string) io.ReadCloser { return io.NopCloser(strings.NewReader(body)) }
