package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/audit"
	"scanside/failover"
	"scanside/media"
	"scanside/media/content"
	"scanside/supervision"
)

const (
	never    = 24 * time.Hour  // how long ago something was that never was
	starting = 5 * time.Second // how long the first connection may take before its lack is called a loss
)

// judge asks package supervision what may be said, and completes the document with the answer.
func (l *loop) judge(now time.Time, st *status.Status, e failover.Snapshot) supervision.Verdict {
	in := supervision.Inputs{
		Before:     l.verdict,
		Out:        supervision.Media{Voice: l.flows[media.Voice].outgoing(now), Video: l.flows[media.Video].outgoing(now)},
		Back:       supervision.Media{Voice: incoming(now, st, media.Voice), Video: incoming(now, st, media.Video)},
		Supervisor: l.present.supervisor(now),
		Links:      l.waysOut(now, e),
		Foreign:    l.foreign(),
		Reduced:    l.reduced(),
		Muted:      l.mutedInputs(),
		Speaker:    l.agent.hears(now),
	}
	v := supervision.Judge(now, in)
	words, level := v.State.Words(in.Supervisor.Name), levelOf(v)
	if v.State != l.verdict.State {
		l.tale.say(now, level, strings.TrimRight(words, ".")+". "+v.Sentence)
		st.Events = slices.Clone(l.tale.events)
		l.log.Info("supervision", "state", v.State, "reason", v.Reason)
		l.note(audit.Supervision{State: v.State.String(), Reason: v.Reason.String(), Open: l.procedure.open})
	}
	l.verdict = v
	st.Verdict = status.Verdict{
		State: v.State.String(), Words: words, Level: level, Sentence: v.Sentence, Reason: l.behind(st, v),
		Qualifying: v.Qualifying, Redundancy: v.Redundancy.String(), Since: v.Since,
	}
	st.Problem = l.problems(now, st, e)
	return v
}

// outgoing is a stream on its way out, as the far end counts it; a source that knows it has no picture is believed first.
func (f *flow) outgoing(now time.Time) supervision.Direction {
	d := supervision.Direction{Known: !f.heard.IsZero(), Word: now.Sub(f.heard), Idle: never}
	if !f.moved.IsZero() {
		d.Idle = f.heard.Sub(f.moved)
	}
	if f.source != nil {
		switch h := f.source.health(now); {
		case h.Fault.Weight() >= content.Unusable && h.Fault != content.Absent:
			d.Empty = true
		case !h.OK: // what arrives is a slate that says why there is no picture
			d.Idle = never
		}
	}
	return d
}

// incoming is a stream on its way in. The room counts it itself, so the word is always fresh.
func incoming(now time.Time, st *status.Status, k media.Kind) supervision.Direction {
	d := supervision.Direction{Known: true, Idle: never}
	for _, r := range st.Return {
		if r.Kind == k.String() && !r.LastPacket.IsZero() {
			d.Idle = now.Sub(r.LastPacket)
		}
	}
	return d
}

// waysOut is the engine's word about the links, and whether one of them brings the return.
func (l *loop) waysOut(now time.Time, e failover.Snapshot) supervision.Links {
	w := supervision.Links{Known: !l.fresh || now.Sub(l.begun) > starting}
	for i, v := range e.Links {
		s := &l.links[i]
		if v.Verdict == failover.Down || s.conn == nil {
			continue
		}
		w.Usable++
		if v.Verdict >= failover.Degraded && !v.Capacity.Thin { // one that carries voice alone would be no spare
			w.Proven++
		}
		w.Return = w.Return || s.conn.session.Playing()
	}
	return w
}

// supervisor is the one who counts among those who are there: who talks, else who sees and hears, else who was first.
func (p *presence) supervisor(now time.Time) supervision.Supervisor {
	if p == nil {
		return supervision.Supervisor{}
	}
	best, most := supervision.Supervisor{Known: true, Word: now.Sub(p.heard)}, -1
	for _, s := range p.Supervisors {
		rank, talking := 0, p.Talk != nil && s.Name == p.Talk.Name
		for weight, does := range []bool{s.Hears, s.Sees, talking} {
			if does {
				rank += 1 << weight
			}
		}
		if rank <= most {
			continue
		}
		most = rank
		best.Present, best.Name, best.Heard = p.Present, s.Name, time.Duration(s.HeardMS)*time.Millisecond
		best.Sees, best.Hears, best.Talking, best.Talks = s.Sees, s.Hears, talking, 0
		if talking {
			best.Talks = p.Time.Sub(p.Talk.Since) // both by the far end's clock
		}
	}
	return best
}

// levelOf is how bad a verdict is while no procedure is open (DOMAIN 5.2).
func levelOf(v supervision.Verdict) status.Level {
	switch v.State {
	case supervision.Unknown:
		return status.Unknown
	case supervision.Lost:
		return status.Bad
	case supervision.Ready, supervision.Engaged, supervision.Reduced, supervision.Onsite:
		if v.Redundancy == supervision.Full {
			return status.OK
		}
	}
	return status.Warning
}

// behind is the second line of the verdict, what stands behind it: sources first, then the ways out.
func (l *loop) behind(st *status.Status, v supervision.Verdict) string {
	var parts []string
	for _, s := range st.Streams {
		if s.Level == status.Bad {
			parts = append(parts, s.Sentence)
		}
	}
	if len(st.Streams) == 0 {
		parts = append(parts, "The room has neither camera nor microphone.")
	}
	var usable, why []string
	for _, u := range st.Uplinks {
		if u.Level != status.Bad && u.Connected {
			usable = append(usable, u.Name)
		}
		if u.Level != status.OK {
			why = append(why, mention(u))
		}
	}
	switch n := len(st.Uplinks); {
	case v.Redundancy == supervision.Full && len(why) == 0 && !copiedEverything(st):
		parts = append(parts, "All uplinks work: if one fails, another takes over at once.")
	case v.Redundancy == supervision.Full && len(why) == 0 && n == 2:
		parts = append(parts, "Both uplinks work: a cut of either would not be noticed.")
	case v.Redundancy == supervision.Full && len(why) == 0:
		parts = append(parts, fmt.Sprintf("All %d uplinks work: a cut of any would not be noticed.", n))
	case len(usable) == 1 && n > 1:
		parts = append(parts, strings.ToUpper(usable[0][:1])+usable[0][1:]+" is the last way out: another failure ends it.")
	case len(usable) == 1:
		parts = append(parts, "There is one uplink only: a cut would end it.")
	}
	return strings.Join(append(parts, why...), " ")
}

// copiedEverything reports whether every stream leaves over more than one uplink now.
func copiedEverything(st *status.Status) bool {
	return !slices.ContainsFunc(st.Streams, func(s status.Stream) bool { return len(s.Route) < 2 })
}

// mention is an uplink's reason with its name in front.
func mention(u status.Uplink) string {
	return strings.ToUpper(u.Name[:1]) + u.Name[1:] + ": " + lowerFirst(u.Reason)
}
