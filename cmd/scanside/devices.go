package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"scanside/agent"
	"scanside/agent/status"
	"scanside/media/device"
)

type devicesCommands struct {
	List devicesCommand     `cmd:"" default:"withargs" help:"List what is plugged in, and which of it the running agent uses and why."`
	Test testDevicesCommand `cmd:"" help:"Have the running agent test camera, loudspeaker and microphone."`
}

type devicesCommand struct {
	Config string `type:"path" default:"/etc/scanside/config.yaml" placeholder:"FILE" help:"Configuration of the agent that is asked which devices it uses; the list needs none. Default: ${default}."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// pluggedIn is what is there, and what the agent makes of it.
type pluggedIn struct {
	device.Inventory
	InUse []inUse `json:"in_use"` // by the agent; empty: it was not asked, or has none
	Agent string  `json:"agent"`  // why the agent does not say; "": it did
}

// inUse is the device that the agent uses for something.
type inUse struct {
	Use     string          `json:"use"`     // "camera", "microphone", "loudspeaker"
	Device  string          `json:"device"`  // as the configuration names it
	Why     string          `json:"why"`     // why this one, or how it is
	Trace   string          `json:"trace"`   // of the last change, in the agent's state folder; "": none
	Devices []status.Device `json:"devices"` // all that it may use, the preferred one first
}

func (c *devicesCommand) Run() error {
	ctx, stop := untilSignal()
	defer stop()
	found := pluggedIn{Inventory: device.List()}
	found.ask(ctx, c.Config)
	if !c.JSON {
		return found.WriteText(os.Stdout)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(found)
}

// askWithin bounds the question to the agent: the list does not wait for a machine in trouble.
const askWithin = 3 * time.Second

// ask asks the agent that runs with a configuration which devices it uses. Where that cannot be known, it says so.
func (p *pluggedIn) ask(ctx context.Context, config string) {
	p.InUse = []inUse{}
	cfg, err := agent.LoadConfig(config)
	if errors.Is(err, fs.ErrNotExist) {
		p.Agent = fmt.Sprintf("Which of them an agent uses was not asked: there is no %s. Give its configuration with --config.", config)
		return
	}
	var st *status.Status
	if err == nil {
		st, err = agentStatus(ctx, cfg.Status)
	}
	if err != nil {
		p.Agent = fmt.Sprintf("Which of them the agent uses is not known: %v.", err)
		return
	}
	p.InUse = usedIn(st)
}

// agentStatus is the status of the agent on this machine.
func agentStatus(ctx context.Context, page agent.Status) (*status.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	st := &status.Status{}
	return st, askPage(ctx, page, http.MethodGet, "/api/v1/status", nil, st)
}

// usedIn takes the devices out of the agent's status.
func usedIn(st *status.Status) []inUse {
	all := []inUse{}
	for _, s := range st.Streams {
		for _, d := range s.Devices {
			if d.Used {
				all = append(all, inUse{
					Use: map[string]string{"video": "camera", "voice": "microphone"}[s.Kind], Device: d.Name,
					Why: strings.TrimSpace(d.Sentence + " " + s.Choice.Sentence), Trace: s.Choice.Trace, Devices: s.Devices,
				})
			}
		}
	}
	if l := st.Loudspeaker; l.Configured {
		all = append(all, inUse{Use: "loudspeaker", Device: l.Device, Why: l.Sentence, Devices: []status.Device{}})
	}
	return all
}

// WriteText prints it for people.
func (p *pluggedIn) WriteText(w io.Writer) error {
	if err := p.Inventory.WriteText(w); err != nil {
		return err
	}
	var b strings.Builder
	if p.Agent != "" {
		fmt.Fprintln(&b, p.Agent)
	}
	for _, u := range p.InUse {
		fmt.Fprintf(&b, "\nthe agent's %s: %s\n", u.Use, u.Device)
		fmt.Fprintf(&b, "             %s\n", u.Why)
		for i, d := range u.Devices {
			if len(u.Devices) > 1 {
				fmt.Fprintf(&b, "             %d. %s: %s\n", i+1, d.Name, d.Sentence)
			}
		}
		if u.Trace != "" {
			fmt.Fprintf(&b, "             decided from what %s holds (\"scanside replay\")\n", u.Trace)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
