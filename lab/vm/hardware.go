package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// The guest's hardware, as a person in the scan room has it in his hands.

const (
	cameraPath     = "/dev/v4l/by-path/platform-vivid.0-video-index0" // the stable name; /dev/videoN may change
	microphoneCard = "RoomMic"                                        // ALSA's id of the card
	microphone     = "hw:" + microphoneCard + ",0"                    // what the agent records from
	mouth          = "hw:" + microphoneCard + ",1"                    // what is played here is heard there
)

// PlugCamera plugs the camera in, for the first time or again, and waits until udev has named it.
func (m *Machine) PlugCamera(ctx context.Context) error {
	const script = `if [ -d /sys/module/vivid ]; then echo vivid.0 > /sys/bus/platform/drivers/vivid/bind; else modprobe vivid; fi
udevadm settle --timeout=10 --exit-if-exists=` + cameraPath + `
test -e ` + cameraPath + `
v4l2-ctl -d ` + cameraPath + ` -c horizontal_movement=4 -c show_border=1`
	_, err := m.Shell(ctx, script)
	return err
}

// PullCamera pulls the camera out, even if a program is reading from it.
func (m *Machine) PullCamera(ctx context.Context) error {
	_, err := m.Shell(ctx, "echo vivid.0 > /sys/bus/platform/drivers/vivid/unbind && udevadm settle --timeout=10 && test ! -e "+cameraPath)
	return err
}

// HoldCamera lets another program stream from the camera until ReleaseCamera.
func (m *Machine) HoldCamera(ctx context.Context) error {
	return m.Start(ctx, "lab-holds-camera", nil, "v4l2-ctl -d "+cameraPath+" --stream-mmap --stream-count=0")
}

// ReleaseCamera ends HoldCamera.
func (m *Machine) ReleaseCamera(ctx context.Context) error { return m.Stop(ctx, "lab-holds-camera") }

// PlugSound plugs both sound cards in.
func (m *Machine) PlugSound(ctx context.Context) error {
	_, err := m.Shell(ctx, "modprobe snd-aloop && udevadm settle --timeout=10 && test -e /proc/asound/RoomMic && test -e /proc/asound/RoomSpk")
	return err
}

// pcmFormat is how writePCM writes, in the words of aplay and arecord.
const pcmFormat = "-t raw -f S16_LE -c 1 -r 48000"

// Speak says the lab's test voice into the microphone, again and again, until Hush. One aplay plays it all: at each opening
// of its other end the loop can stall for a second, as no microphone does.
func (m *Machine) Speak(ctx context.Context) error {
	const file = "voice.pcm"
	if err := writePCM(filepath.Join(m.Share, file), voiceTone(10)); err != nil {
		return err
	}
	const script = `sh -c "while cat /lab/` + file + `; do :; done | aplay -q -D plug` + mouth + ` ` + pcmFormat + `"`
	return m.Start(ctx, "lab-speaks", nil, script)
}

// Hush ends Speak: the microphone hears digital silence.
func (m *Machine) Hush(ctx context.Context) error { return m.Stop(ctx, "lab-speaks") }

// Record records from the microphone by itself, with ALSA's own tool.
func (m *Machine) Record(ctx context.Context, seconds int) (Sound, error) {
	const file = "heard.pcm"
	if _, err := m.Shell(ctx, fmt.Sprintf("arecord -q -D plug%s %s -d %d /lab/%s", microphone, pcmFormat, seconds, file)); err != nil {
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
timeout 20 v4l2-ctl -d %[1]s --stream-mmap=4 --stream-count=%[5]d 2>&1`, cameraPath, c.Width, c.Height, c.Rate, 3*c.Rate+1))
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
