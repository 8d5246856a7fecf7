package failover

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the decisions in testdata/*.trace")

// Every trace in testdata is a story: events above the rule, what the engine decides below it.
func TestTraces(t *testing.T) {
	files, err := filepath.Glob("testdata/*.trace")
	if err != nil || len(files) == 0 {
		t.Fatalf("no traces in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".trace"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			trace, err := ReadTrace(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := trace.Replay()
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range got.Breaches {
				t.Error(b)
			}
			if *update {
				above, _, _ := bytes.Cut(text, []byte("\n"+traceRule+"\n"))
				above = append(bytes.TrimRight(above, "\n"), "\n"+traceRule+"\n"+got.Decisions...)
				if err := os.WriteFile(file, above, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !trace.HasWant {
				t.Fatal("the trace holds no decisions; run go test ./failover -run TestTraces -update, and read them")
			}
			if got.Differs != "" {
				t.Error(got.Differs)
			}
		})
	}
}
