// Command scanside-gateway is the far end: it merges the redundant links of scan rooms and gives physicians a console in
// the browser. It has no logic of its own; see packages gateway and link.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"scanside/completion"
	"scanside/gateway"
)

// version is set when the program is built.
var version = "unknown"

type program struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Run          runCommand          `cmd:"" default:"withargs" help:"Serve (the default): scanside-gateway --config FILE."`
	CheckConfig  checkConfigCommand  `cmd:"" help:"Check a configuration file and say everything that is wrong with it."`
	HashPassword hashPasswordCommand `cmd:"" help:"Read a password and print its hash for users[].password_hash."`
	Token        tokenCommand        `cmd:"" help:"Make a site's token: one line for the box, one for sites[].token_hash."`
	SignInCode   signInCodeCommand   `cmd:"" help:"Make a one-time sign-in code for a user of the running gateway."`
	Completion   completion.Command  `cmd:"" help:"Print what a shell needs to complete this command line."`
}

func main() {
	var p program
	parser := kong.Must(&p, kong.Name("scanside-gateway"), kong.Vars{"version": version},
		kong.Description("The far end of scanside: merges the redundant links of scan rooms, serves the physician's console."))
	ctx, err := parser.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "scanside-gateway: %v\nTry: scanside-gateway --help\n", err)
		os.Exit(2)
	}
	if err := ctx.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "scanside-gateway: %v\n", err)
		os.Exit(1)
	}
}

type configFlag struct {
	Config string `required:"" type:"path" placeholder:"FILE" help:"Configuration, as in packaging/scanside-gateway.yaml."`
}

type runCommand struct {
	configFlag
	Verbose bool `help:"Log debugging lines too."`
}

func (c *runCommand) Run() error {
	cfg, err := gateway.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	if dir := os.Getenv("RUNTIME_DIRECTORY"); dir != "" { // systemd's; what stands in it goes with every stop
		cfg.GiveWay = filepath.Join(dir, "restart-when-free")
	}
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	g, err := gateway.New(cfg, log)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log.Info("starting", "version", version)
	return errors.Join(g.Run(ctx), g.Close())
}

type checkConfigCommand struct{ configFlag }

func (c *checkConfigCommand) Run() error {
	cfg, err := gateway.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	fmt.Printf("%s is good: %d site(s), %d user(s)\n", c.Config, len(cfg.Sites), len(cfg.Users))
	return nil
}

type hashPasswordCommand struct{}

func (c *hashPasswordCommand) Run() error {
	password, err := readPassword()
	if err != nil {
		return fmt.Errorf("reading the password: %w", err)
	}
	hash, err := gateway.HashPassword(password)
	if err != nil {
		return err
	}
	fmt.Println(hash)
	return nil
}

// readPassword asks twice on a terminal and reads one line otherwise. A password is never an argument: process lists show
// those.
func readPassword() (string, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil && line == "" {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(os.Stderr, prompt)
		text, err := term.ReadPassword(in)
		fmt.Fprintln(os.Stderr)
		return string(text), err
	}
	first, err := ask("Password: ")
	if err != nil {
		return "", err
	}
	second, err := ask("Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two are not the same; start again")
	}
	return first, nil
}

type tokenCommand struct{}

func (c *tokenCommand) Run() error {
	token, hash := gateway.NewSiteToken()
	fmt.Fprintln(os.Stderr, "# first line: the box's token file (far_end.token_file); second: sites[].token_hash at the gateway")
	fmt.Printf("%s\n%s\n", token, hash)
	return nil
}

type signInCodeCommand struct {
	configFlag
	User string `arg:"" help:"Name of a user in the configuration."`
}

func (c *signInCodeCommand) Run() error {
	cfg, err := gateway.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	code, err := gateway.WriteSignInCode(cfg.StateDir, c.User)
	if err != nil {
		return err
	}
	fmt.Printf("/signin/once?code=%s\n", code)
	return nil
}
