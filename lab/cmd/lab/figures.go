package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"scanside/lab/netns"
)

type cutsCommand struct {
	Cuts int `default:"40" help:"How many of each kind, each in a world of its own at a random moment."`
}

// Run measures in memory, in virtual time.
func (c *cutsCommand) Run(ctx context.Context) error {
	return inBubble(ctx, "^TestCuts$", fmt.Sprintf("SCANSIDE_CUTS=%d", c.Cuts))
}

type g9Command struct{}

// Run measures in memory: a dwell of minutes takes seconds.
func (c *g9Command) Run(ctx context.Context) error { return inBubble(ctx, "^TestSwitchBack$") }

type g10Command struct {
	Minutes int `default:"4" help:"How long each pair of recorded uplinks is played."`
}

// Run measures in memory, each pair of three recorded uplinks in SCANSIDE_TRACES.
func (c *g10Command) Run(ctx context.Context) error {
	return inBubble(ctx, "^TestTwoModems$", fmt.Sprintf("SCANSIDE_MINUTES=%d", c.Minutes))
}

type g13Command struct{}

// Run measures in memory; name service with real servers is `lab recovery`.
func (c *g13Command) Run(ctx context.Context) error { return inBubble(ctx, "^TestNothingSingleHomed$") }

type g14Command struct{}

// Run counts in memory.
func (c *g14Command) Run(ctx context.Context) error { return inBubble(ctx, "^TestExplained$") }

type g12Command struct{}

// Run measures in memory: with virtual time an outage of two minutes takes a second.
func (c *g12Command) Run(ctx context.Context) error { return inBubble(ctx, "^TestG12$") }

type recoveryCommand struct{ programs }

func (c *recoveryCommand) Run(ctx context.Context) error {
	figure, err := netns.MeasureRecovery(ctx, c.config(false))
	if err != nil {
		return err
	}
	fmt.Println(netns.Line(figure))
	return nil
}

type g11Command struct{}

func (c *g11Command) Run(ctx context.Context) error { return inBubble(ctx, "TestStandbyCost$") }

type g15Command struct {
	Turns int           `default:"3" help:"How often each agent runs."`
	Each  time.Duration `default:"20s" help:"How long each is measured."`
	programs
}

func (c *g15Command) Run(ctx context.Context) error {
	figure, err := netns.MeasureCPU(ctx, c.config(false), c.Turns, c.Each)
	if err != nil {
		return err
	}
	fmt.Println(netns.Line(figure))
	return nil
}

type g16Command struct {
	Turns int `default:"10" help:"How often the agent is started."`
	programs
}

func (c *g16Command) Run(ctx context.Context) error {
	figure, err := netns.MeasureStart(ctx, c.config(false), c.Turns)
	if err != nil {
		return err
	}
	fmt.Println(netns.Line(figure))
	return nil
}

type janusCommand struct {
	Root string `default:"build/janus" help:"A Debian tree with janus and simple-whip-server (lab/janus/chroot.sh)."`
	programs
}

func (c *janusCommand) Run(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, janusLimit)
	defer stop()
	root, err := filepath.Abs(c.Root)
	if err != nil {
		return err
	}
	figure, err := netns.MeasureJanus(ctx, c.config(false), root)
	if err != nil {
		return err
	}
	fmt.Println(netns.Line(figure))
	return nil
}

// janusLimit bounds the whole of it; it takes a minute and a half.
const janusLimit = 4 * time.Minute
