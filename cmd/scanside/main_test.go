package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scanside/agent"
	"scanside/failover"
	"scanside/media/device"
)

// The commented sample is what people start from: it must be good as it is.
func TestSampleConfiguration(t *testing.T) {
	if err := (&checkConfigCommand{configFlag{"../../packaging/scanside.yaml"}}).Run(); err != nil {
		t.Error(err)
	}
}

// Every default that the sample shows in a comment is the program's default.
func TestSampleShowsTheDefaults(t *testing.T) {
	text, err := os.ReadFile("../../packaging/scanside.yaml")
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{"video:", "  width:", "  height:", "  fps:", "  bitrate:", "status:", "  listen:", "state_dir:"}
	var lines []string
	for line := range strings.Lines(string(text)) {
		for _, key := range keys {
			if rest, ok := strings.CutPrefix(line, "# "); ok && strings.HasPrefix(rest, key) {
				line = rest
			}
		}
		lines = append(lines, line)
	}
	file := filepath.Join(t.TempDir(), "scanside.yaml")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := agent.LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	standard := agent.DefaultConfig()
	if cfg.Video != standard.Video || cfg.Status.Listen != standard.Status.Listen || cfg.StateDir != standard.StateDir {
		t.Errorf("the sample shows %+v %+v %q, the defaults are %+v %+v %q",
			cfg.Video, cfg.Status, cfg.StateDir, standard.Video, standard.Status, standard.StateDir)
	}
}

func TestReplay(t *testing.T) {
	golden, err := filepath.Glob("../../failover/testdata/*.trace")
	if err != nil || len(golden) == 0 {
		t.Fatalf("no golden traces: %v", err)
	}
	for _, file := range golden {
		if err := (&replayCommand{Trace: file, Quiet: true}).Run(); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	text, err := os.ReadFile(golden[0])
	if err != nil {
		t.Fatal(err)
	}
	forged := filepath.Join(t.TempDir(), "forged.trace")
	if err := os.WriteFile(forged, bytes.Replace(text, []byte("-> proving"), []byte("-> up"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&replayCommand{Trace: forged, Quiet: true}).Run(); err == nil {
		t.Error("a forged record of decisions was believed")
	}
	if err := (&replayCommand{Trace: "main.go"}).Run(); err == nil || !strings.Contains(err.Error(), "main.go") {
		t.Errorf("a file that is no trace: %v", err)
	}
}

// A switchover's record beside its trace names the hashes of both; whoever changes one of them is found out.
func TestReplayProvesTheRecord(t *testing.T) {
	text, err := os.ReadFile("../../failover/testdata/black-hole.trace")
	if err != nil {
		t.Fatal(err)
	}
	trace, err := failover.ReadTrace(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	replayed, err := trace.Replay()
	if err != nil {
		t.Fatal(err)
	}
	good := switchRecord{"The picture moved.", sum(text), sum([]byte(replayed.Decisions))}
	for _, c := range []struct {
		name   string
		record string
		says   string // "": proved
	}{
		{"as it was written", mustJSON(t, good), ""},
		{"another trace", mustJSON(t, switchRecord{good.Sentence, sum(nil), good.Decisions}), "was changed"},
		{"another engine", mustJSON(t, switchRecord{good.Sentence, good.Trace, sum(nil)}), "another version"},
		{"a torn record", `{"sha256":`, "reading the record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "switch.trace")
			for name, data := range map[string]string{file: string(text), strings.TrimSuffix(file, ".trace") + ".json": c.record} {
				if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := (&replayCommand{Trace: file, Quiet: true}).Run()
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// In a scan room a missing camera is never replaced by a test picture.
func TestSourcesAsConfigured(t *testing.T) {
	cfg := agent.DefaultConfig()
	log := logger(false)
	all, err := sources(cfg, log)
	if err != nil || len(all) != 2 {
		t.Fatalf("%d sources, %v", len(all), err)
	}
	if _, camera := all[0].(*device.Camera); !camera {
		t.Errorf("auto is %T, not a camera", all[0])
	}
	cfg.Camera.Device, cfg.Microphone.Device = deviceTest, deviceNone
	if all, err = sources(cfg, log); err != nil || len(all) != 1 {
		t.Errorf("test picture and no microphone: %d sources, %v", len(all), err)
	}
	cfg.Microphone.Device = "pcm:null"
	if _, err = sources(cfg, log); err == nil {
		t.Error("ALSA's null device was taken for a microphone")
	}
}
