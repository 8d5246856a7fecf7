package bubble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"scanside/lab/observe"
	"scanside/lab/scenario"
)

const (
	warmUp  = 40 * time.Second // by then both links are up and everybody receives everything, or something is broken
	settled = 2 * time.Second  // both links have been up and carrying for so long before the story begins
	looking = 50 * time.Millisecond
	drain   = time.Second // for stragglers after the end
)

// Outcome is what a played scenario showed.
type Outcome struct {
	Result scenario.Result
	Routes map[string][]string // at the end, by stream
}

// Play plays a scenario in a new world, whose box keeps its state in the given folder. It must be called inside a bubble.
func Play(ctx context.Context, s scenario.Scenario, state string, log *slog.Logger) (Outcome, error) {
	w, err := NewWorld(s, state, log)
	if err != nil {
		return Outcome{}, fmt.Errorf("build the world: %w", err)
	}
	defer w.Close()
	p := &people{w: w}
	defer p.leave()
	if err := p.come(ctx, s); err != nil {
		return Outcome{}, err
	}
	return p.play(ctx, s)
}

// people is everybody who looks or talks.
type people struct {
	w            *World
	console, tv  *observe.Viewer // at the far end; in the room
	doc          *observe.Physician
	seats        []*seat // at every far end, in a story that moves them; else nobody moves
	box          observe.Box
	roomRequests uint64 // for key frames, before the story began
	docRequests  uint64
}

func (p *people) come(ctx context.Context, s scenario.Scenario) (err error) {
	if p.doc, err = p.w.Fars[0].Physician(ctx); err != nil {
		return err
	}
	if p.console, err = p.w.Fars[0].Viewer(ctx); err != nil {
		return err
	}
	if p.tv, err = p.w.RoomViewer(ctx); err != nil {
		return err
	}
	p.box = p.w.Page(boxHTTP)
	if s.MovesFarEnds() {
		p.sit(ctx)
	}
	for deadline := time.Now().Add(warmUp); ; time.Sleep(looking) {
		missing := p.missing(ctx, s)
		if missing == nil {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nothing to play on after %v: %w", warmUp, missing)
		}
	}
	time.Sleep(settled)
	return nil
}

// sit opens every far end. What they have open at the first is theirs already.
func (p *people) sit(ctx context.Context) {
	for i, f := range p.w.Fars {
		s := &seat{far: f, tell: p.console, here: func(ctx context.Context) bool {
			st, err := p.box.Status(ctx)
			return err == nil && st.FarEnd.All[i].Current && st.FarEnd.Reached
		}}
		if p.seats = append(p.seats, s); i == 0 {
			s.console, s.doc = p.console, p.doc
		} else {
			s.again(ctx)
		}
	}
}

// do does what a scenario says. When something happens to a far end, those who have it open notice, and sign in again.
func (p *people) do(ctx context.Context, e scenario.Event) error {
	if e.Verb != scenario.FarEnd {
		return p.w.Do(e)
	}
	s := p.seats[slices.Index(scenario.FarEnds(), e.Whom)]
	s.still()
	err := p.w.Do(e)
	if err == nil && e.What != "down" {
		s.again(ctx)
	}
	return err
}

// requests is how often physicians were asked for a key frame.
func (p *people) requests() (n uint64) {
	if p.seats == nil {
		return p.doc.KeyFrameRequests()
	}
	for _, s := range p.seats {
		s.still()
		n += s.requests()
	}
	return n
}

// missing says what keeps the story from beginning.
func (p *people) missing(ctx context.Context, s scenario.Scenario) error {
	st, err := p.box.Status(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, u := range st.Uplinks {
		if u.Verdict != "up" {
			errs = append(errs, fmt.Errorf("uplink %s is %s: %s", u.Name, u.Verdict, u.Reason))
		}
	}
	if !p.console.Receiving() {
		errs = append(errs, errors.New("the console does not receive voice and picture"))
	}
	if !p.tv.Receiving() {
		errs = append(errs, errors.New("the room does not receive voice and picture"))
	}
	return errors.Join(errs...)
}

func (p *people) play(ctx context.Context, s scenario.Scenario) (Outcome, error) {
	p.roomRequests, p.docRequests = p.w.Box.Video.KeyFrameRequests(), p.doc.KeyFrameRequests()
	p.console.Mark()
	p.tv.Mark()
	start := time.Now()
	watching, stop := context.WithDeadline(ctx, start.Add(s.Length))
	defer stop()
	var gone sync.WaitGroup
	defer gone.Wait()
	var fall observe.Fall // read after gone
	struckUplink, struckAt, struck := s.Struck()
	for _, e := range s.Events {
		time.Sleep(time.Until(start.Add(e.At)))
		if err := p.do(ctx, e); err != nil {
			return Outcome{}, fmt.Errorf("%v: %w", e, err)
		}
		if struck && e.Uplink == struckUplink && e.At == struckAt {
			at := time.Now()
			struck = false
			gone.Go(func() { p.box.Watch(watching, struckUplink, at, func(f observe.Fall) { fall = f }) })
		}
	}
	time.Sleep(time.Until(start.Add(s.Length)))
	st, err := p.box.Status(ctx)
	if err != nil {
		return Outcome{}, err
	}
	p.console.End()
	p.tv.End()
	time.Sleep(drain)
	gone.Wait()
	out := Outcome{Result: p.result(s), Routes: observe.Routes(st)}
	for i, f := range st.FarEnd.All {
		if f.Current {
			out.Routes[string(scenario.FarEnd)] = scenario.FarEnds()[i : i+1]
		}
	}
	out.Result.Switchovers = observe.Switchovers(st, start)
	out.Result.SetFall(fall.Detect, fall.Switch)
	return out, nil
}

func (p *people) result(s scenario.Scenario) scenario.Result {
	r := scenario.Result{Scenario: s.Name, World: "bubble", Way: p.console.Way(), Return: p.tv.Way()}
	r.Video.KeyFrameRequests = p.w.Box.Video.KeyFrameRequests() - p.roomRequests
	r.Return.Video.KeyFrameRequests = p.requests() - p.docRequests
	return r
}

func (p *people) leave() {
	for _, s := range p.seats {
		s.still()
		s.leave()
	}
	for _, v := range []*observe.Viewer{p.tv, p.console} {
		if v != nil {
			_ = v.Close()
		}
	}
	if p.doc != nil {
		_ = p.doc.Close()
	}
}
