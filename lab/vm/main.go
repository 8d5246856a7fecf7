package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const usage = `usage: go run ./lab/vm [flags] COMMAND

  camera     the agent in the guest, gateway and Chromium outside; prints one JSON line
  devices    the guest's camera and microphone by themselves; prints one JSON line
  exec CMD   boot, run a shell command in the guest, print what it printed
  image      build the guest's disk, or say where it is

flags:
`

func main() {
	set := flag.NewFlagSet("vm", flag.ExitOnError)
	var o options
	set.StringVar(&o.programs, "programs", "build", "`folder` with scanside and scanside-gateway")
	set.StringVar(&o.out, "out", filepath.Join("build", "vm"), "`folder` for the screenshot and the logs")
	set.Var(&o.mode, "mode", "picture to ask of the camera, `WIDTHxHEIGHT@RATE` (default: what the guest's processor can do)")
	set.StringVar(&o.share, "share", "", "`folder` that the guest sees as /lab (default: an empty one that is removed)")
	set.Usage = func() { fmt.Fprint(os.Stderr, usage); set.PrintDefaults() }
	_ = set.Parse(os.Args[1:]) // ExitOnError
	ctx, stop := interrupted()
	defer stop()
	code, err := run(ctx, o, set.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm:", err)
	}
	stop()
	os.Exit(code)
}

// options are the flags.
type options struct {
	programs, out, share string
	mode                 Mode
}

func run(ctx context.Context, o options, args []string) (int, error) {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	work := map[string]func(context.Context, *Machine, options) error{
		"camera":  runCamera,
		"devices": runDevices,
		"exec": func(ctx context.Context, m *Machine, _ options) error {
			out, err := m.Shell(ctx, strings.Join(args[1:], " "))
			fmt.Print(out)
			return err
		},
	}[command]
	if command != "image" && work == nil {
		return 2, fmt.Errorf("no command %q: camera, devices, exec or image", command)
	}
	if !insideWorld() {
		// The disk is built outside, where the mirrors are.
		image, err := OpenImage(ctx, os.Stderr)
		if err != nil {
			return 1, err
		}
		if command == "image" {
			fmt.Println(image.Dir)
			return 0, nil
		}
		return runInWorld(ctx)
	}
	if err := runInside(ctx, o, work); err != nil {
		return 1, err
	}
	return 0, nil
}

// runInside boots the guest in the prepared world and does the work in it.
func runInside(ctx context.Context, o options, work func(context.Context, *Machine, options) error) error {
	if err := enterWorld(); err != nil {
		return err
	}
	image, err := OpenImage(ctx, os.Stderr)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return fmt.Errorf("making the folder for logs: %w", err)
	}
	scratch, err := os.MkdirTemp("", "scanside-vm-") // short: a socket's path has at most 107 characters
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	share := o.share
	if share == "" {
		share = filepath.Join(scratch, "share")
		if err := os.Mkdir(share, 0o755); err != nil {
			return err
		}
	}
	m, err := BootBest(ctx, image, share, scratch)
	if err != nil {
		return err
	}
	defer m.Close()
	fmt.Fprintf(os.Stderr, "guest answers after %.1f s (%s)\n", m.Booted.Seconds(), m.Accel)
	return work(ctx, m, o)
}
