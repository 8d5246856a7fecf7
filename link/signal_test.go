package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"
)

// seen is what a server saw of one request.
type seen struct {
	method, host, path, query, token, contentType, match, body string
}

// notebook is a server's record.
type notebook struct {
	mu  sync.Mutex
	all []seen
}

func (n *notebook) note(r *http.Request) seen {
	body, _ := io.ReadAll(r.Body)
	s := seen{r.Method, r.Host, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("If-Match"), string(body)}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, s)
	return s
}

func (n *notebook) with(method string) []seen {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.all), func(s seen) bool { return s.method != method })
}

// respond is a server that says one thing.
func respond(status int, headers map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range headers {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// A far end that refuses, errs or talks nonsense ends Dial with words that say what to do, and with a class that says
// whether to try again.
func TestDialRefused(t *testing.T) {
	sdpType := map[string]string{"Content-Type": typeSDP, "Location": "/session/1"}
	answer := func(edit ...string) string {
		// A valid answer needs an offer; these are judged before pion sees them.
		text := "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=recvonly\r\na=rtpmap:111 opus/48000/2\r\n"
		return strings.NewReplacer(edit...).Replace(text)
	}
	for _, c := range []struct {
		name      string
		serve     http.HandlerFunc
		problem   int // 0: no Problem
		permanent bool
		after     time.Duration
		word      string
		limit     time.Duration
	}{
		{"bad request", respond(400, nil, ""), 400, true, 0, "400 (Bad Request)", 0},
		{"wrong token", respond(401, map[string]string{"Content-Type": "application/problem+json"}, `{"title":"unknown token","detail":"ask the operator"}`), 401, true, 0, "unknown token: ask the operator", 0},
		{"forbidden", respond(403, map[string]string{"Content-Type": "text/plain"}, "endpoint\nbusy"), 403, true, 0, "endpoint busy", 0},
		{"no such path", respond(404, map[string]string{"Content-Type": "text/html"}, "<h1>404</h1>"), 404, true, 0, "404 (Not Found)", 0},
		{"taken", respond(409, map[string]string{"Retry-After": "7"}, ""), 409, false, 7 * time.Second, "asks to wait 7s", 0},
		{"codec", respond(406, nil, ""), 406, true, 0, "406", 0},
		{"too fast", respond(429, map[string]string{"Retry-After": "2"}, ""), 429, false, 2 * time.Second, "429", 0},
		{"unknown client error", respond(477, nil, ""), 477, true, 0, "477", 0},
		{"server error", respond(500, map[string]string{"Content-Type": "text/html"}, strings.Repeat("x", 1000)), 500, false, 0, "500 (Internal Server Error)", 0},
		{"unknown server error", respond(599, nil, ""), 599, false, 0, "599", 0},
		{"down, seconds", respond(503, map[string]string{"Retry-After": "30"}, ""), 503, false, 30 * time.Second, "503", 0},
		{"down, date", respond(503, map[string]string{"Retry-After": "Sat, 01 Jan 2000 00:01:00 GMT"}, ""), 503, false, time.Minute - 40*time.Millisecond, "503", 0},
		{"down, for ever", respond(503, map[string]string{"Retry-After": "9999999"}, ""), 503, false, maxRetryAfter, "503", 0},
		{"down, nonsense", respond(503, map[string]string{"Retry-After": "soon"}, ""), 503, false, 0, "503", 0},
		{"301", respond(301, map[string]string{"Location": "/elsewhere"}, ""), 301, true, 0, "301", 0},
		{"302", respond(302, map[string]string{"Location": "/elsewhere"}, ""), 302, true, 0, "302", 0},
		{"redirect without Location", respond(307, nil, ""), 0, false, 0, "without a usable Location", 0},
		{"redirect for ever", respond(307, map[string]string{"Location": "/again"}, ""), 0, false, 0, "more than 5 times", 0},
		{"redirect into the clear", respond(307, map[string]string{"Location": "http://far.example/x"}, ""), 0, false, 0, "in clear", 0},
		{"created without Location", respond(201, map[string]string{"Content-Type": typeSDP}, answer()), 0, false, 0, "without a usable Location", 0},
		{"created in the clear", respond(201, map[string]string{"Content-Type": typeSDP, "Location": "http://far.example/session/1"}, answer()), 0, false, 0, "should send a relative Location or an https:// one", 0},
		{"a sign-in page", respond(200, map[string]string{"Content-Type": "text/html", "Location": "/x"}, "<html>"), 0, false, 0, "text/html", 0},
		{"garbage", respond(201, sdpType, "\x00\x01garbage"), 0, false, 0, "unusable: not SDP", 0},
		{"empty answer", respond(201, sdpType, ""), 0, false, 0, "no m= section", 0},
		{"sendrecv answer", respond(201, sdpType, answer("recvonly", "sendrecv")), 0, false, 0, "sendrecv where it must say recvonly", 0},
		{"refused section", respond(201, sdpType, answer("m=audio 9", "m=audio 0")), 0, false, 0, "refuses the audio section", 0},
		{"answer without keys", respond(201, sdpType, answer()), 0, false, 0, "unusable", 0},
		{"endless answer", respond(201, sdpType, strings.Repeat("a", maxSDP+10)), 0, false, 0, "longer than", 0},
		{"never answers", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 0, false, 0, "no answer within 10s", 12 * time.Second},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, false, 0, "hung up", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 10*time.Millisecond, "2")
				defer w.close()
				w.serve(func(rw http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					c.serve(rw, r)
				})
				cfg := w.config("2")
				cfg.WHEP = ""
				start := time.Now()
				s, err := Dial(context.Background(), cfg, Events{})
				if err == nil {
					s.Close()
					t.Fatal("dialled")
				}
				t.Log(err)
				var p *Problem
				switch {
				case !strings.Contains(err.Error(), c.word), !strings.HasPrefix(err.Error(), "dial uplink u2: publish to far.example: "):
					t.Errorf("%v; want %q in it", err, c.word)
				case strings.Contains(err.Error(), "secret-token"), strings.Contains(err.Error(), "/whip/room"):
					t.Errorf("secrets in %v", err)
				case errors.As(err, &p) != (c.problem != 0):
					t.Errorf("%v: a Problem? want status %d", err, c.problem)
				case p != nil && (p.Status != c.problem || p.Permanent() != c.permanent || (p.After-c.after).Abs() > time.Second):
					t.Errorf("%+v permanent %v; want %d %v %v", p, p.Permanent(), c.problem, c.permanent, c.after)
				}
				if limit := max(c.limit, 2*time.Second); time.Since(start) > limit {
					t.Errorf("took %v", time.Since(start))
				}
			})
		})
	}
}

// The token goes to configured hosts alone, and in clear only where the configured URL already is.
func TestMayTell(t *testing.T) {
	const tls, demo = "https://far.example/whip", "http://127.0.0.1:8480/whip"
	for _, c := range []struct {
		whip, whep, to string
		want           bool
	}{
		{tls, "", "https://far.example/session/1", true},
		{tls, "", "https://FAR.example:8443/session/1", true},
		{tls, "", "http://far.example/session/1", false},
		{tls, "", "https://evil.example/session/1", false},
		{tls, "", "https://node9.example/session/1", true},
		{tls, "", "http://node9.example/session/1", false},
		{demo, "", "http://127.0.0.1:8480/session/1", true},
		{demo, "", "http://127.0.0.1:8481/session/1", false},
		{demo, "", "http://node9.example/session/1", false},
		{"HTTP://127.0.0.1:8480/whip", "", "http://127.0.0.1:8480/session/1", true},
		{tls, demo, "http://127.0.0.1:8480/session/1", true},
		{tls, demo, "http://far.example/session/1", false},
	} {
		s := newSignaller(&Config{WHIP: c.whip, WHEP: c.whep, TokenHosts: []string{"node9.example"}}, orSilent(nil))
		u, err := url.Parse(c.to)
		must(t, err)
		if got := s.mayTell(u); got != c.want {
			t.Errorf("WHIP %q, WHEP %q: token to %s: %v", c.whip, c.whep, c.to, got)
		}
		s.close()
	}
}

// Checklist items 1 to 7, 10, 11: what goes over the wire.
func TestRequests(t *testing.T) {
	for _, c := range []struct {
		name           string
		other          bool // the endpoint redirects to another host
		allowed        bool // and that host may see the token
		location       string
		resource       string // where the DELETE must go
		tokenAtTheEnd  bool
		typed, onWires string
	}{
		{"relative location", false, false, "../session/7", "far.example/session/7", true, "secret-token", "Bearer secret-token"},
		{"root-relative location", false, false, "/session/7?x=1", "far.example/session/7", true, "Bearer secret-token", "Bearer secret-token"},
		{"absolute location", false, false, "https://far.example/session/7", "far.example/session/7", true, " bearer secret-token ", "Bearer secret-token"},
		{"location on a foreign host", false, false, "https://evil.example/session/7", "evil.example/session/7", false, "secret-token", "Bearer secret-token"},
		{"redirect to a foreign host", true, false, "/session/7", "node9.example/session/7", false, "secret-token", "Bearer secret-token"},
		{"redirect to an allowed host", true, true, "/session/7", "node9.example/session/7", true, "secret-token", "Bearer secret-token"},
		{"no token", false, false, "/session/7", "far.example/session/7", false, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 10*time.Millisecond, "2")
				defer w.close()
				var book notebook
				w.serve(func(rw http.ResponseWriter, r *http.Request) {
					s := book.note(r)
					switch {
					case s.method == "POST" && c.other && s.host == "far.example":
						rw.Header().Set("Location", "https://node9.example"+s.path)
						rw.WriteHeader(307)
					case s.method == "POST":
						_, answer, err := w.far.api.AcceptPublish(s.body, PublishEvents{})
						must(t, err)
						rw.Header().Set("Content-Type", typeSDP)
						rw.Header().Set("Location", c.location)
						rw.WriteHeader(201)
						_, _ = io.WriteString(rw, answer)
					default:
						rw.WriteHeader(204)
					}
				})
				cfg := w.config("2")
				cfg.WHEP, cfg.Token = "", c.typed
				if c.allowed {
					cfg.TokenHosts = []string{"node9.example"}
				}
				s, _ := dial(t, cfg)
				must(t, s.Close())
				posts, deletes := book.with("POST"), book.with("DELETE")
				first, last := posts[0], posts[len(posts)-1]
				query, _ := url.ParseQuery(first.query)
				if first.contentType != "application/sdp" || first.token != c.onWires || query.Get("uplink") != "u2" || query.Get("box") != "box-1" || query.Get("run") != "run-1" {
					t.Errorf("POST %+v", first)
				}
				if last.body != first.body || (last.host != "far.example" && (last.token != "") != c.allowed) {
					t.Errorf("POST after the redirect: host %s, token %q", last.host, last.token)
				}
				if len(deletes) != 1 || deletes[0].host+deletes[0].path != c.resource || (deletes[0].token != "") != c.tokenAtTheEnd || deletes[0].match != "" {
					t.Errorf("DELETE %+v; want it at %s", deletes, c.resource)
				}
				checkOffer(t, first.body)
			})
		})
	}
}

// checkOffer quotes RFC 9725 4.2 to 4.4.
func checkOffer(t *testing.T, offer string) {
	t.Helper()
	d, sections, err := parseSDP(offer)
	must(t, err)
	if group, _ := d.Attribute("group"); group != "BUNDLE 0 1" { // "Each m= section MUST be part of a single BUNDLE group"
		t.Errorf("group %q", group)
	}
	if _, lite := d.Attribute("ice-lite"); lite { // "the WHIP client MUST implement full ICE"
		t.Error("ice-lite")
	}
	streams := map[string]bool{}
	for i, m := range d.MediaDescriptions {
		_, mux := m.Attribute("rtcp-mux")
		_, only := m.Attribute("rtcp-mux-only") // "MUST include the rtcp-mux-only attribute in each bundled m= section"
		stream, _, _ := strings.Cut(attribute(d, m, "msid"), " ")
		streams[stream] = true // "all m= sections MUST contain an msid attribute with the same value"
		if !mux || !only || sections[i].direction != "sendonly" || sections[i].setup != "actpass" || !sections[i].codec {
			t.Errorf("section %d: %+v, rtcp-mux %v, only %v", i, sections[i], mux, only)
		}
		for _, a := range m.Attributes {
			if a.Key == "extmap" {
				t.Errorf("header extension offered: %s", a.Value)
			}
		}
	}
	if len(streams) != 1 || !streams["run-1"] || !strings.Contains(offer, "a=end-of-candidates") {
		t.Errorf("streams %v", streams)
	}
}

// A session that the far end made while we were giving up is unmade.
func TestGivenUpWhilePosting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		w.serve(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				time.Sleep(500 * time.Millisecond)
			}
			w.far.ServeHTTP(rw, r)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := Dial(ctx, w.config("2"), Events{})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2500*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		time.Sleep(time.Second)
		if got := w.far.resources.Len(); got != 0 {
			t.Errorf("%d sessions left at the far end", got)
		}
	})
}

// An answer without a working media path ends in time and is undone.
func TestNoMediaPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		block := func(vnet.Chunk) bool { return true } // media; signalling has its own way
		w.drop.Store(&block)
		start := time.Now()
		_, err := Dial(t.Context(), w.config("2"), Events{})
		if err == nil || !strings.Contains(err.Error(), "no media path came up") || time.Since(start) > 14*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		t.Logf("after %v: %v", time.Since(start), err)
		if got := w.far.resources.Len(); got != 0 {
			t.Errorf("%d sessions left at the far end", got)
		}
	})
}

func TestLeftovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		s, _ := dial(t, w.config("2"))
		urls := s.Resources()
		// The agent is killed: its next run knows the URLs only.
		w.cut("2")
		must(t, s.Close())
		w.cut()
		if w.far.resources.Len() == 0 {
			t.Fatal("nothing was left")
		}
		cfg := w.config("2")
		if failed := Delete(t.Context(), cfg, append(urls, urls[0], "https://far.example/session/gone")); len(failed) != 0 {
			t.Error(failed)
		}
		if got := w.far.resources.Len(); got != 0 {
			t.Errorf("%d sessions left", got)
		}
		cfg.Token = "wrong"
		failed := Delete(t.Context(), cfg, urls)
		if len(failed) != len(urls) || failed[0].Final || !strings.Contains(failed[0].Err.Error(), "401") {
			t.Errorf("with a wrong token: %v", failed)
		}
		if failed := Delete(t.Context(), Config{}, urls); len(failed) != len(urls) || failed[0].Final {
			t.Errorf("without a Net: %v", failed)
		}
	})
}

// Each session that could not be ended is named, and whether trying again is in vain.
func TestUndeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		w.serve(func(rw http.ResponseWriter, r *http.Request) {
			code, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
			rw.WriteHeader(code)
		})
		final := map[string]bool{"400": true, "401": false, "403": true, "405": true, "429": false, "500": false, "503": false}
		urls := []string{"https://far.example/204", "https://far.example/404", "https://far.example/410"}
		for code := range final {
			urls = append(urls, "https://far.example/"+code)
		}
		failed := Delete(t.Context(), w.config("2"), urls)
		if len(failed) != len(final) {
			t.Errorf("%d failed, want %d: %v", len(failed), len(final), failed)
		}
		for _, f := range failed {
			if want, ok := final[strings.TrimPrefix(f.URL, "https://far.example/")]; !ok || f.Final != want {
				t.Errorf("%+v", f)
			}
		}
	})
}

func TestConfigCheck(t *testing.T) {
	_, err := Dial(t.Context(), Config{Uplink: "Big Name", WHIP: "ftp://x", WHEP: "::"}, Events{})
	for _, word := range []string{"Uplink", "WHIP", "WHEP", "Net"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not name %s", err, word)
		}
	}
}

func TestLinkHeader(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []string
		want    []webrtc.ICEServer
	}{
		{"none", nil, nil},
		{"stun", []string{`<stun:stun.example.net>; rel="ice-server"`}, []webrtc.ICEServer{{URLs: []string{"stun:stun.example.net"}}}},
		{"several in one header", []string{`<stun:a.example>; rel="ice-server", <turn:b.example?transport=udp>; rel="ice-server"; username="u,s;e\"r"; credential="p w"; credential-type="password"`},
			[]webrtc.ICEServer{{URLs: []string{"stun:a.example"}}, {URLs: []string{"turn:b.example?transport=udp"}, Username: `u,s;e"r`, Credential: "p w"}}},
		{"several headers, unknown relations", []string{`<https://x/sse>; rel="urn:ietf:params:whip:ext:example"`, `<turns:c.example>; rel=ice-server; username=u; credential=c`},
			[]webrtc.ICEServer{{URLs: []string{"turns:c.example"}, Username: "u", Credential: "c"}}},
		{"percent-encoded", []string{`<stun%3Astun.example%3A3478>; rel="ice-server"`}, []webrtc.ICEServer{{URLs: []string{"stun:stun.example:3478"}}}},
		{"oauth, no credential, other scheme, garbage", []string{`<turn:a>; rel="ice-server"; username="u"; credential="c"; credential-type="oauth"`, `<turn:a>; rel="ice-server"`, `<http://a>; rel="ice-server"`, `;;,,<`, ``}, nil},
	} {
		if got := iceServers(c.headers); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func FuzzLinkHeader(f *testing.F) {
	f.Add(`<turn:b.example?transport=udp>; rel="ice-server"; username="u\"r"`)
	f.Fuzz(func(t *testing.T, h string) { iceServers([]string{h}) })
}
