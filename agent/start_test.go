package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"scanside/link"
)

// run runs an agent on real sockets until the test ends.
func run(t *testing.T, cfg Config, parts Parts) *Agent {
	t.Helper()
	if parts.Log == nil {
		parts.Log = logger(t)
	}
	a, err := New(cfg, parts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var gone sync.WaitGroup
	gone.Go(func() { a.Run(ctx) })
	t.Cleanup(func() { cancel(); gone.Wait(); http.DefaultClient.CloseIdleConnections() })
	return a
}

func lonely(t *testing.T) Config {
	cfg := DefaultConfig()
	cfg.Site, cfg.StateDir = "mri-2", t.TempDir()
	cfg.FarEnd = FarEnd{URL: "https://gateway.invalid", Token: "token"}
	cfg.Uplinks = []Uplink{{Name: "primary", Interface: "absent0"}, {Name: "cellular", Interface: "absent1"}}
	cfg.Status.Listen = "127.0.0.1:0"
	return cfg
}

func get(t *testing.T, a *Agent, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + a.StatusAddr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// No camera, no network, no far end: the page is up at once and says so (G16). The time is printed, not asserted.
func TestPageBeforeAnything(t *testing.T) {
	begun := time.Now()
	a := run(t, lonely(t), Parts{})
	<-a.Ready()
	page := get(t, a, "/")
	t.Logf("page served %v after the start (aim: 200 ms)", time.Since(begun))
	for _, want := range []string{"Neither a camera nor a microphone is there.", "primary", "cellular", "The far end has not been reached since the box started."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	end := time.Now().Add(30 * time.Second)
	for !strings.Contains(page, "the interface absent0 does not exist") || !strings.Contains(page, "the interface absent1 does not exist") {
		if time.Now().After(end) {
			t.Fatalf("the page does not say which interfaces are absent:\n%s", page)
		}
		<-a.Snapshot().Superseded()
		page = get(t, a, "/")
	}
	if health := get(t, a, "/healthz"); !strings.Contains(health, "ok") {
		t.Errorf("the process works, whatever the network does; health says %q", health)
	}
}

// An address that is taken, or not up yet, is tried again.
func TestStatusListensLater(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := lonely(t)
	cfg.Status.Listen = taken.Addr().String()
	said := &listener{words: "cannot listen", heard: make(chan struct{})}
	a := run(t, cfg, Parts{Log: slog.New(slog.NewTextHandler(said, nil))})
	<-said.heard
	<-a.Snapshot().Superseded() // it works meanwhile
	select {
	case <-a.Ready():
		t.Error("ready, though its address is taken")
	default:
	}
	taken.Close()
	<-a.Ready()
	if page := get(t, a, "/healthz"); !strings.Contains(page, "ok") {
		t.Errorf("health: %s", page)
	}
}

// So is the media port of the room's page, and its failure is said once.
func TestScreensServeLater(t *testing.T) {
	var said bytes.Buffer
	a := &Agent{log: slog.New(slog.NewTextHandler(&said, nil))}
	a.cfg.Status.Listen = "127.0.0.1:8480"
	a.screens = newScreens(newReturnPath(), "run", slog.New(slog.DiscardHandler))
	defer a.screens.open.Close()
	tries, bound := 0, make(chan struct{})
	a.screens.bind = func(network, address string) (net.PacketConn, error) {
		if tries++; tries < 3 {
			return nil, errors.New("cannot assign requested address")
		}
		defer close(bound)
		return net.ListenPacket(network, address)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var gone sync.WaitGroup
	gone.Go(func() { a.serveScreens(ctx) })
	<-bound
	for a.screens.api.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	cancel()
	gone.Wait()
	if a.screens.api.Load() != nil {
		t.Error("the API outlives the agent")
	}
	if n := strings.Count(said.String(), "no picture yet"); n != 1 {
		t.Errorf("said %d times: %s", n, said.String())
	}
}

// listener is a log that waits for words.
type listener struct {
	words string
	heard chan struct{}
	once  sync.Once
}

func (l *listener) Write(line []byte) (int, error) {
	if strings.Contains(string(line), l.words) {
		l.once.Do(func() { close(l.heard) })
	}
	return len(line), nil
}

// A state directory that cannot be written is a problem on the page, not an end.
func TestStateDirectoryBroken(t *testing.T) {
	cfg := lonely(t)
	cfg.StateDir = filepath.Join(t.TempDir(), "file", "below")
	if err := os.WriteFile(filepath.Dir(cfg.StateDir), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a := run(t, cfg, Parts{})
	<-a.Ready()
	if page := get(t, a, "/"); !strings.Contains(page, "Nothing is kept over a restart") {
		t.Error("the page does not say that nothing is kept")
	}
}

// What cannot work is refused before anything starts, in words.
func TestNewRefuses(t *testing.T) {
	cfg := lonely(t)
	cfg.Uplinks = nil
	if _, err := New(cfg, Parts{}); err == nil || !strings.Contains(err.Error(), "uplinks") {
		t.Errorf("no uplinks: %v", err)
	}
	cfg = lonely(t)
	cfg.FarEnd.TLS.CAFile = filepath.Join(t.TempDir(), "none.pem")
	if _, err := New(cfg, Parts{}); err == nil || !strings.Contains(err.Error(), "ca_file") {
		t.Errorf("no such authority: %v", err)
	}
	a, err := New(lonely(t), Parts{Net: func(Uplink) (link.Net, error) { return nil, errors.New("none") }})
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := a.Run(over); err != nil {
		t.Errorf("a run that ends at once: %v", err)
	}
	if err := a.Run(over); err == nil {
		t.Error("ran twice")
	}
}

// systemd is told once that the box is ready, then that it lives, and that it stops; never anything about the network.
func TestNotify(t *testing.T) {
	var mu sync.Mutex
	var said []string
	cfg := lonely(t)
	a, err := New(cfg, Parts{Notify: func(s string) { mu.Lock(); defer mu.Unlock(); said = append(said, s) }, Log: logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var gone sync.WaitGroup
	gone.Go(func() { a.Run(ctx) })
	<-a.Ready()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-a.Snapshot().Superseded() {
		mu.Lock()
		ready := strings.Contains(strings.Join(said, " "), "READY=1")
		mu.Unlock()
		if ready {
			break
		}
	}
	cancel()
	gone.Wait()
	all := strings.Join(said, "\n")
	if strings.Count(all, "READY=1") != 1 || !strings.HasSuffix(all, "STOPPING=1") || !strings.Contains(all, "STATUS=") {
		t.Errorf("systemd was told\n%s", all)
	}
}

// atConsole is the agent's pages as a command on its machine has them.
func atConsole(a *Agent) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+a.ConsoleKey())
		a.Handler().ServeHTTP(w, r)
	})
}
