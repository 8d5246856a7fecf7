package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"scanside/access"
	"scanside/agent"
	"scanside/argon"
)

// userCommands change the users of the status page, with the agent running or not: it takes up the changes within two seconds and records them.
type userCommands struct {
	List      userListCommand      `cmd:"" help:"List the users and their roles."`
	Add       userAddCommand       `cmd:"" help:"Make a user. The password is asked for, or read as one line from standard input."`
	Remove    userRemoveCommand    `cmd:"" help:"Take a user away; whoever is signed in by that name is signed out."`
	Role      userRoleCommand      `cmd:"" help:"Give a user another role."`
	Passwd    userPasswdCommand    `cmd:"" help:"Give a user another password; whoever is signed in by that name is signed out."`
	SetupCode userSetupCodeCommand `cmd:"" name:"setup-code" help:"Print the code by which the first site lead of a box without users is made on the status page."`
}

// Help is printed by --help.
func (c *userCommands) Help() string {
	return "Roles: technologist (mute, procedures, sound, self-test), field-technician (besides: uplinks, far end, drill, devices, support bundle), " +
		"site-lead (besides: users, configuration, audit log), auditor (reads everything, does nothing)."
}

func usersOf(config string) (*access.Users, string, error) {
	cfg, err := agent.LoadConfig(config)
	if err != nil {
		return nil, "", err
	}
	if err := os.MkdirAll(cfg.StateDir, 0o700); err != nil {
		return nil, "", fmt.Errorf("make the state directory: %w", err)
	}
	return access.NewUsers(cfg.StateDir), cfg.StateDir, nil
}

// roleFlag takes a role as people type it: field-technician, site-lead.
type roleFlag access.Role

func (r *roleFlag) UnmarshalText(text []byte) error {
	word := strings.ToLower(strings.ReplaceAll(string(text), "-", " "))
	if word == "technician" {
		word = access.Technician.String()
	}
	return (*access.Role)(r).UnmarshalText([]byte(word))
}

type userListCommand struct{ configFlag }

func (c *userListCommand) Run() error {
	users, _, err := usersOf(c.Config)
	if err != nil {
		return err
	}
	return listUsers(users, os.Stdout)
}

func listUsers(users *access.Users, out io.Writer) error {
	all, err := users.All()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "There are no users. Make the first site lead on the status page with the code of `scanside user setup-code`, or with `scanside user add`.")
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, u := range all {
		fmt.Fprintf(t, "%s\t%v\tsince %s\n", u.Name, u.Role, u.Since.Format(time.DateOnly))
	}
	return t.Flush()
}

type userAddCommand struct {
	configFlag
	Name string   `arg:"" help:"Small letters, digits, '-', '_' and '.'; it stands in every record of what the user does."`
	Role roleFlag `arg:"" help:"technologist, field-technician, site-lead or auditor."`
}

func (c *userAddCommand) Run() error {
	users, _, err := usersOf(c.Config)
	if err != nil {
		return err
	}
	password, err := readPassword(os.Stdin, os.Stderr)
	if err != nil {
		return err
	}
	if err := users.Add(c.Name, access.Role(c.Role), password, time.Now()); err != nil {
		return fmt.Errorf("add %s: %w", c.Name, err)
	}
	fmt.Printf("%s is %s of this box.\n", c.Name, access.Role(c.Role).Article())
	return nil
}

type userRemoveCommand struct {
	configFlag
	Name string `arg:"" help:"The user's name."`
}

func (c *userRemoveCommand) Run() error {
	users, _, err := usersOf(c.Config)
	if err != nil {
		return err
	}
	if err := users.Remove(c.Name); err != nil {
		return fmt.Errorf("remove %s: %w", c.Name, err)
	}
	fmt.Printf("%s is no user of this box any more.\n", c.Name)
	return nil
}

type userRoleCommand struct {
	configFlag
	Name string   `arg:"" help:"The user's name."`
	Role roleFlag `arg:"" help:"technologist, field-technician, site-lead or auditor."`
}

func (c *userRoleCommand) Run() error {
	users, _, err := usersOf(c.Config)
	if err != nil {
		return err
	}
	if err := users.SetRole(c.Name, access.Role(c.Role)); err != nil {
		return fmt.Errorf("change the role of %s: %w", c.Name, err)
	}
	fmt.Printf("%s is %s of this box.\n", c.Name, access.Role(c.Role).Article())
	return nil
}

type userPasswdCommand struct {
	configFlag
	Name string `arg:"" help:"The user's name."`
}

func (c *userPasswdCommand) Run() error {
	users, _, err := usersOf(c.Config)
	if err != nil {
		return err
	}
	password, err := readPassword(os.Stdin, os.Stderr)
	if err != nil {
		return err
	}
	if err := users.SetPassword(c.Name, password); err != nil {
		return fmt.Errorf("change the password of %s: %w", c.Name, err)
	}
	fmt.Printf("%s has another password.\n", c.Name)
	return nil
}

type userSetupCodeCommand struct{ configFlag }

func (c *userSetupCodeCommand) Run() error {
	_, dir, err := usersOf(c.Config)
	if err != nil {
		return err
	}
	code, err := access.SetupCode(dir)
	if err != nil {
		return err
	}
	if code == "" {
		return errors.New("this box has users already; a site lead signs in, and `scanside user add` makes another one")
	}
	fmt.Println(code)
	return nil
}

// readPassword asks twice on a terminal and reads one line otherwise. A password is never an argument: process lists show those.
func readPassword(from *os.File, prompt io.Writer) (string, error) {
	in := int(from.Fd())
	if !term.IsTerminal(in) {
		line, err := bufio.NewReader(io.LimitReader(from, 4096)).ReadString('\n')
		if err != nil && line == "" {
			return "", fmt.Errorf("read the password from standard input: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	ask := func(words string) (string, error) {
		fmt.Fprint(prompt, words)
		text, err := term.ReadPassword(in)
		fmt.Fprintln(prompt)
		return string(text), err
	}
	first, err := ask(fmt.Sprintf("Password (at least %d characters): ", argon.MinPassword))
	if err != nil {
		return "", err
	}
	again, err := ask("The same again: ")
	if err == nil && first != again {
		err = errors.New("the two passwords are not the same")
	}
	return first, err
}

// certificateCommand prints by what the status page is known.
type certificateCommand struct{ configFlag }

func (c *certificateCommand) Run() error {
	cfg, err := agent.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	fingerprint, err := agent.Fingerprint(cfg)
	if err != nil {
		return err
	}
	fmt.Println("sha256 " + fingerprint)
	return nil
}
