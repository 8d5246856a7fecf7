package device

import (
	"fmt"
	"image"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"scanside/media"
)

// resident is the process' memory in bytes, C's share included.
func resident(t *testing.T) int {
	t.Helper()
	runtime.GC()
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

// A 720p encoder takes 6 MB: one that is forgotten shows. (The C library keeps arenas per thread, which grow by up to
// 40 MB in all; with MALLOC_ARENA_MAX=1 a thousand encoders leave less than 2 MB.)
func TestEncoderGivesItsMemoryBack(t *testing.T) {
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

func TestCameraThatComesAndGoesLeavesNothing(t *testing.T) {
	grows(t, 3, 10, 1_000_000, func() {
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
	newSoundServer(t)
	var library soundLibrary
	defer library.Close()
	grows(t, 5, 10, 100_000, func() {
		closeDevice, err := library.capture("pulse:DEVICE=tone", func([]byte) {}, func() {})
		if err != nil {
			t.Fatal(err)
		}
		closeDevice()
	})
}

func TestFailedOpensLeaveNothing(t *testing.T) {
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
	for _, src := range []media.Source{NewTestPicture(VideoConfig{}), NewTestVoice(0), NewCamera(CameraConfig{Device: "no-such-camera"}), mic} {
		stop := run(t, src, &tape{})
		src.RequestKeyFrame()
		src.SetRate(-1)
		src.SetRate(1 << 40)
		stop()
	}
}
