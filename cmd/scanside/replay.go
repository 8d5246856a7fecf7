package main

import (
	"errors"
	"fmt"
	"os"

	"scanside/failover"
)

type replayCommand struct {
	Trace string `arg:"" type:"existingfile" help:"A trace: from the agent's state folder, or failover/testdata."`
	Quiet bool   `help:"Print only whether the decisions are the same."`
}

// Run fails when an invariant broke or the decisions are not the recorded ones.
func (c *replayCommand) Run() error {
	f, err := os.Open(c.Trace)
	if err != nil {
		return fmt.Errorf("opening the trace: %w", err)
	}
	defer f.Close()
	trace, err := failover.ReadTrace(f)
	if err != nil {
		return fmt.Errorf("reading %s: %w", c.Trace, err)
	}
	replayed, err := trace.Replay()
	if err != nil {
		return fmt.Errorf("replaying %s: %w", c.Trace, err)
	}
	if !c.Quiet {
		fmt.Print(replayed.Decisions)
	}
	for _, b := range replayed.Breaches {
		fmt.Printf("invariant broken: %s\n", b)
	}
	if replayed.Differs != "" {
		fmt.Printf("the decisions are not the recorded ones:\n%s", replayed.Differs)
	}
	if !replayed.OK() {
		return errors.New("the replay is not what was recorded")
	}
	fmt.Fprintf(os.Stderr, "same decisions, no invariant broken\n")
	return nil
}
