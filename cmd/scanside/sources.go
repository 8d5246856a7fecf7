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
	deviceBeat = "beat" // a flash and a beep at once: `scanside demo --flash-and-beep`
)

// sources builds the room's camera and microphone as the configuration names them.
func sources(cfg agent.Config, log *slog.Logger) ([]media.Source, error) {
	var all []media.Source
	video := device.VideoConfig{Width: cfg.Video.Width, Height: cfg.Video.Height, FPS: cfg.Video.FPS, Bitrate: cfg.Video.Bitrate}
	switch cameras := cfg.Camera.Names(); cameras[0] {
	case deviceNone:
	case deviceTest:
		all = append(all, device.NewTestPicture(video))
	case deviceBeat:
		all = append(all, device.NewFlash(video))
	default:
		all = append(all, device.NewCamera(device.CameraConfig{Devices: named(cameras), VideoConfig: video, Log: log}))
	}
	switch microphones := cfg.Microphone.Names(); microphones[0] {
	case deviceNone:
	case deviceTest:
		all = append(all, device.NewTestVoice(0))
	case deviceBeat:
		all = append(all, device.NewBeep())
	default:
		m, err := device.NewMicrophone(device.MicrophoneConfig{Devices: named(microphones), Log: log})
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// loudspeaker builds what plays the physician's voice in the room, and takes its echo out of the microphone among the sources, to
// which the ear listens; both nil: the configuration wants none.
func loudspeaker(cfg agent.Config, captured []media.Source, log *slog.Logger) (agent.Loudspeaker, agent.Ear, error) {
	c := cfg.Loudspeaker
	if c.Device == deviceNone && len(c.Devices) == 0 {
		return nil, nil, nil
	}
	echo, err := room.NewEcho(room.Treatment(c.Echo)) // lives as long as the program
	if err != nil {
		return nil, nil, err
	}
	var ear agent.Ear
	for _, s := range captured {
		if m, ok := s.(*device.Microphone); ok {
			raw := &room.Ear{}
			ear = raw
			m.Clean(func(pcm []int16) {
				raw.Heard(pcm)
				echo.Heard(pcm)
			})
		}
	}
	speaker, err := room.New(room.Config{Devices: named(c.Names()), Volume: c.Volume, Most: c.Most, Played: echo.Played, Log: log})
	if err != nil {
		return nil, nil, err
	}
	return speaker, ear, nil
}

// named are the devices' own names; "" asks for the first one.
func named(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		if n != deviceAuto {
			all[i] = n
		}
	}
	return all
}

// withStandIns puts the test picture and the test voice where the machine has no device: a demo shows something anywhere.
func withStandIns(cfg agent.Config) agent.Config {
	there := device.List()
	if cfg.Camera.Names()[0] == deviceAuto && len(there.Cameras) == 0 {
		cfg.Camera.Device = deviceTest
	}
	if cfg.Loudspeaker.Device == deviceAuto && len(there.Loudspeakers) == 0 {
		cfg.Loudspeaker.Device = deviceNone
	}
	if cfg.Microphone.Names()[0] == deviceAuto && len(there.Microphones) == 0 {
		cfg.Microphone.Device = deviceTest
	}
	return cfg
}
