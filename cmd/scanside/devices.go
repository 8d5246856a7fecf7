package main

import (
	"encoding/json"
	"os"

	"scanside/media/device"
)

type devicesCommands struct {
	List devicesCommand     `cmd:"" default:"withargs" help:"List what is plugged in."`
	Test testDevicesCommand `cmd:"" help:"Have the running agent test camera, loudspeaker and microphone."`
}

type devicesCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *devicesCommand) Run() error {
	found := device.List()
	if !c.JSON {
		return found.WriteText(os.Stdout)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(found)
}
