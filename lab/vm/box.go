package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"scanside/agent/status"
)

// box is the real agent in the guest: a service of the guest's systemd that runs as a user without rights but those of the
// groups video and audio.
type box struct {
	*Machine
}

const (
	boxUnit    = "scanside"
	boxProgram = "/usr/local/bin/scanside"
	boxConfig  = "/lab/scanside.yaml"
	// changeWithin is when a change is taken for one that will never come. The product's own bound is 2 s; how long it took is
	// printed and decides nothing, because an emulated processor on a busy machine can be twenty times as slow.
	changeWithin = 2 * time.Minute
)

// install puts the program on the guest's disk (started from the share, it takes seconds more) and its configuration where
// the guest sees it.
func (b box) install(ctx context.Context, program string, far *farEnd, mode Mode) error {
	if err := copyFile(program, filepath.Join(b.Share, "scanside"), 0o755); err != nil {
		return fmt.Errorf("copying the agent for the guest: %w (make build makes it)", err)
	}
	if _, err := b.Shell(ctx, "install /lab/scanside "+boxProgram); err != nil {
		return err
	}
	var uplinks strings.Builder
	for _, c := range cables() {
		fmt.Fprintf(&uplinks, "  - {name: %[1]s, interface: %[1]s}\n", c.name)
	}
	text := fmt.Sprintf(`site: %s
far_end:
  url: https://%s:%s
  token_file: token
  tls: {fingerprint: "%s"}
uplinks:
%sprotection: {voice: always, video: always}
camera: {devices: [%s, %s]}
loudspeaker: {device: none}
microphone: {devices: [%s, %s]}
video: {width: %d, height: %d, fps: %d, bitrate: 600000}
status: {listen: "127.0.0.1:8480"}
state_dir: /var/lib/scanside
`, site, gatewayName, consolePort, far.fingerprint, uplinks.String(), front, ceiling, microphoneCard, spareCard, mode.Width, mode.Height, mode.Rate)
	return errors.Join(
		os.WriteFile(filepath.Join(b.Share, "scanside.yaml"), []byte(text), 0o644),
		os.WriteFile(filepath.Join(b.Share, "token"), []byte(far.token+"\n"), 0o644), // a lab's token, for a lab's gateway
	)
}

func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func (b box) start(ctx context.Context) error {
	if _, err := b.Shell(ctx, boxProgram+" check-config --config "+boxConfig); err != nil {
		return err
	}
	return b.Start(ctx, boxUnit, []string{"DynamicUser=yes", "SupplementaryGroups=video audio", "StateDirectory=scanside"},
		boxProgram+" run --config "+boxConfig)
}

func (b box) stop(ctx context.Context) error { return b.Stop(ctx, boxUnit) }

// running says whether the agent has run without a break since it was started: its process id, or an error.
func (b box) running(ctx context.Context) (pid string, err error) {
	out, err := b.Shell(ctx, "systemctl show -P ActiveState -P MainPID "+boxUnit)
	if err != nil {
		return "", err
	}
	words := strings.Fields(out)
	if len(words) != 2 || words[0] == "0" || words[1] == "0" || !strings.Contains(out, "active") {
		return "", fmt.Errorf("the agent does not run: systemd says %q", out)
	}
	return strings.Join(words, " "), nil
}

// status is the box's own status document.
func (b box) status(ctx context.Context) (status.Status, error) {
	var s status.Status
	out, err := b.Shell(ctx, "curl -sSf --max-time 5 http://127.0.0.1:8480/api/v1/status")
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		return s, fmt.Errorf("reading the box's status: %w", err)
	}
	return s, nil
}

// untilVideo waits until the box says of its picture what good accepts, and returns what it says then.
func (b box) untilVideo(ctx context.Context, what string, good func(status.Stream) bool) (trouble, error) {
	return b.until(ctx, "video", what, good)
}

// until is untilVideo for either stream.
func (b box) until(ctx context.Context, kind, what string, good func(status.Stream) bool) (trouble, error) {
	var t trouble
	began := time.Now()
	err := waitUntil(ctx, changeWithin, what, func() error {
		s, err := b.status(ctx)
		if err != nil {
			return err
		}
		for _, stream := range s.Streams {
			if stream.Kind != kind {
				continue
			}
			t.Says = stream.Sentence
			if good(stream) {
				t.SaidAfter, t.Verdict = time.Since(began).Milliseconds(), s.Verdict.State
				return nil
			}
		}
		return fmt.Errorf("it says of the %s: %q", kind, t.Says)
	})
	return t, err
}

// inventory is the part of `scanside devices --json` that is looked at here.
type inventory struct {
	Cameras     []struct{ Device, Problem string }
	Microphones []struct{ Device string }
	Notes       []string
}

func (b box) inventory(ctx context.Context) (inventory, error) {
	var inv inventory
	out, err := b.Shell(ctx, boxProgram+" devices --json")
	if err != nil {
		return inv, err
	}
	return inv, json.Unmarshal([]byte(out), &inv)
}
