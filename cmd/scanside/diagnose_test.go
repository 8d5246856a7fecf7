package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"scanside/agent"
)

// What a technician reads at the shell, and what a script goes by.
func TestDiagnose(t *testing.T) {
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, `{"status":"ok"}`) }))
	defer far.Close()
	cfg := agent.DefaultConfig()
	cfg.Site, cfg.FarEnd = "demo", agent.FarEnd{URL: far.URL, Token: "token"}
	cfg.Uplinks = []agent.Uplink{{Name: "primary", Address: "127.0.0.2"}}
	var out strings.Builder
	if err := diagnose(t.Context(), cfg, &out); err != nil || !strings.HasPrefix(out.String(), "primary: The far end answers; media was not looked at.\n") {
		t.Errorf("all is well: %v\n%s", err, out.String())
	}
	far.Close()
	out.Reset()
	cfg.Uplinks = append(cfg.Uplinks, agent.Uplink{Name: "cellular", Interface: "nosuch0"})
	err := diagnose(t.Context(), cfg, &out)
	if !errors.Is(err, errFault) {
		t.Errorf("with faults: %v", err)
	}
	for _, want := range []string{"primary: What is at the address of ", "  ✗ https    ", "cellular: The interface nosuch0 is not there", "  ✗ device   nosuch0"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, out.String())
		}
	}
}
