// Command lab tries the system against bad networks: `lab scenario -s NAME -w bubble` in memory, `-w netns` with the real
// programs in network namespaces (root). The last line of a scenario is its result as JSON.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"scanside/lab/netns"
	"scanside/lab/scenario"
)

type program struct {
	proofs // those that take long

	Scenarios scenariosCommand  `cmd:"" help:"List the scenarios, with their stories."`
	Scenario  scenarioCommand   `cmd:"" help:"Play one scenario; the last line is its result as JSON."`
	Suite     suiteCommand      `cmd:"" help:"Play the scenarios marked for it with the real programs in network namespaces (root)."`
	Cuts      cutsCommand       `cmd:"" name:"g3" aliases:"g4,g5,g6" help:"Freeze, time to suspect and to follow when the uplink dies that alone carries everything; in memory."`
	G8        g8Command         `cmd:"" name:"g8" help:"Rulings of Down on links that only lose and delay: hundreds of simulated hours, and recorded uplinks where there are any."`
	G9        g9Command         `cmd:"" name:"g9" help:"The way back to a preferred uplink that heals, again and again, and in a procedure; in memory."`
	G10       g10Command        `cmd:"" name:"g10" help:"How much of voice comes within 200 ms over two recorded LTE links at once (SCANSIDE_TRACES); in memory."`
	G12       g12Command        `cmd:"" name:"g12" help:"How long voice and picture take to come back after all uplinks, or the far end, were dead; in memory."`
	G13       g13Command        `cmd:"" name:"g13" help:"With either uplink dead: how soon the far end is heard again, and found again after a restart; in memory."`
	G14       g14Command        `cmd:"" name:"g14" help:"Of the switchovers after failures of many kinds, how many are explained, recorded and replay to the same decisions; in memory."`
	Recovery  recoveryCommand   `cmd:"" help:"An uplink of IPv4 alone and one of IPv6 alone: address changes, a box that sleeps, a far end restarted with either dead (root)."`
	G11       g11Command        `cmd:"" name:"g11" help:"What a metered uplink costs an hour, idle and in a procedure."`
	G15       g15Command        `cmd:"" name:"g15" help:"Processor time of the agent with one uplink and with two, and its memory (root)."`
	G16       g16Command        `cmd:"" name:"g16" help:"From process start to media on the first uplink and on both (root)."`
	Firewall  firewallCommand   `cmd:"" help:"Hospital firewalls: which way media goes, how soon, and that a cut loses nothing (root)."`
	Janus     janusCommand      `cmd:"" help:"Debian's Janus as a foreign WHIP server: picture, a cut, and the gateway's republishing (root)."`
	Shots     shotsCommand      `cmd:"" help:"Screenshots of the demo's pages in a real Chromium, for the documentation."`
	Lipsync   lipsyncCommand    `cmd:"" help:"How far apart a flash and a beep of the same moment arrive in a real Chromium."`
	Mouth     mouthToEarCommand `cmd:"" name:"mouth-to-ear" help:"How late speech is heard, from a physician's real Chromium to the room's loudspeaker and back, also while an uplink is cut."`
	Content   contentCommand    `cmd:"" help:"Faults of picture and sound in drawn rooms: how soon each is said, and false alarms over simulated hours."`
	Helper    helperCommand     `cmd:"" hidden:"" help:"A part of the lab inside a namespace; the lab starts it itself."`
}

func main() {
	var p program
	parser := kong.Must(&p, kong.Name("lab"), kong.Description("Tries scanside against bad networks."))
	parsed, err := parser.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "lab: %v\nTry: lab --help\n", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(); err != nil {
		stop()
		fmt.Fprintf(os.Stderr, "lab: %v\n", err)
		os.Exit(1)
	}
}

type scenariosCommand struct {
	Names bool `help:"Only the names."`
}

func (c *scenariosCommand) Run() error {
	for _, name := range scenario.All() {
		fmt.Println(name)
		if c.Names {
			continue
		}
		s, err := scenario.Load(name)
		if err != nil {
			return err
		}
		fmt.Println("    " + strings.ReplaceAll(s.Story, "\n", "\n    "))
	}
	return nil
}

// programs says where the real programs are.
type programs struct {
	Agent   string `default:"build/scanside" env:"SCANSIDE_AGENT" placeholder:"FILE" help:"The agent's program."`
	Gateway string `default:"build/scanside-gateway" env:"SCANSIDE_GATEWAY" placeholder:"FILE" help:"The gateway's program."`
	Keep    bool   `help:"Keep the folder with configurations and logs."`
}

func (p programs) config(chromium bool) netns.Config {
	return netns.Config{Agent: p.Agent, Gateway: p.Gateway, Chrome: chromium, Keep: p.Keep, Say: os.Stderr}
}
