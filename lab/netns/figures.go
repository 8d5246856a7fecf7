package netns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"scanside/lab/scenario"
)

// uplinksOf are the lab's two uplinks at rest.
func uplinksOf() []scenario.Uplink {
	return []scenario.Uplink{{Name: "primary", RoundTrip: 20 * time.Millisecond}, {Name: "cellular", RoundTrip: 60 * time.Millisecond, Metered: true}}
}

// CPU is figure G15: what the agent costs with one uplink and with two, encoder included, measured in turns in one run.
type CPU struct {
	Figure   string  `json:"figure"`
	One      float64 `json:"one_link_cpu_percent"` // of one core; the median of the turns, as the next two are
	Two      float64 `json:"two_links_cpu_percent"`
	Ratio    float64 `json:"ratio"`
	OneRSS   float64 `json:"one_link_rss_mb"` // largest resident set
	TwoRSS   float64 `json:"two_links_rss_mb"`
	Seconds  float64 `json:"seconds_each"`
	Turns    int     `json:"turns"`
	Protects string  `json:"protection"`
}

// MeasureCPU runs the agent with one uplink and with two, turn about, so that a drift of the machine meets both alike.
func MeasureCPU(ctx context.Context, cfg Config, turns int, each time.Duration) (CPU, error) {
	w, err := NewWorld(ctx, cfg, uplinksOf())
	if err != nil {
		return CPU{}, err
	}
	defer w.Close()
	f := CPU{Figure: "G15", Seconds: each.Seconds() * float64(turns), Turns: turns, Protects: "always"}
	var ratios []float64
	var shares [2][]float64
	for turn := range turns {
		for n := 1; n <= 2; n++ {
			share, rss, err := w.turn(ctx, "agent", uplinksOf()[:n], each)
			if err != nil {
				return f, err
			}
			w.say("turn %d, %d uplink(s): %.1f %% of a core, %.0f MB", turn+1, n, share, rss)
			shares[n-1] = append(shares[n-1], share)
			if n == 1 {
				f.OneRSS = max(f.OneRSS, rss)
			} else {
				f.TwoRSS = max(f.TwoRSS, rss)
			}
		}
		ratios = append(ratios, shares[1][turn]/shares[0][turn])
	}
	f.One, f.Two, f.Ratio = median(shares[0]), median(shares[1]), median(ratios)
	return f, nil
}

// turn is one agent's life: its processor time in percent of a core while all its uplinks are up, and its largest memory.
func (w *World) turn(ctx context.Context, name string, uplinks []scenario.Uplink, each time.Duration) (share, rss float64, err error) {
	if err := w.startAgent(name, "test", scenario.Scenario{Uplinks: uplinks, Voice: "always", Video: "always"}); err != nil {
		return 0, 0, err
	}
	defer w.agent.stop()
	room, err := w.helper(w.place.room, "room", measured, "room", pageURL)
	if err != nil {
		return 0, 0, err
	}
	defer room.stop()
	names := w.uplinks[0].Name
	if len(uplinks) > 1 {
		names = w.names()
	}
	err = until(ctx, proving, soon, "uplinks up", w.programs(room), func() error { return room.ask("up "+names, nil) })
	if err != nil {
		return 0, 0, err
	}
	if err := sleep(ctx, settled); err != nil {
		return 0, 0, err
	}
	pid := w.agent.pid()
	before, err := processorTime(pid)
	if err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	if err := sleep(ctx, each); err != nil {
		return 0, 0, err
	}
	after, err := processorTime(pid)
	if err != nil {
		return 0, 0, errors.Join(err, w.agent.died())
	}
	rss, err = peakMemory(pid)
	return 100 * (after - before).Seconds() / time.Since(begun).Seconds(), rss, err
}

// tick is the unit of processor times in /proc (USER_HZ, 100 on every Linux we run on).
const tick = 10 * time.Millisecond

// processorTime is what a process has used so far, user and system (proc(5), stat fields 14 and 15).
func processorTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile("/proc/" + itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is not understood: %q", pid, text)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// peakMemory is the largest resident set in MB (proc(5), status VmHWM).
func peakMemory(pid int) (float64, error) {
	text, err := os.ReadFile("/proc/" + itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmHWM", pid)
}

// Start is figure G16: from the agent's process start until media reached the far end, over the first uplink and over both,
// seen on the wire. Medians and worst of all turns.
type Start struct {
	Figure   string  `json:"figure"`
	Turns    int     `json:"turns"`
	First    float64 `json:"first_link_ms_p50"`
	FirstMax float64 `json:"first_link_ms_max"`
	Both     float64 `json:"both_links_ms_p50"`
	BothMax  float64 `json:"both_links_ms_max"`
	Page     float64 `json:"status_page_ms_p50"` // until the status page answered, without camera, network and far end
	PageMax  float64 `json:"status_page_ms_max"`
}

// MeasureStart starts the agent again and again, with everything there and with nothing.
func MeasureStart(ctx context.Context, cfg Config, turns int) (Start, error) {
	w, err := NewWorld(ctx, cfg, uplinksOf())
	if err != nil {
		return Start{}, err
	}
	defer w.Close()
	var first, both, page []float64
	for turn := range turns {
		f, b, err := w.startTurn(ctx, "agent") // the same box each time: another one would have to wait for its turn
		if err != nil {
			return Start{}, err
		}
		p, err := w.bareTurn(ctx, "bare")
		if err != nil {
			return Start{}, err
		}
		w.say("turn %d: first uplink %.0f ms, both %.0f ms; status page with nothing there %.0f ms", turn+1, f, b, p)
		first, both, page = append(first, f), append(both, b), append(page, p)
	}
	return Start{Figure: "G16", Turns: turns, First: median(first), FirstMax: slices.Max(first), Both: median(both), BothMax: slices.Max(both),
		Page: median(page), PageMax: slices.Max(page)}, nil
}

func (w *World) startTurn(ctx context.Context, name string) (first, both float64, err error) {
	if err := w.emulator.ask("forget", nil); err != nil {
		return 0, 0, err
	}
	if err := w.startAgent(name, "test", scenario.Scenario{Uplinks: w.uplinks, Voice: "always", Video: "always"}); err != nil {
		return 0, 0, err
	}
	defer w.agent.stop()
	var at map[string]int64
	err = until(ctx, starting, soon, "media on every uplink", w.programs(), func() error {
		if err := w.emulator.ask("first", &at); err != nil {
			return err
		}
		if len(at) < len(w.uplinks) {
			return fmt.Errorf("media on %d of %d", len(at), len(w.uplinks))
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	var after []float64
	for _, ns := range at {
		after = append(after, float64(time.Unix(0, ns).Sub(w.started).Microseconds())/1000)
	}
	return slices.Min(after), slices.Max(after), nil
}

// bareTurn starts the agent with interfaces that are down, a far end that is away behind them, and no device.
func (w *World) bareTurn(ctx context.Context, name string) (page float64, err error) {
	for _, u := range w.uplinks {
		if err := w.place.ifDown(u.Name); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, w.place.ifUp(u.Name)) }()
	}
	probe, err := w.helper(w.place.room, "probe", measured, "room", pageURL)
	if err != nil {
		return 0, err
	}
	defer probe.stop()
	_ = probe.ask("routes", nil) // nothing answers yet: this only makes sure that the probe is awake
	if err := w.startAgent(name, "auto", scenario.Scenario{Uplinks: w.uplinks, Voice: "always", Video: "always"}); err != nil {
		return 0, err
	}
	defer w.agent.stop()
	err = until(ctx, starting, time.Millisecond, "the status page answers", w.programs(probe), func() error { return probe.ask("routes", nil) })
	return float64(time.Since(w.started).Microseconds()) / 1000, err
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// Line is a figure as one line of JSON.
func Line(figure any) string {
	text, err := json.Marshal(figure)
	if err != nil { // only a NaN could do it
		return fmt.Sprintf(`{"error":%q}`, err)
	}
	return string(text)
}
