package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/user"
	"strings"
	"time"

	"scanside/agent"
)

type muteCommand struct {
	configFlag
	Device string `arg:"" enum:"camera,microphone" help:"camera or microphone."`
	State  string `arg:"" enum:"on,off" help:"on: nothing of it leaves the room, its device is closed. off: it may be opened again."`
}

// Help is printed by --help.
func (c *muteCommand) Help() string {
	return "It speaks to the agent that runs on this machine. A mute outlives restarts and reconnects; nothing lifts it but people in the room."
}

func (c *muteCommand) Run() error {
	cfg, err := agent.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	if err := mute(ctx, cfg.Status, c.Device, c.State == "on", os.Stdout); err != nil {
		return fmt.Errorf("mute the %s %s: %w", c.Device, c.State, err)
	}
	return nil
}

// muteWithin is how long the agent may take: it writes a file that lasts.
const muteWithin = 10 * time.Second

// mute asks the agent behind its own page, and tells what is true afterwards.
func mute(ctx context.Context, page agent.Status, device string, on bool, out io.Writer) error {
	where, err := onThisMachine(page.Listen)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, muteWithin)
	defer cancel()
	form := url.Values{"device": {device}, "on": {fmt.Sprint(on)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+where+"/api/v1/mute", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := askAgent(req, page, where)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		var problem struct{ Detail string }
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
			problem.Detail = strings.TrimSpace(string(text))
		}
		return fmt.Errorf("the agent refused (%d): %s", resp.StatusCode, problem.Detail)
	}
	said := "The " + device + " is muted: nothing of it leaves the room, and a restart does not change that."
	if !on {
		said = "The " + device + " may be opened again."
	}
	_, err = fmt.Fprintln(out, said)
	return err
}

// onThisMachine is where a page can be reached that listens there, from the machine itself.
func onThisMachine(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", errors.New("status.listen is empty: without its page the agent cannot be spoken to; use the room's key")
	}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port), nil
}

// askAgent asks the agent that runs on this machine, as whoever has its console: the key is in its state directory, and the account's name stands in
// the records. Who cannot read the key may look, and mute, as whoever stands before the box.
func askAgent(req *http.Request, page agent.Status, where string) (*http.Response, error) {
	key, unread := agent.ReadConsoleKey(page.StateDir)
	if unread == nil {
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Scanside-As", accountName())
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: it is this machine
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the agent does not answer at %s; is it running (systemctl status scanside)? %w", where, errors.Unwrap(err))
	}
	if resp.StatusCode == http.StatusUnauthorized && unread != nil {
		resp.Body.Close()
		return nil, fmt.Errorf("this needs the rights of the box's console: %w", unread)
	}
	return resp, nil
}

// accountName is whose terminal this is, also where sudo made it root's.
func accountName() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	me, err := user.Current()
	if err != nil {
		return ""
	}
	return me.Username
}
