package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"scanside/lab/results"
)

type benchCommand struct {
	Only   []string `placeholder:"NAME" help:"Take only these figures anew; see --list."`
	Long   bool     `help:"Also what takes long."`
	Write  bool     `help:"Take nothing anew, only write the page."`
	List   bool     `help:"List the figures and their commands."`
	Folder string   `default:"build/bench" placeholder:"FOLDER" help:"Where what the commands print is kept."`
	Page   string   `default:"docs/results.md" placeholder:"FILE" help:"The page."`
	Note   string   `placeholder:"SENTENCE" help:"What a reader must know of the machine, e.g. that others used it."`
}

func (c *benchCommand) Run(ctx context.Context) error {
	if err := os.MkdirAll(c.Folder, 0o755); err != nil {
		return err
	}
	for _, s := range results.Sources() {
		if c.List {
			fmt.Printf("%-34s %s\n", s.Name, s.Make)
			continue
		}
		wanted := !s.Long || c.Long
		if len(c.Only) > 0 {
			wanted = slices.Contains(c.Only, s.Name)
		}
		if c.Write || !wanted {
			continue
		}
		if err := s.Run(ctx, c.Folder, os.Stderr); err != nil {
			return err
		}
	}
	if c.List {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.Page), 0o755); err != nil {
		return err
	}
	return os.WriteFile(c.Page, []byte(results.Page(c.Folder, c.Note)), 0o644)
}
