package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kardianos/service"

	"scanside/agent"
	"scanside/systemd"
)

const serviceName = "scanside"

type serviceCommand struct {
	Install   installCommand   `cmd:"" help:"Install scanside as a service that starts with the machine."`
	Uninstall uninstallCommand `cmd:"" help:"Stop the service and take it away; configuration and state stay."`
	Start     controlCommand   `cmd:"" help:"Start the service."`
	Stop      controlCommand   `cmd:"" help:"Stop the service."`
	Restart   controlCommand   `cmd:"" help:"Restart the service."`
	Status    statusCommand    `cmd:"" help:"Say whether the service is installed and runs."`
}

// idle is what kardianos/service asks for and never calls: the service manager starts `scanside run`.
type idle struct{}

func (idle) Start(service.Service) error { return nil }
func (idle) Stop(service.Service) error  { return nil }

func controlled(unit string) (service.Service, error) {
	return service.New(idle{}, &service.Config{
		Name: serviceName, DisplayName: "scanside", Description: "scanside, the box in the scan room",
		Option: service.KeyValue{"SystemdScript": unit},
	})
}

type installCommand struct{ configFlag }

func (c *installCommand) Run() error {
	if _, err := agent.LoadConfig(c.Config); err != nil {
		return fmt.Errorf("nothing was installed: %w", err)
	}
	for _, dir := range []string{"/usr/lib/systemd/system", "/lib/systemd/system"} {
		if _, err := os.Stat(filepath.Join(dir, serviceName+".service")); err == nil {
			return fmt.Errorf("a package has installed the service already (%s): use systemctl enable --now scanside; a second unit would hide that of the package for ever", dir)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's own path: %w", err)
	}
	unit, err := unitFor(systemd.Unit, self, c.Config)
	if err != nil {
		return err
	}
	installed := filepath.Join("/etc/systemd/system", serviceName+".service")
	switch there, err := os.ReadFile(installed); {
	case err == nil && string(there) == unit:
		fmt.Println("The service is installed already, as it should be.")
		return nil
	case err == nil:
		return fmt.Errorf("%s is there and says something else; scanside service uninstall takes it away", installed)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("looking for an installed service: %w", err)
	}
	if err := makeUser(); err != nil {
		return err
	}
	s, err := controlled(unit)
	if err != nil {
		return err
	}
	if err := s.Install(); err != nil {
		return fmt.Errorf("installing the service (as root?): %w", err)
	}
	fmt.Printf("Installed as %s. It starts with the machine; now: scanside service start\nThe user scanside must be able to read %s and the files that it names.\n", installed, c.Config)
	return nil
}

// unitFor is the unit with this program and configuration in it.
func unitFor(unit, program, config string) (string, error) {
	const standard = "ExecStart=/usr/bin/scanside run --config /etc/scanside/config.yaml\n"
	if strings.Count(unit, standard) != 1 {
		return "", errors.New("the unit does not hold the command it should: this program was built wrongly")
	}
	return strings.Replace(unit, standard, "ExecStart="+unitWord(program)+" run --config "+unitWord(config)+"\n", 1), nil
}

// unitWord quotes a word for a command line in a unit (systemd.service(5), "Command lines"): % and $ are literal.
func unitWord(s string) string {
	s = strings.NewReplacer("%", "%%", "$", "$$").Replace(s)
	if strings.ContainsAny(s, " \t\"'\\;") {
		return strconv.Quote(s)
	}
	return s
}

// makeUser makes the user that the unit names.
func makeUser() error {
	const file = "/etc/sysusers.d/scanside.conf"
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("making the user scanside (as root?): %w", err)
	}
	if err := os.WriteFile(file, []byte(systemd.Users), 0o644); err != nil {
		return fmt.Errorf("making the user scanside (as root?): %w", err)
	}
	if out, err := exec.Command("systemd-sysusers", file).CombinedOutput(); err != nil {
		return fmt.Errorf("making the user scanside: systemd-sysusers: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

type uninstallCommand struct{}

func (c *uninstallCommand) Run() error {
	s, err := controlled(systemd.Unit)
	if err != nil {
		return err
	}
	if err := service.Control(s, "stop"); err != nil && !errors.Is(err, service.ErrNotInstalled) {
		fmt.Fprintf(os.Stderr, "scanside: stopping the service: %v\n", err)
	}
	if err := s.Uninstall(); err != nil {
		return fmt.Errorf("taking the service away (as root? was it installed by a package?): %w", err)
	}
	if err := os.Remove("/etc/sysusers.d/scanside.conf"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("taking the service away: %w", err)
	}
	fmt.Println("The service is gone. Configuration, state and the user scanside stay.")
	return nil
}

type controlCommand struct{}

// Run does what the command is called.
func (c *controlCommand) Run(what verb) error {
	s, err := controlled(systemd.Unit)
	if err != nil {
		return err
	}
	if err := service.Control(s, string(what)); err != nil {
		return fmt.Errorf("to %s the service: %w", what, err)
	}
	return nil
}

// verb is the last word of the command line.
type verb string

type statusCommand struct{}

// Run says the status, and fails unless the service runs.
func (c *statusCommand) Run() error {
	s, err := controlled(systemd.Unit)
	if err != nil {
		return err
	}
	switch status, err := s.Status(); {
	case errors.Is(err, service.ErrNotInstalled):
		return errors.New("the service is not installed: scanside service install --config FILE")
	case err != nil:
		return fmt.Errorf("asking for the service's status: %w", err)
	case status != service.StatusRunning:
		return errors.New("the service is installed and does not run: journalctl -u scanside says why")
	}
	fmt.Println("The service runs.")
	return nil
}
