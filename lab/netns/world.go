package netns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"scanside/lab/scenario"
)

// Config says what to run.
type Config struct {
	Agent     string    // path of the program scanside
	Gateway   string    // path of scanside-gateway
	Chrome    bool      // whether real Chromium watches too
	Republish string    // WHIP endpoint that the gateway passes its room on to; "": none
	Keep      bool      // keep the folder with configurations and logs
	Say       io.Writer // progress, for people
}

const (
	starting = 20 * time.Second // for any program to be ready on a busy machine
	soon     = 50 * time.Millisecond
)

// World is two namespaces with everything in them. It is made and closed by one goroutine.
type World struct {
	cfg      Config
	dir      string
	files    *files
	place    *place
	uplinks  []scenario.Uplink
	farURL   string // by which agents know the gateway
	emulator *helper
	gateway  *process
	agent    *process
	parts    []*process // a relay, a proxy
	started  time.Time  // when the agent was
	stops    []func()
}

// NewWorld makes the namespaces, the emulator and the gateway; agents and observers are started by whoever needs them. Close
// ends and removes everything, also after an error.
func NewWorld(ctx context.Context, cfg Config, uplinks []scenario.Uplink) (*World, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("network namespaces and TUN devices need root; run the lab with sudo, or use the world bubble")
	}
	for _, program := range []string{cfg.Agent, cfg.Gateway} {
		if _, err := os.Stat(program); err != nil {
			return nil, fmt.Errorf("%w; build the programs first (make build)", err)
		}
	}
	sweep()
	w := &World{cfg: cfg, uplinks: uplinks, farURL: gatewayURL}
	if err := w.start(); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *World) start() (err error) {
	if err = w.ground(); err != nil {
		return err
	}
	if w.files, err = writeFiles(w.dir, w.cfg.Republish); err != nil {
		return fmt.Errorf("write the configurations: %w", err)
	}
	w.gateway, err = start(w.place.far, w.dir, "gateway", measured, nil, w.cfg.Gateway, "--config", w.files.gateway)
	if err != nil {
		return err
	}
	w.stops = append(w.stops, w.gateway.stop)
	return nil
}

// ground is the folder, the namespaces and the emulated uplinks between them.
func (w *World) ground() (err error) {
	if w.dir, err = os.MkdirTemp("", "scanside-lab-"); err != nil {
		return err
	}
	w.stops = append(w.stops, func() {
		if w.cfg.Keep {
			w.say("logs and configurations: %s", w.dir)
			return
		}
		_ = os.RemoveAll(w.dir)
	})
	if w.place, err = newPlace(); err != nil {
		return err
	}
	w.stops = append(w.stops, w.place.remove)
	paths, err := json.Marshal(w.uplinks)
	if err != nil {
		return err
	}
	if w.emulator, err = w.helper("", "emulator", emulating, "emulator", w.place.room, w.place.far, string(paths)); err != nil {
		return err
	}
	if err := w.emulator.ask("ready", nil); err != nil {
		return err
	}
	if err := w.place.address(w.uplinks); err != nil {
		return fmt.Errorf("give the uplinks addresses: %w", err)
	}
	return nil
}

// startAgent starts `scanside run`; name tells its state folder and log from another's, devices is test or auto.
func (w *World) startAgent(name, devices string, s scenario.Scenario) error {
	path, err := w.files.writeAgent(name, devices, w.farURL, s)
	if err != nil {
		return err
	}
	w.started = time.Now()
	if w.agent, err = start(w.place.room, w.dir, name, measured, nil, w.cfg.Agent, "run", "--config", path); err != nil {
		return err
	}
	w.stops = append(w.stops, w.agent.stop)
	return nil
}

// helper starts one of the lab's own helpers; closing the world ends it.
func (w *World) helper(namespace, name string, prio int, args ...string) (*helper, error) {
	h, err := startHelper(namespace, w.dir, name, prio, args...)
	if err != nil {
		return nil, err
	}
	w.stops = append(w.stops, h.stop)
	return h, nil
}

// do does what a scenario says.
func (w *World) do(e scenario.Event) error {
	switch e.Verb {
	case scenario.IfDown:
		return w.place.ifDown(e.Uplink)
	case scenario.IfUp:
		return w.place.ifUp(e.Uplink)
	}
	return w.emulator.ask("do "+e.Text(), nil)
}

// drops tells of datagrams that found a socket full: the machine was too busy, and what was lost there no uplink lost.
func (w *World) drops() {
	for _, ns := range []string{w.place.room, w.place.far} {
		if n, err := fullSockets(ns); err != nil || n > 0 {
			w.say("note: %d datagrams found a full socket in namespace %s (%v)", n, ns, err)
		}
	}
}

// programs are those whose death ends a wait.
func (w *World) programs(more ...*helper) []*process {
	all := append([]*process{w.emulator.process, w.gateway}, w.parts...)
	if w.agent != nil {
		all = append(all, w.agent)
	}
	for _, h := range more {
		all = append(all, h.process)
	}
	return all
}

// names lists the uplinks, with spaces between.
func (w *World) names() string {
	var names []string
	for _, u := range w.uplinks {
		names = append(names, u.Name)
	}
	return strings.Join(names, " ")
}

func (w *World) say(format string, args ...any) {
	if w.cfg.Say != nil {
		fmt.Fprintf(w.cfg.Say, format+"\n", args...)
	}
}

// Close ends everything in the reverse order of starting and waits.
func (w *World) Close() {
	for i := len(w.stops) - 1; i >= 0; i-- {
		w.stops[i]()
	}
	w.stops = nil
}
