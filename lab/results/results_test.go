package results

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What was printed stands on the page, and what was not is called so.
func TestPage(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"blackhole-primary-netns": `{"scenario":"blackhole-primary","voice":{"sent":3000,"lost":0,"longest_gap_ms":41.25},"detect_ms":null}`,
		"engine":                  "goos: linux\nBenchmarkEngineEcho-2   \t 3000000\t       412.5 ns/op\t       0 B/op\t       0 allocs/op\n",
		"g16":                     "not measured: network namespaces and TUN devices need root\n",
		"references":              "{\"reference\":\"duplicator\",\"voice_gap_ms_p50\":40.7,\"voice_lost_p50\":0}\n{\"reference\":\"rist\",\"note\":\"not measured: no rist-tools\"}\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name+".out"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page := Page(folder, "Others used the machine.")
	for _, want := range []string{
		"Others used the machine.",
		"namespaces, primary: voice 0 lost, longest gap 41.2 ms",
		"namespaces, one cut: after ? ms",
		"Step: 412.5 ns (echo)",
		"| G16 |", "not measured: network namespaces and TUN devices need root",
		"| duplicator | 40.7 ms",
		"| rist | not measured: no rist-tools",
		"not measured: the command was not run",
		"not measured: the run was a quick one",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

// Every row's source exists.
func TestRowsHaveSources(t *testing.T) {
	known := map[string]bool{"": true}
	for _, s := range Sources() {
		if known[s.Name] {
			t.Errorf("source %s is there twice", s.Name)
		}
		known[s.Name] = true
	}
	for _, r := range rows() {
		for _, w := range r.what {
			if !known[w.source] {
				t.Errorf("%s: there is no source %s", r.id, w.source)
			}
		}
	}
}
