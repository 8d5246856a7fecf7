package main

import (
	"archive/zip"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scanside/agent/status"
)

// As a person has it: the command beside the program that runs, and after it was killed.
func TestSupportBundleCommand(t *testing.T) {
	b := newBox(t)
	wait(t, http.DefaultClient, "http://"+b.page, "the page", func(s *status.Status) bool { return len(s.Streams) == 2 })
	make := func(name string) (told string, files []string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), name)
		cmd := exec.Command(os.Args[0], "support-bundle", "--config", b.config, "--output", file)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file: %v, %v", info, err)
		}
		z, err := zip.OpenReader(file)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		for _, f := range z.File {
			files = append(files, f.Name)
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
		return string(out), files
	}
	began := time.Now()
	told, files := make("running.zip")
	t.Logf("made in %v:\n%s", time.Since(began).Round(time.Millisecond), told)
	for _, want := range []string{"status.json", "metrics.txt", "config.yaml", "versions.txt", "CONTENTS.txt"} {
		if !strings.Contains(strings.Join(files, " "), want) || want != "CONTENTS.txt" && !strings.Contains(told, want) {
			t.Errorf("%s is missing in %q or in what was told", want, files)
		}
	}
	b.kill()
	told, files = make("killed.zip")
	if !strings.Contains(told, "the agent does not answer") || !strings.Contains(strings.Join(files, " "), "diagnosis.txt") {
		t.Errorf("without the agent: %q, told:\n%s", files, told)
	}
	b.start()
}
