package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// example makes a path of a route's pattern.
func (rt route) example() (method, path string) {
	method, path, ok := strings.Cut(rt.pattern, " ")
	if !ok {
		method, path = http.MethodPost, rt.pattern
	}
	return method, strings.NewReplacer("{site}", "north", "{id}", "nothing", "{file}", "console.css", "{$}", "").Replace(path)
}

// Every route of the table, asked by a stranger, by somebody who is signed in, by an observer, by a box and by the box of
// another site. What a stranger may have is written here a second time, so that a slip in the table shows.
func TestEveryRouteAsksWhoIsThere(t *testing.T) {
	f := newFixture(t)
	public := map[string]bool{
		"GET /healthz": true, "GET /assets/{file}": true, "GET /signin": true, "POST /signin": true,
		"GET /signin/once": true, "POST /signin/once": true,
	}
	stranger := browser(t)
	for _, rt := range f.routes() {
		method, path := rt.example()
		t.Run(rt.pattern, func(t *testing.T) {
			if rt.who == anybody != public[rt.pattern] {
				t.Fatalf("is %d in the table, which is not what this test knows", rt.who)
			}
			got := send(t, stranger, method, f.url+path, "", "")
			wrongToken := send(t, stranger, method, f.url+path, "", "", "Authorization", "Bearer wrong")
			switch {
			case rt.pattern == "GET /{$}":
				if got.status != http.StatusSeeOther || got.header.Get("Location") != "/signin" {
					t.Errorf("a stranger got %d to %q, not the way to the sign-in", got.status, got.header.Get("Location"))
				}
			case public[rt.pattern]:
				if strings.Contains(got.body, "north") || strings.Contains(got.body, "Clinic") || strings.Contains(got.body, "Ada") {
					t.Errorf("shows a stranger something of a room: %s", got.body)
				}
			default:
				if got.status != http.StatusUnauthorized || wrongToken.status != http.StatusUnauthorized {
					t.Errorf("a stranger got %d, with a wrong token %d; want 401", got.status, wrongToken.status)
				}
			}
			for _, h := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
				if got.header.Get(h) == "" {
					t.Errorf("answer lacks %s", h)
				}
			}
		})
	}
	for _, c := range []struct {
		who, method, path string
		client            *http.Client
		token             string
		want              int
	}{
		{"supervisor", "GET", "/", f.signedInAs(t, "ada"), "", 200},
		{"supervisor", "GET", "/api/v1/rooms", f.signedInAs(t, "ada"), "", 200},
		{"supervisor", "GET", "/signin", f.signedInAs(t, "ada"), "", 303},
		{"supervisor", "POST", "/rooms/north/whep", f.signedInAs(t, "ada"), "", 415},
		{"supervisor", "POST", "/rooms/north/whip", f.signedInAs(t, "ada"), "", 415},
		{"supervisor", "POST", "/rooms/nowhere/whep", f.signedInAs(t, "ada"), "", 404},
		{"supervisor", "DELETE", "/session/nothing", f.signedInAs(t, "ada"), "", 404},
		{"supervisor has no box's token", "POST", "/whip/north", f.signedInAs(t, "ada"), "", 401},
		{"supervisor has no box's token", "GET", "/api/v1/sites/north/presence", f.signedInAs(t, "ada"), "", 401},
		{"observer", "POST", "/rooms/north/whep", f.signedInAs(t, "eve"), "", 415},
		{"observer talks", "POST", "/rooms/north/whip", f.signedInAs(t, "eve"), "", 403},
		{"box", "POST", "/whip/north", stranger, f.tokens[0], 415},
		{"box", "POST", "/whep/north", stranger, f.tokens[0], 415},
		{"box", "GET", "/api/v1/sites/north/presence", stranger, f.tokens[0], 200},
		{"box of another site", "POST", "/whip/north", stranger, f.tokens[1], 403},
		{"box of another site", "GET", "/api/v1/sites/north/presence", stranger, f.tokens[1], 403},
		{"box with an unknown site", "POST", "/whip/nowhere", stranger, f.tokens[0], 404},
		{"box opens the console", "GET", "/", stranger, f.tokens[0], 303},
		{"box lists rooms", "GET", "/api/v1/rooms", stranger, f.tokens[0], 401},
		{"box watches as a person", "POST", "/rooms/north/whep", stranger, f.tokens[0], 401},
	} {
		t.Run(c.who+" "+c.method+" "+c.path, func(t *testing.T) {
			var headers []string
			if c.token != "" {
				headers = []string{"Authorization", "Bearer " + c.token}
			}
			if got := send(t, c.client, c.method, f.url+c.path, "", "", headers...); got.status != c.want {
				t.Errorf("got %d, want %d: %s", got.status, c.want, got.body)
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	f := newFixture(t)
	ada, token := f.signedInAs(t, "ada"), "Bearer "+f.tokens[0]
	const sdp = "application/sdp"
	for _, c := range []struct {
		name, method, path, kind, body string
		box                            bool
		want                           int
		words                          string
	}{
		{"no SDP at all", "POST", "/whip/north?uplink=wired", sdp, "hello", true, 400, "malformed"},
		{"empty", "POST", "/whip/north?uplink=wired", sdp, "", true, 400, ""},
		{"torn SDP", "POST", "/whip/north", sdp, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio", true, 400, ""},
		{"oversize", "POST", "/whip/north", sdp, strings.Repeat("a=x\r\n", 40000), true, 413, ""},
		{"JSON", "POST", "/whip/north", "application/json", "{}", true, 415, ""},
		{"uplink with a line break", "POST", "/whip/north?uplink=a%0Ab", sdp, "v=0", true, 400, "uplink"},
		{"endless run", "POST", "/whip/north?run=" + strings.Repeat("r", 65), sdp, "v=0", true, 400, "run"},
		{"GET", "GET", "/whip/north", "", "", true, 405, ""},
		{"viewer: no SDP", "POST", "/rooms/north/whep", sdp, "hello", false, 400, ""},
		{"viewer: oversize", "POST", "/rooms/north/whep", sdp, strings.Repeat("a=x\r\n", 40000), false, 413, ""},
		{"viewer: window with a space", "POST", "/rooms/north/whep?desk=a%20b", sdp, "v=0", false, 400, ""},
		{"talker: no SDP", "POST", "/rooms/north/whip", sdp, "hello", false, 400, ""},
		{"presence: not JSON", "POST", "/rooms/north/presence?desk=a", "text/plain", "x", false, 415, ""},
		{"presence: torn", "POST", "/rooms/north/presence?desk=a", "application/json", "{", false, 400, ""},
		{"presence: oversize", "POST", "/rooms/north/presence?desk=a", "application/json", `{"x":"` + strings.Repeat("y", 8192) + `"}`, false, 400, ""},
		{"presence of an unknown room", "POST", "/rooms/nowhere/presence", "application/json", "{}", false, 404, ""},
		{"presence after nonsense", "GET", "/api/v1/sites/north/presence?after=x", "", "", true, 400, ""},
		{"unknown path", "GET", "/nothing", "", "", false, 404, ""},
		{"unknown asset", "GET", "/assets/secrets.pem", "", "", false, 404, ""},
		{"climbing asset", "GET", "/assets/..%2fconsole.go", "", "", false, 404, ""},
		{"a page as an asset", "GET", "/assets/console.html", "", "", false, 404, ""},
		{"sign-in form too large", "POST", "/signin", "application/x-www-form-urlencoded", "name=" + strings.Repeat("x", 5000), false, 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, headers := ada, []string(nil)
			if c.box {
				client, headers = browser(t), []string{"Authorization", token}
			}
			got := send(t, client, c.method, f.url+c.path, c.kind, c.body, headers...)
			if got.status != c.want {
				t.Errorf("got %d, want %d: %s", got.status, c.want, got.body)
			}
			if !strings.Contains(got.body, c.words) {
				t.Errorf("the answer does not say %q: %s", c.words, got.body)
			}
			if got.status >= 400 && strings.HasPrefix(got.header.Get("Content-Type"), "application/problem+json") {
				var p struct{ Title string }
				if err := json.Unmarshal([]byte(got.body), &p); err != nil || p.Title == "" {
					t.Errorf("a problem without a title: %s", got.body)
				}
			}
		})
	}
	if n := f.resources.Len(); n != 0 {
		t.Errorf("%d sessions are left of offers that were no good", n)
	}
	if v := f.view(&session{}, time.Now()); v.Rooms[0].State != Absent || v.Rooms[0].Box != "" {
		t.Errorf("a bad offer made a run: %+v", v.Rooms[0])
	}
}

// A page elsewhere must not act with this browser's cookie, nor reach us under a name of its own.
func TestOtherSitesPages(t *testing.T) {
	f := newFixture(t)
	ada := f.signedInAs(t, "ada")
	for _, c := range []struct {
		name, method, path string
		headers            []string
		want               int
	}{
		{"own page", "POST", "/rooms/north/presence", []string{"Sec-Fetch-Site", "same-origin"}, 415},
		{"another site's script", "POST", "/rooms/north/presence", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another site's form", "POST", "/signout", []string{"Origin", "https://elsewhere.example"}, 403},
		{"another site ends a session", "DELETE", "/session/x", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a link from another site", "GET", "/", []string{"Sec-Fetch-Site", "cross-site"}, 200},
		{"a rebound name", "GET", "/api/v1/rooms", []string{"Host", "rebound.example"}, 421},
		{"a rebound name's sign-in", "POST", "/signin", []string{"Host", "rebound.example"}, 421},
		{"localhost", "GET", "/api/v1/rooms", []string{"Host", "localhost:8443"}, 401}, // the cookie is 127.0.0.1's
		{"an address", "GET", "/healthz", []string{"Host", "[2001:db8::1]:8443"}, 200},
		{"health under a strange name", "GET", "/healthz", []string{"Host", "rebound.example"}, 421},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := send(t, ada, c.method, f.url+c.path, "", "", c.headers...); got.status != c.want && !(c.name == "localhost" && got.status == 200) {
				t.Errorf("got %d, want %d: %s", got.status, c.want, got.body)
			}
		})
	}
}

func TestKnownHost(t *testing.T) {
	known := knownHost([]string{"gateway.example.org", "*.clinic.example"})
	for host, want := range map[string]bool{
		"gateway.example.org": true, "GATEWAY.example.org:443": true, "gateway.example.org.": true, "a.clinic.example": true,
		"clinic.example": false, "a.b.clinic.example": false, "evil.example": false, "gateway.example.org.evil.example": false,
		"192.0.2.7": true, "192.0.2.7:8443": true, "[::1]:8443": true, "localhost": true, "": false,
	} {
		if got := known(&http.Request{Host: host}); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

// Who announces a body and sends none, or asks and does not read, does not keep a connection.
func TestConnectionsAreNotHeld(t *testing.T) {
	for _, c := range []struct {
		name, head string
		reads      bool
		within     time.Duration
	}{
		{"a GET without its body", "GET /healthz HTTP/1.1\r\nHost: " + farHTTP + "\r\nContent-Length: 5\r\n\r\n", true, bodyPatience},
		{"a chunked GET without its body", "GET /healthz HTTP/1.1\r\nHost: " + farHTTP + "\r\nTransfer-Encoding: chunked\r\n\r\n", true, bodyPatience},
		{"a POST without its body", "POST /signin HTTP/1.1\r\nHost: " + farHTTP + "\r\nContent-Length: 5\r\n\r\n", true, bodyPatience},
		{"an answer that is not read", "GET /healthz HTTP/1.1\r\nHost: " + farHTTP + "\r\n\r\n", false, answerPatience},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				conn, err := w.dial(t.Context())
				must(t, err)
				defer conn.Close()
				_, err = io.WriteString(conn, c.head)
				must(t, err)
				must(t, conn.SetReadDeadline(time.Now().Add(c.within+2*time.Second)))
				if !c.reads {
					time.Sleep(c.within + time.Second)
				}
				if _, err := io.Copy(io.Discard, conn); err != nil {
					t.Errorf("held: %v", err)
				}
			})
		})
	}
}

// The longest wait and an open event stream are not cut off.
func TestLongAnswersStand(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		c := w.client("ada")
		res, err := c.Get("http://" + farHTTP + "/api/v1/events")
		must(t, err)
		defer res.Body.Close()
		ended := make(chan struct{})
		go func() { io.Copy(io.Discard, res.Body); close(ended) }()
		p := w.askPresence(0, 0)
		start := time.Now()
		if again := w.askPresence(p.Version, 60); again.Version != p.Version || time.Since(start) != maxWait {
			t.Errorf("version %d after %v", again.Version, time.Since(start))
		}
		select {
		case <-ended:
			t.Error("the event stream was cut off")
		case <-time.After(3 * answerPatience):
		}
	})
}
