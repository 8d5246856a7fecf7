package device

import (
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scanside/media"
)

// A muted camera is closed, not covered: nobody reads it, and nothing but a slate is sent, until somebody lifts the mute.
func TestMutedCameraIsClosed(t *testing.T) {
	for _, c := range []struct {
		name   string
		steps  []step
		within time.Duration // until it is closed
	}{
		{"while it works", []step{good(300)}, frameTime},
		{"while it hangs", []step{good(15), {after: ReadTimeout, err: errJPEG, times: 20}}, ReadTimeout},
		{"while it is pulled out", []step{good(15)}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := script{steps: c.steps}
				src, out := s.camera(), &tape{}
				closed := 0
				inner := src.lenses[0].open
				src.lenses[0].open = func() (*capture, error) {
					cam, err := inner()
					if err == nil {
						cam.close = func() error { closed++; return nil }
					}
					return cam, err
				}
				stop := run(t, src, out)
				time.Sleep(900 * time.Millisecond)
				src.Mute(true)
				time.Sleep(c.within + time.Millisecond)
				synctest.Wait()
				if h := src.Health(); !h.Muted || h.OK || h.Reason != media.MutedPicture || closed != s.opens {
					t.Fatalf("opened %d times, closed %d times, health %+v", s.opens, closed, h)
				}
				opens, before := s.opens, src.Health()
				sent, _ := out.pictures()
				s.steps = []step{good(300)}
				time.Sleep(time.Minute)
				now, _ := out.pictures()
				if h := src.Health(); s.opens != opens || h.Frames != before.Frames || !h.Muted || now-sent < 500 || uint64(now-sent) > h.Slates {
					t.Errorf("within a muted minute: opened %d times, %d pictures sent, health %+v", s.opens-opens, now-sent, h)
				}
				src.Mute(false)
				time.Sleep(time.Second)
				if h := src.Health(); !h.OK || h.Muted || s.opens != opens+1 {
					t.Errorf("after the mute was lifted: opened %d times, health %+v", s.opens-opens, h)
				}
				stop()
			})
		})
	}
}

// A source that starts muted never opens its device: a restart shows nothing for a moment.
func TestMutedBeforeItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{steps: []step{good(300)}}
		src, out := s.camera(), &tape{}
		src.Mute(true)
		stop := run(t, src, out)
		time.Sleep(10 * time.Second)
		stop()
		if sent, _ := out.pictures(); s.opens != 0 || sent < 90 {
			t.Errorf("opened %d times, %d slates in ten seconds", s.opens, sent)
		}
	})
}

// The sound server itself says that nobody listens to the microphone.
func TestMutedMicrophoneIsClosed(t *testing.T) {
	newSoundServer(t)
	listeners := func() int {
		text, err := exec.Command("pactl", "list", "short", "source-outputs").Output()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, "module-remap-source") {
				n++
			}
		}
		return n
	}
	src, out := microphone(t, "pcm:pulse:DEVICE=tone"), &safeTape{}
	stop := run(t, src, out)
	defer stop()
	eventually(t, "voice came", func() bool { return out.count() >= 25 })
	if n := listeners(); n == 0 {
		t.Fatal("nobody listens to the microphone, although its voice comes")
	}
	src.Mute(true)
	sent := out.count()
	eventually(t, "it says that it is muted", func() bool { h := src.Health(); return h.Muted && h.Reason == media.MutedVoice })
	eventually(t, "nobody listens to the microphone", func() bool { return listeners() == 0 })
	if n := out.count() - sent; n > 1 {
		t.Errorf("%d packets after it was muted; one may have been under way", n)
	}
	silent := out.count()
	src.Mute(false)
	eventually(t, "voice came again", func() bool { return src.Health().OK && out.count() > silent+25 })
	out.mu.Lock()
	defer out.mu.Unlock()
	if n := out.packets[silent].SequenceNumber - out.packets[silent-1].SequenceNumber; n != 1 {
		t.Errorf("%d packets are missing in the numbering", n-1)
	}
}

// The stand-ins keep to the same rule: a demo shows what a room would.
func TestMutedStandIns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		picture, voice := NewTestPicture(VideoConfig{Width: 320, Height: 240}), NewTestVoice(0)
		shown, heard := &tape{}, &tape{}
		stopPicture, stopVoice := run(t, picture, shown), run(t, voice, heard)
		time.Sleep(time.Second - time.Millisecond)
		picture.Mute(true)
		voice.Mute(true)
		packets := len(heard.packets)
		time.Sleep(time.Second)
		if len(heard.packets) != packets || !voice.Health().Muted || !picture.Health().Muted {
			t.Errorf("%d packets of a muted voice, health %+v and %+v", len(heard.packets)-packets, voice.Health(), picture.Health())
		}
		voice.Mute(false)
		time.Sleep(time.Second)
		stopPicture()
		stopVoice()
		if n := len(heard.packets) - packets; n < 49 || n > 52 {
			t.Errorf("%d packets in the second after the mute was lifted: what was not said is not made up for", n)
		}
	})
}
