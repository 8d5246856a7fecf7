package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"scanside/lab/netns"
	"scanside/lab/scenario"
	"scanside/lab/soak"
)

type soakCommand struct {
	Days float64 `default:"30" help:"Simulated."`
	Seed uint64  `default:"1" help:"Which days."`
}

func (c *soakCommand) Run(ctx context.Context) error {
	r, err := soak.Run(ctx, soak.Config{
		Length: time.Duration(c.Days * 24 * float64(time.Hour)), Seed: c.Seed,
		Say: func(line string) { fmt.Fprintln(os.Stderr, line) },
	})
	if err != nil {
		return err
	}
	fmt.Println(netns.Line(r))
	if r.Breaches+r.FalseDowns+r.WhileWell > 0 {
		return fmt.Errorf("%d breaches of invariants, %d false downs, %d voice packets lost while an uplink was well", r.Breaches, r.FalseDowns, r.WhileWell)
	}
	return nil
}

type soakNetnsCommand struct {
	Length time.Duration `default:"10m" help:"Real."`
	Seed   uint64        `default:"1" help:"Which cuts."`
	programs
}

func (c *soakNetnsCommand) Run(ctx context.Context) error {
	return play(ctx, c.config(false), scenario.Storm(c.Seed, c.Length))
}
