package agent

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scanside/agent/status"
)

// The file has scanside's own metrics and nothing else, can be read by node_exporter's user, and is gone with the agent.
func TestTextfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		cfg := w.config()
		cfg.Metrics.Textfile = filepath.Join(t.TempDir(), "scanside.prom")
		a, stop := w.start(cfg)
		time.Sleep(time.Second)
		first := readFile(t, cfg.Metrics.Textfile)
		if !strings.Contains(first, "\nscanside_supervision_qualifying 0\n") || strings.Contains(first, "\ngo_") || strings.Contains(first, "\nprocess_") {
			t.Errorf("the file is\n%.2000s", first)
		}
		if info, err := os.Stat(cfg.Metrics.Textfile); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("mode %v, %v: node_exporter runs as another user", info.Mode(), err)
		}
		time.Sleep(textfileEvery)
		if second := readFile(t, cfg.Metrics.Textfile); second == first {
			t.Error("it is not written anew")
		}
		if names, err := filepath.Glob(filepath.Join(filepath.Dir(cfg.Metrics.Textfile), "*")); err != nil || len(names) != 1 {
			t.Errorf("beside it: %v %v", names, err)
		}
		if a.textfile.trouble.Load() != nil {
			t.Errorf("trouble: %s", *a.textfile.trouble.Load())
		}
		stop()
		if _, err := os.Stat(cfg.Metrics.Textfile); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("old values are left behind: %v", err)
		}
	})
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A folder that is not there is a notice on the page, once in the log, and over when it is there.
func TestTextfileCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, said := filepath.Join(t.TempDir(), "gone"), 0
		f := &textfile{path: filepath.Join(dir, "scanside.prom"), from: own{newMetrics(roomWith(t, 2, 1, 1)).registry}, say: func(error) { said++ }}
		problems := func() (ids []string) {
			f.problem(func(id string, _ status.Level, _, _ string) { ids = append(ids, id) })
			return ids
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); f.Run(ctx) }()
		time.Sleep(3 * textfileEvery)
		if got := problems(); said != 1 || len(got) != 1 || got[0] != "textfile-not-written" {
			t.Errorf("said %d times, problems %v", said, got)
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * textfileEvery)
		if got := problems(); len(got) != 0 {
			t.Errorf("still %v", got)
		}
		cancel()
		<-done
	})
}

// promtool, where there is one, has nothing to say against what the largest room exposes.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("SKIPPED, LOUDLY: there is no promtool here; make rules-deps installs it")
	}
	families, err := own{largest(t).metrics.registry}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(exposed(t, families))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
