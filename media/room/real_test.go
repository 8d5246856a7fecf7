package room

import (
	"context"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"scanside/lab/soundcard"
)

// This test plays through ALSA's own library into a private sound server, whose cards can be pulled out.

func soundServer(t *testing.T) *soundcard.Server {
	t.Helper()
	for _, needed := range []string{"pulseaudio", "pactl", "parec"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip(err)
		}
	}
	s, err := soundcard.Start(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, v := range s.Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	return s
}

const patient = time.Minute // for what takes a second or two; only something broken uses it up

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	begun := time.Now()
	for ; !is(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > patient {
			t.Fatalf("not within %v: %s", patient, what)
		}
	}
	t.Logf("%5d ms until %s", time.Since(begun).Milliseconds(), what)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The room hears the physician by the second loudspeaker when the first is pulled out, and by the first again when it was plugged in
// again and nobody talks; a first one that is not there is never tried at the cost of the second.
func TestLoudspeakerPulledOut(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute of real time")
	}
	const wall, spare = "wall", "spare"
	cards := soundServer(t)
	must(t, cards.PlugSpeaker(t.Context(), wall))
	must(t, cards.PlugSpeaker(t.Context(), spare))
	spareHears, err := cards.RecordSpeaker(t.Context(), spare)
	must(t, err)
	wallHears, err := cards.RecordSpeaker(t.Context(), wall)
	must(t, err)

	l, err := New(Config{Devices: []string{soundcard.PCM(wall), soundcard.PCM(spare)}, Volume: 100, betterFor: time.Second, betterRest: 3 * time.Second})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- l.Run(ctx) }()
	var talks atomic.Bool
	go func() {
		p := &physician{}
		for tick := time.Tick(20 * time.Millisecond); ctx.Err() == nil; <-tick {
			if packet := p.packet(t); talks.Load() {
				_ = l.WriteRTP(packet) // it never fails
			}
		}
		done <- nil
	}()
	defer func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		_, _ = spareHears.Stop() // how late it was heard is not asked here
		_, _ = wallHears.Stop()
	}()
	uses := func(name string) func() bool {
		return func() bool { p := l.Playback(); return p.OK && strings.HasSuffix(p.Device, name) }
	}
	const loud = 2000 // the hum is 5657
	talks.Store(true)
	eventually(t, "the first plays", uses(wall))
	eventually(t, "the voice is heard from it", func() bool { return wallHears.Loud(200*time.Millisecond) > loud })

	must(t, cards.Pull(t.Context(), wall))
	eventually(t, "the voice is heard from the second", func() bool { return spareHears.Loud(200*time.Millisecond) > loud })
	eventually(t, "the second is said to play", uses(spare))

	talks.Store(false)
	opens := l.Playback().Opens
	for begun := time.Now(); time.Since(begun) < 8*time.Second; time.Sleep(50 * time.Millisecond) { // twice the time after which the first is tried
		if !uses(spare)() {
			t.Fatalf("the second gave way to a loudspeaker that is not there: %+v", l.Playback())
		}
	}
	if got := l.Playback().Opens; got != opens {
		t.Errorf("the second was opened %d times more", got-opens)
	}

	must(t, cards.PlugSpeaker(t.Context(), wall))
	eventually(t, "the first plays again", uses(wall))
	again, err := cards.RecordSpeaker(t.Context(), wall)
	must(t, err)
	talks.Store(true)
	eventually(t, "the voice is heard from it again", func() bool { return again.Loud(200*time.Millisecond) > loud })
	_, _ = again.Stop()
}
