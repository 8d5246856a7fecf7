package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
)

// devicesReport is the JSON line of the devices command.
type devicesReport struct {
	Accelerator string      `json:"accelerator"`
	BootSeconds float64     `json:"boot_seconds"`
	Camera      string      `json:"camera"`
	Modes       []modeSpeed `json:"modes"`
	Speaking    Sound       `json:"microphone_speaking"`
	Silent      Sound       `json:"microphone_silent"`
	PulledOut   bool        `json:"camera_can_be_pulled"`
}

type modeSpeed struct {
	Mode string  `json:"mode"`
	Rate float64 `json:"frames_per_second"`
}

// runDevices proves the guest's devices with the kernel's own tools, without scanside: what fails here is the lab's fault.
func runDevices(ctx context.Context, m *Machine, _ options) error {
	report := devicesReport{Accelerator: string(m.Accel), BootSeconds: round(m.Booted.Seconds()), Camera: string(front)}
	if err := m.PlugCameras(ctx); err != nil {
		return fmt.Errorf("plugging the camera in: %w", err)
	}
	for _, mode := range []Mode{{320, 180, 10}, {320, 180, 15}, {320, 180, 30}, {640, 360, 10}, {640, 360, 15}, {640, 360, 30}, {1280, 720, 10}} {
		rate, err := m.FrameRate(ctx, mode)
		if err != nil {
			return fmt.Errorf("streaming %s from the camera: %w", mode, err)
		}
		report.Modes = append(report.Modes, modeSpeed{mode.String(), round(rate)})
	}
	if err := m.PlugSound(ctx); err != nil {
		return fmt.Errorf("plugging the sound cards in: %w", err)
	}
	var err error
	if report.Silent, err = m.Record(ctx, 2); err != nil {
		return fmt.Errorf("recording silence: %w", err)
	}
	if err := m.Speak(ctx, microphoneCard); err != nil {
		return fmt.Errorf("speaking into the microphone: %w", err)
	}
	if report.Speaking, err = m.Record(ctx, 4); err != nil {
		return fmt.Errorf("recording the test voice: %w", err)
	}
	if err := m.Hush(ctx, microphoneCard); err != nil {
		return err
	}
	if err := m.PullCameras(ctx); err != nil {
		return fmt.Errorf("pulling the camera out: %w", err)
	}
	if err := m.PlugCameras(ctx); err != nil {
		return fmt.Errorf("plugging the camera in again: %w", err)
	}
	report.PulledOut = true
	return json.NewEncoder(os.Stdout).Encode(report)
}

func round(x float64) float64 { return math.Round(10*x) / 10 }
