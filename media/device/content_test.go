package device

import (
	"image"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scanside/media/content"
)

func still(times int) step {
	img := image.NewYCbCr(image.Rect(0, 0, 320, 240), image.YCbCrSubsampleRatio422)
	(&script{}).enliven(img)
	return step{after: frameTime, img: img, times: times, still: true}
}

func black(times int) step {
	return step{after: frameTime, img: grey(image.Pt(320, 240)), times: times, still: true}
}

// TARGETS G17: said within 2 s. A picture that hangs is never shown on: a slate with the reason takes its place, and goes when
// the camera lives again, without its being opened anew.
func TestFrozenCameraIsASlate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{steps: []step{good(90), still(300), good(1000)}}
		c, out := s.camera(), &tape{}
		stop := run(t, c, out)
		time.Sleep(3 * time.Second)
		if h := c.Health(); !h.OK || h.Fault != content.None {
			t.Errorf("before it: %+v", h)
		}
		time.Sleep(2 * time.Second)
		h := c.Health()
		if h.OK || h.Fault != content.Frozen || !strings.Contains(h.Reason, "same picture again and again") {
			t.Errorf("2 s after it began to hang: %+v", h)
		}
		before := h.Slates
		time.Sleep(5 * time.Second)
		if h = c.Health(); h.Slates-before < 45 || h.Slates-before > 55 {
			t.Errorf("%d slates in 5 s", h.Slates-before)
		}
		pictures, _ := out.pictures()
		time.Sleep(time.Second)
		if now, _ := out.pictures(); now-pictures > 12 {
			t.Errorf("%d pictures in a second: the dead one is shown beside its slate", now-pictures)
		}
		time.Sleep(3 * time.Second)
		if h = c.Health(); !h.OK || h.Fault != content.None || h.Opens != 1 {
			t.Errorf("after it: %+v", h)
		}
		stop()
	})
}

// What is fresh stays visible, and is called what it is.
func TestBlackCameraStaysVisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{steps: []step{good(90), black(300), good(1000)}}
		c, out := s.camera(), &tape{}
		stop := run(t, c, out)
		time.Sleep(5 * time.Second)
		pictures, _ := out.pictures()
		time.Sleep(5 * time.Second)
		h := c.Health()
		if h.OK || h.Fault != content.Black || h.Slates != 0 {
			t.Errorf("while black: %+v", h)
		}
		if now, _ := out.pictures(); now-pictures < 140 {
			t.Errorf("%d pictures in 5 s", now-pictures)
		}
		time.Sleep(5 * time.Second)
		if h = c.Health(); !h.OK {
			t.Errorf("after it: %+v", h)
		}
		stop()
	})
}

// G17: the second device takes over within a second of that, and the first is used again when it has proven itself.
func TestFrozenCameraIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := &script{steps: []step{good(150), still(300), good(10_000)}}
		ceiling := &script{steps: []step{good(100_000)}}
		c := twoCameras(front, ceiling)
		stop := run(t, c, &tape{})
		time.Sleep(7 * time.Second)
		if now := c.Choice(); now.Used != 1 || !strings.Contains(now.Why, "same picture again and again") || c.Health().Fault != content.None {
			t.Errorf("2 s after the first began to hang: %+v", now)
		}
		time.Sleep(25 * time.Second)
		if now := c.Choice(); now.Used != 0 {
			t.Errorf("20 s after it lives again: %+v", now)
		}
		stop()
	})
}

// A picture's RTP time is the driver's own, not that of a program that is late now and then; where the driver's clock cannot be
// believed the picture stays visible, is stamped as it arrives, and the fault is said.
func TestPictureIsStampedByTheDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := good(1)
		late.after, late.late = frameTime+20*time.Millisecond, 50*time.Millisecond
		soon := good(1)
		soon.after, soon.late = frameTime-20*time.Millisecond, 30*time.Millisecond
		wrong := good(100)
		wrong.late = time.Hour
		s := script{}
		for range 50 {
			s.steps = append(s.steps, late, soon)
		}
		s.steps = append(s.steps, wrong)
		c, out := s.camera(), &tape{}
		stop := run(t, c, out)
		time.Sleep(3 * time.Second)
		if h := c.Health(); !h.OK || h.Fault != content.None {
			t.Errorf("stamped well: %+v", h)
		}
		time.Sleep(3 * time.Second)
		if h := c.Health(); !h.OK || h.Fault != content.Backward {
			t.Errorf("an hour off: %+v", h)
		}
		stop()
		pictures := 0
		var last uint32
		for _, p := range out.packets {
			if !p.Marker {
				continue
			}
			if step := p.Timestamp - last; pictures > 0 && pictures != 100 && (step < 2990 || step > 3010) {
				t.Errorf("picture %d is stamped %d after the one before, not a 30th of a second", pictures, step)
			}
			last = p.Timestamp
			pictures++
		}
		if pictures < 170 {
			t.Errorf("%d pictures in 6 s", pictures)
		}
	})
}

func TestMicrophonesSound(t *testing.T) {
	e := &ear{condition: newCondition(0, "test", nil)}
	at := time.Unix(1000, 0)
	r := newRing(1, nil)
	hear := func(long time.Duration, sample func(i int) int16) {
		pcm := make([]int16, voiceFrame)
		for end := at.Add(long); at.Before(end); at = at.Add(20 * time.Millisecond) {
			for i := range pcm {
				pcm[i] = sample(i)
			}
			e.hear(pcm, 0, r, at)
		}
	}
	zero := func(int) int16 { return 0 }
	noise := uint32(1)
	sound := func(int) int16 { noise = noise*1664525 + 1013904223; return int16(noise>>16) / 64 }
	hear(2*time.Second, zero)
	if is, h := e.how(); h.OK || h.Fault != content.Silent || is.String() != "failed" {
		t.Errorf("silent from the start: %v %+v", is, h)
	}
	hear(time.Second, sound)
	if is, h := e.how(); !h.OK || is.String() != "ok" {
		t.Errorf("with sound: %v %+v", is, h)
	}
	hear(2*time.Second, zero)
	if _, h := e.how(); h.OK || h.Fault != content.Muted {
		t.Errorf("muted: %+v", h)
	}
	hear(time.Second, sound)
	hear(2*time.Second, func(i int) int16 { return int16(i%2*65535 - 32768) })
	if is, h := e.how(); !h.OK || h.Fault != content.Clipping || is.String() != "doubtful" {
		t.Errorf("overdriven: %v %+v", is, h)
	}
	r = newRing(1, nil)
	hear(2*time.Second, zero)
	if _, h := e.how(); h.Fault != content.Silent {
		t.Errorf("opened anew, and nothing: %+v", h)
	}
}
