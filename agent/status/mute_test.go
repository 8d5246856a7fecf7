package status

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// Anybody who may use the page can close a device; opening it again must come from the box itself.
func TestMuteIsLiftedOnlyInTheRoom(t *testing.T) {
	b := newBox(healthy(time.Now()))
	s, err := New(b, quiet(Config{}))
	if err != nil {
		t.Fatal(err)
	}
	lan := &net.TCPAddr{IP: net.ParseIP("192.0.2.10"), Port: 8480}
	for _, c := range []struct {
		story, from string
		to          net.Addr
		kind, body  string
		code        int
		told        string
	}{
		{"closed from afar", "198.51.100.7:999", lan, "form", "device=camera&on=true", http.StatusNoContent, "camera true"},
		{"opened from afar", "198.51.100.7:999", lan, "form", "device=camera&on=false", http.StatusForbidden, ""},
		{"opened from the next machine", "192.0.2.11:999", lan, "json", `{"device":"camera","on":false}`, http.StatusForbidden, ""},
		{"opened from an address that says nothing", "", lan, "form", "device=camera&on=false", http.StatusForbidden, ""},
		{"opened where the server does not know its own address", "192.0.2.10:999", nil, "form", "device=camera&on=false", http.StatusForbidden, ""},
		{"opened at the box's own screen", "127.0.0.1:999", lan, "form", "device=camera&on=false", http.StatusNoContent, "camera false"},
		{"likewise over IPv6", "[::1]:999", lan, "json", `{"device":"microphone","on":false}`, http.StatusNoContent, "microphone false"},
		{"opened by the command, at the box's own address", "192.0.2.10:999", lan, "form", "device=microphone&on=false", http.StatusNoContent, "microphone false"},
		{"neither on nor off", "127.0.0.1:999", lan, "form", "device=camera", http.StatusBadRequest, ""},
		{"rubbish", "127.0.0.1:999", lan, "json", `{"device":`, http.StatusBadRequest, ""},
		{"no such device", "127.0.0.1:999", lan, "form", "device=door&on=true", http.StatusNotFound, ""},
	} {
		t.Run(c.story, func(t *testing.T) {
			b.mu.Lock()
			b.muted = nil
			b.mu.Unlock()
			r := httptest.NewRequest("POST", "/api/v1/mute", strings.NewReader(c.body))
			r.Host, r.RemoteAddr = "192.0.2.10:8480", c.from
			r.Header.Set("Content-Type", map[string]string{"form": "application/x-www-form-urlencoded", "json": "application/json"}[c.kind])
			if c.to != nil {
				r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, c.to))
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			want := []string{}
			if c.told != "" {
				want = append(want, c.told)
			}
			if w.Code != c.code || !slices.Equal(b.muted, want) {
				t.Errorf("%d, the box was told %q; want %d, %q; %s", w.Code, b.muted, c.code, want, w.Body)
			}
			if c.code == http.StatusForbidden && !strings.Contains(w.Body.String(), "lifted in the room only") {
				t.Errorf("said: %s", w.Body)
			}
		})
	}
	// A page elsewhere cannot make the room's own browser do it.
	r := httptest.NewRequest("POST", "http://127.0.0.1:8480/api/v1/mute", strings.NewReader("device=camera&on=false"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.RemoteAddr = "127.0.0.1:999"
	w := httptest.NewRecorder()
	b.muted = nil
	if s.ServeHTTP(w, r); w.Code != http.StatusForbidden || len(b.muted) > 0 {
		t.Errorf("from another site: %d, %q", w.Code, b.muted)
	}
}
