package device

import (
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// script is a camera that does what it is told: each step is one read. After the last step it ends (EOF).
type script struct {
	steps []step
	opens int
	n     int // pictures drawn
	noise []byte
	open  func(n int) error // nil: always opens
}

type step struct {
	after time.Duration
	img   image.Image // nil: err
	err   error
	times int           // 0 is once
	still bool          // the same picture each time; else a sensor's noise is on it
	late  time.Duration // the driver says that it was captured so long before it came; 0: it does not say
}

var errJPEG = errors.New("invalid JPEG format: short Huffman data")

const frameTime = time.Second / 30

func good(times int) step { return step{after: frameTime, img: grey(image.Pt(320, 240)), times: times} }

func grey(size image.Point) image.Image {
	return image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio422)
}

// camera returns a Camera that reads the script instead of a device.
func (s *script) camera() *Camera {
	c := NewCamera(CameraConfig{Devices: []string{"scripted"}, VideoConfig: VideoConfig{Width: 320, Height: 240, Bitrate: 500_000}})
	c.lenses[0].open = s.opener("scripted")
	return c
}

// enliven draws what a room looks like to package content: edges, and no picture like the one before.
func (s *script) enliven(p *image.YCbCr) {
	if s.noise == nil {
		rng := rand.New(rand.NewPCG(1, 1))
		s.noise = make([]byte, len(p.Y)+4096)
		for i := range s.noise {
			s.noise[i] = byte(60 + rng.IntN(9))
			if i/40%2 == 0 {
				s.noise[i] += 100
			}
		}
	}
	s.n++
	copy(p.Y, s.noise[s.n*97%4000:])
}

func (s *script) read() (shot, error) {
	if len(s.steps) == 0 {
		return shot{}, io.EOF
	}
	now := &s.steps[0]
	time.Sleep(now.after)
	img, err, late := now.img, now.err, now.late
	if p, ok := img.(*image.YCbCr); ok && !now.still {
		s.enliven(p)
	}
	if now.times--; now.times <= 0 {
		s.steps = s.steps[1:]
	}
	if err != nil {
		return shot{}, err
	}
	raw := taken(img)
	if late != 0 {
		raw.at = time.Now().Add(-late)
	}
	return raw, nil
}

// taken makes a shot of a picture.
func taken(img image.Image) shot {
	return shot{size: img.Bounds().Size(), into: func(dst *image.YCbCr) error {
		if !copyI420(dst, img) {
			return fmt.Errorf("a picture of a kind that cannot be used (%T)", img)
		}
		return nil
	}}
}

func TestCamera(t *testing.T) {
	gone := &step{after: time.Millisecond, err: syscall.ENODEV}
	for _, c := range []struct {
		name     string
		script   script
		runs     time.Duration
		ok       bool
		reason   string // part of it
		slates   bool
		opens    int
		bad      uint64
		min, max int // pictures sent
	}{
		{
			name:   "a bad picture is skipped, the camera stays open",
			script: script{steps: []step{good(30), {after: frameTime, err: errJPEG}, good(100)}},
			runs:   2 * time.Second, ok: true, opens: 1, bad: 1, min: 58, max: 60,
		},
		{
			name:   "nothing but bad pictures: opened anew",
			script: script{steps: []step{good(30), {after: frameTime, err: errJPEG, times: maxBadPictures}, good(100)}},
			runs:   3 * time.Second, ok: true, opens: 2, bad: maxBadPictures, slates: true, min: 50, max: 90,
		},
		{
			name:   "pulled out and plugged in again",
			script: script{steps: []step{good(30), *gone, good(100)}},
			runs:   2 * time.Second, ok: true, opens: 2, bad: 1, slates: true, min: 50, max: 60,
		},
		{
			name: "absent for ten seconds, then there",
			script: script{steps: []step{good(100)}, open: func(n int) error {
				if n < 8 { // 0.25 + 0.5 + 1 + 2 + 2 + 2 + 2 s
					return errors.New("camera scripted is not plugged in")
				}
				return nil
			}},
			runs: 12 * time.Second, ok: true, opens: 8, slates: true, min: 130, max: 170,
		},
		{
			name:   "absent: says so and shows it",
			script: script{open: func(int) error { return errors.New("camera scripted is not plugged in") }},
			runs:   time.Second, reason: "not plugged in", opens: 3, slates: true, min: 9, max: 10,
		},
		{
			name:   "in use by another program",
			script: script{open: func(int) error { return explainCamera("scripted", syscall.EBUSY) }},
			runs:   time.Second, reason: "close that program", opens: 3, slates: true, min: 9, max: 10,
		},
		{
			name:   "hangs: a slate before it is opened anew",
			script: script{steps: []step{good(30), {after: 5 * time.Second, err: errors.New("read timeout")}, good(30)}},
			runs:   2 * time.Second, reason: "gives no picture", opens: 1, slates: true, min: 34, max: 36,
		},
		{
			name:   "a picture too small for any encoder",
			script: script{steps: []step{good(10), {after: frameTime, img: grey(image.Pt(8, 8))}, good(100)}},
			runs:   time.Second, ok: true, opens: 1, bad: 1, min: 28, max: 30,
		},
		{
			name:   "another size in the middle",
			script: script{steps: []step{good(10), {after: frameTime, img: grey(image.Pt(160, 120)), times: 10}, good(100)}},
			runs:   time.Second, ok: true, opens: 1, min: 28, max: 30,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src, out := c.script.camera(), &tape{}
				stop := run(t, src, out)
				time.Sleep(c.runs - time.Millisecond)
				h := src.Health()
				stop()
				sent, keys := out.pictures()
				t.Logf("%d pictures, %d key frames, %+v", sent, keys, h)
				if h.OK != c.ok || !strings.Contains(h.Reason, c.reason) || (c.ok && h.Reason != "") {
					t.Errorf("OK %v, reason %q; want %v, %q", h.OK, h.Reason, c.ok, c.reason)
				}
				if sent < c.min || sent > c.max {
					t.Errorf("%d pictures sent, want %d to %d", sent, c.min, c.max)
				}
				if (h.Slates > 0) != c.slates || int(h.Opens)+failed(c.script, h.Opens) != c.opens || h.Bad != c.bad {
					t.Errorf("slates %d, opens %d, bad %d; want slates: %v, attempts %d, bad %d", h.Slates, h.Opens, h.Bad, c.slates, c.opens, c.bad)
				}
				checkFresh(t, out)
				time.Sleep(scriptEnds) // a read that was left behind returns some time
			})
		})
	}
}

// scriptEnds is longer than any step of a script.
const scriptEnds = 2 * time.Hour

// failed is how many attempts to open did not succeed.
func failed(s script, opened uint64) int { return s.opens - int(opened) }

// No picture twice, and time goes forward: numbers follow each other, timestamps of pictures grow.
func checkFresh(t *testing.T, out *tape) {
	t.Helper()
	for i := 1; i < len(out.packets); i++ {
		before, p := out.packets[i-1], out.packets[i]
		step := int32(p.Timestamp - before.Timestamp)
		if p.SequenceNumber != before.SequenceNumber+1 || step < 0 || (step == 0) == before.Marker {
			t.Fatalf("packet %d: number %d after %d, timestamp moved by %d after marker %v", i, p.SequenceNumber, before.SequenceNumber, step, before.Marker)
		}
	}
}

// Without a camera there is something to see within StaleAfter, so that a physician knows why.
func TestSlateComesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{steps: []step{{after: time.Hour, err: io.EOF}}}
		src, out := s.camera(), &tape{}
		stop := run(t, src, out)
		time.Sleep(StaleAfter + slateEvery)
		h := src.Health()
		stop()
		if sent, _ := out.pictures(); sent == 0 {
			t.Error("nothing was sent for a camera that hangs while it starts")
		}
		if h.OK || h.Reason == "" || !h.LastFrame.IsZero() {
			t.Errorf("health %+v, want a reason and no picture ever", h)
		}
		time.Sleep(scriptEnds)
	})
}

// When the camera comes back the first picture must not lean on the slate.
func TestKeyFrameAfterSlate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{steps: []step{good(15), {after: time.Second, img: grey(image.Pt(320, 240))}, good(30)}}
		src, out := s.camera(), &tape{}
		stop := run(t, src, out)
		time.Sleep(2 * time.Second)
		stop()
		if _, keys := out.pictures(); keys != 2 {
			t.Errorf("%d key frames, want the first and the one after the slate", keys)
		}
	})
}

// This machine's own: whatever it has or lacks, Run neither fails nor goes silent.
func TestCameraOfThisMachine(t *testing.T) {
	src := NewCamera(CameraConfig{Devices: []string{"no-such-camera"}})
	out := make(chan struct{}, 1000)
	stop := run(t, src, sinkChannel(out))
	for range 3 {
		select {
		case <-out:
		case <-time.After(10 * time.Second):
			t.Fatal("no slate within 10 s")
		}
	}
	if h := src.Health(); h.OK || !strings.Contains(h.Reason, "no-such-camera") {
		t.Errorf("health %+v, want a reason that names the camera", h)
	}
	stop()
}
