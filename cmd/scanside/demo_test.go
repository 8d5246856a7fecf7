package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"scanside/agent/status"
)

// patience bounds waits for what takes a second or two; only something broken uses it up.
const patience = time.Minute

// The demo as a person has it: follow the one-time link, cut the primary, read what happened, mend it, end it.
func TestDemo(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(t.Context())
	told, out := io.Pipe()
	ended := make(chan error, 1)
	demo := demoCommand{Camera: deviceTest, Microphone: deviceTest, Loudspeaker: deviceNone, Status: "127.0.0.1:0", Console: "127.0.0.1:0"}
	go func() { ended <- demo.run(ctx, out) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the demo ended with: %v", err)
		}
	}()

	page, console, code := pages(t, told)
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	defer client.CloseIdleConnections()
	res, err := client.PostForm(console+"/signin/once", url.Values{"code": {code}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res, err = client.Get(console + "/api/v1/rooms"); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the rooms after the one-time link: %v, %v", res, err)
	}
	res.Body.Close()

	wait(t, client, page, "both uplinks carry the picture", func(s *status.Status) bool {
		return len(s.Streams) == 2 && len(s.Streams[1].Route) == 2 && s.Streams[1].Received > 100
	})
	press(t, client, page, "primary/cut")
	after := wait(t, client, page, "the story of the cut", func(s *status.Status) bool {
		return len(s.Switchovers) > 0 && s.Switchovers[0].Settled && strings.Contains(s.Switchovers[0].Sentence, "moved from primary to cellular")
	})
	if lost := after.Switchovers[0].Lost; !lost.Known || lost.Voice+lost.Video > 0 {
		t.Errorf("what the far end lost: %+v", lost)
	}
	for _, what := range []string{"primary/restore", "cellular/loss", "cellular/delay", "cellular/restore"} {
		press(t, client, page, what)
	}
	wait(t, client, page, "both uplinks carry the picture again", func(s *status.Status) bool { return len(s.Streams[1].Route) == 2 })
}

func pages(t *testing.T, told io.Reader) (page, console, code string) {
	t.Helper()
	var text strings.Builder
	links := regexp.MustCompile(`(http://\S+)/\s[^$]*(http://\S+)/signin/once\?code=(\S+)\s[^$]*Ctrl-C`)
	buf := make([]byte, 4096)
	for {
		n, err := told.Read(buf)
		text.Write(buf[:n])
		if m := links.FindStringSubmatch(text.String()); m != nil {
			return m[1], m[2], m[3]
		}
		if err != nil {
			t.Fatalf("the demo told %q", text.String())
		}
	}
}

func press(t *testing.T, client *http.Client, page, what string) {
	t.Helper()
	res, err := client.Post(page+"/api/v1/demo/"+what, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		t.Errorf("%s: %s", what, res.Status)
	}
}

func wait(t *testing.T, client *http.Client, page, what string, is func(*status.Status) bool) *status.Status {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		s, err := read(client, page)
		switch {
		case err == nil && is(s):
			return s
		case time.Now().After(deadline):
			t.Fatalf("%s: not within %v (%v)", what, patience, err)
		}
	}
}

func read(client *http.Client, page string) (*status.Status, error) {
	res, err := client.Get(page + "/api/v1/status")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status: %s", res.Status)
	}
	s := &status.Status{}
	return s, json.NewDecoder(res.Body).Decode(s)
}
