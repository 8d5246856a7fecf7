package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"scanside/lab/observe"
)

// demo is the real program's demo: a room and its far end, two emulated uplinks between them.
type demo struct {
	SignIn string // one-time link to the console
	Box    observe.Box
	run    *exec.Cmd
	end    context.CancelFunc
}

// startDemo starts it with further arguments and environment, and waits until it has named its pages. It ends with ctx; Close it.
func startDemo(ctx context.Context, agent string, env []string, args ...string) (*demo, error) {
	ctx, cancel := context.WithCancel(ctx)
	d := &demo{end: cancel}
	d.run = exec.CommandContext(ctx, agent, append([]string{"demo", "--status", "127.0.0.1:0", "--console", "127.0.0.1:0"}, args...)...)
	d.run.Cancel = func() error { return d.run.Process.Signal(syscall.SIGTERM) }
	d.run.WaitDelay = 10 * time.Second
	d.run.Env = append(os.Environ(), env...)
	d.run.Stderr = os.Stderr
	out, err := d.run.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.run.Start(); err != nil {
		return nil, fmt.Errorf("start the demo: %w (make build makes it)", err)
	}
	links := regexp.MustCompile(`http://\S+`)
	for lines := bufio.NewScanner(out); d.SignIn == "" && lines.Scan(); {
		switch link := links.FindString(lines.Text()); {
		case strings.Contains(link, "/signin/once?code="):
			d.SignIn = link
		case link != "" && d.Box.URL == "":
			d.Box = observe.Box{URL: strings.TrimSuffix(link, "/"), Client: http.DefaultClient}
		}
	}
	if d.SignIn == "" || d.Box.URL == "" {
		d.Close()
		return nil, errors.New("the demo ended before it named its pages")
	}
	return d, nil
}

// Close ends the demo and waits for it.
func (d *demo) Close() {
	d.end()
	_ = d.run.Wait() // it was told to end
}

// impair presses a button of the demo's, such as primary/cut.
func (d *demo) impair(ctx context.Context, what string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Box.URL+"/api/v1/demo/"+what, nil)
	if err != nil {
		return err
	}
	res, err := d.Box.Client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the demo refused %s: %s", what, res.Status)
	}
	return nil
}
