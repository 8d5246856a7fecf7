package agent

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"scanside/agent/status"
)

// fact is a line of testdata/facts.txt.
type fact struct{ path, metric, why string }

func readFacts(t *testing.T) (all []fact) {
	t.Helper()
	text, err := os.ReadFile("testdata/facts.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		path, rest, ok := strings.Cut(line, ": ")
		f := fact{path: path, metric: rest}
		if why, left := strings.CutPrefix(rest, "- "); left {
			f.metric, f.why = "", why
		}
		if !ok || f.metric == "" && f.why == "" {
			t.Fatalf("%q is neither PATH: METRIC nor PATH: - WHY", line)
		}
		all = append(all, f)
	}
	return all
}

func (f fact) tells(path string) bool {
	if end, any := strings.CutPrefix(f.path, "*"); any {
		return strings.HasSuffix(path, end)
	}
	return f.path == path
}

// leaves lists the facts of a type: fields that hold a value, by their path; those of a list's elements once.
func leaves(t reflect.Type, path string) (all []string) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return []string{path}
	}
	for i := range t.NumField() {
		at := strings.TrimPrefix(path+"."+t.Field(i).Name, ".")
		all = append(all, leaves(t.Field(i).Type, at)...)
	}
	return all
}

// Every fact of the status document is told to Prometheus, or left out for a reason that is written down.
func TestEveryFact(t *testing.T) {
	facts, paths := readFacts(t), leaves(reflect.TypeFor[status.Status](), "")
	known := map[string]bool{}
	for _, m := range metricsOf(t, largest(t)) {
		known[m.name] = true
	}
	for _, path := range paths {
		if !slices.ContainsFunc(facts, func(f fact) bool { return f.tells(path) }) {
			t.Errorf("%s of the status document is told by no metric: add one, or say why not, in testdata/facts.txt", path)
		}
	}
	for _, f := range facts {
		if !slices.ContainsFunc(paths, f.tells) {
			t.Errorf("testdata/facts.txt speaks of %s, which there is not", f.path)
		}
		if f.metric != "" && !known["scanside_"+f.metric] {
			t.Errorf("testdata/facts.txt: %s is told by %s, which there is not", f.path, f.metric)
		}
	}
}

// docs/metrics.md is the list of what there is, drawn from the program itself.
func TestMetricsReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Metrics\n\nWhat the box tells Prometheus; `go test ./agent -run Reference -update` draws this list. How to have it collected, and how\n" +
		"many series that is, is in [prometheus.md](prometheus.md); the gateway's are in [metrics-gateway.md](metrics-gateway.md). Counters begin anew with each run of the program. A time is seconds since 1970.\n\n" +
		"| Metric | Type | Labels | What it says |\n|---|---|---|---|\n")
	for _, m := range metricsOf(t, largest(t)) {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, m.kind, strings.Join(m.labels, ", "), m.help)
	}
	b.WriteString("\nBesides: `go_…`, `process_…` of the program itself.\n\n## Left out on purpose\n\nFacts of `GET /api/v1/status` that have no metric:\n\n| Fact | Why |\n|---|---|\n")
	for _, f := range readFacts(t) {
		if f.why != "" {
			fmt.Fprintf(&b, "| %s | %s |\n", strings.ReplaceAll(f.path, "*", "…"), f.why)
		}
	}
	holdReference(t, "../docs/metrics.md", b.String())
}

// holdReference compares a document with what it should be.
func holdReference(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the program tells any more; draw it again: go test ./agent -run Reference -update", path)
	}
}
