package netns

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"scanside/lab/scenario"
)

// siege is a world around a wall.
type siege struct {
	*World
	walled *walled
	wall   Wall
}

func (l *siege) build() (err error) {
	if l.dir, err = os.MkdirTemp("", "scanside-lab-"); err != nil {
		return err
	}
	l.stops = append(l.stops, func() {
		if l.cfg.Keep {
			l.say("logs and configurations: %s", l.dir)
			return
		}
		_ = os.RemoveAll(l.dir)
	})
	if l.files, err = writeFiles(l.dir, ""); err != nil {
		return fmt.Errorf("write the configurations: %w", err)
	}
	if err = l.writeGateway(); err != nil {
		return err
	}
	if l.walled, err = newWalled(); err != nil {
		return err
	}
	l.place = l.walled.place
	l.stops = append(l.stops, l.walled.remove)
	first, second := l.uplinks[0].Name, l.uplinks[1].Name
	paths, err := json.Marshal(l.uplinks)
	if err != nil {
		return err
	}
	if l.emulator, err = l.helper("", "emulator", emulating, "emulator", l.place.room, l.place.far, string(paths), "--near", first+"="+l.walled.site); err != nil {
		return err
	}
	if err = l.emulator.ask("ready", nil); err != nil {
		return err
	}
	if err = l.walled.address(first, second); err != nil {
		return fmt.Errorf("give the uplinks addresses: %w", err)
	}
	if err = l.walled.wall(l.wall.Rules); err != nil {
		return err
	}
	if err = l.startRelay(l.place.far, l.files.roots, filepath.Join(l.dir, "gateway.key")); err != nil {
		return err
	}
	if err = l.startProxy(l.walled.site); err != nil {
		return err
	}
	return l.startGateway()
}

func (l *siege) startGateway() (err error) {
	l.gateway, err = start(l.place.far, l.dir, "gateway", measured, nil, l.cfg.Gateway, "--config", l.files.gateway)
	if err == nil {
		l.stops = append(l.stops, l.gateway.stop)
	}
	return err
}

const (
	walledURL  = "https://" + farAddress
	metricsURL = "http://127.0.0.1:9480/metrics"
)

// writeGateway changes the lab's usual configuration to the ports of this place.
func (l *siege) writeGateway() error {
	text, err := os.ReadFile(l.files.gateway)
	if err != nil {
		return err
	}
	out := strings.Replace(string(text), farAddress+":8443", farAddress+":443", 1) + "metrics:\n  listen: 127.0.0.1:9480\n"
	if l.wall.Shared {
		out = strings.Replace(out, "tcp: "+farAddress+":3478", "tcp: "+farAddress+":443", 1)
	}
	if l.wall.Named != "" {
		out += fmt.Sprintf("relays:\n  - url: %s\n    secret_file: %s\n", l.wall.Named, l.secretFile())
	}
	return errors.Join(os.WriteFile(l.files.gateway, []byte(out), 0o600), os.WriteFile(l.secretFile(), []byte(labSecret+"\n"), 0o600))
}

func (l *siege) secretFile() string { return filepath.Join(l.dir, "lab-secret") }

// runAgent starts the agent with the first n uplinks.
func (l *siege) runAgent(n int) error {
	path, err := l.files.writeAgent("agent", "test", walledURL, scenario.Scenario{Uplinks: l.uplinks[:n], Voice: "always", Video: "always"})
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	ways := ""
	if l.wall.Relay != "" {
		ways += fmt.Sprintf("    relays:\n      - url: %s\n        secret_file: %s\n", l.wall.Relay, l.secretFile())
		if strings.HasPrefix(l.wall.Relay, "turns:") {
			ways += "        ca_file: " + l.files.roots + "\n"
		}
	}
	if l.wall.Proxy {
		ways += fmt.Sprintf("    proxy:\n      url: http://%s:%s\n      user: room\n      password_file: %s\n", siteRouter, proxyPort, l.secretFile())
	}
	out := strings.Replace(string(text), "fingerprint: "+l.files.fingerprint, "ca_file: "+l.files.roots, 1) // vouches for the relay too
	out = strings.Replace(out, "    metered: false\n", "    metered: false\n"+ways, 1)
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		return err
	}
	l.started = time.Now()
	if l.agent, err = start(l.place.room, l.dir, "agent", measured, nil, l.cfg.Agent, "run", "--config", path); err == nil {
		l.stops = append(l.stops, l.agent.stop)
	}
	return err
}
