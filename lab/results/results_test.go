package results

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What was printed stands on the page, and what was not is called so.
func TestPage(t *testing.T) {
	folder := t.TempDir()
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct{ text, ended string }{
		"blackhole-primary-netns": {`{"scenario":"blackhole-primary","voice":{"sent":3000,"lost":0,"longest_gap_ms":41.25},"detect_ms":null}`, ""},
		"engine":                  {"goos: linux\nBenchmarkEngineEcho-2   \t 3000000\t       412.5 ns/op\t       0 B/op\t       0 allocs/op\n", ""},
		"g8":                      {"{\"link\":\"x.up\",\"probes_per_second\":20,\"hours\":48,\"false_downs\":3}\n", "x.up: 3 false Downs in 48 h"},
		"g10":                     {"{\"primary\":\"a.up\",\"cellular\":\"b.up\",\"percent_within_200_ms\":99.7333}\n", ""},
		"g12":                     {"{\"recoveries\":[{\"what\":\"all dead\",\"dead_s\":5,\"voice_ms\":21},{\"what\":\"restarted\",\"dead_s\":3,\"voice_ms\":801}]}\n", ""},
		"recovery":                {"{\"steps\":[{\"what\":\"the box sleeps\",\"connected_again_ms\":9},{\"what\":\"far end restarted while primary is dead\",\"connected_again_ms\":812}]}\n", ""},
		"g16":                     {"", "network namespaces and TUN devices need root"},
		"references":              {"{\"reference\":\"duplicator\",\"voice_gap_ms_p50\":40.7,\"voice_lost_p50\":0}\n{\"reference\":\"rist\",\"note\":\"not measured: no rist-tools\"}\n", ""},
	} {
		record, err := json.Marshal(Taken{Make: "make " + name, When: when, Seconds: 7, Load: "0.25", Ended: c.ended})
		if err != nil {
			t.Fatal(err)
		}
		for kind, text := range map[string][]byte{"out": []byte(c.text), "json": record} {
			if err := os.WriteFile(filepath.Join(folder, name+"."+kind), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	page := Page(folder, "Others used the machine.")
	for _, want := range []string{
		"Others used the machine.",
		"namespaces, primary: voice 0 lost, longest gap 41.2 ms",
		"namespaces, one cut: after ? ms",
		"Step: 412.5 ns (echo)",
		"x.up, 20 probes a second: 3 in 48 hours",
		"| `make g8` | 2026-01-02 03:04 | 7 s | 0.25 | x.up: 3 false Downs in 48 h |",
		"a.up and b.up, ? min: 99.733 % of ? within 200 ms",
		"all dead, dead 5 s: voice 21 ms", "<br>restarted, dead 3 s: voice 801 ms",
		"namespaces: the box sleeps: connected again after 9 ms",
		"its name included: far end restarted while primary is dead: connected again after 812 ms |",
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

// A command that fails says why in its own last words, one that hangs is ended with everything it started, and the next ones run.
func TestRun(t *testing.T) {
	folder := t.TempDir()
	shell := func(name, script string, limit time.Duration) Source {
		c := Command{"sh " + name, []string{"sh", "-c", script}, limit}
		return Source{Name: name, Quick: c, Virtual: true}
	}
	all := []Source{
		shell("fails", `echo '{"a":1}'; echo 'lab: 2 expectations did not hold' >&2; echo 'exit status 1' >&2; exit 1`, time.Minute),
		shell("hangs", `echo '{"a":2}'; sleep 1000 & wait`, 200*time.Millisecond),
		shell("is not there", `no-such-program`, time.Minute),
		shell("works", `echo '{"a":4}'`, time.Minute),
	}
	if err := Run(t.Context(), folder, all, false, io.Discard); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		say, ended string
	}{{"1", "2 expectations did not hold"}, {"2", "ended after 200ms, its limit"}, {"not measured: exit status 127: ", "exit status 127: "}, {"4", ""}} {
		p := all[i].read(folder)
		if said := p.say("{a}"); !strings.HasPrefix(said, want.say) || !strings.HasPrefix(p.taken.Ended, want.ended) || want.ended == "" && p.taken.Ended != "" {
			t.Errorf("%s: %q, ended %q; want %q and %q", all[i].Name, said, p.taken.Ended, want.say, want.ended)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := Run(ended, folder, all, false, io.Discard); err == nil {
		t.Error("a run that was interrupted says nothing of it")
	}
}

// Every row's source exists.
func TestRowsHaveSources(t *testing.T) {
	known := map[string]bool{}
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
