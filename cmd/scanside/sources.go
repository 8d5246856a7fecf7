package main

import (
	"log/slog"

	"scanside/agent"
	"scanside/media"
	"scanside/media/device"
	"scanside/media/room"
)

// What a device may be called in the configuration besides its own name.
const (
	deviceAuto = "auto" // the first there is; in a scan room a missing camera is a slate with the reason, never a test picture
	deviceTest = "test" // the drawn picture, the drawn voice
	deviceNone = "none"
)

// sources builds the room's camera and microphone as the configuration names them.
func sources(cfg agent.Config, log *slog.Logger) ([]media.Source, error) {
	var all []media.Source
	video := device.VideoConfig{Width: cfg.Video.Width, Height: cfg.Video.Height, FPS: cfg.Video.FPS, Bitrate: cfg.Video.Bitrate}
	switch cfg.Camera.Device {
	case deviceNone:
	case deviceTest:
		all = append(all, device.NewTestPicture(video))
	default:
		all = append(all, device.NewCamera(device.CameraConfig{Device: named(cfg.Camera.Device), VideoConfig: video, Log: log}))
	}
	switch cfg.Microphone.Device {
	case deviceNone:
	case deviceTest:
		all = append(all, device.NewTestVoice(0))
	default:
		m, err := device.NewMicrophone(device.MicrophoneConfig{Device: named(cfg.Microphone.Device), Log: log})
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// loudspeaker builds what plays the physician's voice in the room; nil: the configuration wants none.
func loudspeaker(cfg agent.Config, log *slog.Logger) (agent.Loudspeaker, error) {
	c := cfg.Loudspeaker
	if c.Device == deviceNone && len(c.Devices) == 0 {
		return nil, nil
	}
	names := c.Names()
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = named(n)
	}
	return room.New(room.Config{Devices: all, Volume: c.Volume, Most: c.Most, Log: log})
}

// named is the device's own name; "" asks for the first one.
func named(d string) string {
	if d == deviceAuto {
		return ""
	}
	return d
}

// withStandIns puts the test picture and the test voice where the machine has no device: a demo shows something anywhere.
func withStandIns(cfg agent.Config) agent.Config {
	there := device.List()
	if cfg.Camera.Device == deviceAuto && len(there.Cameras) == 0 {
		cfg.Camera.Device = deviceTest
	}
	if cfg.Loudspeaker.Device == deviceAuto && len(there.Loudspeakers) == 0 {
		cfg.Loudspeaker.Device = deviceNone
	}
	if cfg.Microphone.Device == deviceAuto && len(there.Microphones) == 0 {
		cfg.Microphone.Device = deviceTest
	}
	return cfg
}
