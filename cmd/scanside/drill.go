package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"scanside/agent"
	"scanside/agent/status"
	"scanside/doctor"
)

type drillCommand struct {
	configFlag
	For  time.Duration `default:"20s" help:"How long the uplink is cut: 10s to 60s."`
	JSON bool          `name:"json" help:"Print the result as JSON."`
}

// Help is printed by --help.
func (c *drillCommand) Help() string {
	return "The agent on this machine examines its uplinks, cuts the preferred one for a while, measures the pauses at the far end and in the room, " +
		"gives it back and waits for its return; the result is signed into the audit log. Never while a procedure is open or the spare is unproven. " +
		"Exit status 0: it passed. 3: it did not, or was broken off. 1: it was refused."
}

func (c *drillCommand) Run() error {
	if c.For%time.Second != 0 || c.For < 10*time.Second || c.For > time.Minute {
		return fmt.Errorf("drill for %v: give whole seconds from 10s to 60s", c.For)
	}
	cfg, err := agent.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	progress := io.Writer(os.Stdout)
	if c.JSON {
		progress = io.Discard
	}
	last, err := runDrill(ctx, cfg.Status, c.For, progress)
	if err != nil {
		return fmt.Errorf("drill: %w", err)
	}
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(last); err != nil {
			return err
		}
	}
	if !last.Passed() {
		return unwell(doctor.ExitFailed)
	}
	return nil
}

// drillWithin is how long a drill of a minute takes at most, and some.
const drillWithin = 4 * time.Minute

// runDrill has the agent make a drill, and tells how it goes. A signal leaves the drill to the agent, which ends it in time.
func runDrill(ctx context.Context, page agent.Status, length time.Duration, out io.Writer) (*status.DrillResult, error) {
	ctx, cancel := context.WithTimeout(ctx, drillWithin)
	defer cancel()
	form := url.Values{"seconds": {strconv.Itoa(int(length / time.Second))}}
	if err := askPage(ctx, page, http.MethodPost, "/api/v1/drill", form, nil); err != nil {
		return nil, err
	}
	begun := false
	for said := ""; ; {
		var d status.Drill
		if err := askPage(ctx, page, http.MethodGet, "/api/v1/drill", nil, &d); err != nil {
			return nil, err
		}
		if begun = begun || d.Running; d.Sentence != "" && d.Sentence != said {
			said = d.Sentence
			fmt.Fprintln(out, said)
		}
		if begun && !d.Running && d.Last != nil && (d.Last.Hash != "" || time.Since(d.Last.At) > 5*time.Second) {
			fmt.Fprintln(out, d.Last.Sentence)
			if d.Last.Hash != "" {
				fmt.Fprintf(out, "Record %d of the audit log, %s\n", d.Last.Record, d.Last.Hash)
			}
			return d.Last, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(errors.New("the drill goes on without this command; the status page says how it ends"), ctx.Err())
		case <-time.After(askEvery):
		}
	}
}
