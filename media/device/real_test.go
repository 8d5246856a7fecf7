package device

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// These tests need a kernel with V4L2 and ALSA and devices behind them. They run anywhere such devices are, and in the
// lab's virtual machine, whose camera (vivid) can be pulled out by software.

const vividDriver = "/sys/bus/platform/drivers/vivid"

func realCamera(t *testing.T) CameraInfo {
	t.Helper()
	for _, c := range List().Cameras {
		if c.Problem == "" {
			return c
		}
	}
	t.Skip("this machine has no camera")
	return CameraInfo{}
}

// 15 pictures of 320x180 are what an emulated processor can do.
func startRealCamera(t *testing.T, device string) (*Camera, *safeTape, func()) {
	src := NewCamera(CameraConfig{Devices: []string{device}, VideoConfig: VideoConfig{Width: 320, Height: 180, FPS: 15, Bitrate: 300_000}})
	out := &safeTape{}
	return src, out, run(t, src, out)
}

func TestRealCamera(t *testing.T) {
	c := realCamera(t)
	t.Logf("%s (%s), by default %v", c.Card, c.Device, c.Chosen)
	src, out, stop := startRealCamera(t, c.Device)
	eventually(t, "fifty pictures came", func() bool { return src.Health().Frames >= 50 })
	h := src.Health()
	t.Logf("%+v", h)
	stop()
	if !h.OK || h.Opens != 1 || h.Width == 0 || h.Bad > 1 {
		t.Errorf("health %+v", h)
	}
	if pictures, keys := out.pictures(); pictures < 30 || keys == 0 {
		t.Errorf("%d pictures with %d key frames were sent", pictures, keys)
	}
	checkFresh(t, &out.tape)
}

func TestRealCameraInUse(t *testing.T) {
	c := realCamera(t)
	first, _, stopFirst := startRealCamera(t, c.Device)
	eventually(t, "the first user has pictures", func() bool { return first.Health().OK })
	second, out, stopSecond := startRealCamera(t, c.Device)
	eventually(t, "the second is told", func() bool { return strings.Contains(second.Health().Reason, "in use by another program") })
	eventually(t, "the second shows a slate", func() bool { return out.count() > 0 })
	if h := first.Health(); !h.OK {
		t.Errorf("the first user was disturbed: %+v", h)
	}
	stopFirst()
	eventually(t, "the second has pictures now", func() bool { return second.Health().OK })
	stopSecond()
}

func TestRealCameraPulledOut(t *testing.T) {
	c := realCamera(t)
	if _, err := os.Stat(filepath.Join(vividDriver, "vivid.0")); err != nil {
		t.Skip("this machine's camera cannot be pulled out by software")
	}
	src, out, stop := startRealCamera(t, c.Device)
	defer stop()
	for round := range uint64(3) {
		eventually(t, "pictures come", func() bool { h := src.Health(); return h.OK && h.Opens == round+1 })
		vivid(t, "unbind")
		pulled := time.Now()
		eventually(t, "it says that the camera is gone", func() bool { h := src.Health(); return !h.OK && h.Reason != "" })
		t.Logf("said after %v: %s", time.Since(pulled).Round(time.Millisecond), src.Health().Reason)
		n := out.count()
		eventually(t, "a slate comes", func() bool { return out.count() > n })
		vivid(t, "bind")
		plugged := time.Now()
		eventually(t, "pictures come again", func() bool { return src.Health().OK })
		t.Logf("back after %v", time.Since(plugged).Round(time.Millisecond))
	}
}

// Every format that can be chosen gives the same picture: none is skewed, none has its colours swapped.
func TestRealCameraFormats(t *testing.T) {
	c := realCamera(t)
	if c.Card != "vivid" {
		t.Skip("only a camera that always shows the same picture can be compared with itself")
	}
	kernel, err := openV4L2(c.Node)
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	info, err := kernel.info()
	if err != nil {
		t.Fatal(err)
	}
	var first *picture
	for _, f := range pixelFormats {
		asked := mode{f, 320, 180, 15}
		if !slices.ContainsFunc(info.modes, func(m mode) bool { return m.format == f }) {
			t.Logf("%v: this camera does not give it", f)
			continue
		}
		own, err := openV4L2(c.Node)
		if err != nil {
			t.Fatal(err)
		}
		cam, err := startCamera(own, c.Node, info, asked)
		if err != nil {
			t.Errorf("%v: %v", f, errors.Join(err, own.Close()))
			continue
		}
		img, err := cam.read()
		if err != nil {
			t.Errorf("%v: %v", f, err)
			continue
		}
		p, err := convert(img, newSlot(make(chan struct{}, 1)))
		if err := errors.Join(err, cam.close()); err != nil {
			t.Errorf("%v: %v", f, err)
			continue
		}
		if first == nil {
			first = p
		}
		y, cb, cr := psnr(first.img.Y, p.img.Y), psnr(first.img.Cb, p.img.Cb), psnr(first.img.Cr, p.img.Cr)
		t.Logf("%v: luma %.0f dB, colour %.0f and %.0f dB to the first", f, y, cb, cr)
		if min(y, cb, cr) < 18 { // the clock drawn into it moves, and formats round differently
			t.Errorf("%v gives another picture than %v", f, pixelFormats[0])
		}
	}
}

// A driver may give another size than asked (V4L2, VIDIOC_S_FMT): the size that is used is the one it gives.
func TestRealCameraGivesAnotherSize(t *testing.T) {
	c := realCamera(t)
	kernel, err := openV4L2(c.Node)
	if err != nil {
		t.Fatal(err)
	}
	info, err := kernel.info()
	if err != nil {
		t.Fatal(err)
	}
	best, _ := choose(info.modes, VideoConfig{Width: 320, Height: 180, FPS: 15})
	cam, err := startCamera(kernel, c.Node, info, mode{best.format, best.width + 2, best.height + 2, best.fps})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cam.close(); err != nil {
			t.Error(err)
		}
	}()
	t.Logf("asked for 2 pixels more than %v, got %v", best, cam.mode)
	img, err := cam.read()
	if err != nil {
		t.Fatal(err)
	}
	if size := img.size; size.X != cam.mode.width || size.Y != cam.mode.height {
		t.Errorf("pictures of %v in mode %v", size, cam.mode)
	}
}

func TestRealCameraLeavesNothingOpen(t *testing.T) {
	c := realCamera(t)
	if !inOneArena(t) {
		return
	}
	before := openFiles(t)
	grows(t, 2, 10, 500_000, func() {
		src, _, stop := startRealCamera(t, c.Device)
		eventually(t, "pictures come", func() bool { return src.Health().OK })
		stop()
	})
	if after := openFiles(t); after != before {
		t.Errorf("%d files open after, %d before", after, before)
	}
}

// vivid plugs the lab's camera in or pulls it out.
func vivid(t *testing.T, how string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(vividDriver, how), []byte("vivid.0"), 0o200); err != nil {
		t.Fatal(err)
	}
	_ = exec.Command("udevadm", "settle", "--timeout=10").Run() // until udev has made the stable names, or not
}

// A real sound card; in the lab's machine a loop, into whose other end a tone is played.
func TestRealMicrophone(t *testing.T) {
	mics := List().Microphones
	if len(mics) == 0 {
		t.Skip("this machine has no microphone")
	}
	t.Logf("%+v", mics)
	loop := mics[0].Card == "Loopback"
	if loop {
		player := exec.Command("aplay", "-q", "-t", "raw", "-f", "S16_LE", "-r", "48000", "-c", "1", "-D", "plughw:CARD="+mics[0].Device+",DEV=1")
		player.Stdin = &sine{}
		if err := player.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = player.Process.Kill(); _ = player.Wait() }()
	}
	src, out := microphone(t, mics[0].Device), &safeTape{}
	stop := run(t, src, out)
	eventually(t, "three seconds of voice came", func() bool { return out.count() >= 150 })
	h := src.Health()
	t.Logf("%+v", h)
	stop()
	if h.Opens != 1 {
		t.Errorf("health %+v", h)
	}
	if best := bestShare(decode(t, &out.tape), 440); loop && best < 0.9 {
		t.Errorf("at best %.0f %% of half a second is the tone that went in", 100*best)
	}
}

func TestRealMicrophoneLeavesNothingOpen(t *testing.T) {
	mics := List().Microphones
	if len(mics) == 0 {
		t.Skip("this machine has no microphone")
	}
	if !inOneArena(t) {
		return
	}
	before := openFiles(t)
	grows(t, 5, 20, 20_000, func() {
		src, out := microphone(t, mics[0].Device), &safeTape{}
		stop := run(t, src, out)
		eventually(t, "voice comes", func() bool { return out.count() > 0 })
		stop()
	})
	if after := openFiles(t); after != before {
		t.Errorf("%d files open after, %d before", after, before)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
