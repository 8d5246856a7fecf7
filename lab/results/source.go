package results

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Source is a command that prints figures. {lab} in it stands for this program.
type Source struct {
	Name string
	Make string // what a person types
	Args []string
	Long bool // not part of a quick run
}

// Sources lists them in the order in which they run.
func Sources() []Source {
	scenario := func(name, world string) Source {
		return Source{Name: name + "-" + world, Make: "make scenario S=" + name + " W=" + world,
			Args: []string{"{lab}", "scenario", "-s", name, "-w", world, "--no-chromium"}}
	}
	bench := func(name string, args ...string) Source {
		return Source{Name: name, Make: "go test " + "'" + strings.Join(args, "' '") + "'", Args: append([]string{"go", "test"}, args...)}
	}
	return []Source{
		bench("engine", "-run=^$", "-bench=EngineEcho|EngineReport", "-benchmem", "./failover"),
		bench("media", "-run=^$", "-bench=^(BenchmarkFanout|BenchmarkMerger|BenchmarkReference)$", "-benchmem", "./media"),
		bench("falsedown", "-run=^$", "-bench=FalseDown", "-benchtime=720x", "./failover"),
		{Name: "soak", Make: "make soak", Args: []string{"{lab}", "soak"}},
		scenario("blackhole-primary", "bubble"),
		{Name: "g3", Make: "make g3", Args: []string{"{lab}", "g3", "--cuts=8"}},
		scenario("restore-primary", "bubble"),
		scenario("lte-two", "bubble"),
		scenario("lte-two-driving", "bubble"),
		{Name: "g11", Make: "make g11", Args: []string{"{lab}", "g11"}},
		{Name: "g12", Make: "make g12", Args: []string{"{lab}", "g12"}},
		{Name: "references", Make: "make references", Args: []string{"{lab}", "references"}},
		scenario("blackhole-primary", "netns"),
		scenario("blackhole-cellular", "netns"),
		scenario("blackhole-primary-ondoubt", "netns"),
		{Name: "g15", Make: "make g15", Args: []string{"{lab}", "g15", "--turns=1"}},
		{Name: "g16", Make: "make g16", Args: []string{"{lab}", "g16", "--turns=5"}},
		{Name: "soak-netns", Make: "make soak-netns", Args: []string{"{lab}", "soak-netns"}, Long: true},
	}
}

// Run runs the source's command and keeps what it prints in the folder. That the command calls itself failed is no error
// when it has printed something: an expectation that did not hold is a result too.
func (s Source) Run(ctx context.Context, folder string, say io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append([]string{}, s.Args...)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "{lab}", self)
	}
	fmt.Fprintf(say, "== %s: %s\n", s.Name, s.Make)
	began := time.Now()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &out, say
	failed := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	fmt.Fprintf(say, "   took %.0f s\n", time.Since(began).Seconds())
	if failed != nil && out.Len() == 0 {
		fmt.Fprintf(&out, "not measured: %v\n", failed)
	}
	return os.WriteFile(s.file(folder), out.Bytes(), 0o644)
}

func (s Source) file(folder string) string { return filepath.Join(folder, s.Name+".out") }

// printed is what a source's command printed last.
type printed struct {
	source Source
	text   string
	lines  []map[string]any // those that are JSON
	why    string           // why there is nothing
}

func (s Source) read(folder string) printed {
	p := printed{source: s}
	text, err := os.ReadFile(s.file(folder))
	switch {
	case err != nil && s.Long:
		p.why = "the run was a quick one"
	case err != nil:
		p.why = "the command was not run"
	case bytes.HasPrefix(text, []byte("not measured: ")):
		p.why = strings.TrimSpace(strings.TrimPrefix(string(text), "not measured: "))
	}
	p.text = string(text)
	for line := range strings.Lines(p.text) {
		var m map[string]any
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &m) == nil {
			p.lines = append(p.lines, m)
		}
	}
	if p.why == "" && len(p.lines) == 0 && !strings.Contains(p.text, "Benchmark") {
		p.why = "the command printed no figure"
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
