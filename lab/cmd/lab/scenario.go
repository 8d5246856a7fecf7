package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"scanside/lab/netns"
	"scanside/lab/scenario"
)

type scenarioCommand struct {
	Scenario string `short:"s" required:"" placeholder:"NAME" help:"Which one; see 'lab scenarios'."`
	World    string `short:"w" default:"bubble" enum:"bubble,netns" help:"bubble (in memory, seconds) or netns (real programs, root)."`
	Chromium bool   `default:"true" negatable:"" help:"Let a real Chromium watch in the world netns."`
	programs
}

func (c *scenarioCommand) Run(ctx context.Context) error {
	s, err := scenario.Load(c.Scenario)
	if err != nil {
		return err
	}
	if err := s.Missing(); err != nil {
		return err
	}
	if c.World == "bubble" {
		return bubble(ctx, s)
	}
	return play(ctx, c.config(c.Chromium), s)
}

// bubble plays a scenario in memory.
func bubble(ctx context.Context, s scenario.Scenario) error {
	if err := inBubble(ctx, "TestScenario/^"+s.Name+"$"); err != nil {
		return fmt.Errorf("scenario %s: an expectation did not hold: %w", s.Name, err)
	}
	return nil
}

// inBubble runs a test of package bubble, for virtual time exists in tests only, and prints the result that it writes.
func inBubble(ctx context.Context, test string, env ...string) error {
	dir, err := os.MkdirTemp("", "scanside-lab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "result.json")
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-run", test, "scanside/lab/bubble")
	cmd.Env = append(append(os.Environ(), env...), "SCANSIDE_RESULT="+file)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	failed := cmd.Run()
	line, err := os.ReadFile(file)
	if err != nil {
		return errors.Join(errors.New("there is no result"), failed)
	}
	fmt.Print(string(line))
	return failed
}

// play plays a scenario in namespaces and prints what was expected and seen, what Chromium saw, and the result.
func play(ctx context.Context, cfg netns.Config, s scenario.Scenario) error {
	out, err := netns.Play(ctx, cfg, s)
	if err != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	broken := 0
	for _, v := range s.Judge(out.Result, out.Routes, false) {
		word := "held"
		switch {
		case !v.Held && v.Asserted:
			word = "BROKEN"
			broken++
		case !v.Held && strings.HasPrefix(v.Text, "owed"):
			word = "OWED"
		case !v.Held:
			word = "not held (a real clock proves nothing)"
		}
		fmt.Fprintf(os.Stderr, "%-7s %s\n", word, v.Text)
	}
	if out.Chromium != nil {
		if least := int(0.5 * scenario.VideoRate * s.Length.Seconds()); out.Chromium.Shown < least {
			fmt.Fprintf(os.Stderr, "BROKEN  always chromium.shown >= %d: %d\n", least, out.Chromium.Shown)
			broken++
		}
		line, err := json.Marshal(map[string]any{"scenario": s.Name, "chromium": out.Chromium})
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	fmt.Println(out.Result.Line())
	if broken > 0 {
		return fmt.Errorf("scenario %s: %d expectation(s) did not hold", s.Name, broken)
	}
	return nil
}

type suiteCommand struct {
	Only     []string `placeholder:"NAME" help:"Only these scenarios."`
	All      bool     `help:"Also those that are not marked for namespaces."`
	Chromium bool     `default:"true" negatable:"" help:"Let a real Chromium watch."`
	programs
}

// Run plays those marked "also namespaces" one after the other: they share the processor, and each one's figures want it alone.
func (c *suiteCommand) Run(ctx context.Context) error {
	names := c.Only
	if len(names) == 0 {
		names = scenario.All()
	}
	var errs []error
	for _, name := range names {
		s, err := scenario.Load(name)
		if err != nil {
			return err
		}
		if len(c.Only) == 0 && !c.All && !s.Spaces {
			continue
		}
		if err := s.Missing(); err != nil {
			fmt.Fprintf(os.Stderr, "SKIPPED, LOUDLY: %s: %v\n", name, err)
			continue
		}
		fmt.Fprintf(os.Stderr, "\n== %s\n%s\n", s.Name, s.Story)
		if err := play(ctx, c.config(c.Chromium), s); err != nil {
			fmt.Fprintf(os.Stderr, "FAILED  %v\n", err)
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}
