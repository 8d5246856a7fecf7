package status

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// request is one row of the route tables.
type request struct {
	name, method, path string
	header             map[string]string
	body               string
	code               int
	contains           string
}

func run(t *testing.T, h http.Handler, rows []request) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequest(row.method, row.path, strings.NewReader(row.body))
			r.Host = "127.0.0.1:8480"
			for k, v := range row.header {
				if k == "Host" {
					r.Host = v
					continue
				}
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != row.code || !strings.Contains(w.Body.String(), row.contains) {
				t.Errorf("%s %s: %d, want %d with %q; body: %.300s", row.method, row.path, w.Code, row.code, row.contains, w.Body)
			}
			if w.Header().Get("Content-Security-Policy") == "" && w.Code != http.StatusMisdirectedRequest {
				t.Error("no content security policy")
			}
		})
	}
}

func server(t *testing.T, b Box, cfg Config) *Server {
	t.Helper()
	if cfg.Room == nil {
		cfg.Room = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "room "+r.Method) })
	}
	cfg.Metrics = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "metrics") })
	s, err := New(b, quiet(cfg))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRoutes(t *testing.T) {
	b := newBox(healthy(time.Now()))
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	run(t, server(t, b, Config{Names: []string{"box.example.org"}}), []request{
		{"page", "GET", "/", nil, "", 200, "Dr Ada Example sees and hears the room"},
		{"room page", "GET", "/room", nil, "", 200, "Can see this room: Dr Ada Example"},
		{"status", "GET", "/api/v1/status", nil, "", 200, `"qualifying": true`},
		{"health", "GET", "/healthz", nil, "", 200, `{"status":"ok"}`},
		{"metrics", "GET", "/metrics", nil, "", 200, "metrics"},
		{"room media", "POST", "/room/whep", nil, "v=0", 200, "room POST"},
		{"room session", "DELETE", "/room/session/1", nil, "", 200, "room DELETE"},
		{"script", "GET", "/assets/status.js", nil, "", 200, "import"},
		{"style", "GET", "/assets/status.css", nil, "", 200, ":root"},
		{"template is no document", "GET", "/assets/status.html", nil, "", 404, ""},
		{"no way out of the folder", "GET", "/assets/..%2fserver.go", nil, "", 400, ""},
		{"nothing else", "GET", "/admin", nil, "", 404, ""},
		{"page is read", "POST", "/", nil, "", 405, ""},
		{"pin", "POST", "/api/v1/pin", form, "uplink=cellular", 204, ""},
		{"pin by JSON", "POST", "/api/v1/pin", map[string]string{"Content-Type": "application/json"}, `{"uplink":"primary"}`, 204, ""},
		{"pin by bad JSON", "POST", "/api/v1/pin", map[string]string{"Content-Type": "application/json"}, `[`, 400, "urn:scanside:problem:bad-request"},
		{"pin without script", "POST", "/api/v1/pin", map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}, "uplink=", 303, ""},
		{"the room elsewhere", "POST", "/api/v1/far-end", form, "far_end=b.example.org", 204, ""},
		{"the room nowhere", "POST", "/api/v1/far-end", form, "far_end=c.example.org", 404, "urn:scanside:problem:unknown-far-end"},
		{"a procedure opens", "POST", "/api/v1/procedure", map[string]string{"Content-Type": "application/json"}, `{"open":true}`, 204, ""},
		{"a procedure closes by the button", "POST", "/api/v1/procedure", form, "open=false", 204, ""},
		{"a procedure, but what of it", "POST", "/api/v1/procedure", map[string]string{"Content-Type": "application/json"}, `{"open":"perhaps"}`, 400, "urn:scanside:problem:bad-request"},
		{"a procedure, nothing said", "POST", "/api/v1/procedure", form, "", 400, "urn:scanside:problem:bad-request"},
		{"another site's procedure", "POST", "/api/v1/procedure", map[string]string{"Content-Type": form["Content-Type"], "Origin": "https://evil.example"}, "open=false", 403, ""},
		{"pin is no link", "GET", "/api/v1/pin", nil, "", 405, ""},
		{"look at one", "POST", "/api/v1/examine", form, "uplink=cellular", 204, ""},
		{"look at one, another site's", "POST", "/api/v1/examine", map[string]string{"Content-Type": form["Content-Type"], "Origin": "https://evil.example"}, "uplink=cellular", 403, ""},
		{"cut", "POST", "/api/v1/demo/primary/cut", form, "", 204, ""},
		{"unknown drill", "POST", "/api/v1/demo/primary/burn", form, "", 404, "unknown-impairment"},
		{"another site's form", "POST", "/api/v1/pin", map[string]string{"Content-Type": form["Content-Type"], "Origin": "https://evil.example"}, "uplink=cellular", 403, ""},
		{"another site's script", "POST", "/api/v1/demo/primary/cut", map[string]string{"Sec-Fetch-Site": "cross-site"}, "", 403, ""},
		{"rebound name", "GET", "/", map[string]string{"Host": "evil.example"}, "", 421, "does not go by that name"},
		{"rebound name, health too", "GET", "/healthz", map[string]string{"Host": "evil.example:8480"}, "", 421, ""},
		{"own name", "GET", "/", map[string]string{"Host": "Box.example.org:8480"}, "", 200, ""},
		{"localhost", "GET", "/", map[string]string{"Host": "localhost:8480"}, "", 200, ""},
		{"IPv6", "GET", "/", map[string]string{"Host": "[::1]:8480"}, "", 200, ""},
	})
	if want := []string{"cellular", "primary", ""}; !slices.Equal(b.pinned, want) {
		t.Errorf("pinned %q, want %q", b.pinned, want)
	}
	if want := []bool{true, false}; !slices.Equal(b.opened, want) {
		t.Errorf("procedure %v, want %v", b.opened, want)
	}
	if want := []string{"examine cellular", "primary cut"}; !slices.Equal(b.broken, want) {
		t.Errorf("broken %q, want %q", b.broken, want)
	}
}

func TestRefusals(t *testing.T) {
	b := newBox(healthy(time.Now()))
	s := server(t, b, Config{})
	for _, row := range []struct {
		err  error
		code int
	}{{ErrUnknown, 404}, {ErrNotDemo, 404}, {errors.New("the emulator is gone"), 500}} {
		b.err = row.err
		run(t, s, []request{
			{row.err.Error(), "POST", "/api/v1/demo/primary/cut", nil, "", row.code, row.err.Error()},
			{row.err.Error() + ", pin", "POST", "/api/v1/pin", nil, "", row.code, row.err.Error()},
		})
	}
}

// The process's health is the loop's: a snapshot that grows old means that it is stuck, whatever the network does.
func TestHealthWhenStuck(t *testing.T) {
	run(t, server(t, newBox(healthy(time.Now().Add(-time.Minute))), Config{}), []request{
		{"stuck", "GET", "/healthz", nil, "", 503, "stuck"},
		{"no old news on the page", "GET", "/", nil, "", 200, "NO DATA FROM BOX"},
		{"nor on the room's", "GET", "/room", nil, "", 200, "NO DATA FROM BOX"},
		{"nor in the document", "GET", "/api/v1/status", nil, "", 200, `"state": "UNKNOWN"`},
	})
}

// The document is for programs: lists are never null, and what the doc promises is there.
func TestStatusDocument(t *testing.T) {
	for name, st := range map[string]*Status{"healthy": healthy(time.Now()), "cut": cut(time.Now()), "empty": empty(time.Now())} {
		text, err := json.Marshal(st)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"problems", "uplinks", "streams", "return", "switchovers", "events"} {
			if _, list := doc[key].([]any); !list {
				t.Errorf("%s: %s is %v", name, key, doc[key])
			}
		}
	}
	// Names are small letters, and every field has one.
	var all func(reflect.Type)
	seen := map[string]bool{}
	all = func(typ reflect.Type) {
		for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() || seen[typ.Name()] {
			return
		}
		seen[typ.Name()] = true
		for i := range typ.NumField() {
			if tag := typ.Field(i).Tag.Get("json"); tag == "" || strings.ToLower(tag) != tag {
				t.Errorf("%s.%s has the JSON name %q", typ.Name(), typ.Field(i).Name, tag)
			}
			all(typ.Field(i).Type)
		}
	}
	all(reflect.TypeFor[Status]())
}

// Both pages are whole without script.
func TestPagesWithoutScript(t *testing.T) {
	at := time.Now()
	for name, want := range map[string][]string{
		"cut": {"primary is down: it stopped answering.", "It stopped answering: 5 probes in a row were lost.", "voice and picture moved from primary to cellular because primary stopped answering; noticed in 120 ms, nothing was lost at the far end.",
			`action="/api/v1/demo/primary/restore"`, `aria-pressed="true">Cut`, "as of <time", at.Format("15:04:05"), "cellular is the last way out"},
		"empty": {"No way out of the room works.", "the interface eth0 does not exist", "no camera was found", "Neither a camera nor a microphone is there."},
	} {
		s := server(t, newBox(map[string]*Status{"cut": cut(at), "empty": empty(at)}[name]), Config{})
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/", nil))
		for _, text := range want {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: the page does not say %q", name, text)
			}
		}
		for _, inline := range []string{"style=", "onclick", "<style", "javascript:"} {
			if strings.Contains(w.Body.String(), inline) {
				t.Errorf("%s: the page has %q, which its own policy forbids", name, inline)
			}
		}
	}
}

// What comes from elsewhere is text, never markup.
func TestNamesAreEscaped(t *testing.T) {
	st := healthy(time.Now())
	st.FarEnd.People[0].Name = `<script>alert(1)</script>`
	st.Verdict.Sentence = `<img src=x onerror=alert(1)>`
	s := server(t, newBox(st), Config{})
	for _, path := range []string{"/", "/room"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1"+path, nil))
		if strings.Contains(w.Body.String(), "<script>alert") || strings.Contains(w.Body.String(), "<img src=x") {
			t.Errorf("%s carries markup from a name", path)
		}
	}
}

// Every stream gets the whole state at once and at each change, and is quiet otherwise but for a comment.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(healthy(time.Now()))
		s := server(t, b, Config{})
		for _, row := range []struct{ path, event, first, second string }{
			{"/api/v1/events", "event: status", `"verdict":{"state":"ENGAGED"`, `"id":"uplink-down:primary"`},
			{"/events/status", "event: page", "Dr Ada Example sees and hears", "primary is down"},
			{"/events/room", "event: page", "CONNECTED: Dr Ada Example", "CONNECTED: Dr Ada Example"},
		} {
			b.set(healthy(time.Now()))
			r, w := io.Pipe()
			ended := make(chan struct{})
			req := httptest.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1"+row.path, nil)
			go func() {
				defer close(ended)
				s.ServeHTTP(&pipeWriter{header: http.Header{}, w: w}, req)
			}()
			lines := bufio.NewReaderSize(r, 1<<20)
			got := readEvent(t, lines)
			if !strings.Contains(got, row.event) || !strings.Contains(got, row.first) {
				t.Errorf("%s: first event is %.200s", row.path, got)
			}
			asked := time.Now()
			if got := readEvent(t, lines); !strings.HasPrefix(got, ":") || time.Since(asked) < 14*time.Second {
				t.Errorf("%s: after %v without news came %.100s", row.path, time.Since(asked), got)
			}
			b.set(cut(time.Now()))
			if got := readEvent(t, lines); !strings.Contains(got, row.second) {
				t.Errorf("%s: the news is %.200s", row.path, got)
			}
			r.CloseWithError(errors.New("the browser is gone"))
			b.set(healthy(time.Now()))
			<-ended
			if s.Streams() != 0 {
				t.Errorf("%s: %d streams are left", row.path, s.Streams())
			}
		}
		if s.Dropped() != 3 {
			t.Errorf("%d clients were dropped, want 3", s.Dropped())
		}
	})
}

// A page too many is told so; the others go on.
func TestTooManyStreams(t *testing.T) {
	s := server(t, newBox(healthy(time.Now())), Config{})
	s.streams.Store(maxStreams)
	run(t, s, []request{{"one more", "GET", "/api/v1/events", nil, "", 503, "too-many-streams"}})
}

// pipeWriter is an answer that a test reads while it is written.
type pipeWriter struct {
	header http.Header
	w      io.Writer
}

func (p *pipeWriter) Header() http.Header         { return p.header }
func (p *pipeWriter) WriteHeader(int)             {}
func (p *pipeWriter) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p *pipeWriter) Flush()                      {}

// readEvent reads to the next empty line, and past "retry:".
func readEvent(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("reading the stream: %v", err)
		}
		if line == "\n" {
			if strings.HasPrefix(b.String(), "retry:") {
				b.Reset()
				continue
			}
			return b.String()
		}
		b.WriteString(line)
	}
}

// A client that announces a body and sends none, or that reads nothing, is let go; an event stream lives on.
func TestClientsThatHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(healthy(time.Now()))
		big := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1<<20)) })
		calls, closed := make(chan net.Conn), make(chan struct{})
		srv := &http.Server{Handler: server(t, b, Config{Metrics: big}), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
		go srv.Serve(pipes{calls, closed})
		defer srv.Close()
		ask := func(text string, read bool) (lasted time.Duration) {
			near, other := net.Pipe()
			defer near.Close()
			calls <- other
			start := time.Now()
			near.Write([]byte(text))
			if !read {
				time.Sleep(answerPatience + time.Second)
			}
			near.SetReadDeadline(time.Now().Add(2 * time.Minute))
			io.Copy(io.Discard, near)
			return time.Since(start)
		}
		const host = " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		if got := ask("GET /healthz"+host+"Content-Length: 10\r\n\r\n", true); got > bodyPatience+time.Second {
			t.Errorf("a body that never came held the connection for %v", got)
		}
		if got := ask("GET /metrics"+host+"\r\n", false); got > answerPatience+2*time.Second {
			t.Errorf("an answer that nobody read held the connection for %v", got)
		}
		if got := ask("GET /events/status"+host+"\r\n", true); got < 2*time.Minute {
			t.Errorf("an event stream ended after %v", got)
		}
	})
}

// pipes is a listener on pipes.
type pipes struct {
	calls  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }
