package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"scanside/agent"
	"scanside/diagnosis"
)

type diagnoseCommand struct{ configFlag }

// Help is printed by --help.
func (c *diagnoseCommand) Help() string {
	return "Each layer is looked at on its own socket, 8 s at most; the agent may be running. Exit status 0: no uplink has a fault."
}

var errFault = errors.New("not every uplink works")

func (c *diagnoseCommand) Run() error {
	cfg, err := agent.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	return diagnose(ctx, cfg, os.Stdout)
}

func diagnose(ctx context.Context, cfg agent.Config, out io.Writer) error {
	found, err := agent.Diagnose(ctx, cfg)
	if err != nil {
		return err
	}
	marks := map[diagnosis.Result]string{diagnosis.OK: "✓", diagnosis.Failed: "✗", diagnosis.Untested: "?"}
	for i, v := range diagnosis.Judge(time.Now(), found) {
		fmt.Fprintf(out, "%s: %s\n", found[i].Uplink, v.Sentence)
		if v.IsFault() {
			err = errFault
			fmt.Fprintf(out, "  → %s\n", v.Next)
		}
		for l, x := range found[i].Layers {
			fmt.Fprintf(out, "  %s %-8s %s  %s\n", marks[x.Result], diagnosis.Layer(l), x.Subject, x.Note)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
