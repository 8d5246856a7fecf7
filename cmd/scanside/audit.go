package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"scanside/agent"
	"scanside/audit"
)

type verifyCommand struct {
	Log        string `arg:"" type:"existingdir" help:"The audit log: an export, or the folder audit in the agent's state folder."`
	Key        string `type:"existingfile" placeholder:"FILE" help:"The box's public key, kept elsewhere. Without it the folder's own is taken, which proves that nothing was changed by somebody without the box's key."`
	Checkpoint string `type:"existingfile" placeholder:"FILE" help:"A checkpoint kept elsewhere: finds a log that was rewritten or cut with the box's key."`
}

// Run fails when the log is not as it was written.
func (c *verifyCommand) Run() error {
	key := c.Key
	if key == "" {
		key = filepath.Join(c.Log, "key.pub")
	}
	public, err := os.ReadFile(key)
	if err != nil {
		return fmt.Errorf("reading the public key: %w", err)
	}
	var kept []byte
	if c.Checkpoint != "" {
		if kept, err = os.ReadFile(c.Checkpoint); err != nil {
			return fmt.Errorf("reading the checkpoint: %w", err)
		}
	}
	r, err := audit.Verify(os.DirFS(c.Log), strings.TrimSpace(string(public)), string(kept))
	if err != nil {
		return fmt.Errorf("verifying %s: %w", c.Log, err)
	}
	printReport(&r)
	if !r.OK() {
		return errors.New("the audit log is not as it was written")
	}
	fmt.Println("Every record is as it was written.")
	return nil
}

func printReport(r *audit.Report) {
	fmt.Printf("records      %d to %d, %s to %s\n", r.From, r.Until-1, r.First.Format(time.RFC3339), r.Last.Format(time.RFC3339))
	fmt.Printf("checkpoints  %d are right; the newest vouches for %d records, %d behind it are protected by the chain alone\n", r.Checkpoints, r.Signed, r.Unsigned)
	fmt.Printf("last hash    %s\n", r.LastHash)
	for _, kind := range slices.Sorted(maps.Keys(r.Kinds)) {
		fmt.Printf("  %-12s %d\n", kind, r.Kinds[kind])
	}
	if r.Unclean > 0 {
		fmt.Printf("%d start(s) followed a crash, a kill or a loss of power\n", r.Unclean)
	}
	if r.Missed > 0 {
		fmt.Printf("%d record(s) could not be written, by the log's own word\n", r.Missed)
	}
	if r.Torn > 0 {
		fmt.Printf("%d bytes of unfinished records were cut off at a start, by the log's own word\n", r.Torn)
	}
	for _, p := range r.Problems {
		fmt.Printf("WRONG: %s\n", p)
	}
	if r.More > 0 {
		fmt.Printf("WRONG: %d more\n", r.More)
	}
}

type auditCommand struct {
	Export exportCommand `cmd:"" help:"Copy the audit log, with a table for spreadsheets; what was copied may be deleted for room later."`
}

type exportCommand struct {
	configFlag
	Folder string `arg:"" type:"path" help:"Where to: a folder that is not there yet. scanside verify reads it."`
}

func (c *exportCommand) Run() error {
	cfg, err := agent.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	if cfg.StateDir == "" {
		return fmt.Errorf("%s names no state_dir, so no audit log is kept", c.Config)
	}
	r, err := audit.Export(filepath.Join(cfg.StateDir, "audit"), c.Folder)
	if err != nil {
		return err
	}
	printReport(&r)
	fmt.Printf("Copied to %s. Keep key.pub and the last checkpoint of the file checkpoints somewhere else too.\n", c.Folder)
	return nil
}
