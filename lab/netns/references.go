package netns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"scanside/lab/reference"
)

// Reference is how one of the others fared on a silent black hole of the primary uplink: medians of all turns.
type Reference struct {
	Name      string  `json:"reference"`
	Turns     int     `json:"turns"`
	GapMS     float64 `json:"voice_gap_ms_p50"`
	GapMax    float64 `json:"voice_gap_ms_max"`
	Lost      float64 `json:"voice_lost_p50"`
	LatencyMS float64 `json:"steady_latency_ms,omitempty"`
	Struck    string  `json:"struck"`                     // the uplink that carried the stream
	Dead      int     `json:"turns_that_never_came_back"` // within 45 s; their gap and losses are those of that time
	Note      string  `json:"note,omitempty"`
}

// References lists those that can be measured.
func References() []string { return []string{"duplicator", "rist", "pion-fast", "pion", "chromium"} }

const (
	calm    = 3 * time.Second  // measured before the blow, and again after the stream is back
	longest = 45 * time.Second // for it to come back
	farPort = "7000"
	ristIn  = "127.0.0.1:6000" // the sender's end
	ristOut = "127.0.0.1:6001"
	ristMS  = 200 // of buffer, each side's
)

// MeasureReference plays one of them several times, each time with everything new.
func MeasureReference(ctx context.Context, cfg Config, name string, turns int) (Reference, error) {
	r := Reference{Name: name, Turns: turns}
	var gaps, lost, latency []float64
	for turn := range turns {
		struck, steady, h, err := measureTurn(ctx, cfg, name)
		if err != nil {
			return r, err
		}
		if cfg.Say != nil {
			fmt.Fprintf(cfg.Say, "%s, turn %d: %s struck, silent for %.0f ms, %d packets lost, latency %.1f ms\n", name, turn+1, struck, h.GapMS, h.Lost, steady.LatencyMS)
		}
		gaps, lost, latency = append(gaps, h.GapMS), append(lost, float64(h.Lost)), append(latency, steady.LatencyMS)
		r.Struck = struck
		r.GapMax = max(r.GapMax, h.GapMS)
		if h.Silent {
			r.Dead++
		}
	}
	r.GapMS, r.Lost, r.LatencyMS = median(gaps), median(lost), median(latency)
	switch name {
	case "rist":
		r.Note = fmt.Sprintf("both paths always carry everything; %d ms of buffer", ristMS)
	case "chromium":
		r.Note = "its packets carry no time of ours: latency not measured; the far end is pion with its defaults"
	case "pion":
		r.Note = "default timers, ICE restart when disconnected"
	case "pion-fast":
		r.Note = "disconnected after 1 s, checks every 200 ms, ICE restart when disconnected"
	case "duplicator":
		r.Note = "the physical limit"
	}
	return r, nil
}

// measureTurn gives the uplink that was struck, what was heard while all was well, and over the blow.
func measureTurn(ctx context.Context, cfg Config, name string) (uplink string, steady, blow reference.Heard, err error) {
	w := &World{cfg: cfg, uplinks: uplinksOf()}
	defer w.Close()
	if err := w.ground(); err != nil {
		return "", steady, blow, err
	}
	if err := w.place.ownRoutes(); err != nil {
		return "", steady, blow, fmt.Errorf("give each uplink its own routes: %w", err)
	}
	mouth, ear, err := w.pair(name)
	if err != nil {
		return "", steady, blow, err
	}
	err = until(ctx, 2*starting, soon, "the stream arrives", []*process{mouth.process, ear.process}, func() error {
		var total int
		if err := ear.ask("total", &total); err != nil {
			return err
		}
		if total < 100 {
			return fmt.Errorf("%d packets yet", total)
		}
		return nil
	})
	if err != nil {
		return "", steady, blow, err
	}
	busy := w.uplinks[0].Name
	for _, step := range []func() error{
		func() error { return ear.ask("mark", nil) }, func() error { return sleep(ctx, calm) },
		func() error { return ear.ask("heard", &steady) }, func() (err error) { busy, err = w.busiest(); return err },
		func() error { return ear.ask("mark", nil) }, func() error { return sleep(ctx, calm/3) },
		func() error { return w.emulator.ask("do cut "+busy, nil) }, func() error { return sleep(ctx, calm/3) },
	} {
		if err := step(); err != nil {
			return "", steady, blow, err
		}
	}
	struck, back := time.Now(), time.Time{}
	for time.Since(struck) < longest {
		if err := errors.Join(sleep(ctx, soon), ear.ask("heard", &blow), renegotiate(mouth, ear)); err != nil {
			return "", steady, blow, err
		}
		switch {
		case blow.Silent:
			back = time.Time{}
		case back.IsZero():
			back = time.Now()
		case time.Since(back) > calm:
			return busy, steady, blow, nil
		}
	}
	return busy, steady, blow, nil
}

// busiest is the uplink that carried most away from the room so far, the first where they are near to equal.
func (w *World) busiest() (string, error) {
	var all map[string]Traffic
	if err := w.emulator.ask("counters", &all); err != nil {
		return "", err
	}
	busy := w.uplinks[0].Name
	for _, u := range w.uplinks[1:] {
		if float64(all[u.Name].Up.Bytes) > 1.5*float64(all[busy].Up.Bytes) {
			busy = u.Name
		}
	}
	return busy, nil
}

// pair starts both ends of a reference.
func (w *World) pair(name string) (mouth, ear *helper, err error) {
	start := func(role, namespace string, kind ...string) (*helper, error) {
		return w.helper(namespace, role, measured, append([]string{role}, kind...)...)
	}
	var from []string
	for i := range w.uplinks {
		from = append(from, roomAddress(i))
	}
	switch name {
	case "duplicator":
		if ear, err = start("ear", w.place.far, "udp", farAddress+":"+farPort); err == nil {
			mouth, err = start("mouth", w.place.room, append([]string{"duplicator", farAddress + ":" + farPort}, from...)...)
		}
		return mouth, ear, err
	case "rist":
		return w.rist(start)
	case "chromium":
		if mouth, err = w.helper(w.place.room, "mouth", browsing, "mouth", name); err != nil {
			return nil, nil, err
		}
		var page string // a page of its own: a blank one has no devices
		if page, err = blankPage(w.dir); err != nil {
			return nil, nil, err
		}
		if err = mouth.ask("open file://"+page, nil); err != nil {
			return nil, nil, err
		}
		ear, err = start("ear", w.place.far, name)
	default:
		if mouth, err = start("mouth", w.place.room, name); err == nil {
			ear, err = start("ear", w.place.far, name)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	var offer string
	if err := mouth.ask("offer", &offer); err != nil {
		return nil, nil, err
	}
	return mouth, ear, exchange(mouth, ear, offer)
}

// rist starts Debian's tools, each path to an address of its own.
func (w *World) rist(helping func(role, namespace string, kind ...string) (*helper, error)) (mouth, ear *helper, err error) {
	for _, program := range []string{"ristsender", "ristreceiver"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, nil, fmt.Errorf("%w; install the package rist-tools", err)
		}
	}
	to := ""
	for i := range w.uplinks {
		to += fmt.Sprintf(",rist://%s:%s?buffer=%d&weight=0&cname=room", farPeer(i), farPort, ristMS)
	}
	if ear, err = helping("ear", w.place.far, "udp", ristOut); err != nil {
		return nil, nil, err
	}
	for _, p := range []struct {
		namespace, name string
		args            []string
	}{
		{w.place.far, "ristreceiver", []string{"ristreceiver", "-p", "1", "-i", fmt.Sprintf("rist://@0.0.0.0:%s?buffer=%d", farPort, ristMS), "-o", "udp://" + ristOut}},
		{w.place.room, "ristsender", []string{"ristsender", "-p", "1", "-i", "udp://@" + ristIn, "-o", to[1:]}},
	} {
		process, err := start(p.namespace, w.dir, p.name, measured, nil, p.args...)
		if err != nil {
			return nil, nil, err
		}
		w.stops = append(w.stops, process.stop)
	}
	mouth, err = helping("mouth", w.place.room, "duplicator", ristIn, "127.0.0.1")
	return mouth, ear, err
}

func blankPage(dir string) (string, error) {
	path := filepath.Join(dir, "blank.html")
	return path, os.WriteFile(path, []byte("<!doctype html><title>reference</title>"), 0o644)
}

// renegotiate restarts ICE where the caller's recipe wants it.
func renegotiate(mouth, ear *helper) error {
	var offer string
	if err := mouth.ask("restart", &offer); err != nil || offer == "" {
		return err
	}
	return exchange(mouth, ear, offer)
}

func exchange(mouth, ear *helper, offer string) error {
	var answer string
	if err := ear.ask("answer "+offer, &answer); err != nil {
		return err
	}
	return mouth.ask("accept "+answer, nil)
}
