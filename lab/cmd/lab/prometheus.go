package main

import (
	"context"
	"fmt"

	"scanside/lab/netns"
)

type prometheusCommand struct {
	Shipped string  `default:"packaging" placeholder:"FOLDER" help:"Where the rules and the dashboard are."`
	Factor  float64 `default:"10" help:"What each alert's 'for' is divided by; 1: as shipped."`
	programs
}

// Run has real Prometheuses watch a cable being pulled and prints what they saw as a line of JSON.
func (c *prometheusCommand) Run(ctx context.Context) error {
	if c.Factor < 1 {
		return fmt.Errorf("a factor of %v: 1 or more is expected", c.Factor)
	}
	r, err := netns.MeasurePrometheus(ctx, c.config(false), c.Shipped, c.Factor)
	if err != nil {
		return err
	}
	fmt.Println(netns.Line(r))
	if r.Others > 0 || r.Empty > 0 || r.Missed > 0 || r.Native == 0 {
		return fmt.Errorf("%d other alerts fired, %d queries of the dashboard have no series, %d samples did not come to the far end, %d observations are native", r.Others, r.Empty, r.Missed, r.Native)
	}
	return nil
}
