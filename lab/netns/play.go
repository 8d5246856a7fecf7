package netns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"scanside/lab/browser"
	"scanside/lab/observe"
	"scanside/lab/scenario"
)

const (
	proving = 90 * time.Second // an uplink proves itself for 10 s, and begins anew when the machine stalls
	settled = 3 * time.Second  // everything has been well for so long before the story begins
	drain   = time.Second      // for stragglers after the end
)

// Outcome is what a played scenario showed.
type Outcome struct {
	Result   scenario.Result
	Routes   map[string][]string // at the end, by stream
	Chromium *browser.Seen       // nil without Chromium
}

// Play plays a scenario in a new world.
func Play(ctx context.Context, cfg Config, s scenario.Scenario) (Outcome, error) {
	if s.MovesFarEnds() {
		return Outcome{}, errors.New("something happens to a far end in it, and only the world bubble's console counts through that; real far ends are restarted by `lab recovery`")
	}
	w, err := NewWorld(ctx, cfg, s.Uplinks)
	if err != nil {
		return Outcome{}, err
	}
	defer w.Close()
	p := &people{World: w}
	if err := p.come(ctx, s); err != nil {
		return Outcome{}, err
	}
	return p.play(ctx, s)
}

// people is everybody who looks or talks, each in a helper.
type people struct {
	*World
	far, room, chrome *helper
	before            requests
}

// requests is how often each picture's source was asked for a key frame.
type requests struct{ room, physician uint64 }

func (p *people) come(ctx context.Context, s scenario.Scenario) error {
	if err := p.startAgent("agent", "test", s); err != nil {
		return err
	}
	var codes []string
	for range 3 {
		code, err := p.files.code()
		if err != nil {
			return err
		}
		codes = append(codes, code)
	}
	far, err := json.Marshal(FarConfig{Gateway: gatewayURL, Site: site, Roots: p.files.roots, Codes: codes[:2]})
	if err != nil {
		return err
	}
	if p.far, err = p.helper(p.place.far, "far", measured, "far", string(far)); err != nil {
		return err
	}
	if p.room, err = p.helper(p.place.room, "room", measured, "room", pageURL); err != nil {
		return err
	}
	all := p.programs(p.far, p.room)
	p.say("waiting for both uplinks, the console and the room's screen")
	for _, step := range []struct {
		h     *helper
		line  string
		limit time.Duration
	}{{p.room, "up " + p.names(), proving}, {p.far, "ready", starting}, {p.room, "play", starting}, {p.room, "ready", starting}} {
		if err := until(ctx, step.limit, soon, step.h.name+": "+step.line, all, func() error { return step.h.ask(step.line, nil) }); err != nil {
			return err
		}
	}
	if p.cfg.Chrome {
		if err := p.openChromium(ctx, codes[2]); err != nil {
			return err
		}
	}
	return sleep(ctx, settled)
}

func (p *people) openChromium(ctx context.Context, code string) (err error) {
	p.say("opening Chromium on the console")
	if p.chrome, err = p.helper(p.place.far, "chromium", browsing, "browser"); err != nil {
		return err
	}
	if err := p.chrome.ask("open "+gatewayURL+"/signin/once?code="+code+" "+site, nil); err != nil {
		return err
	}
	return until(ctx, 2*starting, soon, "Chromium shows the room", p.programs(p.chrome), func() error { return p.chrome.ask("ready", nil) })
}

func (p *people) play(ctx context.Context, s scenario.Scenario) (Outcome, error) {
	var err error
	if p.before, err = p.asked(); err != nil {
		return Outcome{}, err
	}
	if err := p.tellAll("mark"); err != nil {
		return Outcome{}, err
	}
	begun := time.Now()
	struckUplink, struckAt, struck := s.Struck()
	for _, e := range s.Events {
		if err := sleep(ctx, time.Until(begun.Add(e.At))); err != nil {
			return Outcome{}, err
		}
		p.say("%v", e)
		if struck && e.Uplink == struckUplink && e.At == struckAt {
			struck = false
			if err := p.tellStruck(e.Uplink); err != nil {
				return Outcome{}, err
			}
		}
		if err := p.do(e); err != nil {
			return Outcome{}, fmt.Errorf("%v: %w", e, err)
		}
	}
	if err := sleep(ctx, time.Until(begun.Add(s.Length))); err != nil {
		return Outcome{}, err
	}
	return p.result(ctx, s, begun)
}

// do does what a scenario says; what happens in the room is told to the box by the room's helper.
func (p *people) do(e scenario.Event) error {
	if e.Verb == scenario.Procedure {
		return p.room.ask(e.Text(), nil)
	}
	return p.World.do(e)
}

func (p *people) result(ctx context.Context, s scenario.Scenario, begun time.Time) (out Outcome, err error) {
	if err = p.room.ask("routes", &out.Routes); err != nil {
		return out, err
	}
	if err = p.room.ask(fmt.Sprintf("switchovers %d", begun.UnixNano()), &out.Result.Switchovers); err != nil {
		return out, err
	}
	if err = p.tellAll("end"); err != nil {
		return out, err
	}
	if err = sleep(ctx, drain); err != nil {
		return out, err
	}
	after, err := p.asked()
	if err != nil {
		return out, err
	}
	r := &out.Result
	r.Scenario, r.World = s.Name, "netns"
	var fall observe.Fall
	for _, q := range []struct {
		h    *helper
		line string
		into any
	}{{p.far, "way", &r.Way}, {p.room, "way", &r.Return}, {p.room, "fall", &fall}} {
		if err := q.h.ask(q.line, q.into); err != nil {
			return out, err
		}
	}
	r.Video.KeyFrameRequests = after.room - p.before.room
	r.Return.Video.KeyFrameRequests = after.physician - p.before.physician
	r.SetFall(fall.Detect, fall.Switch)
	p.drops()
	if p.chrome != nil {
		out.Chromium = &browser.Seen{}
		err = p.chrome.ask("watched", out.Chromium)
	}
	return out, err
}

func (p *people) asked() (r requests, err error) {
	if err = p.room.ask("requests", &r.room); err == nil {
		err = p.far.ask("requests", &r.physician)
	}
	return r, err
}

// tellAll begins or ends every observer's measurement.
func (p *people) tellAll(word string) error {
	for _, h := range []*helper{p.far, p.room, p.chrome} {
		if h == nil {
			continue
		}
		if err := h.ask(word, nil); err != nil {
			return err
		}
	}
	return nil
}

// tellStruck tells those who look closely afterwards.
func (p *people) tellStruck(uplink string) error {
	if p.chrome != nil {
		if err := p.chrome.ask("struck", nil); err != nil {
			return err
		}
	}
	return p.room.ask(fmt.Sprintf("struck %s %d", uplink, time.Now().UnixNano()), nil)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
