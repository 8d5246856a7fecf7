package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"syscall"
	"time"

	"scanside/agent"
	"scanside/agent/status"
	"scanside/doctor"
	"scanside/media/device"
)

type doctorCommand struct {
	configFlag
	Quick bool `help:"Wait for no network: under 3 s. What would need it is unknown."`
	JSON  bool `name:"json" help:"Print JSON."`
}

// Help is printed by --help.
func (c *doctorCommand) Help() string {
	return "Devices, uplinks, far end, clock, disk, certificates, permissions and power: each passed, failed or unknown, and what to do. " +
		"It asks the agent on this machine; where none runs, what only an agent can see is unknown. " +
		"Exit status 0: everything passed. 3: something failed. 4: nothing failed, and not everything could be seen. " +
		"1: it could not be made, 2: it was called wrongly."
}

func (c *doctorCommand) Run() error {
	cfg, err := agent.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	d, err := examineBox(ctx, cfg, c.Quick, plugged(cfg, device.List()))
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		err = e.Encode(d)
	} else {
		err = writeDoctor(os.Stdout, d)
	}
	if err != nil {
		return err
	}
	return doctorExit(d)
}

// unwell ends the program with a report's exit code. Everything was said already.
type unwell int

func (u unwell) Error() string { return "not everything passed" }

func doctorExit(d status.Doctor) error {
	switch d.Result {
	case doctor.Passed.String():
		return nil
	case doctor.Failed.String():
		return unwell(doctor.ExitFailed)
	}
	return unwell(doctor.ExitUnknown)
}

const (
	quickWithin  = 2500 * time.Millisecond // the agent's own disk gets 2 s
	doctorWithin = 20 * time.Second
)

// examineBox asks the agent of this machine, or looks by itself where none runs.
func examineBox(ctx context.Context, cfg agent.Config, quick bool, there []agent.Plugged) (status.Doctor, error) {
	within := doctorWithin
	if quick {
		within = quickWithin
	}
	asking, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	d, err := askDoctor(asking, cfg.Status, quick)
	if err == nil || ctx.Err() != nil {
		return d, errors.Join(ctx.Err(), err)
	}
	why := err.Error()
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, errNoPage) {
		why = "" // nobody is there
	}
	return agent.Checkup(ctx, cfg, quick, there, why)
}

func askDoctor(ctx context.Context, page agent.Status, quick bool) (d status.Doctor, err error) {
	if quick {
		return d, askPage(ctx, page, http.MethodGet, "/api/v1/doctor?quick", nil, &d)
	}
	if err := askPage(ctx, page, http.MethodPost, "/api/v1/doctor", nil, nil); err != nil {
		return d, err
	}
	for {
		d = status.Doctor{}
		if err := askPage(ctx, page, http.MethodGet, "/api/v1/doctor", nil, &d); err != nil || !d.Running {
			return d, err
		}
		select {
		case <-ctx.Done():
			return d, ctx.Err()
		case <-time.After(askEvery):
		}
	}
}

// writeDoctor says what is wrong first.
func writeDoctor(out io.Writer, d status.Doctor) error {
	fmt.Fprintln(out, d.Sentence)
	marks := map[string]string{"passed": "✓", "failed": "✗"}
	for _, result := range []string{"failed", "unknown", "passed"} {
		for _, c := range d.Of(result) {
			mark, known := marks[c.Result]
			if !known {
				mark = "?"
			}
			fmt.Fprintf(out, "%s %-12s %s\n", mark, c.Area, c.Sentence)
			if c.Do != "" {
				fmt.Fprintf(out, "  → %s\n", c.Do)
			}
			for _, l := range c.Layers {
				if c.Result != "passed" {
					fmt.Fprintf(out, "    %s %-8s %s  %s\n", map[string]string{"ok": "✓", "failed": "✗", "unknown": "?"}[l.Result], l.Name, l.Subject, l.Note)
				}
			}
		}
	}
	_, err := fmt.Fprintf(out, "As of %s.\n", d.At.Local().Format(time.DateTime))
	return err
}

// plugged says which of the configured devices are there.
func plugged(cfg agent.Config, found device.Inventory) []agent.Plugged {
	var cameras, microphones, loudspeakers []string
	for _, c := range found.Cameras {
		if c.Problem == "" {
			cameras = append(cameras, append(c.Names, c.Device, c.Node)...)
		}
	}
	for _, m := range found.Microphones {
		microphones = append(microphones, m.Device)
	}
	for _, l := range found.Loudspeakers {
		loudspeakers = append(loudspeakers, l.Device)
	}
	return []agent.Plugged{
		isPlugged("camera", cfg.Camera.Names(), cameras), isPlugged("microphone", cfg.Microphone.Names(), microphones),
		isPlugged("loudspeaker", cfg.Loudspeaker.Names(), loudspeakers),
	}
}

func isPlugged(what string, wanted, there []string) agent.Plugged {
	p := agent.Plugged{Name: what}
	for _, name := range wanted {
		switch {
		case name == "none":
			p.Note = "The configuration names no " + what + "."
			return p
		case name == "test", name == "auto" && len(there) > 0, slices.Contains(there, name):
			p.There, p.Note = true, "A "+what+" is there ("+name+")."
			return p
		}
	}
	p.Note = fmt.Sprintf("No %s is there; %s wanted.", what, andWords(wanted)+map[bool]string{true: " is", false: " are"}[len(wanted) == 1])
	return p
}

func andWords(list []string) string {
	out := ""
	for i, w := range list {
		if i > 0 {
			out += " or "
		}
		out += w
	}
	return out
}
