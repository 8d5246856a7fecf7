package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/lab/browser"
)

// The acts of the camera run, in their order.

const (
	watchFor = 15 * time.Second
	// Levels that tell a voice from none. The test voice is at 0.1; the encoder's own noise is below 0.001.
	voiceAbove, hushBelow = 0.03, 0.003
	// A picture that is black or even spreads by less; colour bars by about 60.
	spreadAbove = 20
	// vividPath is how the name begins under which scanside lists one of the cameras: their place on the bus is the same.
	vividPath = "/dev/v4l/by-path/platform-vivid.0"
)

func bad(s status.Stream) bool { return s.Level != status.OK }
func ok(s status.Stream) bool  { return s.Level == status.OK }

func (r *cameraRun) startWithoutCamera(ctx context.Context) error {
	if err := errors.Join(r.PlugSound(ctx), r.Speak(ctx, microphoneCard), r.start(ctx)); err != nil {
		return err
	}
	var err error
	r.report.Absent, err = r.untilVideo(ctx, "the box's word about its missing camera", bad)
	return err
}

func (r *cameraRun) openRoom(ctx context.Context) error {
	link, err := r.far.signInLink(ctx)
	if err != nil {
		return err
	}
	if err := r.browser.Open(link); err != nil {
		return err
	}
	err = waitUntil(ctx, changeWithin, "the console", func() error {
		at, err := browser.Eval[string](r.browser, "location.pathname + ' ' + document.readyState")
		if err == nil && at != "/ complete" {
			err = fmt.Errorf("the browser is at %s", at)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := r.browser.Click("#rooms a"); err != nil {
		return err
	}
	// Without a camera there is a drawn picture that says so.
	if err := r.untilShown(ctx, "the picture that says why there is none", 3); err != nil {
		return err
	}
	return r.browser.Screenshot(r.file("absent.png"))
}

// untilShown waits until Chromium has put n more frames on its screen.
func (r *cameraRun) untilShown(ctx context.Context, what string, n int) error {
	if err := r.browser.Mark(); err != nil {
		return err
	}
	return waitUntil(ctx, changeWithin, what, func() error {
		seen, err := r.browser.Watch()
		if err == nil && seen.Shown < n {
			err = fmt.Errorf("Chromium showed %d frames: %+v", seen.Shown, seen)
		}
		return err
	})
}

func (r *cameraRun) plugIn(ctx context.Context) error {
	if err := r.PlugCameras(ctx); err != nil {
		return err
	}
	back, err := r.untilBack(ctx)
	if err != nil {
		return err
	}
	r.report.Absent.BackAfter = back
	inv, err := r.inventory(ctx)
	if err != nil {
		return err
	}
	for _, c := range inv.Cameras {
		if strings.HasPrefix(c.Device, vividPath) {
			r.report.Camera = c.Device
		}
	}
	for _, m := range inv.Microphones {
		if m.Device == microphoneCard {
			r.report.Microphone = m.Device
		}
	}
	r.check(r.report.Camera != "", "scanside devices does not list %s: %+v", vividPath, inv)
	r.check(r.report.Microphone != "", "scanside devices does not list %s: %+v", microphoneCard, inv)
	return nil
}

// untilBack waits for the box's word that the camera works, and for its picture in Chromium. It returns how long the word
// took, in ms.
func (r *cameraRun) untilBack(ctx context.Context) (int64, error) {
	t, err := r.untilVideo(ctx, "the box's word that the camera works", ok)
	if err != nil {
		return 0, err
	}
	return t.SaidAfter, r.untilShown(ctx, "the camera's picture", 10)
}

func (r *cameraRun) watch(ctx context.Context) error {
	seen, err := r.watchFor(ctx, watchFor)
	if err != nil {
		return err
	}
	light, err := r.browser.Picture()
	if err != nil {
		return err
	}
	r.report.Picture = pictureReport{Seen: seen, PerSecond: round(float64(seen.Shown) / seen.Seconds), Light: light}
	r.report.Voice.Level = level(seen)
	r.check(seen.Shown > 0 && seen.Decoded > 0, "Chromium showed %d frames in %.0f s", seen.Shown, seen.Seconds)
	r.check(light.Spread > spreadAbove, "the picture is even or black: %+v", light)
	r.check(r.report.Voice.Level > voiceAbove, "the voice's level is %.4f, want more than %.3f", r.report.Voice.Level, voiceAbove)
	return r.browser.Screenshot(r.file("camera.png"))
}

// watchFor counts for a while.
func (r *cameraRun) watchFor(ctx context.Context, d time.Duration) (browser.Seen, error) {
	if err := r.browser.Mark(); err != nil {
		return browser.Seen{}, err
	}
	before, err := r.browser.Watch()
	if err != nil {
		return browser.Seen{}, err
	}
	select {
	case <-ctx.Done():
		return browser.Seen{}, ctx.Err()
	case <-time.After(d):
	}
	after, err := r.browser.Watch()
	return after.Minus(before), err
}

// level is the root mean square of the sound that was played.
func level(seen browser.Seen) float64 {
	if seen.VoiceSeconds <= 0 {
		return 0
	}
	return math.Round(10000*math.Sqrt(max(0, seen.Energy)/seen.VoiceSeconds)) / 10000
}

func (r *cameraRun) hush(ctx context.Context) error {
	if err := r.Hush(ctx, microphoneCard); err != nil {
		return err
	}
	// What was said before is still on its way for a moment.
	if _, err := r.watchFor(ctx, 2*time.Second); err != nil {
		return err
	}
	seen, err := r.watchFor(ctx, 3*time.Second)
	if err != nil {
		return err
	}
	r.report.Voice.Hushed = level(seen)
	r.check(r.report.Voice.Hushed < hushBelow, "nobody speaks and the level is %.4f, want less than %.3f", r.report.Voice.Hushed, hushBelow)
	if err := r.Speak(ctx, microphoneCard); err != nil {
		return err
	}
	return waitUntil(ctx, changeWithin, "the voice after silence", func() error {
		seen, err := r.watchFor(ctx, time.Second)
		if err == nil && level(seen) < voiceAbove {
			err = fmt.Errorf("the level is %.4f", level(seen))
		}
		return err
	})
}

func (r *cameraRun) pullCamera(ctx context.Context) error {
	before, err := r.running(ctx)
	if err != nil {
		return err
	}
	if err := r.PullCameras(ctx); err != nil {
		return err
	}
	if r.report.Pulled, err = r.untilVideo(ctx, "the box's word that its camera is gone", bad); err != nil {
		return err
	}
	if err := r.untilShown(ctx, "the picture that says so", 10); err != nil {
		return err
	}
	if err := r.browser.Screenshot(r.file("pulled.png")); err != nil {
		return err
	}
	if err := r.PlugCameras(ctx); err != nil {
		return err
	}
	if r.report.Pulled.BackAfter, err = r.untilBack(ctx); err != nil {
		return err
	}
	after, err := r.running(ctx)
	r.check(after == before, "the agent was restarted while the camera was away: %s, then %s", before, after)
	return err
}

func (r *cameraRun) pullCables(ctx context.Context) error {
	for _, c := range cables() {
		lost, err := r.merged()
		if err != nil {
			return err
		}
		if err := r.Cable(c.name, false); err != nil {
			return err
		}
		seen, err := r.watchFor(ctx, 5*time.Second)
		if err != nil {
			return err
		}
		if err := r.Cable(c.name, true); err != nil {
			return err
		}
		lostAfter, err := r.merged()
		if err != nil {
			return err
		}
		r.report.Cables = append(r.report.Cables, cableReport{Pulled: c.name, FreezeMS: math.Round(seen.FreezeMS), Requests: seen.PLI,
			VideoLost: lostAfter.video - lost.video, VoiceLost: lostAfter.voice - lost.voice})
		r.check(seen.Shown > 0, "with the cable %s pulled Chromium shows nothing", c.name)
		if err := r.untilBothCarry(ctx); err != nil {
			return err
		}
	}
	return nil
}

// untilBothCarry waits until the box has both uplinks in use again, so that the next cable finds the other one ready.
func (r *cameraRun) untilBothCarry(ctx context.Context) error {
	return waitUntil(ctx, changeWithin, "both uplinks in use again", func() error {
		s, err := r.status(ctx)
		if err != nil {
			return err
		}
		for _, u := range s.Uplinks {
			if len(u.Carries) < 2 {
				return fmt.Errorf("%s carries %v: %s", u.Name, u.Carries, u.Why)
			}
		}
		return nil
	})
}

type lostPackets struct{ video, voice int }

// merged asks the gateway, as the console does, what its merged streams have lost.
func (r *cameraRun) merged() (lostPackets, error) {
	text, err := browser.Eval[string](r.browser, "fetch('/api/v1/rooms').then((r) => r.text())")
	if err != nil {
		return lostPackets{}, err
	}
	var answer struct {
		Rooms []struct{ Video, Voice struct{ Lost int } }
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Rooms) == 0 {
		return lostPackets{}, fmt.Errorf("reading the gateway's rooms: %w: %.100q", err, text)
	}
	return lostPackets{answer.Rooms[0].Video.Lost, answer.Rooms[0].Voice.Lost}, nil
}

func (r *cameraRun) startBusy(ctx context.Context) error {
	if err := errors.Join(r.stop(ctx), r.HoldCameras(ctx), r.start(ctx)); err != nil {
		return err
	}
	var err error
	if r.report.Busy, err = r.untilVideo(ctx, "the box's word that its camera is busy", bad); err != nil {
		return err
	}
	before, err := r.running(ctx)
	if err != nil {
		return err
	}
	if err := r.untilShown(ctx, "the picture that says so", 10); err != nil {
		return err
	}
	if err := r.browser.Screenshot(r.file("busy.png")); err != nil {
		return err
	}
	if err := r.ReleaseCameras(ctx); err != nil {
		return err
	}
	if r.report.Busy.BackAfter, err = r.untilBack(ctx); err != nil {
		return err
	}
	after, err := r.running(ctx)
	r.check(after == before, "the agent was restarted while its camera was busy: %s, then %s", before, after)
	return err
}
