package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scanside/agent"
	"scanside/lab/soundcard"
)

// soundCards is a sound server that this process uses. It skips the test where that cannot be.
func soundCards(t *testing.T, needed ...string) *soundcard.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes half a minute of real time")
	}
	for _, program := range append(needed, "pulseaudio", "pactl", "pacat", "parec") {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	cards, err := soundcard.Start(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cards.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, v := range cards.Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	return cards
}

// runWithSound runs an agent whose far end is not there with the devices that cfg names, as `scanside run` does, and says where its page is.
func runWithSound(t *testing.T, cfg agent.Config) (agent.Status, agent.Loudspeaker) {
	t.Helper()
	cfg.Site = "demo"
	cfg.FarEnd = agent.FarEnd{URL: "http://127.0.0.1:9", Token: "token"}
	cfg.Uplinks = []agent.Uplink{{Name: "primary", Address: "127.0.0.2"}}
	cfg.Video.Width, cfg.Video.Height = 320, 180
	log := slog.New(slog.DiscardHandler)
	captured, err := sources(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	speaker, ear, err := loudspeaker(cfg, captured, log)
	if err != nil {
		t.Fatal(err)
	}
	a, err := agent.New(cfg, agent.Parts{Sources: captured, Loudspeaker: speaker, Ear: ear})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	page := httptest.NewServer(a.Handler())
	t.Cleanup(func() { page.Close(); cancel(); <-done })
	at := cfg.Status
	at.StateDir = cfg.StateDir
	at.Listen = page.Listener.Addr().String()
	return at, speaker
}

// `scanside devices` says which microphone the agent uses, why, and which trace was kept of it; the trace replays to what was decided,
// and its record proves it.
func TestDevicesCommand(t *testing.T) {
	cards := soundCards(t)
	const table, spare = "table", "spare"
	if err := errors.Join(cards.PlugMicrophone(t.Context(), table), cards.PlugMicrophone(t.Context(), spare)); err != nil {
		t.Fatal(err)
	}
	cfg := agent.DefaultConfig()
	cfg.StateDir = t.TempDir()
	cfg.Camera.Device, cfg.Loudspeaker.Device = deviceTest, deviceNone
	cfg.Microphone.Devices = []string{soundcard.PCM(table), soundcard.PCM(spare)}
	at, _ := runWithSound(t, cfg)

	told := func() string {
		st, err := agentStatus(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := (&pluggedIn{InUse: usedIn(st)}).WriteText(&out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	until := func(says string) {
		t.Helper()
		for deadline := time.Now().Add(patience); !strings.Contains(told(), says); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("it does not say %q, but:\n%s", says, told())
			}
		}
	}
	until("the agent's microphone: " + soundcard.PCM(table))
	until("1. " + soundcard.PCM(table) + ": ")
	if err := cards.Pull(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	until("the agent's microphone: " + soundcard.PCM(spare))
	until("is used because")
	until("-device-microphone.trace")

	traces, err := filepath.Glob(filepath.Join(cfg.StateDir, "traces", "*-device-microphone.trace"))
	if err != nil || len(traces) == 0 {
		t.Fatalf("traces %q, %v", traces, err)
	}
	for _, trace := range traces {
		if err := (&replayCommand{Trace: trace, Quiet: true}).Run(); err != nil {
			t.Errorf("%s: %v", trace, err)
		}
	}
	text, err := os.ReadFile(traces[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(traces[0], append(text, "1 device2 -> device1\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&replayCommand{Trace: traces[0], Quiet: true}).Run(); !errors.Is(err, errNotTheSame) {
		t.Errorf("a trace that was changed: %v", err)
	}
}

// Without an agent the list is still made, and says what is not known.
func TestDevicesWithoutAgent(t *testing.T) {
	p := pluggedIn{}
	p.ask(t.Context(), filepath.Join(t.TempDir(), "config.yaml"))
	if !strings.Contains(p.Agent, "was not asked") || p.InUse == nil {
		t.Errorf("%+v", p)
	}
}
