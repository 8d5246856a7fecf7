package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scanside/agent"
	"scanside/agent/status"
	"scanside/media/device"
)

// The command tells what the agent found; where none runs it looks by itself, and says so.
func TestDoctorAsksTheAgent(t *testing.T) {
	asked := []string{}
	answer := status.Doctor{At: time.Now(), Result: "failed", Sentence: "1 thing is not well: clock.", Checks: []status.DoctorCheck{
		{Name: "agent", Area: "agent", Result: "passed", Sentence: "scanside runs."},
		{Name: "clock", Area: "clock", Result: "failed", Sentence: "It is off.", Do: "Set it."},
	}}
	running := 1
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.String())
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		d := answer
		d.Running, running = running > 0, running-1
		json.NewEncoder(w).Encode(d)
	}))
	cfg := agent.DefaultConfig()
	cfg.Site, cfg.StateDir = "mri-2", filepath.Join(t.TempDir(), "state")
	cfg.FarEnd = agent.FarEnd{URL: "https://gateway.invalid", Token: "token"}
	cfg.Uplinks = []agent.Uplink{{Name: "primary", Interface: "absent0"}, {Name: "cellular", Interface: "absent1"}}
	cfg.Status.Listen = srv.Listener.Addr().String()
	d, err := examineBox(context.Background(), cfg, false, nil)
	if err != nil || len(d.Checks) != 2 || strings.Join(asked, " ") != "POST /api/v1/doctor GET /api/v1/doctor GET /api/v1/doctor" {
		t.Fatalf("%+v %v, asked %q", d, err, asked)
	}
	var out bytes.Buffer
	if err := writeDoctor(&out, d); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.HasPrefix(text, "1 thing is not well: clock.\n✗ clock        It is off.\n  → Set it.\n✓ agent") {
		t.Errorf("it says\n%s", text)
	}
	if code, ok := doctorExit(d).(unwell); !ok || code != 3 {
		t.Errorf("it ends with %v", code)
	}
	if d, err := examineBox(context.Background(), cfg, true, nil); err != nil || asked[len(asked)-1] != "GET /api/v1/doctor?quick" || len(d.Checks) != 2 {
		t.Errorf("quickly: %q %v", asked, err)
	}

	srv.Close()
	begun := time.Now()
	d, err = examineBox(context.Background(), cfg, true, plugged(cfg, device.Inventory{Cameras: []device.CameraInfo{{Device: "usb-front"}}}))
	if err != nil || d.Checks[0].Name != "agent" || d.Checks[0].Result != "unknown" || !strings.Contains(d.Checks[0].Sentence, "does not run") {
		t.Fatalf("without an agent: %+v %v", d, err)
	}
	t.Logf("quick, without an agent: %v", time.Since(begun).Round(time.Millisecond))
	if c := d.Checks[1]; c.Name != "camera" || c.Result != "unknown" || !strings.Contains(c.Sentence, "is there") {
		t.Errorf("a camera that is there: %+v", c)
	}
	if c := d.Checks[2]; c.Name != "microphone" || c.Result != "failed" || c.Do == "" {
		t.Errorf("a microphone that is not: %+v", c)
	}
}
