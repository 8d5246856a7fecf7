package main

import (
	"context"
	"fmt"
	"os"

	"scanside/lab/netns"
)

type referencesCommand struct {
	Turns int      `default:"3" help:"How often each is struck."`
	Only  []string `placeholder:"NAME" help:"Only these: duplicator, rist, pion-fast, pion, chromium."`
	Keep  bool     `help:"Keep the folders with logs."`
}

// Run prints a line of JSON for each. One that cannot be had is said so, and the others go on.
func (c *referencesCommand) Run(ctx context.Context) error {
	names := c.Only
	if len(names) == 0 {
		names = netns.References()
	}
	for _, name := range names {
		r, err := netns.MeasureReference(ctx, netns.Config{Keep: c.Keep, Say: os.Stderr}, name, c.Turns)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r = netns.Reference{Name: name, Note: fmt.Sprintf("not measured: %v", err)}
		}
		fmt.Println(netns.Line(r))
	}
	return nil
}
