package agent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"scanside/agent/status"
	"scanside/audit"
	"scanside/failover"
	"scanside/farend"
	"scanside/link"
	"scanside/media"
)

// whereabouts is at which far end the room is, as the loop knows it. Package farend decides; here it is made true.
type whereabouts struct {
	choice *farend.Choice
	at     int
	since  time.Time
	found  []failover.LinkSet // by far end: links whose scout holds it
	look   []int              // far ends that are being looked for
	wish   int                // an operator's, that is being tried; -1: none
	fresh  bool               // no link has come to it since the move
	why    string             // the last move in a sentence; "": none in this run
	moves  [3]uint64          // by farend.Reason
	keep   chan int           // the newest, for the state directory
}

func newWhereabouts(n, at int, now time.Time) whereabouts {
	return whereabouts{choice: farend.New(n, at, 0), at: at, since: now, found: make([]failover.LinkSet, n), wish: -1, keep: make(chan int, 1)}
}

// whereTo asks where the room should be, and sees to it.
func (l *loop) whereTo(now time.Time) {
	w := &l.where
	seen := farend.Seen{Held: w.found, Open: l.procedure.open}
	for i, v := range l.engine.Snapshot().Links {
		s := &l.links[i]
		if s.conn != nil && v.Verdict != failover.Down {
			seen.Reached = seen.Reached.With(failover.Link(i))
		}
		seen.Conflict = seen.Conflict || s.conflict
	}
	d := w.choice.Step(failover.Instant(now.Sub(l.begun)), seen)
	if d.GivenUp {
		why := l.farEnd(w.wish) + " did not answer"
		if l.procedure.open {
			why = "a procedure is open"
		}
		l.tale.say(now, status.Warning, sentence(fmt.Sprintf("%s: the room stays at %s", why, l.farEnd(w.at))))
		l.news = true
	}
	if d.Moved || d.GivenUp {
		w.wish = -1
	}
	if d.Moved {
		l.moved(now, d)
	}
	if len(d.Look) > 0 && len(w.look) == 0 && w.wish < 0 {
		l.tale.say(now, status.Warning, fmt.Sprintf("%s cannot be reached over any uplink: looking for another far end.", l.farEnd(w.at)))
		l.news = true
	}
	w.look = d.Look
	for _, u := range l.agent.uplinks {
		u.order(d.At, d.Look)
	}
}

// moved makes a move true: what the far end that was left said counts no more, and nothing of it may be taken for the new
// one's word.
func (l *loop) moved(now time.Time, d farend.Decision) {
	w := &l.where
	w.at, w.since, w.fresh = d.At, now, true
	w.moves[d.Why]++
	clear(w.found)
	l.agent.back.leave()
	for k := range l.flows {
		f := &l.flows[k]
		f.far, f.heard, f.moved = link.StreamReport{}, time.Time{}, time.Time{}
	}
	for i := range l.links {
		l.links[i].words = ledger{}
	}
	l.present = nil
	l.tale.forget()
	switch d.Why {
	case farend.Operator:
		w.why = fmt.Sprintf("An operator moved the room from %s to %s.", l.farEnd(d.From), l.farEnd(d.At))
	default:
		w.why = fmt.Sprintf("The room moved from %s to %s: no uplink had reached %s for %s, and %s answered over %s.",
			l.farEnd(d.From), l.farEnd(d.At), l.farEnd(d.From), lasted(d.Away), l.farEnd(d.At), l.names(d.Over))
	}
	l.tale.say(now, status.Warning, w.why)
	l.note(audit.FarEnd{From: l.farEnd(d.From), To: l.farEnd(d.At)})
	l.log.Warn("the room moved", "from", l.farEnd(d.From), "to", l.farEnd(d.At), "reason", d.Why, "away", d.Away)
	select { // only the newest is worth keeping
	case <-w.keep:
	default:
	}
	w.keep <- d.At
	l.news = true
}

// arrived is called when a link has come to the present far end and carries what it should: the first picture there must be
// whole, and what was asked for while the far end was only held was not heard.
func (l *loop) arrived(now time.Time) {
	if video := l.flows[media.Video].source; l.where.fresh && video != nil {
		video.keyFrame(now)
	}
	l.where.fresh = false
}

// foundFarEnd notes that a link's scout holds another far end, or has lost it.
func (l *loop) foundFarEnd(now time.Time, e event) {
	w := &l.where
	was := w.found[e.far]
	w.found[e.far] = was.Without(e.link)
	if e.on {
		w.found[e.far] = was.With(e.link)
		for i, u := range l.agent.uplinks { // the uplink works: the present far end gets its chance at once
			if l.links[i].conn == nil {
				u.retry()
			}
		}
	}
	l.whereTo(now)
}

// wished notes that an operator wants the room elsewhere.
func (l *loop) wished(now time.Time, to int) {
	w := &l.where
	if !w.choice.Wish(failover.Instant(now.Sub(l.begun)), to) {
		return
	}
	if w.wish = to; to == w.at {
		w.wish = -1
	} else {
		l.tale.say(now, status.Notice, fmt.Sprintf("An operator wants the room at %s: it is dialled.", l.farEnd(to)))
	}
	l.whereTo(now)
	l.news = true
}

func (l *loop) farEnd(i int) string { return l.agent.fars[i].name }

// keepFarEnd writes down where the room is, until ctx ends.
func (a *Agent) keepFarEnd(ctx context.Context, kept store) {
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-a.loop.where.keep:
			if err := kept.keepFarEnd(a.fars, at); err != nil {
				a.log.Warn("remember the far end", "err", err)
			}
		}
	}
}

// viewPlaces lists the configured far ends for the page.
func (l *loop) viewPlaces() []status.Place {
	var all []status.Place
	for i, f := range l.agent.fars {
		p := status.Place{Name: f.name, URL: f.base(), Current: i == l.where.at, Words: "stands by"}
		switch {
		case p.Current:
			p.Words = "the room is here"
		case l.where.found[i] != 0:
			p.Words = "answers"
		case l.where.wish == i || slices.Contains(l.where.look, i):
			p.Words = "is being dialled"
		}
		all = append(all, p)
	}
	return all
}

// spare is the problem of not being at the first far end; false: it is there.
func (l *loop) spare() (text, hint string, is bool) {
	w := &l.where
	if w.at == 0 {
		return "", "", false
	}
	why := w.why
	if why == "" {
		why = "It was there when the box was started."
	}
	return fmt.Sprintf("The room is at %s, not at the first far end %s. %s", l.farEnd(w.at), l.farEnd(0), why),
		"It stays until somebody moves it on this page, or until " + l.farEnd(w.at) + " is gone.", true
}
