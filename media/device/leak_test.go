package device

import (
	"fmt"
	"image"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"scanside/media"
)

// oneArena makes the C library use one heap. With one for each thread they grow by some 40 MB before they settle, which
// hides leaks; it must be set before the process starts.
const oneArena = "MALLOC_ARENA_MAX=1"

// inOneArena runs the calling test in a process of its own with one C heap. It is true in that process, which does the
// work, and false in the one that only waited for it.
func inOneArena(t *testing.T) bool {
	t.Helper()
	if slices.Contains(os.Environ(), oneArena) {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-soak="+soakFor.String())
	cmd.Env = append(os.Environ(), oneArena)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
		return false
	}
	for line := range strings.Lines(string(out)) {
		switch {
		case strings.Contains(line, "a cycle"):
			t.Log(strings.TrimSpace(line))
		case strings.Contains(line, "--- SKIP"):
			t.Skip("its own process skipped: " + string(out))
		}
	}
	return false
}

// resident is the process' memory in bytes, C's share included.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// grows runs a cycle often and fails if memory grows by more than perCycle bytes each. The first cycles fill caches.
func grows(t *testing.T, warmUp, cycles, perCycle int, cycle func()) {
	t.Helper()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for range warmUp {
		cycle()
	}
	before := resident(t)
	for range cycles {
		cycle()
	}
	grown := (resident(t) - before) / cycles
	t.Logf("%d bytes a cycle over %d cycles", grown, cycles)
	if grown > perCycle {
		t.Errorf("each cycle leaves %d bytes, at most %d are noise", grown, perCycle)
	}
}

// A 720p encoder takes 6 MB: one that is forgotten shows.
func TestEncoderGivesItsMemoryBack(t *testing.T) {
	if !inOneArena(t) {
		return
	}
	r := newRoom(1280, 720)
	img := r.draw(0)
	grows(t, 10, 30, 1_000_000, func() {
		e, err := newH264(1280, 720, 30, 2_000_000)
		if err != nil {
			t.Fatal(err)
		}
		encode(t, e, img, false)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// Each cycle builds some twenty encoders of a megabyte or two.
func TestCameraThatComesAndGoesLeavesNothing(t *testing.T) {
	if !inOneArena(t) {
		return
	}
	grows(t, 3, 10, 3_000_000, func() {
		synctest.Test(t, func(t *testing.T) {
			s := script{}
			for range 10 { // another size each time is another encoder each time
				s.steps = append(s.steps, good(3), step{after: frameTime, img: grey(image.Pt(640, 480)), times: 3}, step{after: frameTime, err: os.ErrClosed, times: maxBadPictures})
			}
			stop := run(t, s.camera(), &tape{})
			time.Sleep(15 * time.Second)
			stop()
		})
	})
}

func TestMicrophoneGivesItsMemoryBack(t *testing.T) {
	if !inOneArena(t) {
		return
	}
	newSoundServer(t)
	var library soundLibrary
	defer library.Close()
	grows(t, 5, 10, 500_000, func() {
		closeDevice, err := library.capture("pulse:DEVICE=tone", func([]byte) {}, func() {})
		if err != nil {
			t.Fatal(err)
		}
		closeDevice()
	})
}

func TestFailedOpensLeaveNothing(t *testing.T) {
	if !inOneArena(t) {
		return
	}
	var library soundLibrary
	defer library.Close()
	grows(t, 20, 100, 10_000, func() {
		if _, err := library.capture("plughw:CARD=NoSuchCard,DEV=0", func([]byte) {}, func() {}); err == nil {
			t.Fatal("a card that is not there was opened")
		}
	})
}

func TestSourcesEndWithTheirContext(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	mic := microphone(t, "NoSuchCard")
	for _, src := range []media.Source{NewTestPicture(VideoConfig{}), NewTestVoice(0), NewCamera(CameraConfig{Devices: []string{"no-such-camera"}}), mic} {
		stop := run(t, src, &tape{})
		src.RequestKeyFrame()
		src.SetRate(-1)
		src.SetRate(1 << 40)
		stop()
	}
}
