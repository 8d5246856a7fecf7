package main

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"time"

	"scanside/lab/browser"
	"scanside/lab/netns"
)

// lipsyncCommand measures how far apart a flash and a beep of the same moment arrive at a physician's console in a real Chromium.
type lipsyncCommand struct {
	Flashes int    `default:"30" help:"How many are measured."`
	Agent   string `default:"build/scanside" env:"SCANSIDE_AGENT" placeholder:"FILE" help:"The agent's program."`
}

// lipsyncResult is the last line. Skews are of the beep behind the flash; negative: the beep came first. Latencies are from the moment
// in the room to the browser's showing it, or having it ready to play; the picture's includes the wait for the next one that is taken.
type lipsyncResult struct {
	Flashes    int     `json:"flashes"`
	Median     float64 `json:"skew_ms_p50"`
	Least      float64 `json:"skew_ms_min"`
	Most       float64 `json:"skew_ms_max"`
	Bound      float64 `json:"bound_ms"`
	PictureP50 float64 `json:"picture_latency_ms_p50"`
	PictureP95 float64 `json:"picture_latency_ms_p95"`
	SoundP50   float64 `json:"sound_latency_ms_p50"`
	SoundP95   float64 `json:"sound_latency_ms_p95"`
	Network    float64 `json:"network_ms"` // of which the uplink that carries it sooner takes so much, one way
}

// beaten is one flash and its beep, as the browser saw and heard them; ms.
type beaten struct{ Skew, Picture, Sound float64 }

// lipsyncBound is how far apart voice and picture may be (ITU-T G.1010, videophone: lip synchronisation below 80 ms).
const lipsyncBound = 80

//go:embed lipsync.js
var lipsyncScript string

func (c *lipsyncCommand) Run(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	d, err := startDemo(ctx, c.Agent, nil, "--flash-and-beep")
	if err != nil {
		return err
	}
	defer d.Close()
	b, err := browser.Start(ctx, browser.Config{})
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.Open(d.SignIn); err != nil {
		return err
	}
	pairs, err := c.measure(ctx, b)
	if err != nil {
		return err
	}
	sorted := func(of func(beaten) float64) (all []float64) {
		for _, p := range pairs {
			all = append(all, math.Round(10*of(p))/10)
		}
		slices.Sort(all)
		return all
	}
	n := len(pairs)
	skews, pictures, sounds := sorted(func(p beaten) float64 { return p.Skew }), sorted(func(p beaten) float64 { return p.Picture }), sorted(func(p beaten) float64 { return p.Sound })
	r := lipsyncResult{Flashes: n, Median: skews[n/2], Least: skews[0], Most: skews[n-1], Bound: lipsyncBound,
		PictureP50: pictures[n/2], PictureP95: pictures[n*95/100], SoundP50: sounds[n/2], SoundP95: sounds[n*95/100], Network: nearWay}
	fmt.Println(netns.Line(r))
	if r.Median > lipsyncBound || r.Median < -lipsyncBound {
		return fmt.Errorf("voice and picture are %.0f ms apart, more than %d", r.Median, lipsyncBound)
	}
	return nil
}

// measure waits for the room's picture and sound, and then for the flashes.
func (c *lipsyncCommand) measure(ctx context.Context, b *browser.Browser) ([]beaten, error) {
	begun := false
	for {
		select {
		case <-ctx.Done():
			text, _ := browser.Eval[string](b, "document.body.innerText")
			return nil, fmt.Errorf("not enough flashes and beeps arrived; the console says: %.300s", text)
		case <-time.After(500 * time.Millisecond):
		}
		if !begun {
			live, err := browser.Eval[bool](b, `document.getElementById("stage")?.dataset.picture === "live"`)
			if err != nil || !live {
				continue
			}
			if _, err := browser.Eval[bool](b, lipsyncScript); err != nil {
				return nil, fmt.Errorf("begin to measure in the browser: %w", err)
			}
			begun = true
			continue
		}
		pairs, err := browser.Eval[[]beaten](b, "lipsyncPairs()")
		if err != nil {
			return nil, fmt.Errorf("read what the browser measured: %w", err)
		}
		if len(pairs) >= c.Flashes {
			return pairs, nil
		}
	}
}
