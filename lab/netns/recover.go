package netns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"scanside/lab/scenario"
)

// Addresses of the world whose cellular uplink has IPv6 alone and whose primary has IPv4 alone.
const (
	farAddress6  = "fd99::1"
	roomAddress6 = "fd77:2::1"
	farPeer6     = "fd77:2::2"
	nextAddress  = "10.77.1.9" // of the primary, when its lease changes
)

// Recovery is what became of a room whose uplinks share no address family, step by step. Times are on a real clock.
type Recovery struct {
	Figure string         `json:"figure"`
	Steps  []RecoveryStep `json:"steps"`
}

// RecoveryStep is one thing that happened. Voice counts at the far end's console; nil where that was away too.
type RecoveryStep struct {
	What  string          `json:"what"`
	Back  float64         `json:"connected_again_ms"` // from the act, or from the end of the sleep, or from the program's start
	Voice *scenario.Voice `json:"voice"`
}

// MeasureRecovery plays recovery with the real programs: the primary has IPv4 alone, the cellular uplink IPv6 alone, the far end is
// known by its name.
func MeasureRecovery(ctx context.Context, cfg Config) (Recovery, error) {
	r := Recovery{Figure: "recovery"}
	w, err := NewWorld(ctx, cfg, uplinksOf())
	if err != nil {
		return r, err
	}
	defer w.Close()
	if err := w.twoFamilies(); err != nil {
		return r, err
	}
	p := &people{World: w}
	s := scenario.Scenario{Uplinks: w.uplinks, Voice: "always", Video: "always"}
	if err := p.come(ctx, s); err != nil {
		return r, err
	}
	for _, step := range []struct {
		what   string
		uplink string
		viewed bool // the console lives through it
		act    func() error
	}{
		{"primary gets another address, the carrier stays", "primary", true, func() error { return w.place.readdress("primary", roomAddress(0), nextAddress) }},
		{"the box sleeps for 40 s", "cellular", false, func() error { return w.sleepAgent(ctx, 40*time.Second) }},
		{"far end restarted while primary is dead", "cellular", false, func() error { return w.restartGateway("cut primary") }},
		{"far end restarted while cellular is dead", "primary", false, func() error { return w.restartGateway("cut cellular") }},
	} {
		w.say("%s", step.what)
		if step.viewed {
			if err := p.far.ask("mark", nil); err != nil {
				return r, err
			}
		}
		struck := time.Now()
		if err := step.act(); err != nil {
			return r, fmt.Errorf("%s: %w", step.what, err)
		}
		begun := time.Now()
		err := until(ctx, starting, 10*time.Millisecond, step.what, w.programs(p.room), p.connected(step.uplink, struck))
		if err != nil {
			return r, err
		}
		out := RecoveryStep{What: step.what, Back: float64(time.Since(begun).Microseconds()) / 1000}
		if err := sleep(ctx, settled); err != nil {
			return r, err
		}
		if step.viewed {
			var way scenario.Way
			if err := p.far.ask("way", &way); err != nil {
				return r, err
			}
			out.Voice = &way.Voice
		}
		r.Steps = append(r.Steps, out)
		for _, u := range w.uplinks {
			if err := w.emulator.ask("do restore "+u.Name, nil); err != nil {
				return r, err
			}
		}
		for _, u := range w.uplinks {
			err := until(ctx, starting, soon, "both uplinks connected", w.programs(p.room), p.connected(u.Name, w.started))
			if err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// connected asks whether the box has made a connection over an uplink since a moment.
func (p *people) connected(uplink string, since time.Time) func() error {
	return func() error { return p.room.ask(fmt.Sprintf("connected %s %d", uplink, since.UnixNano()), nil) }
}

// twoFamilies takes IPv4 off the cellular uplink and gives it IPv6, gives the far end both, a name and a name server, and starts the
// gateway anew on all of it.
func (w *World) twoFamilies() error {
	if err := w.place.twoFamilies(); err != nil {
		return err
	}
	w.stops = append(w.stops, w.place.forgetNames)
	w.farURL = "https://" + farName + ":8443"
	text, err := os.ReadFile(w.files.gateway)
	if err != nil {
		return err
	}
	dual := strings.ReplaceAll(string(text), farAddress+":", ":")
	dual = strings.ReplaceAll(strings.ReplaceAll(dual, " :8443", ` ":8443"`), " :3478", ` ":3478"`) + "hosts: [" + farName + "]\n"
	if err := os.WriteFile(w.files.gateway, []byte(dual), 0o600); err != nil {
		return err
	}
	names, err := w.helper(w.place.far, "names", measured, "names", farAddress, farAddress6)
	if err != nil {
		return err
	}
	return errors.Join(names.ask("ready", nil), w.restartGateway(""))
}

// restartGateway does something to the uplinks while the gateway is away, and returns when it has been started.
func (w *World) restartGateway(meanwhile string) (err error) {
	w.gateway.stop()
	if meanwhile != "" {
		if err := w.emulator.ask("do "+meanwhile, nil); err != nil {
			return err
		}
		time.Sleep(3 * time.Second)
	}
	w.gateway, err = start(w.place.far, w.dir, "gateway", measured, nil, w.cfg.Gateway, "--config", w.files.gateway)
	if err == nil {
		w.stops = append(w.stops, w.gateway.stop)
	}
	return err
}

// sleepAgent stops the agent's process for a while, as a suspended machine would.
func (w *World) sleepAgent(ctx context.Context, d time.Duration) error {
	if err := w.agent.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return errors.Join(sleep(ctx, d), w.agent.cmd.Process.Signal(syscall.SIGCONT))
}

// twoFamilies is the network's part of World.twoFamilies.
func (p *place) twoFamilies() error {
	const cellular = "cellular"
	etc := filepath.Join("/etc/netns", p.room) // ip-netns(8) puts what is there in place of /etc for programs it starts
	resolv := "nameserver " + farAddress + "\nnameserver " + farAddress6 + "\noptions timeout:1 attempts:2\n"
	return errors.Join(
		ip("-n", p.room, "addr", "flush", "dev", cellular), ip("-n", p.far, "addr", "flush", "dev", cellular),
		ip("-n", p.room, "-6", "addr", "flush", "dev", "primary"),
		ip("-n", p.room, "-6", "addr", "add", roomAddress6+"/64", "dev", cellular, "nodad"),
		ip("-n", p.far, "-6", "addr", "add", farPeer6+"/64", "dev", cellular, "nodad"),
		ip("-n", p.far, "-6", "addr", "add", farAddress6+"/64", "dev", "wan0", "nodad"),
		ip("-n", p.room, "-6", "route", "replace", farAddress6, "dev", cellular),
		os.MkdirAll(etc, 0o755),
		os.WriteFile(filepath.Join(etc, "resolv.conf"), []byte(resolv), 0o644),
	)
}

func (p *place) forgetNames() { _ = os.RemoveAll(filepath.Join("/etc/netns", p.room)) }

// readdress does what a DHCP client does when the lease is another one: the carrier stays.
func (p *place) readdress(uplink, from, to string) error {
	return errors.Join(
		ip("-n", p.room, "addr", "del", from+"/24", "dev", uplink),
		ip("-n", p.room, "addr", "add", to+"/24", "dev", uplink),
		p.ifUp(uplink),
	)
}
