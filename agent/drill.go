package agent

import (
	"context"
	"time"

	"scanside/agent/status"
	"scanside/drill"
	"scanside/failover"
	"scanside/media"
)

// drills is what the loop knows of drills: the one under way, what it has measured so far, and what the last one came to. Only the
// loop touches it.
type drills struct {
	now    *drill.Drill // nil: none is under way
	uplink failover.Link
	stops  func() bool // the agent ends; nil: it does not run yet
	cost   drillCost
	last   *status.DrillResult // nil: none was ever made
	keep   chan keptDrill      // the newest to be written down; capacity 1
}

// drillEvent asks the loop for a drill; the answer is why none begins, "" when one does.
type drillEvent struct {
	order  drill.Order
	answer chan string // capacity 1
}

// StartDrill implements status.Box.
func (b boxed) StartDrill(ctx context.Context, by string, length time.Duration) error {
	ask := &drillEvent{drill.Order{By: by, For: length}, make(chan string, 1)}
	b.a.loop.post(event{kind: drilling, drill: ask})
	select {
	case why := <-ask.answer:
		if why != "" {
			return status.Refusal(why)
		}
		return nil
	case <-b.a.loop.ended:
		return status.Refusal("scanside is being stopped.")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// beginDrill begins one, or says why not.
func (l *loop) beginDrill(now time.Time, e *drillEvent) {
	why := l.drillRefusal(now)
	e.answer <- why
	if why != "" {
		return
	}
	e.order.Uplink = l.name(0)
	l.drills.now, l.drills.uplink, l.drills.cost = drill.Begin(now, e.order), 0, drillCost{}
	for i := range l.links {
		l.agent.examiner.ask(failover.Link(i))
	}
	l.tale.say(now, status.Notice, "Drill: "+e.order.By+" asked for one. The uplinks are examined first.")
	l.keepDrill()
	l.news = true
}

// drillRefusal is why no drill may begin now; "": one may.
func (l *loop) drillRefusal(now time.Time) string {
	if l.drills.now != nil {
		return "A drill is under way."
	}
	if why := l.drillSeen(now, l.engine.Snapshot()).Refusal(); why != "" {
		return why
	}
	if !l.agent.uplinks[0].canCut() {
		return "This box cannot cut " + l.name(0) + " by itself: pull its cable instead."
	}
	return ""
}

// drillSeen is what package drill goes by.
func (l *loop) drillSeen(now time.Time, e failover.Snapshot) drill.Seen {
	s := drill.Seen{Procedure: l.procedure.open, Stopping: l.drills.stops != nil && l.drills.stops(), Foreign: l.foreign(), Reports: true}
	for k := range l.flows {
		if f := &l.flows[k]; f.source != nil {
			s.Sends = true
			s.Reports = s.Reports && now.Sub(f.heard) < reportFresh
		}
	}
	for i, v := range e.Links {
		st := &l.links[i]
		u := drill.Uplink{Name: l.name(failover.Link(i)), Up: v.Verdict == failover.Up && st.conn != nil, Usable: v.Verdict != failover.Down && st.conn != nil,
			Suspect: v.Suspect, Best: e.Plan.HasBest && e.Plan.Best == failover.Link(i), Spent: v.Allowance == failover.Spent, Looked: st.checked}
		if st.examining {
			u.Looked = time.Time{}
		}
		if v.Verdict != failover.Down && st.judged.IsFault() {
			u.Fault = st.judged.Sentence
		}
		if v.Pinned {
			s.Pinned = u.Name
		}
		s.Uplinks = append(s.Uplinks, u)
	}
	return s
}

// reportFresh is how old the far end's newest word may be for its figures to be believed.
const reportFresh = 2 * time.Second

// stepDrill goes on with the drill that is under way, and makes true what it wants cut.
func (l *loop) stepDrill(now time.Time) {
	d := l.drills.now
	if d == nil {
		return
	}
	e := l.engine.Snapshot()
	if d.Phase() == drill.Looking {
		l.diagnose(now, e) // what was just examined counts at once
	}
	seen := l.drillSeen(now, e)
	if !d.CutAt().IsZero() {
		l.drills.cost.take(now, d.CutAt(), l)
		seen.Cost = l.drills.cost.view(l)
	}
	before := d.Phase()
	d.Step(now, seen)
	phase := d.Phase()
	if phase == before {
		return
	}
	l.news = true
	name := l.name(l.drills.uplink)
	if cutting := d.Cuts(); cutting != (before == drill.Cutting) {
		if cutting {
			l.drills.cost.begin(l)
		}
		l.agent.uplinks[l.drills.uplink].cut(cutting, d.Order().For)
	}
	switch phase {
	case drill.Cutting:
		l.log.Info("drill", "cut", name, "for", d.Order().For, "by", d.Order().By)
		l.tale.say(now, status.Notice, "Drill: "+name+" is cut for "+lasted(d.Order().For)+".")
	case drill.Returning:
		l.tale.say(now, status.Notice, "Drill: "+name+" is given back, and has to carry everything again.")
	case drill.Over:
		l.endDrill(now)
	}
}

// endDrill tells what the drill came to, and has it written down.
func (l *loop) endDrill(now time.Time) {
	r, _ := l.drills.now.Result()
	l.drills.now = nil
	level := status.Warning
	if r.Outcome == drill.Passed {
		level = status.OK
	}
	l.log.Info("drill", "outcome", r.Outcome, "reasons", r.Reasons)
	l.tale.say(now, level, "Drill: "+r.Sentence())
	l.drills.last = viewDrill(r, level)
	l.keepDrill()
	l.note(drillEntry(r))
}

// drilled reports whether what happens to a link now is a drill's doing: while it is cut, and until it has come back.
func (l *loop) drilled(i failover.Link) bool {
	d := l.drills.now
	return d != nil && i == l.drills.uplink && !d.CutAt().IsZero()
}

// drillCost is what a cut has cost so far.
type drillCost struct {
	gaps, back [media.NumKinds]gap
	lost       [media.NumKinds]uint64 // ever, before the cut
	came       [media.NumKinds]bool   // the physician's stream came when the cut began
	story      uint64                 // number of the last story before the cut
}

func (c *drillCost) begin(l *loop) {
	now := time.Now()
	*c = drillCost{story: l.tale.number}
	for k := range media.NumKinds {
		c.lost[k] = l.flows[k].lostEver
		c.came[k] = now.Sub(l.agent.back.came(media.Kind(k))) < bringing
	}
}

// take takes in how long each stream was silent. What is said of silence looks back for GapWindow, so the first words are not taken.
func (c *drillCost) take(now, cut time.Time, l *loop) {
	if now.Sub(cut) < media.GapWindow {
		return
	}
	for k := range media.NumKinds {
		if f := &l.flows[k]; f.source != nil && f.heard.After(cut.Add(media.GapWindow)) && f.far.RecentGap >= 0 {
			c.gaps[k].add(max(f.far.RecentGap, f.heard.Sub(f.moved)))
		}
		kind := media.Kind(k)
		if !c.came[k] {
			continue
		}
		switch silent := now.Sub(l.agent.back.came(kind)); {
		case silent < bringing:
			c.back[k].add(max(l.agent.back.stats(kind).RecentGap, silent))
		case l.present.fresh(now) && l.present.Talk != nil:
			c.back[k].add(silent)
		}
	}
}

func (c *drillCost) view(l *loop) drill.Cost {
	measure := func(g gap) drill.Measure { return drill.Measure{Value: g.long, Known: g.known} }
	out := drill.Cost{
		Voice: measure(c.gaps[media.Voice]), Video: measure(c.gaps[media.Video]), RoomVoice: measure(c.back[media.Voice]), RoomVideo: measure(c.back[media.Video]),
		HasVoice: l.flows[media.Voice].source != nil, HasVideo: l.flows[media.Video].source != nil, LostKnown: true,
	}
	lost := [media.NumKinds]uint64{}
	for k := range l.flows {
		if f := &l.flows[k]; f.source != nil {
			lost[k] = f.lostEver - c.lost[k]
			out.LostKnown = out.LostKnown && time.Since(f.heard) < reportFresh
		}
	}
	out.LostVoice, out.LostVideo = lost[media.Voice], lost[media.Video]
	for _, s := range l.tale.changes { // newest first: the last one that is found is the first after the cut
		if s.number <= c.story || s.link != l.drills.uplink || !lossy(s.reason) {
			continue
		}
		out.Switchover, out.Notice = s.number, drill.Measure{Value: s.detect, Known: true}
		out.Switch = drill.Measure{Value: s.switched, Known: s.switched > 0}
	}
	return out
}
