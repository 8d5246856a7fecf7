package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scanside/agent/status"
)

func step(st *status.Status, name string) status.Step {
	for _, s := range st.Installation.Steps {
		if s.Name == name {
			return s
		}
	}
	return status.Step{}
}

// An answer is on disk when it was taken, on the page a moment later, in the record with its name, and survives a restart; with another
// configuration it is asked again, and one that cannot be kept does not count.
func TestInstallationAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		defer f.stop()
		a, stop := w.start(w.config())
		until(t, a, 20*time.Second, "both up", verdicts("up", "up"))
		b := boxed{a}
		if err := b.Answer(t.Context(), "ada", "camera", true); err != nil {
			t.Fatal(err)
		}
		if err := b.Answer(t.Context(), "ada", "weather", true); !errors.Is(err, status.ErrNoQuestion) {
			t.Errorf("a question that nobody asks: %v", err)
		}
		if text, err := os.ReadFile(filepath.Join(w.dir, installationFile)); err != nil || !strings.Contains(string(text), `"by": "ada"`) {
			t.Errorf("on disk: %s %v", text, err)
		}
		s := until(t, a, 2*time.Second, "the page says so", func(s *Snapshot) bool { return step(s.Status, "camera").Answer.Given })
		if one := step(s.Status, "camera"); !one.Answer.Yes || one.Answer.By != "ada" || one.Result != "open" {
			t.Errorf("%+v", one)
		}
		until(t, a, 20*time.Second, "the wired uplinks work", func(s *Snapshot) bool { return step(s.Status, "cable").Result == "done" })
		if err := b.Answer(t.Context(), "bob", "camera", false); err != nil {
			t.Fatal(err)
		}
		stop()
		checkJournal(t, w.dir, "installation")

		a, stop = w.start(w.config())
		if one := step(a.Snapshot().Status, "camera"); !one.Answer.Given || one.Answer.Yes || one.Answer.By != "bob" || one.Result != "failed" {
			t.Errorf("after a restart: %+v", one)
		}
		stop()
		cfg := w.config()
		cfg.Video.FPS = 15
		a, stop = w.start(cfg)
		if one := step(a.Snapshot().Status, "camera"); one.Answer.Given {
			t.Errorf("with another configuration: %+v", one)
		}
		a.answers.kept.dir = filepath.Join(w.dir, "box-id") // no folder: nothing can be kept there
		if err := (boxed{a}).Answer(t.Context(), "ada", "camera", true); err == nil || a.answers.all()["camera"].Yes {
			t.Errorf("an answer that is not kept counts: %v", err)
		}
		stop()
	})
}
