package main

import (
	"context"
	_ "embed"
	"fmt"
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

// lipsyncResult is the last line. Skews are of the beep behind the flash; negative: the beep came first.
type lipsyncResult struct {
	Flashes int     `json:"flashes"`
	Median  float64 `json:"skew_ms_p50"`
	Least   float64 `json:"skew_ms_min"`
	Most    float64 `json:"skew_ms_max"`
	Bound   float64 `json:"bound_ms"`
}

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
	skews, err := c.measure(ctx, b)
	if err != nil {
		return err
	}
	slices.Sort(skews)
	r := lipsyncResult{len(skews), skews[len(skews)/2], skews[0], skews[len(skews)-1], lipsyncBound}
	fmt.Println(netns.Line(r))
	if r.Median > lipsyncBound || r.Median < -lipsyncBound {
		return fmt.Errorf("voice and picture are %.0f ms apart, more than %d", r.Median, lipsyncBound)
	}
	return nil
}

// measure waits for the room's picture and sound, and then for the flashes.
func (c *lipsyncCommand) measure(ctx context.Context, b *browser.Browser) ([]float64, error) {
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
		skews, err := browser.Eval[[]float64](b, "lipsyncSkews()")
		if err != nil {
			return nil, fmt.Errorf("read what the browser measured: %w", err)
		}
		if len(skews) >= c.Flashes {
			return skews, nil
		}
	}
}
