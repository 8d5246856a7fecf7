package agent

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"scanside/agent/status"
)

func checked(d status.Doctor, name string) status.DoctorCheck {
	for _, c := range d.Checks {
		if c.Name == name {
			return c
		}
	}
	return status.DoctorCheck{}
}

// The box's doctor goes by what the agent knows: a box that works passes where something can be seen, a cut uplink fails with its
// layers, and what was closed by people is not called well.
func TestDoctor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if err := os.Chmod(w.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		f := w.gateway()
		defer f.stop()
		a, stop := w.start(w.config())
		defer stop()
		b := boxed{a}
		if d := b.Doctor(false); !d.At.IsZero() || d.Result != "unknown" {
			t.Errorf("before the first look: %+v", d)
		}
		until(t, a, 20*time.Second, "both up", verdicts("up", "up"))
		d := b.Doctor(true)
		for _, name := range []string{"agent", "camera", "microphone", "uplink:primary", "uplink:cellular", "spare", "far-end", "disk-write", "permission:state-directory"} {
			if c := checked(d, name); c.Result != "passed" {
				t.Errorf("%s is %q: %s", name, c.Result, c.Sentence)
			}
		}
		if c := checked(d, "loudspeaker"); c.Result != "unknown" || c.Do == "" {
			t.Errorf("no loudspeaker: %+v", c)
		}
		if err := b.Mute(t.Context(), "ada", "camera", true); err != nil {
			t.Fatal(err)
		}
		w.cut("cellular", true)
		until(t, a, 10*time.Second, "cellular down", verdicts("up", "down"))
		if err := b.StartDoctor(); err != nil {
			t.Fatal(err)
		}
		if d := b.Doctor(false); !d.Running {
			t.Error("a whole examination does not say that it runs")
		}
		s := until(t, a, 20*time.Second, "examined", func(s *Snapshot) bool { return !s.Status.Doctor.Running && !s.Status.Doctor.Quick })
		if c := checked(s.Status.Doctor, "camera"); c.Result != "unknown" {
			t.Errorf("a muted camera is %q: %s", c.Result, c.Sentence)
		}
		c := checked(s.Status.Doctor, "uplink:cellular")
		if c.Result != "failed" || c.Do == "" || s.Status.Doctor.Result != "failed" || len(c.Layers) != 0 {
			t.Errorf("a cut uplink: %+v", c)
		}
		if c := checked(b.Doctor(false), "uplink:cellular"); len(c.Layers) == 0 {
			t.Error("programs are told no layers")
		}
		if c := checked(s.Status.Doctor, "spare"); c.Result != "failed" {
			t.Errorf("one uplink left: %+v", c)
		}
	})
}

// Without an agent, nothing that only an agent sees passes, and nothing is waited for that --quick leaves out.
func TestCheckupWithoutAgent(t *testing.T) {
	cfg := lonely(t)
	cfg.StateDir = filepath.Join(t.TempDir(), "later")
	d, err := Checkup(context.Background(), cfg, true, []Plugged{{Name: "camera", There: true, Note: "A camera is there."}, {Name: "microphone", Note: "None is there."}}, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"agent": "unknown", "camera": "unknown", "microphone": "failed", "uplink:" + cfg.Uplinks[0].Name: "unknown", "far-end": "unknown", "disk-write": "unknown", "disk-space": "passed"} {
		if c := checked(d, name); c.Result != want {
			t.Errorf("%s is %q, want %q: %s", name, c.Result, want, c.Sentence)
		}
	}
	if d.Result != "failed" || !d.Quick {
		t.Errorf("%+v", d)
	}
}
