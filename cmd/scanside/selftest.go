package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"scanside/agent"
	"scanside/agent/status"
)

type testDevicesCommand struct {
	configFlag
	JSON bool `name:"json" help:"Print JSON."`
}

// Help is printed by --help.
func (c *testDevicesCommand) Help() string {
	return "The agent on this machine tries camera, loudspeaker and microphone: it chirps, and asks you to say something, which it plays back and does not keep. Never while a procedure is open. Exit status 0: everything passed."
}

var errNotPassed = errors.New("not every check passed")

func (c *testDevicesCommand) Run() error {
	cfg, err := agent.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	return testDevices(ctx, cfg.Status, c.JSON, os.Stdout)
}

const (
	testWithin = time.Minute
	askEvery   = 200 * time.Millisecond
)

// testDevices has the agent make its self-test, tells what to do while it runs, and what was found.
func testDevices(ctx context.Context, page agent.Status, asJSON bool, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, testWithin)
	defer cancel()
	if err := askPage(ctx, page, http.MethodPost, "/api/v1/selftest", nil, nil); err != nil {
		return fmt.Errorf("test the devices: %w", err)
	}
	var found status.SelfTest
	for said, shown := "", 0; ; {
		found = status.SelfTest{}
		if err := askPage(ctx, page, http.MethodGet, "/api/v1/selftest", nil, &found); err != nil {
			return fmt.Errorf("test the devices: %w", err)
		}
		if !asJSON {
			for ; shown < len(found.Results); shown++ {
				writeCheck(out, found.Results[shown])
			}
			if found.Say != "" && found.Say != said {
				said = found.Say
				fmt.Fprintln(out, said)
			}
		}
		if !found.Running {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("test the devices: %w", ctx.Err())
		case <-time.After(askEvery):
		}
	}
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		if err := e.Encode(found); err != nil {
			return err
		}
	}
	if !found.Passed() {
		return errNotPassed
	}
	return nil
}

func writeCheck(out io.Writer, c status.Check) {
	mark := "✗"
	if c.Pass {
		mark = "✓"
	}
	fmt.Fprintf(out, "%s %s: %s\n", mark, c.Name, c.Sentence)
	if c.Do != "" {
		fmt.Fprintf(out, "  → %s\n", c.Do)
	}
}
