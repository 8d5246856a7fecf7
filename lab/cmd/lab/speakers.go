package main

import (
	"context"
	"os"

	"scanside/lab/netns"
)

// speakers are the helpers at both ends of a reference's stream.
type speakers struct {
	Mouth mouthHelper `cmd:""`
	Ear   earHelper   `cmd:""`
}

type mouthHelper struct {
	Kind []string `arg:""`
}

func (h *mouthHelper) Run(ctx context.Context) error {
	return netns.Mouth(ctx, h.Kind, os.Stdin, os.Stdout)
}

type earHelper struct {
	Kind []string `arg:""`
}

func (h *earHelper) Run(ctx context.Context) error {
	return netns.EarOf(ctx, h.Kind, os.Stdin, os.Stdout)
}
