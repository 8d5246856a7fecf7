package agent

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"scanside/agent/status"
	"scanside/media"
	"scanside/media/synthetic"
)

// A mute is said to the room, ends supervision, outlives a restart and every reconnect, and is lifted by nothing but people.
func TestMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		defer func() { f.stop() }()
		cfg := w.config()
		a, stop := w.start(cfg)
		until(t, a, 20*time.Second, "both up", verdicts("up", "up"))
		box := boxed{a}
		if err := box.Mute(t.Context(), "ada", "microphone", true); err != nil {
			t.Fatal(err)
		}
		sent := a.source(media.Voice).frames.Load()
		until(t, a, time.Second, "one-way, by the microphone", func(s *Snapshot) bool {
			return s.Supervision.State.String() == "ONE_WAY" && s.Supervision.Reason.String() == "microphone_muted"
		})
		if err := box.Mute(t.Context(), "ada", "camera", true); err != nil {
			t.Fatal(err)
		}
		is := func(s *Snapshot) bool {
			return s.Supervision.State.String() == "PRIVACY" && !s.Supervision.Qualifying && s.Status.Verdict.Words == "CAMERA OFF" &&
				s.Status.Privacy.Camera.Muted && s.Status.Privacy.Microphone.Muted
		}
		s := until(t, a, time.Second, "privacy", is)
		var ids []string
		for _, p := range s.Status.Problem {
			ids = append(ids, p.ID)
		}
		if got := strings.Join(ids, " "); got != "microphone-muted camera-muted" {
			t.Errorf("problems %s", got)
		}
		time.Sleep(5 * time.Second)
		if now := a.source(media.Voice).frames.Load(); now != sent {
			t.Errorf("%d packets of a muted voice", now-sent)
		}

		// A far end that goes and comes back, both uplinks cut for a minute, a restart of the box.
		f.stop()
		f = w.gateway()
		for _, u := range []string{"primary", "cellular"} {
			w.cut(u, true)
		}
		until(t, a, 20*time.Second, "lost", func(s *Snapshot) bool { return s.Supervision.State.String() == "LOST" })
		time.Sleep(time.Minute)
		for _, u := range []string{"primary", "cellular"} {
			w.cut(u, false)
		}
		until(t, a, time.Minute, "privacy after a reconnect", is)
		stop()
		a, stop = w.start(cfg)
		defer func() { stop() }()
		until(t, a, 20*time.Second, "privacy after a restart", is)
		for _, k := range []media.Kind{media.Voice, media.Video} {
			if m, ok := a.source(k).src.(interface{ Muted() bool }); !ok || !m.Muted() {
				t.Errorf("%v: its source was not told to keep the device closed", k)
			}
		}
		if n := a.source(media.Voice).frames.Load(); n != 0 {
			t.Errorf("%d packets of a muted voice after a restart", n)
		}
		for _, d := range []string{"camera", "microphone"} {
			if err := (boxed{a}).Mute(t.Context(), "ada", d, false); err != nil {
				t.Fatal(err)
			}
		}
		until(t, a, 5*time.Second, "nothing muted, voice flows", func(s *Snapshot) bool {
			return !is(s) && s.Status.Streams[0].Level == status.OK && a.source(media.Voice).frames.Load() > 50
		})
	})
}

// What is not read for certain means muted; what cannot be kept is said; what cannot be lifted for good is not lifted.
func TestMuteOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := store{dir}
	now := time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)
	for _, on := range []bool{false, true, true, false, false, true} {
		if err := s.keepMute(media.Video, on, now); err != nil {
			t.Fatal(err)
		}
		if got := s.muted(media.Video); got.on != on || on && !got.since.Equal(now) || s.muted(media.Voice).on {
			t.Errorf("turned %v, on disk %+v, the microphone %+v", on, got, s.muted(media.Voice))
		}
	}
	for name, spoil := range map[string]func(path string) error{
		"torn":            func(p string) error { return os.WriteFile(p, nil, 0o600) },
		"rubbish":         func(p string) error { return os.WriteFile(p, []byte("\x00off"), 0o600) },
		"a folder":        func(p string) error { return os.Mkdir(p, 0o700) },
		"a loop of links": func(p string) error { return os.Symlink(p, p) },
	} {
		path := filepath.Join(dir, muteFile(media.Voice))
		os.Remove(path)
		if err := spoil(path); err != nil {
			t.Fatal(err)
		}
		if got := s.muted(media.Voice); !got.on || !got.since.IsZero() {
			t.Errorf("%s reads as %+v", name, got)
		}
	}

	cfg := lonely(t)
	cfg.StateDir = filepath.Join(dir, "state")
	voice := synthetic.NewVoice()
	a, err := New(cfg, Parts{Sources: []media.Source{voice}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(cfg.StateDir); err != nil {
		t.Fatal(err)
	}
	if err := a.mute(media.Voice, true, "ada"); err == nil || !strings.Contains(err.Error(), "is muted, but would not be after a restart") || !voice.Muted() {
		t.Errorf("a folder that is gone: %v, muted %v", err, voice.Muted())
	}
	if err := os.MkdirAll(filepath.Join(cfg.StateDir, muteFile(media.Voice), "not-empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := a.mute(media.Voice, false, "ada"); err == nil || !strings.Contains(err.Error(), "stays muted") || !voice.Muted() {
		t.Errorf("a file that cannot be removed: %v, muted %v", err, voice.Muted())
	}
}

// press is what the kernel gives for a key that is pressed and let go.
func press(code int) []byte {
	var all []byte
	for _, e := range [][3]int{{evKey, code, 1}, {evSynch, synReport, 0}, {evKey, code, 2}, {evSynch, synReport, 0}, {evKey, code, 0}, {evSynch, synReport, 0}} {
		all = append(all, inputEvent(e[0], e[1], e[2])...)
	}
	return all
}

func inputEvent(kind, code, value int) []byte {
	raw := make([]byte, eventTime, eventSize)
	raw = binary.NativeEndian.AppendUint16(raw, uint16(kind))
	raw = binary.NativeEndian.AppendUint16(raw, uint16(code))
	return binary.NativeEndian.AppendUint32(raw, uint32(value))
}

// The key through a pipe that stands for the device: it turns both ways, a repeat is no press, and its going changes nothing.
func TestMuteKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "event0")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := lonely(t)
	cfg.Room.MuteKey = MuteKey{Device: path, Camera: 113, Microphone: 248}
	voice, video := synthetic.NewVoice(), synthetic.NewVideo(synthetic.VideoConfig{})
	a := run(t, cfg, Parts{Sources: []media.Source{voice, video}})
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_RDWR, 0) // a pipe that is never without a writer
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	is := func(what string, voiceMuted, videoMuted bool) {
		t.Helper()
		s := until(t, a, 20*time.Second, what, func(s *Snapshot) bool {
			return s.Status.Privacy.Microphone.Muted == voiceMuted && s.Status.Privacy.Camera.Muted == videoMuted
		})
		if voice.Muted() != voiceMuted || video.Muted() != videoMuted {
			t.Errorf("%s: sources say %v, %v", what, voice.Muted(), video.Muted())
		}
		_ = s
	}
	f := open()
	f.Write(press(113))
	is("camera muted with the key", false, true)
	f.Write(press(30)) // another key
	f.Write(append(inputEvent(evSynch, synDropped, 0), press(248)[:eventSize]...))
	f.Write(append(inputEvent(evSynch, synReport, 0), press(248)...))
	is("both muted: what the kernel dropped half of does not count", true, true)
	f.Write(press(113))
	is("camera opened with the key", true, false)
	f.Close()
	f = open()
	defer f.Close()
	f.Write(press(248))
	is("microphone opened after the key came back", false, false)
	if len(eventsOf(a, "The camera was muted with the key.")) != 1 {
		t.Errorf("the story: %+v", a.Snapshot().Status.Events)
	}
}

func eventsOf(a *Agent, text string) (all []status.Event) {
	for _, e := range a.Snapshot().Status.Events {
		if e.Text == text {
			all = append(all, e)
		}
	}
	return all
}

// One key for both mutes what is open before it opens anything.
func TestOneKeyForBoth(t *testing.T) {
	voice, video := synthetic.NewVoice(), synthetic.NewVideo(synthetic.VideoConfig{})
	a := run(t, lonely(t), Parts{Sources: []media.Source{voice, video}})
	both := [media.NumKinds]bool{true, true}
	if err := a.mute(media.Voice, true, "ada"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false, true} {
		a.pressed(both)
		if voice.Muted() != want || video.Muted() != want {
			t.Errorf("muted: %v and %v, want both %v", voice.Muted(), video.Muted(), want)
		}
	}
}

// A key that is not there, and a light that cannot be set, are said.
func TestHooksThatAreMissing(t *testing.T) {
	cfg := lonely(t)
	cfg.Room.MuteKey = MuteKey{Device: "/dev/input/by-id/no-such-key", Camera: 113}
	cfg.Room.Light = "/sys/class/leds/no-such-light/brightness"
	a := run(t, cfg, Parts{})
	until(t, a, 20*time.Second, "both are said", func(s *Snapshot) bool {
		found := 0
		for _, p := range s.Status.Problem {
			if p.ID == "mute-key-missing" || p.ID == "light-failed" {
				found++
			}
		}
		return found == 2
	})
}
