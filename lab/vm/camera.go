package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"scanside/lab/browser"
)

// cameraReport is the JSON line of the camera command. Everything about picture and voice was counted in Chromium, outside
// the guest.
type cameraReport struct {
	Passed      bool          `json:"passed"`
	Wrong       []string      `json:"wrong"` // what did not hold
	Accelerator Accelerator   `json:"accelerator"`
	Mode        string        `json:"mode"`
	Camera      string        `json:"camera"`     // as `scanside devices` lists it
	Microphone  string        `json:"microphone"` // likewise
	Picture     pictureReport `json:"picture"`
	Voice       voiceReport   `json:"voice"`
	Absent      trouble       `json:"camera_absent_at_start"`
	Pulled      trouble       `json:"camera_pulled"`
	Busy        trouble       `json:"camera_busy_at_start"`
	Frames      takeover      `json:"frames_stop"`      // the preferred camera stays, and gives nothing
	Gone        takeover      `json:"one_camera_gone"`  // it is taken from under the program
	Microphones takeover      `json:"two_microphones"`  // the preferred one is pulled out, and plugged in again
	Damaged     uint64        `json:"damaged_pictures"` // skipped and counted
	Cables      []cableReport `json:"cables"`
	BootSeconds float64       `json:"boot_seconds"`
	Seconds     float64       `json:"seconds"` // the whole run after boot
}

type pictureReport struct {
	browser.Seen
	PerSecond float64         `json:"shown_per_second"`
	Light     browser.Picture `json:"light"`
}

type voiceReport struct {
	Level  float64 `json:"level"`        // root mean square while the test voice speaks, 0 to 1
	Hushed float64 `json:"hushed_level"` // likewise while nobody speaks
}

// trouble is one story of a camera that is not there.
type trouble struct {
	Says      string `json:"says"` // the box's sentence about its picture
	SaidAfter int64  `json:"said_after_ms"`
	Verdict   string `json:"verdict"`       // the box's state of supervision at that time
	BackAfter int64  `json:"back_after_ms"` // from the moment the camera was there again to the box's word that it works
}

// takeover is one story of a device that another one stands in for.
type takeover struct {
	Says       string `json:"says"`                    // why the other one is used
	TakenAfter int64  `json:"taken_after_ms"`          // from the moment it was gone to the box's word that the other one is used
	WellAfter  int64  `json:"well_after_ms,omitempty"` // from the moment it was there again to the box's word that it is well
	BackAfter  int64  `json:"back_after_ms,omitempty"` // from then to the box's word that it is used again
}

type cableReport struct {
	Pulled    string  `json:"pulled"`
	FreezeMS  float64 `json:"freeze_ms"`
	Requests  int     `json:"key_frame_requests"`
	VideoLost int     `json:"video_lost"` // packets, at the gateway's merged stream
	VoiceLost int     `json:"voice_lost"`
}

// cameraRun is one run of the camera command.
type cameraRun struct {
	box
	far     *farEnd
	browser *browser.Browser
	out     string
	report  cameraReport
	began   time.Time
}

// runCamera plays the whole story: a box that starts without its camera, gets it, is watched, loses it, finds it busy, and
// has its cables pulled.
func runCamera(ctx context.Context, m *Machine, o options) error {
	mode := Mode{640, 360, 15}
	if m.Accel == Emulated {
		mode = Mode{640, 360, 10} // two cores are shared by guest, encoder, gateway and Chromium
	}
	if o.mode != (Mode{}) {
		mode = o.mode
	}
	r := &cameraRun{box: box{m}, out: o.out, began: time.Now()}
	r.report = cameraReport{Accelerator: m.Accel, Mode: mode.String(), BootSeconds: round(m.Booted.Seconds()), Wrong: []string{}}
	far, err := startFarEnd(ctx, o.programs, m.Scratch, o.out)
	if err != nil {
		return err
	}
	r.far = far
	err = errors.Join(r.play(ctx, filepath.Join(o.programs, "scanside"), mode), r.keepJournal(ctx), r.far.stop())
	r.report.Seconds = round(time.Since(r.began).Seconds())
	r.report.Passed = err == nil && len(r.report.Wrong) == 0
	if err != nil {
		r.report.Wrong = append(r.report.Wrong, err.Error())
	}
	err = errors.Join(err, json.NewEncoder(os.Stdout).Encode(r.report))
	if err == nil && !r.report.Passed {
		err = fmt.Errorf("%d thing(s) did not hold, see \"wrong\"", len(r.report.Wrong))
	}
	return err
}

func (r *cameraRun) play(ctx context.Context, program string, mode Mode) error {
	if err := r.install(ctx, program, r.far, mode); err != nil {
		return err
	}
	var err error
	if r.browser, err = browser.Start(ctx, browser.Config{}); err != nil {
		return err
	}
	defer r.browser.Close()
	for _, act := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"the box starts without a camera", r.startWithoutCamera},
		{"the physician signs in and opens the room", r.openRoom},
		{"the camera is plugged in", r.plugIn},
		{"the physician watches", r.watch},
		{"the microphone hears nobody", r.hush},
		{"the camera is pulled out and plugged in again", r.pullCamera},
		{"the preferred camera gives no frames, and gives some again", r.stopFrames},
		{"a picture is damaged", r.damage},
		{"the preferred camera is taken from under the program", r.loseCamera},
		{"the preferred microphone is pulled out and plugged in again", r.pullMicrophone},
		{"cables are pulled, one after the other", r.pullCables},
		{"the box starts while another program has its camera", r.startBusy},
	} {
		r.tell(act.name)
		if err := act.do(ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", act.name, err), r.browser.Screenshot(r.file("failed.png")))
		}
	}
	return r.stop(ctx)
}

func (r *cameraRun) tell(what string) {
	fmt.Fprintf(os.Stderr, "%5.1f s  %s\n", time.Since(r.began).Seconds(), what)
}

func (r *cameraRun) file(name string) string { return filepath.Join(r.out, name) }

// check notes what did not hold, and goes on.
func (r *cameraRun) check(holds bool, format string, args ...any) {
	if !holds {
		wrong := fmt.Sprintf(format, args...)
		r.tell("WRONG: " + wrong)
		r.report.Wrong = append(r.report.Wrong, wrong)
	}
}

// keepJournal keeps what the guest's services and its kernel said, and what its sound cards look like at the end.
func (r *cameraRun) keepJournal(ctx context.Context) error {
	said, err := r.Shell(context.WithoutCancel(ctx), "journalctl --no-pager -b -o short-monotonic; head -n 40 /proc/asound/RoomMic/cable#1")
	return errors.Join(err, os.WriteFile(r.file("guest.log"), []byte(said), 0o644))
}
