package agent

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scanside/media"
)

// Who looks in is announced once, the light burns while he may watch, and goes out with the agent.
func TestWatchedIsAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		speaker := &cone{}
		speaker.state.Health = media.Health{OK: true}
		a, err := New(lonely(t), Parts{Loudspeaker: speaker})
		if err != nil {
			t.Fatal(err)
		}
		defer a.back.out[media.Voice].Close()
		l := a.loop
		now := time.Now()
		l.present = &presence{Present: true, Supervisors: []supervisor{{Name: "Dr Moss", Sees: true}}, Watchers: []watcher{{"Dr Moss", "supervisor"}, {"Fern", "observer"}}, heard: now}
		l.lookIn(now)
		if !a.lamp.on.Load() || l.watched.sounds != 1 {
			t.Errorf("light %v, %d sounds", a.lamp.on.Load(), l.watched.sounds)
		}
		if text := l.tale.events[0].Text; text != "A sound announced Dr Moss, Fern to the room." {
			t.Errorf("the story: %q", text)
		}
		if speaker.tones != 1 || l.watched.silent != 0 {
			t.Errorf("the loudspeaker played %d, the screen %d", speaker.tones, l.watched.silent)
		}
		l.present = &presence{heard: now.Add(20 * time.Second)}
		l.lookIn(now.Add(20 * time.Second))
		if a.lamp.on.Load() || l.watched.sounds != 1 {
			t.Errorf("nobody left: light %v, %d sounds", a.lamp.on.Load(), l.watched.sounds)
		}
		speaker.state.Health = media.Health{Reason: "it is not plugged in"}
		late := now.Add(2 * time.Minute)
		l.present = &presence{Watchers: []watcher{{"Reed", "observer"}}, heard: late}
		l.lookIn(late)
		if v := l.viewWatched(); speaker.tones != 1 || v.Sounds != 2 || v.OnScreen != 1 {
			t.Errorf("without its loudspeaker: played %d, %+v", speaker.tones, v)
		}
		l.lookIn(late.Add(time.Minute)) // the word is too old, but no uplink works: nobody can look in
		if a.lamp.on.Load() {
			t.Error("the light burns although nothing leaves the room")
		}
	})
}

func TestLamp(t *testing.T) {
	for most, bright := range map[string]string{"255\n": "255", "": "1", "rubbish": "1"} {
		dir := t.TempDir()
		file := filepath.Join(dir, "brightness")
		os.WriteFile(file, []byte("127\n"), 0o600)
		if most != "" {
			os.WriteFile(filepath.Join(dir, "max_brightness"), []byte(most), 0o600)
		}
		synctest.Test(t, func(t *testing.T) {
			l := newLamp(file)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); l.Run(ctx) }()
			shows := func(what, want string) {
				t.Helper()
				synctest.Wait()
				if text, err := os.ReadFile(file); strings.TrimSpace(string(text)) != want || err != nil {
					t.Errorf("%s: the file says %q (%v), want %q", what, text, err, want)
				}
			}
			shows("at first", "0")
			l.set(true)
			shows("watched", bright)
			os.WriteFile(file, []byte("0\n"), 0o600)
			time.Sleep(lampAgain)
			shows("somebody else put it out", bright)
			os.Remove(file)
			l.set(false)
			synctest.Wait()
			if l.trouble.Load() == nil {
				t.Error("a light that is gone is not said")
			}
			if _, err := os.Stat(file); err == nil {
				t.Error("a file was made where a light should be")
			}
			os.WriteFile(file, nil, 0o600)
			l.set(true)
			shows("it came back", bright)
			cancel()
			<-done
			shows("ended", "0")
			if l.trouble.Load() != nil {
				t.Errorf("trouble: %s", *l.trouble.Load())
			}
		})
	}
}

// The sound can be heard and does not clip.
func TestChime(t *testing.T) {
	pcm, most := chime(), 0
	for _, v := range pcm {
		most = max(most, int(v), -int(v))
	}
	if seconds := float64(len(pcm)) / media.ToneRate; seconds < 0.5 || seconds > 1.5 || most < 6000 || most > 24000 {
		t.Errorf("%.2f s, at most %d of 32767", seconds, most)
	}
	if end := pcm[len(pcm)-1]; end < -200 || end > 200 {
		t.Errorf("it ends with a click: %d", end)
	}
}
