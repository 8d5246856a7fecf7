package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What goes by cost and phase: idle, the metered uplink carries nothing; while a procedure is open it carries the voice,
// over a restart of the box too; and whoever closes the procedure ends that.
func TestProcedure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		defer f.stop()
		cfg := w.config()
		cfg.Protection = Protection{leftOpen, leftOpen}
		cfg.Uplinks[1].Metered = true
		a, stop := w.start(cfg)
		routes := func(voice, video string) func(*Snapshot) bool {
			return func(s *Snapshot) bool {
				return verdicts("up", "up")(s) && strings.Join(s.Status.Streams[0].Route, " ") == voice && strings.Join(s.Status.Streams[1].Route, " ") == video
			}
		}
		idle := routes("primary", "primary")
		s := until(t, a, 20*time.Second, "both up, nothing on cellular", idle)
		if p := s.Status.Procedure; p.Open || !strings.Contains(p.Copies, "from the first doubt") {
			t.Errorf("idle: %+v", p)
		}
		if strings.Contains(s.Status.Verdict.Reason, "would not be noticed") {
			t.Errorf("one copy of everything: %s", s.Status.Verdict.Reason)
		}
		if every := a.uplinks[1].every.Load(); time.Duration(every) != 4*time.Second {
			t.Errorf("the idle metered uplink is probed every %v", time.Duration(every))
		}
		if err := (boxed{a}).Procedure(t.Context(), "ada", true); err != nil {
			t.Fatal(err)
		}
		open := routes("primary cellular", "primary")
		s = until(t, a, time.Second, "voice on both", open)
		if p := s.Status.Procedure; !p.Open || !strings.Contains(p.Copies, "Voice goes over every uplink that works") {
			t.Errorf("open: %+v", p)
		}
		stop()

		a, stop = w.start(cfg)
		defer stop()
		s = until(t, a, 20*time.Second, "voice on both after a restart", open)
		if p := s.Status.Procedure; !p.Open || p.Since.IsZero() || !s.Engine.Procedure {
			t.Errorf("after a restart: %+v", p)
		}
		if err := (boxed{a}).Procedure(t.Context(), "ada", false); err != nil {
			t.Fatal(err)
		}
		until(t, a, 5*time.Second, "nothing on cellular", idle)
		if p := (store{cfg.StateDir}).procedure(); p.open {
			t.Errorf("on disk: %+v", p)
		}
	})
}

// A file that somebody else wrote means open; a folder that cannot be written is said, and the flag turns all the same.
func TestProcedureOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := switching{kept: store{dir}}
	var posted []bool
	post := func(e event) { posted = append(posted, e.on) }
	now := time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)
	for _, open := range []bool{false, true, true, false, false, true} {
		if err := s.turn(open, "ada", now, post); err != nil {
			t.Fatal(err)
		}
		if got := s.kept.procedure(); got.open != open || open && !got.since.Equal(now) {
			t.Errorf("turned %v, on disk %+v", open, got)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, procedureFile), []byte("\x00rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := s.kept.procedure(); !got.open || !got.since.IsZero() {
		t.Errorf("rubbish reads as %+v", got)
	}
	s.kept.dir = filepath.Join(dir, "gone")
	posted = nil
	if err := s.turn(true, "ada", now, post); err == nil || !strings.Contains(err.Error(), "would not be after a restart") {
		t.Errorf("a folder that is gone: %v", err)
	}
	if len(posted) != 1 || !posted[0] {
		t.Errorf("posted %v", posted)
	}
}
