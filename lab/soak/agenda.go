package soak

import (
	"container/heap"
	"time"

	"scanside/failover"
)

// happening is something that comes at its time.
type happening struct {
	at     time.Duration
	number uint64 // decides between equal times
	kind   kind
	link   int
	sample failover.Sample // of answer
	undo   bool            // of strike: the fault is over
}

type kind uint8

const (
	speak         kind = iota // a voice packet leaves
	ask                       // a probe leaves
	answer                    // a probe's outcome is known
	word                      // the far end's report is due
	strike                    // an uplink's condition changes
	dialed                    // an association is up
	sleep                     // we ourselves sleep
	turnProcedure             // a procedure opens or closes
)

// agenda is everything that is to come, ordered by time.
type agenda struct {
	all    ordered
	number uint64
}

func (a *agenda) add(at time.Duration, h happening) {
	a.number++
	h.at, h.number = at, a.number
	heap.Push(&a.all, h)
}

func (a *agenda) take() (happening, bool) {
	if len(a.all) == 0 {
		return happening{}, false
	}
	return heap.Pop(&a.all).(happening), true
}

type ordered []happening

func (o ordered) Len() int { return len(o) }
func (o ordered) Less(i, j int) bool {
	return o[i].at < o[j].at || o[i].at == o[j].at && o[i].number < o[j].number
}
func (o ordered) Swap(i, j int) { o[i], o[j] = o[j], o[i] }
func (o *ordered) Push(x any)   { *o = append(*o, x.(happening)) }
func (o *ordered) Pop() any {
	last := len(*o) - 1
	x := (*o)[last]
	*o = (*o)[:last]
	return x
}

// next lets the next thing happen, with ticks where the engine wants them; false when nothing is left.
func (w *world) next() bool {
	h, ok := w.agenda.take()
	if !ok {
		return false
	}
	at := max(h.at, w.asleep) // what came while we slept is seen when we wake
	for due, ok := w.engine.Deadline(); ok && time.Duration(due) < at; due, ok = w.engine.Deadline() {
		if w.now = max(w.now, time.Duration(due), w.asleep); w.now > at {
			break
		}
		w.step(failover.Tick())
	}
	w.now = max(w.now, at)
	w.happen(h)
	return true
}

func (w *world) happen(h happening) {
	u := w.uplinks[h.link]
	switch h.kind {
	case speak:
		w.speak()
	case ask:
		w.ask(u)
	case answer:
		w.answer(u, h.sample)
	case word:
		w.word(u)
	case strike:
		w.strike(u, h.undo)
	case dialed:
		w.dialed(u)
	case sleep:
		w.asleep = w.now + 60*time.Millisecond + min(w.exp(time.Second), 20*time.Second)
		w.agenda.add(w.asleep+w.exp(time.Hour), happening{kind: sleep})
	case turnProcedure:
		w.procedure = !w.procedure
		w.step(failover.Procedure(w.procedure))
		w.agenda.add(w.after(w.exp(20*time.Minute)), happening{kind: turnProcedure})
	}
}

// speak sends a voice packet over its route; the first copy that arrives wins.
func (w *world) speak() {
	w.agenda.add(w.after(voiceEvery), happening{kind: speak})
	arrived, well := false, false
	for _, u := range w.uplinks {
		u.look(w.now)
		well = well || u.well(w.now)
		if !u.open || !w.plan.Route[failover.Voice].Has(u.link) {
			continue
		}
		u.sent++
		if !u.lost(w.rng, w.now, u.is.up) {
			u.arrived++
			arrived = true
		}
	}
	if r := &w.result; w.procedure && w.now > warm/60 {
		r.Voice++
		if !arrived {
			r.VoiceLost++
			if well {
				r.WhileWell++
			}
		}
	}
}

// ask sends a probe; what becomes of it is on the agenda.
func (w *world) ask(u *uplink) {
	w.agenda.add(w.after(w.engine.ProbeEvery(u.link)), happening{kind: ask, link: int(u.link)})
	if !u.open {
		return
	}
	if u.is.refused {
		w.step(failover.SendFailed(u.link))
	}
	if w.now-u.answering > consent {
		u.open = false
		w.step(failover.Closed(u.link))
		w.agenda.add(w.after(dialing), happening{kind: dialed, link: int(u.link)})
		return
	}
	wait := u.patience()
	took, answered := u.probe(w.rng, w.now)
	if !answered || took > wait {
		w.agenda.add(w.after(wait), happening{kind: answer, link: int(u.link), sample: failover.Sample{RTT: wait}})
	}
	if answered {
		w.agenda.add(w.after(took), happening{kind: answer, link: int(u.link), sample: failover.Sample{Answered: true, Late: took > wait, RTT: took}})
	}
}

func (w *world) answer(u *uplink, s failover.Sample) {
	if !u.open {
		return
	}
	if s.Answered {
		u.smooth += (s.RTT - u.smooth) / 8 // RFC 6298 section 2
	}
	w.step(failover.Sampled(u.link, s))
}

// word is the far end's report about one uplink, over whichever brings it.
func (w *world) word(u *uplink) {
	w.agenda.add(w.after(wordEvery), happening{kind: word, link: int(u.link)})
	for _, by := range w.uplinks {
		if by.open && u.open && u.sent > 0 && !by.lost(w.rng, w.now, by.is.down) {
			w.step(failover.Reported(u.link, u.sent, u.arrived))
			u.sent, u.arrived = 0, 0
			return
		}
	}
}

// strike begins a fault or ends it.
func (w *world) strike(u *uplink, undo bool) {
	u.look(w.now)
	was := u.is
	u.is, u.since = condition{}, w.now
	if undo {
		if was.refused {
			w.step(failover.Carrier(u.link, true))
		}
		w.agenda.add(w.after(w.exp(10*time.Minute)), happening{kind: strike, link: int(u.link)})
		return
	}
	w.result.Faults++
	var lasts time.Duration
	u.is, lasts = draw(w.rng)
	if u.is.refused {
		w.step(failover.Carrier(u.link, false))
	}
	w.agenda.add(w.after(lasts), happening{kind: strike, link: int(u.link), undo: true})
}

// dialed opens an association, where the uplink lets it.
func (w *world) dialed(u *uplink) {
	if u.open || u.is.dead(w.now-u.since) {
		w.agenda.add(w.after(dialing), happening{kind: dialed, link: int(u.link)})
		return
	}
	u.open, u.answering, u.sent, u.arrived, u.smooth = true, w.now, 0, 0, u.rtt
	w.step(failover.Opened(u.link))
}
