package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"scanside/devices"
	"scanside/failover"
)

type replayCommand struct {
	Trace string `arg:"" type:"existingfile" help:"A trace: from the agent's state folder, or failover/testdata."`
	Quiet bool   `help:"Print only whether the decisions are the same."`
}

// switchRecord is what the record beside a trace, of a switchover or of a change of device, says of the trace.
type switchRecord struct {
	Sentence  string `json:"sentence"`
	Trace     string `json:"sha256"`
	Decisions string `json:"decisions_sha256"`
}

// Run fails when an invariant broke, the decisions are not the recorded ones, or the record beside the trace names other hashes.
func (c *replayCommand) Run() error {
	text, err := os.ReadFile(c.Trace)
	if err != nil {
		return fmt.Errorf("opening the trace: %w", err)
	}
	var decisions string
	if bytes.HasPrefix(text, []byte(devices.TraceTitle)) {
		decisions, err = c.replayDevices(text)
	} else {
		decisions, err = c.replayLinks(text)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "same decisions, no invariant broken\n")
	return c.prove(switchRecord{Trace: sum(text), Decisions: sum([]byte(decisions))})
}

// replayLinks decides again which links carry what.
func (c *replayCommand) replayLinks(text []byte) (decisions string, err error) {
	trace, err := failover.ReadTrace(bytes.NewReader(text))
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", c.Trace, err)
	}
	replayed, err := trace.Replay()
	if err != nil {
		return "", fmt.Errorf("replaying %s: %w", c.Trace, err)
	}
	if !c.Quiet {
		fmt.Print(replayed.Decisions)
	}
	for _, b := range replayed.Breaches {
		fmt.Printf("invariant broken: %s\n", b)
	}
	if replayed.Differs != "" {
		fmt.Printf("the decisions are not the recorded ones:\n%s", replayed.Differs)
	}
	if !replayed.OK() {
		return "", errNotTheSame
	}
	return replayed.Decisions, nil
}

// replayDevices decides again which of its cameras, or microphones, a source uses.
func (c *replayCommand) replayDevices(text []byte) (decisions string, err error) {
	trace, err := devices.ReadTrace(bytes.NewReader(text))
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", c.Trace, err)
	}
	decisions, breaches := trace.Replay()
	if !c.Quiet {
		fmt.Print(decisions)
	}
	for _, b := range breaches {
		fmt.Printf("invariant broken: %v\n", b)
	}
	differs := trace.HasWant && trace.Want != decisions
	if differs {
		fmt.Printf("the decisions are not the recorded ones, which are:\n%s", trace.Want)
	}
	if differs || len(breaches) > 0 {
		return "", errNotTheSame
	}
	return decisions, nil
}

var errNotTheSame = errors.New("the replay is not what was recorded")

// prove compares the hashes with those in the record beside the trace, if there is one.
func (c *replayCommand) prove(got switchRecord) error {
	fmt.Fprintf(os.Stderr, "SHA-256 of the trace      %s\nSHA-256 of the decisions  %s\n", got.Trace, got.Decisions)
	name := strings.TrimSuffix(c.Trace, ".trace") + ".json"
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var want switchRecord
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	switch {
	case err != nil:
		return fmt.Errorf("reading the record beside the trace: %w", err)
	case want.Trace != got.Trace:
		return fmt.Errorf("%s is not the trace that %s was written for (SHA-256 %s): one of the two was changed", c.Trace, name, want.Trace)
	case want.Decisions != got.Decisions:
		return fmt.Errorf("the trace replays to other decisions than %s says (SHA-256 %s): it was made by another version of this program", name, want.Decisions)
	}
	fmt.Fprintf(os.Stderr, "both as the record says: %s\n", want.Sentence)
	return nil
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
