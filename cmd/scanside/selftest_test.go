package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"scanside/agent"
	"scanside/lab/soundcard"
	"scanside/lab/speech"
)

// printed is what a command has printed so far; when it says what is waited for, something is done, once.
type printed struct {
	mu   sync.Mutex
	text strings.Builder
	on   string
	do   func()
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.Write(b)
	if p.do != nil && strings.Contains(p.text.String(), p.on) {
		go p.do()
		p.do = nil
	}
	return len(b), nil
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// `scanside devices test` with the real parts behind it: a loudspeaker and a microphone that hears it, through ALSA, a person who
// says something when he is asked to, and then a microphone that was pulled out.
func TestDevicesTestCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute of real time")
	}
	for _, needed := range []string{"pulseaudio", "pactl", "pacat", "parec", "espeak-ng"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip(err)
		}
	}
	const wall, table = "wall", "table"
	cards, err := soundcard.Start(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer cards.Close()
	for _, v := range cards.Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	if err := errors.Join(cards.PlugSpeaker(t.Context(), wall), cards.PlugMicrophone(t.Context(), table), cards.Room(t.Context(), wall, table)); err != nil {
		t.Fatal(err)
	}
	words, err := speech.Say(speech.American, speech.Person)
	if err != nil {
		t.Fatal(err)
	}

	cfg := agent.DefaultConfig()
	cfg.Site = "demo"
	cfg.FarEnd = agent.FarEnd{URL: "http://127.0.0.1:9", Token: "token"}
	cfg.Uplinks = []agent.Uplink{{Name: "primary", Address: "127.0.0.2"}}
	cfg.Camera.Device, cfg.Microphone.Device, cfg.Loudspeaker.Device = deviceTest, soundcard.PCM(table), soundcard.PCM(wall)
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
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	defer func() { cancel(); <-done }()
	page := httptest.NewServer(a.Handler())
	defer page.Close()
	at := cfg.Status
	at.Listen = page.Listener.Addr().String()

	for deadline := time.Now().Add(patience); !speaker.Playback().OK; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the loudspeaker does not play: %+v", speaker.Playback())
		}
	}
	out := &printed{on: "Say something now", do: func() { _ = cards.Say(ctx, table, words) }} // the rest of it is cut off by the end
	if err := testDevices(t.Context(), at, false, out); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	for _, line := range []string{"✓ camera: ", "✓ speaker-to-microphone: The microphone hears the loudspeaker", "✓ say-something: A voice was heard"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("it does not print %q:\n%s", line, out)
		}
	}

	if err := cards.Pull(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	out = &printed{}
	if err := testDevices(t.Context(), at, false, out); !errors.Is(err, errNotPassed) {
		t.Errorf("with the microphone pulled out: %v", err)
	}
	if !strings.Contains(out.String(), "✗ speaker-to-microphone: ") || !strings.Contains(out.String(), "  → ") {
		t.Errorf("with the microphone pulled out it prints:\n%s", out)
	}
}
