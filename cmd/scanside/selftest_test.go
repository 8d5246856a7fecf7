package main

import (
	"errors"
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
	cards := soundCards(t, "espeak-ng")
	const wall, table = "wall", "table"
	if err := errors.Join(cards.PlugSpeaker(t.Context(), wall), cards.PlugMicrophone(t.Context(), table), cards.Room(t.Context(), wall, table)); err != nil {
		t.Fatal(err)
	}
	words, err := speech.Say(speech.American, speech.Person)
	if err != nil {
		t.Fatal(err)
	}

	cfg := agent.DefaultConfig()
	cfg.StateDir = t.TempDir() // the command's key lies there
	cfg.Camera.Device, cfg.Microphone.Device, cfg.Loudspeaker.Device = deviceTest, soundcard.PCM(table), soundcard.PCM(wall)
	at, speaker := runWithSound(t, cfg)
	for deadline := time.Now().Add(patience); !speaker.Playback().OK; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the loudspeaker does not play: %+v", speaker.Playback())
		}
	}
	out := &printed{on: "Say something now", do: func() { _ = cards.Say(t.Context(), table, words) }} // the rest of it is cut off by the end
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
