package results

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// printed is what a source's command printed last.
type printed struct {
	taken Taken // zero: never
	text  string
	lines []map[string]any // those that are JSON
	why   string           // why there is nothing
}

func (s Source) read(folder string) printed {
	var p printed
	record, err := os.ReadFile(s.file(folder, "json"))
	if err == nil {
		err = json.Unmarshal(record, &p.taken)
	}
	if err != nil {
		p.taken.Make = s.Quick.Make
		p.why = "the command was not run"
		if s.LongOnly {
			p.why, p.taken.Make = "the run was a quick one", s.Long.Make
		}
		return p
	}
	text, err := os.ReadFile(s.file(folder, "out"))
	p.text = string(text)
	for line := range strings.Lines(p.text) {
		var m map[string]any
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &m) == nil {
			p.lines = append(p.lines, m)
		}
	}
	if len(p.lines) > 0 || strings.Contains(p.text, "\nBenchmark") {
		return p
	}
	switch p.why = "the command printed no figure"; {
	case err != nil:
		p.why = err.Error()
	case p.taken.Ended != "":
		p.why = p.taken.Ended
	}
	return p
}

// value is a number by its names with dots, out of the last line that has it.
func (p printed) value(name string) (float64, bool) {
	for i := len(p.lines) - 1; i >= 0; i-- {
		var at any = p.lines[i]
		for part := range strings.SplitSeq(name, ".") {
			m, _ := at.(map[string]any)
			at = m[part]
		}
		if v, ok := at.(float64); ok {
			return v, true
		}
	}
	return 0, false
}

// say puts numbers into a sentence: {name} becomes the value, ? where there is none.
func (p printed) say(sentence string) string {
	if p.why != "" {
		return "not measured: " + p.why
	}
	for {
		from := strings.Index(sentence, "{")
		to := strings.Index(sentence, "}")
		if from < 0 || to < from {
			return sentence
		}
		text := "?"
		if v, ok := p.value(sentence[from+1 : to]); ok {
			text = number(v)
		}
		sentence = sentence[:from] + text + sentence[to+1:]
	}
}

// number is short: three digits where they matter.
func number(v float64) string {
	switch {
	case v == float64(int64(v)):
		return fmt.Sprint(int64(v))
	case v > 99 && v < 100: // a share: 99.99 is not 99.9
		return fmt.Sprintf("%.3f", v)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// benchmark is one line of go test -bench: the value of a unit.
func (p printed) benchmark(name, unit string) string {
	for line := range strings.Lines(p.text) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark"+name) {
			continue
		}
		for i := 2; i+1 < len(f); i += 2 {
			if f[i+1] == unit {
				return f[i]
			}
		}
	}
	return "?"
}
