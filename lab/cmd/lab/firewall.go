package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"scanside/lab/netns"
)

type firewallCommand struct {
	Only []string `placeholder:"NAME" help:"Only these walls."`
	programs
}

// Run tries one wall after the other and prints a line of JSON for each.
func (c *firewallCommand) Run(ctx context.Context) error {
	var errs []error
	for _, wall := range netns.Walls() {
		if len(c.Only) > 0 && !slices.Contains(c.Only, wall.Name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "\n== %s: %s\n", wall.Name, wall.Story)
		b, err := netns.MeasureWall(ctx, c.config(false), wall)
		if err != nil {
			fmt.Fprintf(os.Stderr, "FAILED  %v\n", err)
			errs = append(errs, err)
		} else {
			fmt.Fprintf(os.Stderr, "%s\nfirst media %.0f ms after the start, %.0f ms after the gateway came back; the cut lost %d and %d packets of voice\n", b.Words, b.First, b.Again, b.Lost, b.Return)
		}
		fmt.Println(netns.Line(b))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}
