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
	cfg.Status.TokenFile = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(cfg.Status.TokenFile, []byte("0123456789abcdef0123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
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
	at.Listen = page.Listener.Addr().String()

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
	at.TokenFile = ""
	if err := mute(t.Context(), at, "camera", true, &out); err == nil || !strings.Contains(err.Error(), "the agent refused (401): Sign in") {
		t.Errorf("without the token: %v", err)
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
