package agent

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scanside/link"
)

// callBook is a far end's book of who called when.
type callBook struct {
	mu    sync.Mutex
	begun time.Time
	posts []time.Duration
	other []string
}

func (b *callBook) note(r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Method == http.MethodPost {
		b.posts = append(b.posts, time.Since(b.begun))
	} else if !strings.Contains(r.URL.Path, "presence") {
		b.other = append(b.other, r.Method+" "+r.URL.Path)
	}
}

// A far end that does not do its part is named in words on the page, is tried again at a decent pace, and harms nothing else.
func TestBadFarEnds(t *testing.T) {
	refuse := func(code int, header, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if k, v, ok := strings.Cut(header, ": "); ok {
				w.Header().Set(k, v)
			}
			w.WriteHeader(code)
			w.Write([]byte(body))
		}
	}
	const problem = "Content-Type: application/problem+json"
	for _, c := range []struct {
		name       string
		far        http.Handler // nil: nobody listens
		text, hint string
		least      int // attempts per uplink in a minute
		most       int
	}{
		{"500", refuse(500, "", "oops"), "the far end is in trouble (it answered 500)", "tried again by itself", 6, 14},
		{"503 with Retry-After", refuse(503, "Retry-After: 20", ""), "the far end is in trouble (it answered 503)", "tried again by itself", 3, 3},
		{"401", refuse(401, "", ""), "the far end refuses this site's token", "far_end.token_file", 3, 11},
		{"404", refuse(404, "", ""), "the far end does not know this site", "Check site and far_end.url", 3, 11},
		{"409 other box", refuse(409, problem, `{"type":"urn:scanside:problem:other-box","title":"Site mri-2 is served by another box."}`), "another box is serving this site", "Stop the other box", 6, 14},
		{"409 old run", refuse(409, problem, `{"type":"urn:scanside:problem:old-run"}`), "a newer run of this box has taken over", "stop one", 3, 11},
		{"garbage for an answer", refuse(201, "Content-Type: application/sdp\r\nLocation: /x", "garbage"), "", "", 5, 100},
		{"nobody listens", nil, "connection refused", "", 20, 100},
		{"never answers", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() }), "no answer from the far end within 6 s", "Check cable, modem and firewall", 5, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				calls := &callBook{begun: time.Now()}
				if c.far != nil {
					defer w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
						if strings.Contains(r.URL.Path, "/whip/") {
							calls.note(r)
						}
						c.far.ServeHTTP(rw, r)
					}))()
				}
				a, stop := w.start(w.config())
				defer stop()
				time.Sleep(time.Minute)
				s := a.Snapshot()
				for _, u := range s.Status.Uplinks {
					if u.Connected || u.Dial == nil || u.Level != "bad" || !strings.Contains(u.Reason, c.text) || !strings.Contains(u.Why, c.hint) {
						t.Errorf("%s: %s %q %q", u.Name, u.Words, u.Reason, u.Why)
					}
					if u.Dial != nil && (u.Dial.Attempts < c.least || u.Dial.Attempts > c.most) {
						t.Errorf("%s: %d attempts in a minute, want %d to %d", u.Name, u.Dial.Attempts, c.least, c.most)
					}
				}
				ids := []string{}
				for _, p := range s.Status.Problem {
					ids = append(ids, p.ID)
				}
				if !slices.Contains(ids, "uplink-down:primary") || !slices.Contains(ids, "uplink-down:cellular") {
					t.Errorf("problems %q", ids)
				}
				if s.Status.Streams[0].Packets < 2900 || s.Status.Streams[1].Packets < 10000 {
					t.Errorf("the sources stopped: %d and %d packets", s.Status.Streams[0].Packets, s.Status.Streams[1].Packets)
				}
				if st := s.Status.Verdict; st.Qualifying || st.Level == "ok" {
					t.Errorf("the verdict is %+v", st)
				}
			})
		})
	}
}

// RFC 9725: Retry-After is the least.
func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		calls := &callBook{begun: time.Now()}
		defer w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("uplink") == "primary" {
				calls.note(r) // both halves are posted at once, and one refusal can keep the other from leaving
			}
			rw.Header().Set("Retry-After", "20")
			rw.WriteHeader(503)
		}))()
		_, stop := w.start(w.config())
		time.Sleep(2 * time.Minute)
		stop()
		calls.posts = slices.CompactFunc(calls.posts, func(a, b time.Duration) bool { return (b - a).Abs() < time.Second })
		for i := 1; i < len(calls.posts); i++ {
			if wait := calls.posts[i] - calls.posts[i-1]; wait < 20*time.Second || wait > 26*time.Second {
				t.Errorf("attempt %d came %v after the one before", i+1, wait)
			}
		}
		if len(calls.posts) < 5 {
			t.Errorf("%d attempts", len(calls.posts))
		}
	})
}

// What an earlier run left open at the far end is ended before the first POST, and forgotten only when that worked.
func TestLeftSessionsAreEndedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		calls := &callBook{begun: time.Now()}
		var failing = true
		defer w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			calls.mu.Lock()
			if !strings.Contains(r.URL.Path, "presence") {
				calls.other = append(calls.other, r.Method+" "+r.URL.Path)
			}
			fail := failing
			calls.mu.Unlock()
			switch {
			case r.Method == http.MethodDelete && r.Header.Get("Authorization") != "Bearer "+w.token:
				rw.WriteHeader(401)
			case fail || r.Method != http.MethodDelete:
				rw.WriteHeader(500)
			}
		}))()
		cfg := w.config()
		cfg.Uplinks = cfg.Uplinks[:1]
		if err := os.MkdirAll(filepath.Join(w.dir, "sessions"), 0o700); err != nil {
			t.Fatal(err)
		}
		left := filepath.Join(w.dir, "sessions", "primary")
		if err := os.WriteFile(left, []byte("http://far/session/1\nhttp://far/session/2\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, stop := w.start(cfg)
		defer stop()
		time.Sleep(100 * time.Millisecond)
		calls.mu.Lock()
		first := slices.Sorted(slices.Values(calls.other[:2]))
		failing = false
		calls.mu.Unlock()
		if want := []string{"DELETE /session/1", "DELETE /session/2"}; !slices.Equal(first, want) {
			t.Errorf("first %q, want %q", first, want)
		}
		if _, err := os.Stat(left); err != nil {
			t.Errorf("forgotten though the far end did not take it: %v", err)
		}
		time.Sleep(20 * time.Second)
		if _, err := os.Stat(left); err == nil {
			t.Error("still remembered though the far end took it")
		}
		calls.mu.Lock()
		defer calls.mu.Unlock()
		if n := len(slices.DeleteFunc(slices.Clone(calls.other), func(s string) bool { return !strings.HasPrefix(s, "DELETE") })); n < 4 {
			t.Errorf("%d DELETEs, want two tries of two", n)
		}
	})
}

// A session that cannot be ended is not tried for ever, and does not keep the others on the list.
func TestLeftSessionsAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var mu sync.Mutex
		tries := map[string]int{}
		stop := w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			tries[r.URL.Path]++
			switch r.URL.Path {
			case "/refused":
				rw.WriteHeader(403)
			case "/trouble":
				rw.WriteHeader(500)
			}
		}))
		fars := []place{{FarEnd: FarEnd{URL: "http://far", Token: "token"}}}
		u := &uplink{cfg: Uplink{Name: "primary"}, fars: fars, store: store{w.dir}, log: logger(t)}
		open := func(urls ...string) {
			for _, at := range urls {
				u.leave([]session{{0, at}})
			}
		}
		if err := u.store.open(); err != nil {
			t.Fatal(err)
		}
		cfg := link.Config{WHIP: "http://far/whip", WHEP: "http://far/whep", Token: "token", Net: w.hosts["primary"], Uplink: "primary"}
		for i := range mostLeft {
			open("http://far/old/" + string(rune('a'+i)))
		}
		open("http://far/refused", "http://far/trouble", "http://far/fine")
		if len(u.left) != mostLeft || u.left[mostLeft-1].url != "http://far/fine" {
			t.Errorf("the list is %v", u.left)
		}
		for want := range forgetTries {
			if got := tries["/trouble"]; got != want {
				t.Errorf("%d tries, want %d", got, want)
			}
			if want > 0 && !slices.Equal(u.left, []session{{0, "http://far/trouble"}}) {
				t.Errorf("after %d tries %v are left", want, u.left)
			}
			u.forget(t.Context(), cfg, 0)
		}
		if len(u.left)+len(u.store.sessions("primary", fars))+len(u.tries) != 0 || tries["/refused"] != 1 || tries["/fine"] != 1 {
			t.Errorf("left %v, tries %v", u.left, tries)
		}
		// Silence counts only when the dial says that the network is well.
		stop()
		open("http://far/silent")
		for range 2 * forgetTries {
			if silent := u.forget(t.Context(), cfg, 0); len(silent) != 1 || len(u.left) != 1 {
				t.Fatalf("silent %v, left %v", silent, u.left)
			}
		}
		for range forgetTries {
			u.giveUp(u.forget(t.Context(), cfg, 0))
		}
		if len(u.left) != 0 {
			t.Errorf("left %v", u.left)
		}
	})
}
