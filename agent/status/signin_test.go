package status

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"scanside/access"
)

const password = "correct horse battery"

// people is a door with a user of each role, named by it without spaces, and what it noted.
func people(t *testing.T, more access.Config) (*access.Door, *[]access.Event) {
	t.Helper()
	more.Dir = t.TempDir()
	noted := &[]access.Event{}
	more.Note = func(e access.Event) { *noted = append(*noted, e) }
	text, err := usersFile()
	if err == nil {
		err = os.WriteFile(filepath.Join(more.Dir, "users.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return access.NewDoor(more), noted
}

// usersFile is made once: four passwords are hashed at their full cost.
var usersFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "scanside-users-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	users := access.NewUsers(dir)
	for name, role := range map[string]access.Role{"tec": access.Technologist, "fay": access.Technician, "lee": access.SiteLead, "aud": access.Auditor} {
		if err := users.Add(name, role, password, time.Now()); err != nil {
			return nil, err
		}
	}
	return os.ReadFile(filepath.Join(dir, "users.json"))
})

// browserOf is a client that keeps cookies, and goes where it is sent only when it is asked to.
func browserOf(t *testing.T, srv *httptest.Server) *http.Client {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	transport := srv.Client().Transport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func ask(t *testing.T, c *http.Client, method, where string, form url.Values, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, where, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res, string(text)
}

// afar makes every request seem to come from another machine.
func afar(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "198.51.100.7:999"
		next.ServeHTTP(w, r)
	})
}

func serveAfar(t *testing.T, b Box, cfg Config, secure bool) *httptest.Server {
	t.Helper()
	s := server(t, b, cfg)
	srv := httptest.NewUnstartedServer(afar(s))
	if secure {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv
}

// As a technologist has it, from another machine: told to sign in, wrong, right, back where one was; what may be done, what not; out.
func TestSignInAndAct(t *testing.T) {
	b := newBox(healthy(time.Now()))
	door, noted := people(t, access.Config{})
	srv := serveAfar(t, b, Config{Door: door}, true)
	c := browserOf(t, srv)
	html := []string{"Accept", "text/html"}

	res, _ := ask(t, c, "GET", srv.URL+"/", nil, html...)
	if where := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || where != fmt.Sprintf("/signin?for=%d&next=%%2F", access.View) {
		t.Fatalf("a stranger's page: %d, %q", res.StatusCode, where)
	}
	if res, text := ask(t, c, "GET", srv.URL+"/api/v1/status", nil); res.StatusCode != 401 || strings.Contains(text, "verdict") || !strings.Contains(text, `"sign_in"`) {
		t.Errorf("a stranger's document: %d %.200s", res.StatusCode, text)
	}
	if res, text := ask(t, c, "GET", fmt.Sprintf("%s/signin?next=%%2F%%23uplink-primary&for=%d", srv.URL, access.Pin), nil); res.StatusCode != 200 || !strings.Contains(text, "Holding everything on one uplink needs a field technician or a site lead.") ||
		!strings.Contains(text, `value="/#uplink-primary"`) || strings.Contains(text, "Ada Example") {
		t.Errorf("the sign-in page: %d %s", res.StatusCode, text)
	}
	fill := func(name, word string) url.Values {
		return url.Values{"name": {name}, "password": {word}, "next": {"/#uplink-primary"}}
	}
	if res, text := ask(t, c, "POST", srv.URL+"/signin", fill("tec", "wrong")); res.StatusCode != 401 || !strings.Contains(text, "Name or password is wrong.") || strings.Contains(text, "wrong\"") {
		t.Errorf("a wrong password: %d %s", res.StatusCode, text)
	}
	res, _ = ask(t, c, "POST", srv.URL+"/signin", fill("tec", password))
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/#uplink-primary" {
		t.Fatalf("signing in: %d, %q", res.StatusCode, res.Header.Get("Location"))
	}
	got := res.Cookies()
	if len(got) != 1 || got[0].Name != "__Host-scanside_box" || !got[0].HttpOnly || !got[0].Secure || got[0].SameSite != http.SameSiteStrictMode || got[0].Path != "/" || got[0].MaxAge != 0 {
		t.Fatalf("the cookie: %+v", got)
	}
	if _, text := ask(t, c, "GET", srv.URL+"/", nil, html...); !strings.Contains(text, "Signed in as <b>tec</b>, technologist.") {
		t.Error("the page does not say who is signed in")
	}
	if res, _ := ask(t, c, "POST", srv.URL+"/api/v1/procedure", url.Values{"open": {"true"}}); res.StatusCode != 204 {
		t.Errorf("opening a procedure: %d", res.StatusCode)
	}
	if !slices.Equal(b.by, []string{"tec"}) {
		t.Errorf("it was done by %q", b.by)
	}
	if res, text := ask(t, c, "POST", srv.URL+"/api/v1/pin", url.Values{"uplink": {"primary"}}); res.StatusCode != 403 || !strings.Contains(text, "You are signed in as tec (technologist); holding everything on one uplink needs a field technician or a site lead.") {
		t.Errorf("a technologist pins: %d %s", res.StatusCode, text)
	}
	if res, text := ask(t, c, "POST", srv.URL+"/api/v1/pin", url.Values{"uplink": {"primary"}}, html...); res.StatusCode != 403 || !strings.Contains(text, "That is not your task") {
		t.Errorf("without script: %d %.300s", res.StatusCode, text)
	}
	secret := got[0].Value
	if res, _ = ask(t, c, "POST", srv.URL+"/signout", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("signing out: %d", res.StatusCode)
	}
	for what, cookie := range map[string]string{"after signing out": "", "with the old cookie": "__Host-scanside_box=" + secret, "with a plain cookie": "scanside_box=" + secret, "with a made-up one": "__Host-scanside_box=" + strings.Repeat("A", 43)} {
		if res, _ := ask(t, c, "GET", srv.URL+"/api/v1/status", nil, "Cookie", cookie); res.StatusCode != 401 {
			t.Errorf("%s: %d", what, res.StatusCode)
		}
	}
	var whats []access.What
	for _, e := range *noted {
		whats = append(whats, e.What)
		if e.User != "tec" {
			t.Errorf("noted of %q", e.User)
		}
	}
	if want := []access.What{access.Refused, access.SignedIn, access.SignedOut}; !slices.Equal(whats, want) {
		t.Errorf("noted %v, want %v", whats, want)
	}
}

// A browser that came with somebody's session gets another one, and the old one ends: nobody can leave his own in a browser and find a user in it.
func TestSessionIsFresh(t *testing.T) {
	door, _ := people(t, access.Config{})
	srv := serveAfar(t, newBox(healthy(time.Now())), Config{Door: door}, false)
	c := browserOf(t, srv)
	in := func(name string) string {
		res, _ := ask(t, c, "POST", srv.URL+"/signin", url.Values{"name": {name}, "password": {password}})
		if len(res.Cookies()) != 1 {
			t.Fatalf("%s: %d", name, res.StatusCode)
		}
		return res.Cookies()[0].Value
	}
	old := in("tec")
	if fresh := in("lee"); fresh == old {
		t.Fatal("the same secret")
	}
	if res, _ := ask(t, browserOf(t, srv), "GET", srv.URL+"/api/v1/status", nil, "Cookie", "scanside_box="+old); res.StatusCode != 401 {
		t.Errorf("the old session goes on: %d", res.StatusCode)
	}
	fixed := strings.Repeat("B", 43)
	res, _ := ask(t, browserOf(t, srv), "POST", srv.URL+"/signin", url.Values{"name": {"lee"}, "password": {password}}, "Cookie", "scanside_box="+fixed)
	if res.StatusCode != http.StatusSeeOther || res.Cookies()[0].Value == fixed {
		t.Error("a secret that was put there is kept")
	}
}

// Guessing has to wait, and the page says how long; huge forms, foreign sites and foreign names get nothing.
func TestAbuse(t *testing.T) {
	door, noted := people(t, access.Config{})
	srv := serveAfar(t, newBox(healthy(time.Now())), Config{Door: door, Names: []string{"box.example.org"}}, false)
	c := browserOf(t, srv)
	right := url.Values{"name": {"lee"}, "password": {password}}
	if res, _ := ask(t, c, "POST", srv.URL+"/signin", url.Values{"name": {"lee"}, "password": {strings.Repeat("x", 1<<20)}}); res.StatusCode != 400 {
		t.Errorf("a huge form: %d", res.StatusCode)
	}
	for _, header := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		for _, path := range []string{"/signin", "/signin/first", "/signout", "/api/v1/pin"} {
			if res, _ := ask(t, c, "POST", srv.URL+path, right, header...); res.StatusCode != 403 || len(res.Cookies()) > 0 {
				t.Errorf("%s from another site: %d", path, res.StatusCode)
			}
		}
	}
	r, _ := http.NewRequest("GET", srv.URL+"/signin", nil)
	r.Host = "evil.example"
	if res, err := c.Do(r); err != nil || res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a rebound name: %v %v", res, err)
	} else {
		res.Body.Close()
	}
	if len(*noted) > 0 {
		t.Errorf("noted %+v", *noted)
	}
	limited := 0
	for range 12 {
		res, text := ask(t, c, "POST", srv.URL+"/signin", url.Values{"name": {"lee"}, "password": {"guess"}})
		if res.StatusCode == http.StatusTooManyRequests {
			limited++
			if !strings.Contains(text, "Too many tries: wait") || res.Header.Get("Retry-After") == "" {
				t.Errorf("it does not say how long: %s", text)
			}
		}
	}
	if limited != 4 {
		t.Errorf("%d of 12 guesses had to wait, want the last 4", limited)
	}
	if res, _ := ask(t, c, "POST", srv.URL+"/signin", right); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the right password while waiting: %d", res.StatusCode)
	}
	if !slices.ContainsFunc(*noted, func(e access.Event) bool { return e.What == access.LockedOut && e.User == "lee" }) {
		t.Errorf("the lock-out was not noted: %+v", *noted)
	}
}

// Where a link may lead after signing in: into this box only.
func TestNextStaysHere(t *testing.T) {
	for next, want := range map[string]string{
		"/": "/", "/#uplink-primary": "/#uplink-primary", "/room": "/room", "": "/", "//evil.example/": "/", "https://evil.example": "/", `/\evil.example`: "/",
		"javascript:alert(1)": "/", "/%2F%2Fevil.example": "/", "room": "/", "/?a=b": "/", "/\n/evil": "/",
	} {
		if got := local(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

// Tokens of programs and screens: each for one thing, over Bearer or Basic; the screen by a cookie that lasts.
func TestTokensOverHTTP(t *testing.T) {
	secret := func(text string, err error) func() (string, error) {
		return func() (string, error) { return text, err }
	}
	door, _ := people(t, access.Config{ConsoleKey: "console-key-console", ScrapeToken: secret("scrape-token-scrape", nil), ScreenToken: secret("screen-token-screen", nil)})
	b := newBox(healthy(time.Now()))
	srv := serveAfar(t, b, Config{Door: door}, true)
	c := browserOf(t, srv)
	for _, row := range []struct {
		token, method, path string
		code                int
	}{
		{"scrape-token-scrape", "GET", "/metrics", 200}, {"scrape-token-scrape", "GET", "/", 403}, {"scrape-token-scrape", "GET", "/room", 403}, {"scrape-token-scrape", "POST", "/api/v1/pin", 403},
		{"screen-token-screen", "GET", "/room", 200}, {"screen-token-screen", "POST", "/room/whep", 200}, {"screen-token-screen", "GET", "/metrics", 403}, {"screen-token-screen", "GET", "/", 403},
		{"screen-token-screen", "POST", "/api/v1/mute", 403}, {"console-key-console", "POST", "/api/v1/pin", 204}, {"wrong", "GET", "/metrics", 401}, {"", "GET", "/metrics", 401},
	} {
		if res, text := ask(t, c, row.method, srv.URL+row.path, nil, "Authorization", "Bearer "+row.token, "Scanside-As", "ada"); res.StatusCode != row.code {
			t.Errorf("%q %s %s: %d, want %d; %.200s", row.token, row.method, row.path, res.StatusCode, row.code, text)
		}
	}
	if !slices.Equal(b.by, []string{"console/ada"}) {
		t.Errorf("the console acted as %q", b.by)
	}
	r, _ := http.NewRequest("GET", srv.URL+"/metrics", nil)
	r.SetBasicAuth("prometheus", "scrape-token-scrape")
	if res, err := c.Do(r); err != nil || res.StatusCode != 200 {
		t.Errorf("Basic: %v %v", res, err)
	} else {
		res.Body.Close()
	}
	if res, _ := ask(t, c, "POST", srv.URL+"/signin", url.Values{"name": {"screen"}, "password": {"guess"}}); res.StatusCode != 401 {
		t.Errorf("a guessed screen: %d", res.StatusCode)
	}
	res, _ := ask(t, c, "POST", srv.URL+"/signin", url.Values{"name": {"screen"}, "password": {"screen-token-screen"}})
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/room" || res.Cookies()[0].MaxAge < 86400 {
		t.Fatalf("a screen signs in: %d %+v", res.StatusCode, res.Cookies())
	}
	if res, text := ask(t, c, "GET", srv.URL+"/room", nil); res.StatusCode != 200 || !strings.Contains(text, "Can see this room") {
		t.Errorf("the screen: %d", res.StatusCode)
	}
	if res, _ := ask(t, c, "GET", srv.URL+"/api/v1/status", nil); res.StatusCode != 403 {
		t.Errorf("the screen reads the document: %d", res.StatusCode)
	}
	broken := serveAfar(t, b, Config{Door: access.NewDoor(access.Config{ScrapeToken: secret("", errors.New("permission denied"))})}, false)
	if res, text := ask(t, browserOf(t, broken), "GET", broken.URL+"/metrics", nil, "Authorization", "Bearer x"); res.StatusCode != 503 || !strings.Contains(text, "permission denied") {
		t.Errorf("a token that cannot be read: %d %s", res.StatusCode, text)
	}
}

// A stream ends when its viewer is signed out; who may only look where that is configured may look, and not act.
func TestStreamEndsWithTheSession(t *testing.T) {
	door, _ := people(t, access.Config{})
	b := newBox(healthy(time.Now()))
	srv := serveAfar(t, b, Config{Door: door}, false)
	c := browserOf(t, srv)
	ask(t, c, "POST", srv.URL+"/signin", url.Values{"name": {"aud"}, "password": {password}})
	res, err := c.Get(srv.URL + "/events/status")
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	defer res.Body.Close()
	ask(t, c, "POST", srv.URL+"/signout", nil)
	b.set(cut(time.Now()))
	ended := make(chan string)
	go func() {
		text, _ := io.ReadAll(res.Body)
		ended <- string(text)
	}()
	select {
	case text := <-ended:
		if strings.Contains(text, "primary is down") {
			t.Error("news after signing out")
		}
	case <-time.After(10 * time.Second):
		t.Error("the stream goes on after signing out")
	}
	open := serveAfar(t, b, Config{Door: access.NewDoor(access.Config{Elsewhere: access.Viewer})}, false)
	if res, text := ask(t, browserOf(t, open), "GET", open.URL+"/", nil, "Accept", "text/html"); res.StatusCode != 200 || !strings.Contains(text, "You may look.") {
		t.Errorf("looking without signing in: %d", res.StatusCode)
	}
	if res, text := ask(t, browserOf(t, open), "POST", open.URL+"/api/v1/mute", url.Values{"device": {"camera"}, "on": {"true"}}); res.StatusCode != 401 || !strings.Contains(text, "Muting the room needs") {
		t.Errorf("acting without signing in: %d %s", res.StatusCode, text)
	}
}

// Over TLS with the site's own certificate browsers are told to stay there; with one that the box made they are not, for they could not come back.
func TestStrictTransport(t *testing.T) {
	for _, own := range []bool{false, true} {
		s := server(t, newBox(healthy(time.Now())), Config{HSTS: own})
		for _, secure := range []bool{false, true} {
			r := httptest.NewRequest("GET", "http://127.0.0.1/healthz", nil)
			if secure {
				r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if got := w.Header().Get("Strict-Transport-Security") != ""; got != (own && secure) {
				t.Errorf("own certificate %v, TLS %v: HSTS %v", own, secure, got)
			}
		}
	}
}
