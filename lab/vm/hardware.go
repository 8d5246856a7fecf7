package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// The guest's hardware, as a person in the scan room has it in his hands.

const (
	microphoneCard = "RoomMic"  // ALSA's id of the card
	spareCard      = "SpareMic" // and of the one that stands in for it
)

// camera is one of the guest's two, by its stable name. One driver makes both: they are plugged in and pulled out together, and fail
// each on its own.
type camera string

const (
	front   camera = "/dev/v4l/by-lab/front"   // the preferred one
	ceiling camera = "/dev/v4l/by-lab/ceiling" // the one that stands in for it
)

// PlugCameras plugs the cameras in, for the first time or again, and waits until udev has named them.
func (m *Machine) PlugCameras(ctx context.Context) error {
	script := `if [ -d /sys/module/vivid ]; then echo vivid.0 > /sys/bus/platform/drivers/vivid/bind; else modprobe vivid; fi
udevadm settle --timeout=10`
	for _, c := range []camera{front, ceiling} {
		script += fmt.Sprintf("\ntest -e %s && v4l2-ctl -d %[1]s -c horizontal_movement=4 -c show_border=1", c)
	}
	_, err := m.Shell(ctx, script)
	return err
}

// PullCameras pulls them out, even if a program is reading.
func (m *Machine) PullCameras(ctx context.Context) error {
	_, err := m.Shell(ctx, fmt.Sprintf("echo vivid.0 > /sys/bus/platform/drivers/vivid/unbind && udevadm settle --timeout=10 && test ! -e %s", front))
	return err
}

// StopFrames lets a camera go on without giving a single frame, as one does whose firmware hangs, or ends that.
func (m *Machine) StopFrames(ctx context.Context, c camera, on bool) error {
	share := 0
	if on {
		share = 100
	}
	_, err := m.Shell(ctx, fmt.Sprintf("v4l2-ctl -d %s -c percentage_of_dropped_buffers=%d", c, share))
	return err
}

// DamageFrame lets the driver mark the next frame as damaged.
func (m *Machine) DamageFrame(ctx context.Context, c camera) error {
	_, err := m.Shell(ctx, fmt.Sprintf("v4l2-ctl -d %s -c inject_v4l2_buf_flag_error=1", c))
	return err
}

// Disconnect takes one camera from under whoever reads it. It is there again when nobody has it open any more.
func (m *Machine) Disconnect(ctx context.Context, c camera) error {
	_, err := m.Shell(ctx, fmt.Sprintf("v4l2-ctl -d %s -c disconnect=1", c))
	return err
}

// HoldCameras lets other programs stream from both, in another format and size than ours, until ReleaseCameras.
func (m *Machine) HoldCameras(ctx context.Context) error {
	return errors.Join(m.hold(ctx, "lab-holds-front", front), m.hold(ctx, "lab-holds-ceiling", ceiling))
}

func (m *Machine) hold(ctx context.Context, unit string, c camera) error {
	return m.Start(ctx, unit, nil, fmt.Sprintf("v4l2-ctl -d %s --set-fmt-video=width=320,height=180,pixelformat=NV12 --stream-mmap --stream-count=0", c))
}

// ReleaseCameras ends HoldCameras.
func (m *Machine) ReleaseCameras(ctx context.Context) error {
	return errors.Join(m.Stop(ctx, "lab-holds-front"), m.Stop(ctx, "lab-holds-ceiling"))
}

// PlugSound plugs all sound cards in.
func (m *Machine) PlugSound(ctx context.Context) error {
	_, err := m.Shell(ctx, "modprobe snd-aloop && udevadm settle --timeout=10 && test -e /proc/asound/RoomMic && test -e /proc/asound/RoomSpk && test -e /proc/asound/SpareMic")
	return err
}

// PullMicrophone pulls the preferred microphone out, even if a program is listening to it. The kernel waits until all programs have
// closed it, so that it is done in the background.
func (m *Machine) PullMicrophone(ctx context.Context) error {
	return m.Start(ctx, "lab-pulls-sound", nil, `sh -c "echo snd_aloop.0 > /sys/bus/platform/drivers/snd_aloop/unbind"`)
}

// PlugMicrophone plugs it in again, when the kernel has let it go.
func (m *Machine) PlugMicrophone(ctx context.Context) error {
	_, err := m.Shell(ctx, "while test -e /sys/bus/platform/drivers/snd_aloop/snd_aloop.0; do sleep 0.1; done; echo snd_aloop.0 > /sys/bus/platform/drivers/snd_aloop/bind && udevadm settle --timeout=10 && test -e /proc/asound/"+microphoneCard)
	return err
}

// pcmFormat is how writePCM writes, in the words of aplay and arecord.
const pcmFormat = "-t raw -f S16_LE -c 1 -r 48000"

// Speak says the lab's test voice into a microphone, again and again, until Hush. One aplay plays it all: at each opening
// of its other end the loop can stall for a second, as no microphone does.
func (m *Machine) Speak(ctx context.Context, card string) error {
	const file = "voice.pcm"
	if err := writePCM(filepath.Join(m.Share, file), voiceTone(10)); err != nil {
		return err
	}
	script := `sh -c "while cat /lab/` + file + `; do :; done | aplay -q -D plughw:` + card + `,1 ` + pcmFormat + `"`
	return m.Start(ctx, "lab-speaks-"+card, nil, script)
}

// Hush ends Speak: the microphone hears digital silence.
func (m *Machine) Hush(ctx context.Context, card string) error {
	return m.Stop(ctx, "lab-speaks-"+card)
}

// Record records from the microphone by itself, with ALSA's own tool.
func (m *Machine) Record(ctx context.Context, seconds int) (Sound, error) {
	const file = "heard.pcm"
	if _, err := m.Shell(ctx, fmt.Sprintf("arecord -q -D plughw:%s,0 %s -d %d /lab/%s", microphoneCard, pcmFormat, seconds, file)); err != nil {
		return Sound{}, err
	}
	pcm, err := readPCM(filepath.Join(m.Share, file))
	if err != nil {
		return Sound{}, err
	}
	return listen(pcm), nil
}

// Mode is a picture size and a rate asked of the camera.
type Mode struct {
	Width, Height, Rate int
}

func (c Mode) String() string { return fmt.Sprintf("%dx%d@%d", c.Width, c.Height, c.Rate) }

// Set reads what String writes.
func (c *Mode) Set(text string) error {
	_, err := fmt.Sscanf(text, "%dx%d@%d", &c.Width, &c.Height, &c.Rate)
	return err
}

// FrameRate streams from the camera for about three seconds and returns the frames a second that came, as v4l2-ctl
// counted them.
func (m *Machine) FrameRate(ctx context.Context, c Mode) (float64, error) {
	out, err := m.Shell(ctx, fmt.Sprintf(`v4l2-ctl -d %s --set-fmt-video=width=%d,height=%d,pixelformat=YUYV --set-parm=%d > /dev/null &&
timeout 20 v4l2-ctl -d %[1]s --stream-mmap=4 --stream-count=%[5]d 2>&1`, front, c.Width, c.Height, c.Rate, 3*c.Rate+1))
	if err != nil {
		return 0, err
	}
	// It prints "<<<<<< 14.98 fps" about every second; the last is the steadiest.
	before, _, found := cutLast(out, " fps")
	if !found {
		return 0, fmt.Errorf("reading the camera's rate: v4l2-ctl printed %q", out)
	}
	return strconv.ParseFloat(before[strings.LastIndexAny(before, "< ")+1:], 64)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
