package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"scanside/access"
	"scanside/agent"
	"scanside/failover"
	"scanside/gateway"
	"scanside/lab/emu"
	"scanside/link"
)

// The demo's two uplinks: names, loopback addresses, and the round trips of a fair cable and a fair cellular uplink.
const (
	demoSite      = "demo"
	demoPhysician = "physician"
	wiredAddress  = "127.0.0.2"
	cellAddress   = "127.0.0.3"
	wiredRTT      = 20 * time.Millisecond
	cellRTT       = 60 * time.Millisecond
)

type demoCommand struct {
	Camera       string `default:"auto" placeholder:"NAME" help:"Camera: auto, test, none, or a name from 'scanside devices'."`
	Microphone   string `default:"auto" placeholder:"NAME" help:"Microphone: auto, test, none, or a name from 'scanside devices'."`
	Loudspeaker  string `default:"none" placeholder:"NAME" help:"Loudspeaker: none, auto, or a name from 'scanside devices'."`
	Status       string `default:"127.0.0.1:8480" placeholder:"ADDR" help:"Where the status page listens."`
	Console      string `default:"127.0.0.1:8490" placeholder:"ADDR" help:"Where the physician's console listens."`
	FlashAndBeep bool   `help:"Send a picture and a sound that flash and beep at once, to see how far apart they arrive."`
	Verbose      bool   `help:"Log debugging lines too."`
}

func (c *demoCommand) Run() error {
	ctx, stop := untilSignal()
	defer stop()
	return c.run(ctx, os.Stdout)
}

// run runs the demo until ctx ends and tells out where its pages are.
func (c *demoCommand) run(ctx context.Context, out io.Writer) error {
	level := slog.LevelWarn // the pages tell the story
	if c.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))

	state, err := os.MkdirTemp("", "scanside-demo-")
	if err != nil {
		return fmt.Errorf("making a folder for the demo's state: %w", err)
	}
	defer os.RemoveAll(state)

	token, tokenHash := gateway.NewSiteToken()
	far, consoleURL, err := c.farEnd(tokenHash, state, log)
	if err != nil {
		return err
	}
	uplinks := emu.NewSet(1, emu.Symmetric("primary", wiredRTT), emu.Symmetric("cellular", cellRTT))
	defer uplinks.Close()
	box, err := c.box(consoleURL, token, state, uplinks, log)
	if err != nil {
		return errors.Join(err, far.Close())
	}
	code, err := far.SignInCode(demoPhysician)
	if err != nil {
		return errors.Join(err, far.Close())
	}
	return errors.Join(runBoth(ctx, far, box, func() { tell(out, box.StatusAddr().String(), consoleURL, code) }), far.Close())
}

// farEnd builds the gateway on loopback. Its console's address is known before it runs.
func (c *demoCommand) farEnd(tokenHash, state string, log *slog.Logger) (*gateway.Gateway, string, error) {
	listener, err := net.Listen("tcp", c.Console)
	if err != nil {
		return nil, "", fmt.Errorf("listening for the console: %w (choose another address with --console)", err)
	}
	g, err := gateway.New(gateway.Config{
		Listen:   listener.Addr().String(),
		Listener: listener,
		StateDir: filepath.Join(state, "gateway"),
		TLS:      gateway.TLSConfig{Off: true}, // loopback: browsers give a microphone to http://127.0.0.1 too
		Ports:    gateway.Ports{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0"},
		Sites:    []gateway.Site{{ID: demoSite, Name: "Demo room", TokenHash: tokenHash}},
		Users:    []gateway.User{{Name: demoPhysician, DisplayName: "Demo physician", Role: gateway.Supervisor}},
	}, log.With("part", "gateway"))
	if err != nil {
		return nil, "", errors.Join(err, listener.Close())
	}
	return g, "http://" + listener.Addr().String(), nil
}

func (c *demoCommand) box(farEnd, token, state string, uplinks *emu.Set, log *slog.Logger) (*agent.Agent, error) {
	cfg := agent.DefaultConfig()
	cfg.Site = demoSite
	cfg.FarEnd = agent.FarEnd{URL: farEnd, Token: token}
	cfg.Uplinks = []agent.Uplink{
		{Name: "primary", Address: wiredAddress},
		{Name: "cellular", Address: cellAddress, Metered: true},
	}
	cfg.Protection = agent.Protection{Voice: failover.Always, Video: failover.Always} // emulated bytes cost nothing
	cfg.Camera.Device, cfg.Microphone.Device, cfg.Loudspeaker.Device = c.Camera, c.Microphone, c.Loudspeaker
	if c.FlashAndBeep {
		cfg.Camera.Device, cfg.Microphone.Device = deviceBeat, deviceBeat
	}
	cfg.Status.Listen = c.Status
	cfg.StateDir = filepath.Join(state, "agent")
	log = log.With("part", "agent")
	cfg = withStandIns(cfg)
	captured, err := sources(cfg, log)
	if err != nil {
		return nil, err
	}
	speaker, ear, err := loudspeaker(cfg, captured, log)
	if err != nil {
		return nil, err
	}
	return agent.New(cfg, agent.Parts{
		Sources: captured, Loudspeaker: speaker, Ear: ear,
		Net: func(u agent.Uplink) (link.Net, error) {
			bound, err := link.BindAddress(netip.MustParseAddr(u.Address))
			if err != nil {
				return nil, err
			}
			return uplinks.Wrap(u.Name, bound)
		},
		Demo:    uplinks,
		Here:    access.Person{Name: "demo", Role: access.SiteLead}, // on a desk: one click, no ceremony
		Version: version,
		Log:     log,
	})
}

func tell(out io.Writer, status, consoleURL, code string) {
	fmt.Fprintf(out, `
scanside demo: a scan room and its far end on this machine, two emulated uplinks between them.

  Status page (cut the uplinks here)    http://%s/
  Physician's console, one-time link    %s/signin/once?code=%s
  The room's screen                     http://%s/room

Ctrl-C ends it.
`, status, consoleURL, code, status)
}

// runBoth runs both programs until ctx ends or one fails, and waits for both.
func runBoth(ctx context.Context, far *gateway.Gateway, box *agent.Agent, tell func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() { ended <- far.Run(ctx) }()
	go func() { ended <- box.Run(ctx) }()
	ready := box.Ready()
	var failed error
	for running := 2; running > 0; {
		select {
		case <-ready:
			tell()
			ready = nil
		case err := <-ended:
			failed, running = errors.Join(failed, err), running-1
			cancel()
		}
	}
	return failed
}
