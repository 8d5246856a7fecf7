package bubble

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// figures logs what was measured, a line of JSON each, and writes it to the file that SCANSIDE_RESULT names, if it names one.
func figures[T any](t *testing.T, all ...T) {
	t.Helper()
	var lines []byte
	for _, figure := range all {
		line, err := json.Marshal(figure)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(string(line))
		lines = append(append(lines, line...), '\n')
	}
	if file := os.Getenv("SCANSIDE_RESULT"); file != "" {
		if err := os.WriteFile(file, lines, 0o644); err != nil {
			t.Error(err)
		}
	}
}

func inMS(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
