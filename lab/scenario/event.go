package scenario

import (
	"fmt"
	"time"

	"scanside/lab/emu"
)

// Verb is what can happen to an uplink, in the room, or to a far end.
type Verb string

// The verbs.
const (
	Cut       Verb = "cut"
	Block     Verb = "block"
	Loss      Verb = "loss"
	Burst     Verb = "burst"
	Duplicate Verb = "duplicate"
	Delay     Verb = "delay"
	Jitter    Verb = "jitter"
	Reorder   Verb = "reorder"
	Rate      Verb = "rate"
	Trace     Verb = "trace"
	MTU       Verb = "mtu"
	Restore   Verb = "restore"
	IfDown    Verb = "ifdown"
	IfUp      Verb = "ifup"
	Procedure Verb = "procedure" // in the room; the status page is told
	FarEnd    Verb = "farend"    // at the other side
)

// FarEnds are the far ends that a box of the lab knows, in its order.
func FarEnds() []string { return []string{"first", "second"} }

// Event happens to one uplink, in the room (Procedure), or to a far end (FarEnd). Of the amounts, those that belong to its verb count.
type Event struct {
	At        time.Duration
	Verb      Verb
	Uplink    string
	Direction emu.Direction
	Share     float64       // of Loss, Burst and Duplicate
	By        time.Duration // of Delay, Jitter, Reorder; of Burst its mean length; of Trace where it begins
	Rate      int           // bit/s
	Queue     int           // bytes before a Rate or Trace; 0: the emulator's own
	Size      int           // bytes, of MTU
	What      string        // of Block: udp or tcp; of Trace: the file's name; of Procedure: open or closed; of FarEnd: down, up or restart
	Whom      string        // of FarEnd: its name
}

// bad reports whether something goes wrong with an uplink by it.
func (e Event) bad() bool { return e.Verb != Restore && e.Verb != IfUp && e.Uplink != "" }

// Apply does the event to the emulated uplinks. IfDown, IfUp, Procedure and FarEnd are the world's own: Apply reports
// them as an error.
func (e Event) Apply(set *emu.Set) error {
	change := func(f func(base emu.Shape, now *emu.Shape)) error {
		return set.Change(e.Uplink, e.Direction, func(base, now emu.Shape) emu.Shape { f(base, &now); return now })
	}
	switch e.Verb {
	case Cut:
		return change(func(_ emu.Shape, now *emu.Shape) { now.Cut = true })
	case Block:
		return change(func(_ emu.Shape, now *emu.Shape) {
			now.NoGrams, now.NoStreams = now.NoGrams || e.What == "udp", now.NoStreams || e.What == "tcp"
		})
	case Loss:
		return change(func(_ emu.Shape, now *emu.Shape) { now.Loss = e.Share })
	case Burst:
		return change(func(_ emu.Shape, now *emu.Shape) { now.Burst, now.BurstMean = e.Share, e.By })
	case Duplicate:
		return change(func(_ emu.Shape, now *emu.Shape) { now.Duplicate = e.Share })
	case Delay:
		return change(func(base emu.Shape, now *emu.Shape) { now.Delay = base.Delay + e.By })
	case Jitter, Reorder:
		return change(func(_ emu.Shape, now *emu.Shape) { now.Jitter, now.Reorder = e.By, e.Verb == Reorder })
	case Rate:
		return change(func(_ emu.Shape, now *emu.Shape) { now.Rate, now.Trace, now.Queue = e.Rate, nil, e.Queue })
	case Trace:
		recorded, err := readTrace(e.What)
		if err != nil {
			return err
		}
		return change(func(_ emu.Shape, now *emu.Shape) {
			now.Rate, now.Trace, now.TraceFrom, now.Queue = 0, recorded, e.By, e.Queue
		})
	case MTU:
		return change(func(_ emu.Shape, now *emu.Shape) { now.MTU = e.Size })
	case Restore:
		return change(func(base emu.Shape, now *emu.Shape) { *now = base })
	}
	return fmt.Errorf("%s is not done to the emulator but to the interface, in the room or to a far end, itself", e.Verb)
}

// String is the event as the file has it.
func (e Event) String() string { return fmt.Sprintf("at %v %s", e.At, e.Text()) }

// Text is the event without its time; ParseEvent reads it.
func (e Event) Text() string {
	text := fmt.Sprintf("%s %s", e.Verb, e.Uplink)
	switch e.Verb {
	case Block:
		text += " " + e.What
	case Procedure:
		return string(e.Verb) + " " + e.What
	case FarEnd:
		return string(e.Verb) + " " + e.What + " " + e.Whom
	case Loss, Duplicate:
		text += fmt.Sprintf(" %.6g%%", e.Share*100)
	case Burst:
		text += fmt.Sprintf(" %.6g%% %v", e.Share*100, e.By)
	case Delay, Jitter, Reorder:
		text += " " + e.By.String()
	case Rate:
		text += fmt.Sprintf(" %d", e.Rate/1000)
	case Trace:
		text += fmt.Sprintf(" %s from %v", e.What, e.By)
	case MTU:
		text += fmt.Sprintf(" %d", e.Size)
	}
	if e.Queue > 0 {
		text += fmt.Sprintf(" queue %dkB", e.Queue/1000)
	}
	return text + map[emu.Direction]string{emu.Up: " up", emu.Down: " down"}[e.Direction]
}
