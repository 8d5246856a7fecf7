package main

import (
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// The manual names every command, and no other.
func TestManual(t *testing.T) {
	text, err := os.ReadFile("../../packaging/man/scanside-gateway.1.scd")
	if err != nil {
		t.Fatal(err)
	}
	_, commands, _ := strings.Cut(string(text), "\n# COMMANDS\n")
	commands, _, _ = strings.Cut(commands, "\n# ")
	k, err := kong.New(&program{}, kong.Name("scanside-gateway"), kong.Vars{"version": "test"})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, c := range k.Model.Children {
		known[c.Name] = true
		entry, found := "", false
		for line := range strings.Lines(commands) {
			if strings.HasPrefix(line, "*"+c.Name+"*") {
				entry, found = line, true
			}
		}
		if !found {
			t.Errorf("the manual lacks the command %s", c.Name)
		}
		for _, below := range c.Children {
			if !strings.Contains(entry, below.Name) {
				t.Errorf("the manual's entry of %s lacks %s: %q", c.Name, below.Name, entry)
			}
		}
	}
	for line := range strings.Lines(commands) {
		if name, found := strings.CutPrefix(line, "*"); found {
			if name, _, _ = strings.Cut(name, "*"); !known[name] {
				t.Errorf("the manual has a command %s that is not there", name)
			}
		}
	}
}
