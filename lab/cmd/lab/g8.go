package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"scanside/failover"
	"scanside/lab/emu"
)

type g8Command struct {
	Hours      int    `default:"720" help:"Simulated hours at 20 % loss and 100 ms jitter, at each cadence of probes."`
	PerSecond  []int  `default:"50,20,1" placeholder:"N" help:"Those cadences: of a link that carries something alone, of one that carries, of one that idles."`
	Traces     string `env:"SCANSIDE_TRACES" placeholder:"FOLDER" help:"Recorded uplinks (*.up, mahimahi's format); they do not come with the program."`
	TraceHours int    `default:"24" help:"Simulated hours on each recorded uplink, which is played over and over."`
}

// g8Figure is one line of the result. A link that only loses and delays is never down: all Downs are false.
type g8Figure struct {
	Link       string    `json:"link"`
	PerSecond  int       `json:"probes_per_second"`
	Hours      int       `json:"hours"`
	Probes     int       `json:"probes"`
	Lost       int       `json:"lost"`
	Late       int       `json:"late"`
	LongestRun int       `json:"longest_run_unanswered"`
	Downs      int       `json:"false_downs"`
	PerHour    float64   `json:"false_downs_an_hour"`
	LastDown   float64   `json:"last_after_s,omitempty"` // of them: a link's habits are learned
	Doubts     int       `json:"doubts"`
	Breaches   int       `json:"breaches"`
	Holes      int       `json:"holes_over_800_ms,omitempty"` // silences of the recorded link that are as long as Down takes
	Longest    float64   `json:"longest_hole_ms,omitempty"`
	most       float64   // false Downs an hour that are allowed
	recorded   *recorded // nil: a made-up link
}

// Run tries the engine itself: no network is needed to lose packets.
func (c *g8Command) Run(ctx context.Context) error {
	runs, err := c.runs()
	if err != nil {
		return err
	}
	errs := make([]error, len(runs))
	var gone sync.WaitGroup
	for i, r := range runs {
		gone.Go(func() { errs[i] = r(ctx) })
	}
	gone.Wait()
	return errors.Join(errs...)
}

func (c *g8Command) runs() (runs []func(context.Context) error, err error) {
	for _, perSecond := range c.PerSecond {
		if perSecond < 1 || perSecond > 100 {
			return nil, fmt.Errorf("%d probes a second: give 1 to 100", perSecond)
		}
		f := g8Figure{Link: "20 % loss, 20 ms + up to 100 ms", PerSecond: perSecond, Hours: c.Hours}
		runs = append(runs, func(ctx context.Context) error {
			return f.try(ctx, failover.Trial{Loss: 0.2, RTT: 20 * time.Millisecond, Jitter: 100 * time.Millisecond, Seed: uint64(perSecond)})
		})
	}
	files, err := filepath.Glob(filepath.Join(c.Traces, "*.up"))
	if err != nil {
		return nil, err
	}
	if c.Traces == "" || len(files) == 0 {
		fmt.Fprintf(os.Stderr, "SKIPPED the recorded uplinks: there is no *.up in %q. Name a folder with --traces or SCANSIDE_TRACES.\n", c.Traces)
		return runs, nil
	}
	for _, file := range files {
		trace, err := readTrace(file)
		if err != nil {
			return nil, err
		}
		f := g8Figure{Link: filepath.Base(file), PerSecond: 20, Hours: c.TraceHours, most: 1}
		f.recorded = newRecorded(trace)
		runs = append(runs, func(ctx context.Context) error { return f.try(ctx, failover.Trial{Path: f.recorded.path}) })
	}
	return runs, nil
}

// try runs a trial and prints its line.
func (f *g8Figure) try(ctx context.Context, t failover.Trial) error {
	t.For, t.Every = time.Duration(f.Hours)*time.Hour, time.Second/time.Duration(f.PerSecond)
	began := time.Now()
	t.Progress = func(done time.Duration) bool {
		if h := int(done.Hours()); h%24 == 0 {
			fmt.Fprintf(os.Stderr, "%s, %d probes/s: %d of %d h after %v\n", f.Link, f.PerSecond, h, f.Hours, time.Since(began).Round(time.Second))
		}
		return ctx.Err() == nil
	}
	got, err := t.Run()
	if err = errors.Join(err, ctx.Err()); err != nil {
		return fmt.Errorf("%s, %d probes/s: %w", f.Link, f.PerSecond, err)
	}
	f.Probes, f.Lost, f.Late, f.LongestRun = got.Probes, got.Lost, got.Late, got.LongestRun
	f.Downs, f.Doubts, f.Breaches = got.Downs, got.Suspicions, len(got.Breaches)
	if f.recorded != nil {
		f.Holes, f.Longest = f.recorded.holes, float64(f.recorded.longest.Milliseconds())
	}
	f.LastDown = time.Duration(got.LastDown).Seconds()
	f.PerHour = float64(f.Downs) / float64(max(f.Hours, 1))
	line, err := json.Marshal(f)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	if f.PerHour > f.most || f.Breaches > 0 {
		return fmt.Errorf("%s: %d false Downs in %d h, %d breaches of invariants", f.Link, f.Downs, f.Hours, f.Breaches)
	}
	return nil
}

// recorded is a link whose way out is a recorded uplink that carries voice, and whose way back is steady.
type recorded struct {
	pipe    *emu.Pipe
	voice   time.Duration // when the next packet of it is sent
	last    time.Time     // when something last came through
	holes   int
	longest time.Duration
}

const (
	recordedDelay = 25 * time.Millisecond // each way, beside what the recording shows
	voiceEvery    = 20 * time.Millisecond
	voiceSize     = 170 // bytes with all headers
	probeSize     = 108
	hole          = 800 * time.Millisecond // failover.Policy.DownSilence
)

func newRecorded(t *emu.Trace) *recorded {
	return &recorded{pipe: emu.NewPipe(emu.Shape{Delay: recordedDelay, Trace: t}, 1), last: epoch}
}

// epoch is when a trial begins.
var epoch = time.Unix(0, 0)

// path sends a probe behind the voice that was sent before it. A pipe books at once when a packet leaves, so it can be looked
// at ahead of time.
func (r *recorded) path(sent time.Duration) (rtt time.Duration, answered bool) {
	for ; r.voice <= sent; r.voice += voiceEvery {
		r.pipe.Push(epoch.Add(r.voice), emu.Packet{Data: make([]byte, voiceSize)})
	}
	answered = r.pipe.Push(epoch.Add(sent), emu.Packet{Data: make([]byte, probeSize)})
	for due, ok := r.pipe.Due(); ok; due, ok = r.pipe.Due() {
		r.pipe.Pop(due)
		silent := due.Sub(r.last)
		r.longest = max(r.longest, silent)
		if silent >= hole {
			r.holes++
		}
		r.last = due
	}
	return r.last.Sub(epoch) - sent + recordedDelay, answered
}

func readTrace(file string) (*emu.Trace, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := emu.ReadTrace(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return t, nil
}
