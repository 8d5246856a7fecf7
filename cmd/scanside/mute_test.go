package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scanside/agent"
)

// The command turns the mutes of an agent that runs, and says what is true; and what to do when there is none.
func TestMuteCommand(t *testing.T) {
	cfg := agent.DefaultConfig()
	cfg.Site, cfg.StateDir = "demo", t.TempDir()
	cfg.FarEnd = agent.FarEnd{URL: "http://127.0.0.1:9", Token: "token"}
	cfg.Uplinks = []agent.Uplink{{Name: "primary", Address: "127.0.0.2"}}
	a, err := agent.New(cfg, agent.Parts{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	defer func() { cancel(); <-done }()
	page := httptest.NewServer(a.Handler())
	defer page.Close()
	at := cfg.Status
	at.Listen, at.StateDir = page.Listener.Addr().String(), cfg.StateDir

	var out strings.Builder
	if err := mute(t.Context(), at, "camera", true, &out); err != nil || !strings.HasPrefix(out.String(), "The camera is muted: ") {
		t.Fatalf("on: %v, %q", err, out.String())
	}
	if _, err := os.Stat(filepath.Join(cfg.StateDir, "camera-muted")); err != nil {
		t.Errorf("acknowledged and not on disk: %v", err)
	}
	if err := mute(t.Context(), at, "camera", false, &out); err != nil || !strings.HasSuffix(out.String(), "The camera may be opened again.\n") {
		t.Fatalf("off: %v, %q", err, out.String())
	}
	if _, err := os.Stat(filepath.Join(cfg.StateDir, "camera-muted")); err == nil {
		t.Error("lifted and still on disk")
	}
	if err := os.WriteFile(filepath.Join(cfg.StateDir, "console-key"), []byte("another\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Whoever has no key is the box's own screen, which may do this much.
	if err := mute(t.Context(), at, "camera", true, &out); err != nil {
		t.Errorf("with another run's key: %v", err)
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	at.Listen = closed.Listener.Addr().String()
	closed.Close()
	if err := mute(t.Context(), at, "camera", true, &out); err == nil || !strings.Contains(err.Error(), "is it running") {
		t.Errorf("no agent: %v", err)
	}
	at.Listen = ""
	if err := mute(t.Context(), at, "camera", true, &out); err == nil || !strings.Contains(err.Error(), "use the room's key") {
		t.Errorf("no page: %v", err)
	}
}
