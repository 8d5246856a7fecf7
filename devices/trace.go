package devices

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TraceTitle is how a trace begins.
const TraceTitle = "scanside devices trace 1"

const traceLine = "----"

// Trace is what a choice heard, and what it decided.
type Trace struct {
	Names   []string
	Records []Record
	Want    string // the decisions that were recorded with it
	HasWant bool
}

// Record is one step. Device is the one whose condition changed, -1 if none did.
type Record struct {
	At     time.Duration
	Device int
	Is     Condition
	Open   bool
}

// Replay decides the trace again with the invariants checked after every step, and returns a line for each change.
func (t Trace) Replay() (decisions string, breaches []Breach) {
	n := len(t.Names)
	c, g := New(n, 0), NewGuard(n, 0)
	seen := Seen{Conditions: make([]Condition, n)}
	var b []byte
	for _, r := range t.Records {
		if r.Device >= 0 {
			seen.Conditions[r.Device] = r.Is
		}
		seen.Open = r.Open
		d := c.Step(r.At, seen)
		breaches = append(breaches, g.Check(r.At, seen, d, c.Deadline())...)
		if d.Changed {
			b = fmt.Appendf(b, "%s %s -> %s (%v) %s\n", seconds(r.At), t.Names[d.From], t.Names[d.Used], d.Why, d.Why.Sentence(t.Names[d.From], t.Names[d.Used]))
		}
	}
	return string(b), breaches
}

func seconds(at time.Duration) string { return strconv.FormatFloat(at.Seconds(), 'f', -1, 64) }

// Text is the trace as ReadTrace reads it.
func (t Trace) Text() []byte {
	b := []byte(TraceTitle + "\n")
	for _, n := range t.Names {
		b = fmt.Appendf(b, "device %s\n", n)
	}
	open := false
	for _, r := range t.Records {
		b = append(b, seconds(r.At)...)
		switch {
		case r.Open != open && r.Open:
			b = append(b, " open"...)
		case r.Open != open:
			b = append(b, " closed"...)
		}
		open = r.Open
		if r.Device >= 0 {
			b = fmt.Appendf(b, " %s %v", t.Names[r.Device], r.Is)
		}
		b = append(b, '\n')
	}
	if t.HasWant {
		b = fmt.Appendf(b, "%s\n%s", traceLine, t.Want)
	}
	return b
}

// maxDevices bounds a trace's list.
const maxDevices = 16

// ReadTrace reads a trace. A line of an instant alone is a step in which nothing new was heard; empty lines and what stands
// behind # are left out.
func ReadTrace(r io.Reader) (Trace, error) {
	var t Trace
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if t.HasWant {
			t.Want += line + "\n"
			continue
		}
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		switch {
		case n == 1 && line != TraceTitle:
			return t, fmt.Errorf("line 1: a trace of devices begins with %q", TraceTitle)
		case n == 1, line == "":
		case line == traceLine:
			t.HasWant = true
		default:
			if err := t.read(line); err != nil {
				return t, fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return t, err
	}
	if len(t.Names) == 0 {
		return t, fmt.Errorf("the trace names no device; write a line \"device NAME\" for each, preferred first")
	}
	return t, nil
}

// read takes one line above the dashes.
func (t *Trace) read(line string) error {
	words := strings.Fields(line)
	if words[0] == "device" {
		switch {
		case len(words) != 2:
			return fmt.Errorf("write device NAME, with a name of one word")
		case len(t.Records) > 0 || len(t.Names) == maxDevices || slices.Contains(t.Names, words[1]):
			return fmt.Errorf("device %s: name each once, before anything happens, %d at most", words[1], maxDevices)
		}
		t.Names = append(t.Names, words[1])
		return nil
	}
	at, err := strconv.ParseFloat(words[0], 64)
	if err != nil || !(at >= 0 && at < 1e9) {
		return fmt.Errorf("%q is no instant; write seconds since the start", words[0])
	}
	r := Record{At: time.Duration(at*1e9 + 0.5), Device: -1}
	if n := len(t.Records); n > 0 {
		r.Open = t.Records[n-1].Open
		if r.At < t.Records[n-1].At {
			return fmt.Errorf("%s lies before the line above it", words[0])
		}
	}
	words = words[1:]
	if len(words) > 0 && (words[0] == "open" || words[0] == "closed") {
		r.Open, words = words[0] == "open", words[1:]
	}
	if len(words) == 0 {
		t.Records = append(t.Records, r)
		return nil
	}
	if len(words) != 2 {
		return fmt.Errorf("write INSTANT [open|closed] [DEVICE CONDITION]")
	}
	if r.Device = slices.Index(t.Names, words[0]); r.Device < 0 {
		return fmt.Errorf("no device %q; there are: %s", words[0], strings.Join(t.Names, ", "))
	}
	if r.Is, err = readCondition(words[1]); err != nil {
		return err
	}
	t.Records = append(t.Records, r)
	return nil
}
