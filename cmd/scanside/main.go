// Command scanside is the box in the scan room: `scanside run` on site, `scanside demo` on a desk. It has no logic of its
// own; it reads flags and the configuration and builds the parts (packages agent, failover, link, media/device).
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/coreos/go-systemd/v22/daemon"

	"scanside/agent"
	"scanside/completion"
)

// version is set when the program is built.
var version = "unknown"

type program struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Run         runCommand           `cmd:"" help:"Run the agent: capture, keep the links, switch, serve the status page."`
	Demo        demoCommand          `cmd:"" help:"Run agent and gateway together over two emulated uplinks, with both pages."`
	CheckConfig checkConfigCommand   `cmd:"" help:"Check a configuration file and say everything that is wrong with it."`
	Diagnose    diagnoseCommand      `cmd:"" help:"Look at every uplink, layer by layer, and say where its fault is."`
	Doctor      doctorCommand        `cmd:"" help:"Say what is wrong with the box, and what to do: devices, uplinks, far end, clock, disk, permissions, power."`
	Drill       drillCommand         `cmd:"" help:"Cut the preferred uplink for a while, and measure what that costs."`
	Mute        muteCommand          `cmd:"" help:"Close the room's camera or microphone, or let it be opened again."`
	Devices     devicesCommands      `cmd:"" help:"List cameras, microphones and loudspeakers with their stable names, or test them."`
	Replay      replayCommand        `cmd:"" help:"Run a recorded trace through the engine and compare the decisions."`
	Verify      verifyCommand        `cmd:"" help:"Check that an audit log, or an export of one, is as it was written."`
	Service     serviceCommand       `cmd:"" help:"Install scanside as a service, start it, stop it, take it away."`
	Support     supportBundleCommand `cmd:"" name:"support-bundle" help:"Collect what whoever helps needs to see, without secrets."`
	Audit       auditCommand         `cmd:"" help:"Export the audit log."`
	User        userCommands         `cmd:"" help:"List, make and change the users of the status page."`
	Certificate certificateCommand   `cmd:"" help:"Print the fingerprint of the certificate that the status page shows."`
	Completion  completion.Command   `cmd:"" help:"Print what a shell needs to complete this command line."`
}

func main() {
	var p program
	parser := kong.Must(&p, kong.Name("scanside"), kong.Vars{"version": version},
		kong.Description("The box in the scan room: redundant two-way audio and video to a supervising physician."))
	ctx, err := parser.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "scanside: %v\nTry: scanside --help\n", err)
		os.Exit(2)
	}
	err = ctx.Run(verb(ctx.Selected().Name))
	var said unwell
	if errors.As(err, &said) {
		os.Exit(int(said))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "scanside: %v\n", err)
		os.Exit(1)
	}
}

type configFlag struct {
	Config string `required:"" type:"path" placeholder:"FILE" help:"Configuration, as in packaging/scanside.yaml."`
}

type checkConfigCommand struct{ configFlag }

func (c *checkConfigCommand) Run() error {
	cfg, err := agent.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	far := cfg.FarEnd.URL
	for i, f := range cfg.FarEnds {
		if i > 0 {
			far += ", then "
		}
		far += f.URL
	}
	fmt.Printf("%s is good: site %s, %d uplink(s), far end %s\n", c.Config, cfg.Site, len(cfg.Uplinks), far)
	return nil
}

type runCommand struct {
	configFlag
	Verbose bool `help:"Log debugging lines too."`
}

func (c *runCommand) Run() error {
	cfg, err := agent.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	log := logger(c.Verbose)
	captured, err := sources(cfg, log)
	if err != nil {
		return err
	}
	speaker, ear, err := loudspeaker(cfg, captured, log)
	if err != nil {
		return err
	}
	a, err := agent.New(cfg, agent.Parts{Sources: captured, Loudspeaker: speaker, Ear: ear, Version: version, Log: log, Notify: notify(log), GiveWay: giveWay()})
	if err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	log.Info("starting", "version", version, "site", cfg.Site)
	return a.Run(ctx)
}

// notify tells the service manager; where there is none, nobody.
func notify(log *slog.Logger) func(string) {
	return func(state string) {
		if _, err := daemon.SdNotify(false, state); err != nil {
			log.Debug("the service manager was not told", "state", state, "err", err)
		}
	}
}

func logger(verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

func untilSignal() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}
