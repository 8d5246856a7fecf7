package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"scanside/lab/results"
)

type benchCommand struct {
	Only   []string `placeholder:"NAME" help:"Take only these figures anew; see --list."`
	Long   bool     `help:"Every figure in its long form, and what a quick run leaves out: about an hour."`
	Write  bool     `help:"Take nothing anew, only write the page."`
	List   bool     `help:"List the figures and their commands."`
	Folder string   `default:"build/bench" placeholder:"FOLDER" help:"Where what the commands print is kept."`
	Page   string   `default:"docs/results.md" placeholder:"FILE" help:"The page."`
	Note   string   `placeholder:"SENTENCE" help:"What a reader must know of the machine, e.g. that others used it."`
}

// Run writes the page whatever became of the figures.
func (c *benchCommand) Run(ctx context.Context) error {
	if c.List {
		for _, s := range results.Sources() {
			fmt.Printf("%-34s %s\n", s.Name, s.Long.Make)
		}
		return nil
	}
	var errs []error
	for _, dir := range []string{c.Folder, filepath.Dir(c.Page)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if !c.Write {
		errs = append(errs, results.Run(ctx, c.Folder, c.wanted(), c.Long, os.Stderr))
	}
	return errors.Join(append(errs, os.WriteFile(c.Page, []byte(results.Page(c.Folder, c.Note)), 0o644))...)
}

func (c *benchCommand) wanted() (some []results.Source) {
	for _, s := range results.Sources() {
		wanted := !s.LongOnly || c.Long
		if len(c.Only) > 0 {
			wanted = slices.Contains(c.Only, s.Name)
		}
		if wanted {
			some = append(some, s)
		}
	}
	return some
}
