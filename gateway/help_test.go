package gateway

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"scanside/argon"
	"scanside/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testHash is of testPassword, at the least cost that is taken: race detection makes it dear.
var testHash = sync.OnceValue(func() string {
	h, err := argon.New(testPassword, argon.Cost{Memory: 19 << 10, Passes: 1, Lanes: 1})
	if err != nil {
		panic(err)
	}
	return h.String()
})

const testPassword = "correct horse battery"

// testConfig has two sites, with the tokens returned, a supervisor ada with a password, a supervisor bob and an observer eve
// without.
func testConfig(t testing.TB) (cfg Config, tokens []string) {
	t.Helper()
	for _, id := range []string{"north", "south"} {
		token, hash := NewSiteToken()
		tokens = append(tokens, token)
		cfg.Sites = append(cfg.Sites, Site{ID: id, Name: "Clinic " + id, TokenHash: hash})
	}
	cfg.Users = []User{
		{Name: "ada", DisplayName: "Dr Ada Example", Role: Supervisor, PasswordHash: testHash()},
		{Name: "bob", DisplayName: "Dr Bob Example", Role: Supervisor},
		{Name: "eve", DisplayName: "Eve Example", Role: Observer},
	}
	return cfg, tokens
}

// fixture is a gateway whose handler is served over loopback, without any media port but one nobody uses.
type fixture struct {
	*Gateway
	url    string
	tokens []string
	logs   *lockedBuffer
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	api, err := link.NewAPI(link.APIConfig{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	cfg, tokens := testConfig(t)
	cfg.Media = api
	logs := &lockedBuffer{}
	g, err := New(cfg, slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g.Handler())
	t.Cleanup(func() {
		g.close() // long answers end
		server.Close()
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		if err := api.Close(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return &fixture{g, server.URL, tokens, logs}
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// browser is an HTTP client with a cookie jar that does not follow redirects.
func browser(t testing.TB) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// signedInAs is a browser in which this user has signed in by a one-time code.
func (f *fixture) signedInAs(t testing.TB, user string) *http.Client {
	t.Helper()
	code, err := f.SignInCode(user)
	if err != nil {
		t.Fatal(err)
	}
	b := browser(t)
	res, err := b.PostForm(f.url+"/signin/once", url.Values{"code": {code}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing in %s: %s", user, res.Status)
	}
	return b
}

type reply struct {
	status int
	body   string
	header http.Header
}

func send(t testing.TB, c *http.Client, method, url, kind, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return reply{res.StatusCode, string(text), res.Header}
}
