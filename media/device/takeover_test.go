package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"scanside/devices"
	"scanside/media"
)

// twoCameras are scripted ones whose pictures can be told apart by their brightness.
func twoCameras(first, second *script) *Camera {
	c := NewCamera(CameraConfig{Devices: []string{"front", "ceiling"}, VideoConfig: VideoConfig{Width: 320, Height: 240, Bitrate: 500_000}})
	for i, s := range []*script{first, second} {
		c.lenses[i].open = s.opener(c.lenses[i].name())
	}
	return c
}

func (l *lens) name() string { return l.Health().Device }

func (s *script) opener(name string) func() (*capture, error) {
	return func() (*capture, error) {
		s.opens++
		if s.open != nil {
			if err := s.open(s.opens); err != nil {
				return nil, err
			}
		}
		return &capture{name: name, mode: mode{formatYUYV, 320, 240, 30}, read: s.read, close: func() error { return nil }}, nil
	}
}

// absentFor makes a camera that cannot be opened between two times of the bubble.
func absentFor(from, until time.Duration) func(int) error {
	start := time.Now()
	return func(int) error {
		if d := time.Since(start); d >= from && d < until {
			return errors.New("camera front is not plugged in: check its cable")
		}
		return nil
	}
}

// The preferred camera is pulled out: the other one takes over within a second, in the same stream and with a key frame; when
// it is back it is used again after ten seconds, with another key frame, and nothing is restarted.
func TestTakeoverAndReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pulled := step{after: time.Millisecond, err: syscall.ENODEV}
		front := &script{steps: []step{good(300), pulled, good(10_000)}, open: absentFor(10*time.Second, 20*time.Second)}
		ceiling := &script{steps: []step{good(100_000)}}
		src, out := twoCameras(front, ceiling), &tape{}
		stop := run(t, src, out)
		defer stop()

		at := time.Now()
		after := func(d time.Duration) { time.Sleep(time.Until(at.Add(d))) }
		after(9 * time.Second)
		enc := src.enc
		if c := src.Choice(); c.Used != 0 || c.Devices[0].Condition != "ok" || c.Devices[1].Condition != "ok" || c.Why != "" {
			t.Errorf("at first: %+v", c)
		}
		after(11 * time.Second)
		c := src.Choice()
		if c.Used != 1 || !strings.Contains(c.Why, "ceiling is used because front failed: ") || c.Takeovers[0] != (media.Takeovers{Reason: "failed", N: 1}) {
			t.Errorf("after the cable was pulled: %+v", c)
		}
		t.Logf("pulled at 10.0 s, taken over after %v: %s", c.Since.Sub(at.Add(10*time.Second)), c.Why)
		if took := c.Since.Sub(at.Add(10 * time.Second)); took > time.Second {
			t.Errorf("takeover after %v", took)
		}
		if h := src.Health(); !h.OK || h.Device != "ceiling" || h.Slates != 0 {
			t.Errorf("health after takeover %+v", h)
		}
		after(25 * time.Second)
		if c := src.Choice(); c.Used != 1 || !strings.Contains(c.Return, "front works again") {
			t.Errorf("while front proves itself: %+v", c)
		}
		after(35 * time.Second)
		if c = src.Choice(); c.Used != 0 || c.Takeovers[2].N != 1 || c.Breaches != 0 {
			t.Errorf("after front has worked for ten seconds: %+v", c)
		}
		if src.enc != enc {
			t.Error("the encoder was built anew although all pictures have one size")
		}
		checkFresh(t, out)
		if _, keys := out.pictures(); keys != 3 {
			t.Errorf("%d key frames, want the first and one at each join", keys)
		}
		trace, err := devices.ReadTrace(bytes.NewReader(src.Trace()))
		if err != nil {
			t.Fatalf("%v\n%s", err, src.Trace())
		}
		if got, breaches := trace.Replay(); got != trace.Want || len(breaches) > 0 {
			t.Errorf("the trace replays to\n%s%v\nrecorded\n%s", got, breaches, trace.Want)
		}
	})
}

// Nobody goes back for preference while a procedure is open.
func TestNoReturnInProcedure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := &script{steps: []step{good(30), {after: time.Millisecond, err: syscall.ENODEV}, good(10_000)}}
		ceiling := &script{steps: []step{good(10_000)}}
		src := twoCameras(front, ceiling)
		stop := run(t, src, &tape{})
		defer stop()
		src.SetOpen(true)
		time.Sleep(2 * time.Minute)
		if c := src.Choice(); c.Used != 1 || !strings.Contains(c.Return, "after the procedure") {
			t.Errorf("in the procedure: %+v", c)
		}
		src.SetOpen(false)
		time.Sleep(time.Second)
		if c := src.Choice(); c.Used != 0 {
			t.Errorf("after the procedure: %+v", c)
		}
	})
}

// What is sent after a takeover was taken after it: no picture of the camera that stands by is kept for later.
func TestTakeoverShowsNothingOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := twoCameras(&script{}, &script{})
		src.selection.begin(time.Now())
		for _, l := range src.lenses {
			l.good(time.Now())
		}
		src.choose(time.Now(), src.lenses[0])
		time.Sleep(time.Second)
		p, err := convert(taken(grey(image.Pt(320, 240))), src.lenses[1].slot)
		if err != nil {
			t.Fatal(err)
		}
		src.lenses[1].slot.put(p)
		src.lenses[0].bad(time.Now(), "gone")
		if l := src.choose(time.Now(), src.lenses[0]); l != src.lenses[1] || l.slot.take() != nil || !src.key.Load() {
			t.Error("an old picture was left, or no key frame was asked for")
		}
	})
}

// A driver that hangs is left behind, counted and bounded; the camera is opened anew, and when the driver lets go the books
// are even.
func TestHungDriverIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		opens, drawn := 0, &script{steps: []step{good(1000)}}
		c := NewCamera(CameraConfig{Devices: []string{"front"}, VideoConfig: VideoConfig{Width: 320, Height: 240}})
		c.lenses[0].open = func() (*capture, error) {
			opens++
			n := opens
			return &capture{name: "front", mode: mode{formatYUYV, 320, 240, 30}, close: func() error { return nil },
				read: func() (shot, error) {
					if n <= 6 {
						<-release
						return shot{}, errors.New("let go")
					}
					return drawn.read()
				}}, nil
		}
		stop := run(t, c, &tape{})
		time.Sleep(3 * time.Second)
		if h := c.Health(); h.OK || !strings.Contains(h.Reason, "unplug it") || h.Hung != 1 {
			t.Errorf("after the first: %+v", h)
		}
		time.Sleep(time.Minute)
		if now, ever := c.lenses[0].counts(); now != mostHung || ever != mostHung || opens != mostHung {
			t.Errorf("%d hang, %d ever did, %d openings; want %d each", now, ever, opens, mostHung)
		}
		opens = 6 // the next one works
		close(release)
		time.Sleep(5 * time.Second)
		if now, _ := c.lenses[0].counts(); now != 0 || !c.Health().OK {
			t.Errorf("%d hang, %+v", now, c.Health())
		}
		stop()
	})
}

// Run ends although a driver does not.
func TestRunEndsBesideAHungDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := NewCamera(CameraConfig{Devices: []string{"front"}})
		c.lenses[0].open = func() (*capture, error) { <-release; return nil, errors.New("let go") }
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if err := c.Run(ctx, &tape{}); err != nil {
			t.Error(err)
		}
		if took := time.Since(start) - time.Second; took > closePatience+2*hungEvery {
			t.Errorf("Run returned %v after its context ended", took)
		}
		close(release)
	})
}

// Two microphones in one stream: what is used changes, numbers and time go on.
func TestMicrophoneTakeover(t *testing.T) {
	m, err := NewMicrophone(MicrophoneConfig{Devices: []string{"RoomMic", "Spare"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.open(); err != nil {
		t.Fatal(err)
	}
	out := &tape{}
	m.start = time.Now()
	m.selection.begin(m.start)
	speak := func(ears ...int) {
		for _, i := range ears {
			pcm := make([]byte, 2*voiceFrame)
			for j := range pcm {
				pcm[j] = byte(j*(i+1) + 1)
			}
			m.ears[i].ring.Load().write(pcm)
		}
		m.listen(make([]int16, voiceFrame), out)
	}
	for _, e := range m.ears {
		e.ring.Store(newRing(bufferedVoice, m.wake))
	}
	at := m.start
	for range 100 {
		at = at.Add(20 * time.Millisecond)
		speak(0, 1)
		m.step(at)
	}
	m.ears[0].bad(at, "microphone RoomMic stopped: check its cable")
	if used, changed := m.step(at); used != 1 || !changed {
		t.Fatalf("microphone %d is used: %+v", used, m.Choice())
	}
	for range 100 {
		speak(1)
	}
	if len(out.packets) != 200 {
		t.Fatalf("%d packets", len(out.packets))
	}
	for i := 1; i < len(out.packets); i++ {
		a, b := out.packets[i-1], out.packets[i]
		if b.SequenceNumber != a.SequenceNumber+1 || int32(b.Timestamp-a.Timestamp) < voiceFrame {
			t.Fatalf("packet %d: number %d after %d, time %d after %d", i, b.SequenceNumber, a.SequenceNumber, b.Timestamp, a.Timestamp)
		}
	}
	if h := m.Health(); !h.OK || m.Choice().Why != fmt.Sprintf("Spare is used because RoomMic failed: %s", "microphone RoomMic stopped: check its cable") {
		t.Errorf("%+v, %q", h, m.Choice().Why)
	}
}

// A mute closes all cameras, and is no takeover: when it is lifted the one that was used is used again.
func TestMuteIsNoTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, ceiling := &script{steps: []step{good(100_000)}}, &script{steps: []step{good(100_000)}}
		src := twoCameras(front, ceiling)
		stop := run(t, src, &tape{})
		defer stop()
		time.Sleep(2 * time.Second)
		src.Mute(true)
		time.Sleep(time.Minute)
		for _, d := range src.Choice().Devices {
			if !d.Health.Muted || d.Condition != "unknown" {
				t.Errorf("muted: %+v", d)
			}
		}
		src.Mute(false)
		time.Sleep(time.Minute)
		if c := src.Choice(); c.Used != 0 || !c.Since.IsZero() || !src.Health().OK {
			t.Errorf("after the mute: %+v", c)
		}
	})
}
