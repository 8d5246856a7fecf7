package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"scanside/lab/netns"
	"scanside/lab/scenario"
)

type helperCommand struct {
	speakers // of references

	Emulator emulatorHelper `cmd:""`
	Far      farHelper      `cmd:""`
	Room     roomHelper     `cmd:""`
	Names    namesHelper    `cmd:""`
	Browser  browserHelper  `cmd:""`
	Janus    janusHelper    `cmd:""`
}

type emulatorHelper struct {
	Room    string `arg:""`
	Far     string `arg:""`
	Uplinks string `arg:"" help:"JSON."`

	Near map[string]string `help:"UPLINK=NAMESPACE where the near end is not in the room."`
}

func (h *emulatorHelper) Run() error {
	var uplinks []scenario.Uplink
	if err := json.Unmarshal([]byte(h.Uplinks), &uplinks); err != nil {
		return fmt.Errorf("uplinks: %w", err)
	}
	return netns.Emulator(h.Room, h.Far, uplinks, h.Near, os.Stdin, os.Stdout)
}

type farHelper struct {
	Config string `arg:"" help:"JSON."`
}

func (h *farHelper) Run(ctx context.Context) error {
	var cfg netns.FarConfig
	if err := json.Unmarshal([]byte(h.Config), &cfg); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return netns.Far(ctx, cfg, os.Stdin, os.Stdout)
}

type roomHelper struct {
	Page string `arg:""`
}

func (h *roomHelper) Run(ctx context.Context) error {
	return netns.Room(ctx, h.Page, os.Stdin, os.Stdout)
}

type janusHelper struct {
	Pictures string `arg:""`
}

func (h *janusHelper) Run(ctx context.Context) error {
	return netns.JanusWatch(ctx, h.Pictures, os.Stdin, os.Stdout)
}

type browserHelper struct{}

func (h *browserHelper) Run(ctx context.Context) error {
	return netns.Browser(ctx, os.Stdin, os.Stdout)
}

type namesHelper struct {
	Addresses []string `arg:""`
}

func (h *namesHelper) Run() error { return netns.Names(h.Addresses, os.Stdin, os.Stdout) }
