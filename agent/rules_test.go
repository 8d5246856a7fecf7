package agent

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The alerts and the dashboard that are shipped speak of metrics that there are, and each alert has a page that says what to do.
func TestShippedRules(t *testing.T) {
	w := newWorld(t)
	a, err := New(w.config(), Parts{})
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for name := range describe() {
		known = append(known, "scanside_"+name)
	}
	families, err := a.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		known = append(known, f.GetName(), f.GetName()+"_bucket", f.GetName()+"_count", f.GetName()+"_sum")
	}
	gateways, err := os.ReadFile("../docs/metrics-gateway.md") // a test of the gateway holds it to what there is
	if err != nil {
		t.Fatal(err)
	}
	known = append(known, regexp.MustCompile(`\bscanside_gateway_\w+`).FindAllString(string(gateways), -1)...)
	files, err := filepath.Glob("../packaging/prometheus/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files of rules: %v", len(files), err)
	}
	files = append(files, "../packaging/grafana/scanside.json")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`\bscanside_[a-z0-9_]+`).FindAllString(string(text), -1) {
			if !slices.Contains(known, name) && !strings.Contains(string(text), ":"+name) { // a recorded one has a level before it
				t.Errorf("%s speaks of %s, which there is not", file, name)
			}
		}
		for _, m := range regexp.MustCompile(`(?m)alert: (\w+)`).FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat("../docs/runbooks/" + m[1] + ".md"); err != nil {
				t.Errorf("%s: %s has no runbook: %v", file, m[1], err)
			}
			if !strings.Contains(string(text), "/docs/runbooks/"+m[1]+".md") {
				t.Errorf("%s: %s does not link its runbook", file, m[1])
			}
		}
	}
}
