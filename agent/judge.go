package agent

import (
	"time"

	"scanside/agent/status"
	"scanside/failover"
	"scanside/media"
	"scanside/supervision"
)

// judge asks the pure package whether supervision is available, and completes the document with the answer.
func (l *loop) judge(now time.Time, st *status.Status, e failover.Snapshot) supervision.Verdict {
	in := supervision.Inputs{
		Before:     l.verdict,
		Out:        supervision.Media{Voice: l.outgoing(now, media.Voice), Video: l.outgoing(now, media.Video)},
		Back:       supervision.Media{Voice: l.incoming(now, media.Voice), Video: l.incoming(now, media.Video)},
		Supervisor: l.present.supervisor(now),
		Links:      l.ways(now, e),
	}
	v := supervision.Judge(now, in)
	level := verdictLevel(v)
	words := v.State.Words(in.Supervisor.Name)
	if v.State != l.verdict.State {
		l.tale.say(now, level, words+". "+v.Sentence)
	}
	l.verdict = v
	st.Verdict = status.Verdict{
		State: v.State.String(), Words: words, Level: level, Sentence: v.Sentence, Reason: redundancySentence(v, len(e.Links)),
		Qualifying: v.Qualifying, Redundancy: v.Redundancy.String(), Since: v.Since,
	}
	st.Problem = l.problems(now, st, e)
	return v
}

// outgoing is a stream on its way out, as the far end counts it.
func (l *loop) outgoing(now time.Time, k media.Kind) supervision.Direction {
	f := &l.flows[k]
	return supervision.Direction{Known: !f.heard.IsZero(), Word: now.Sub(f.heard), Idle: now.Sub(f.moved)}
}

// incoming is a stream on its way in. The room counts it itself, so its word is always fresh.
func (l *loop) incoming(now time.Time, k media.Kind) supervision.Direction {
	var last time.Time
	for i := range l.links {
		if at := l.agent.back.last(failover.Link(i), k); at.After(last) {
			last = at
		}
	}
	return supervision.Direction{Known: true, Idle: now.Sub(last)}
}

// starting is how long the first connection may take before its lack is called a loss.
const starting = 5 * time.Second

// ways is what the engine says of the links, and whether one of them brings the return.
func (l *loop) ways(now time.Time, e failover.Snapshot) supervision.Links {
	w := supervision.Links{Known: !l.fresh || now.Sub(l.begun) > starting, Usable: usable(e)}
	for i, v := range e.Links {
		if v.Verdict >= failover.Degraded {
			w.Proven++
		}
		if v.Verdict != failover.Down && l.links[i].conn != nil && l.links[i].playing {
			w.Return = true
		}
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
		rank := 0
		for weight, does := range []bool{s.Hears, s.Sees, s.Talking} {
			if does {
				rank += 1 << weight
			}
		}
		if rank <= most {
			continue
		}
		most = rank
		best.Present, best.Name, best.Heard = true, s.Name, time.Duration(s.HeardMS)*time.Millisecond
		best.Sees, best.Hears, best.Talking = s.Sees, s.Hears, s.Talking
		if p.Talk != nil && s.Talking {
			best.Talks = now.Sub(p.Talk.Since)
		}
	}
	return best
}

// redundancySentence says how many ways out are left: a box on its last one says so before the next patient.
func redundancySentence(v supervision.Verdict, configured int) string {
	switch {
	case v.Redundancy == supervision.Full:
		return "More than one uplink is proven: another cut would not be noticed."
	case v.Redundancy == supervision.LastLink && configured > 1:
		return "ON LAST LINK: another cut would end it."
	case v.Redundancy == supervision.LastLink:
		return "There is one uplink only: a cut would end it."
	case v.Redundancy == supervision.None:
		return "No uplink works; all of them are being tried."
	}
	return ""
}

func verdictLevel(v supervision.Verdict) status.Level {
	switch {
	case v.State == supervision.Unknown:
		return status.Unknown
	case v.Qualifying && v.Redundancy == supervision.Full:
		return status.OK
	case v.Qualifying, v.State == supervision.Switching, v.State == supervision.SupervisorAbsent:
		return status.Warning
	}
	return status.Bad
}
