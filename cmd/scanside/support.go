package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"scanside/agent"
	"scanside/support"
)

type supportBundleCommand struct {
	configFlag
	Output string `placeholder:"FILE" type:"path" help:"Where to write it; default: its own name in this folder."`
	List   bool   `help:"Only say what would be in it."`
}

// Help is printed by --help.
func (c *supportBundleCommand) Help() string {
	return "One zip for whoever helps: status, metrics, events, traces, versions, the configuration and the log, without passwords, tokens " +
		"and keys. It asks the agent that runs here; where none does, it collects what it can by itself. Nothing is sent anywhere."
}

// bundleWithin is how long collecting may take: the log's tail and, without an agent, a look at each uplink.
const bundleWithin = 40 * time.Second

func (c *supportBundleCommand) Run() error {
	cfg, err := agent.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, bundleWithin)
	defer cancel()
	b, err := fetchBundle(ctx, cfg.Status)
	if err != nil {
		fmt.Fprintf(os.Stderr, "scanside: %v; collecting what there is without it\n", err)
		if b, err = agent.OfflineBundle(ctx, cfg, version); err != nil {
			return fmt.Errorf("make a support bundle: %w", err)
		}
	}
	listBundle(os.Stdout, b)
	if c.List {
		return nil
	}
	name := c.Output
	if name == "" {
		name = b.Name
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the support bundle: %w", err)
	}
	_, err = f.Write(b.Zip)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(name)
		return fmt.Errorf("write the support bundle: %w", err)
	}
	fmt.Printf("\n%s: %.1f kB\n", name, float64(len(b.Zip))/1000)
	return nil
}

// fetchBundle has the agent make one and fetches it.
func fetchBundle(ctx context.Context, page agent.Status) (*support.Bundle, error) {
	where, err := onThisMachine(page.Listen)
	if err != nil {
		return nil, err
	}
	ask := func(method, path string) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, method, "http://"+where+path, nil)
		if err != nil {
			return nil, err
		}
		resp, err := askAgent(req, page, where)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(io.LimitReader(resp.Body, 2*support.Most))
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("the agent refused (%d): %.200s", resp.StatusCode, bytes.TrimSpace(text))
		}
		return text, err
	}
	text, err := ask(http.MethodPost, "/api/v1/support-bundle")
	if err != nil {
		return nil, err
	}
	b := &support.Bundle{}
	if err := json.Unmarshal(text, b); err != nil {
		return nil, fmt.Errorf("the agent's list of the bundle: %w", err)
	}
	b.Zip, err = ask(http.MethodGet, "/api/v1/support-bundle/"+b.ID)
	return b, err
}

func listBundle(out io.Writer, b *support.Bundle) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range b.Contents {
		size, what := fmt.Sprintf("%.1f kB", float64(c.Bytes)/1000), c.What
		if c.Bytes == 0 {
			size = "not in it"
		}
		if c.Note != "" {
			what += " (" + c.Note + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Name, size, what)
	}
	w.Flush()
}
