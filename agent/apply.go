package agent

import (
	"time"

	"scanside/agent/status"
	"scanside/failover"
	"scanside/link"
	"scanside/media"
)

// How much is sent again on a leg that takes a stream over: what the far end has not acknowledged, but no more than a viewer
// could still use. Beyond, a fresh key frame costs less than the past.
const (
	replayVoice = 50  // packets: 1 s
	replayVideo = 400 // packets: 1.6 s at 2.5 Mbit/s
)

// flow is one stream on its way out, and the far end's last word about it.
type flow struct {
	source *source // nil: the room has none
	heard  time.Time
	far    link.StreamReport
	moved  time.Time // when the far end's count last grew
	anew   bool      // the next word counts from nothing: another leg's, at a far end that merges none

	lostEver uint64 // over restarts of the far end
	trouble  string // what is wrong with the source, as last said
}

// word takes the far end's word in. Words can overtake each other on their links; the newest is the one that knows most.
func (f *flow) word(now time.Time, r link.StreamReport) {
	if f.anew {
		f.anew, f.far = false, link.StreamReport{Lost: r.Lost}
	}
	grown := r.Received > f.far.Received
	if !grown && r.Received < f.far.Received && now.Sub(f.moved) < time.Second {
		return // older than what we have
	}
	if grown {
		f.moved = now
	}
	f.lostEver += uint64(max(r.Lost, f.far.Lost) - f.far.Lost)
	f.heard, f.far = now, r
}

// unacknowledged is how many packets the far end has not spoken of yet; false when it never spoke.
func (f *flow) unacknowledged() (int, bool) {
	if f.source == nil || f.heard.IsZero() || f.far.Received == 0 {
		return 0, false
	}
	behind := uint16(f.source.fanout.Stats().Highest) - uint16(f.far.Highest)
	return int(max(int16(behind), 0)), true
}

// watch says when the source's state changes.
func (f *flow) watch(now time.Time, l *loop) {
	if f.source == nil {
		return
	}
	level, text := f.source.sentence(f.source.health(now))
	if level != status.Bad {
		text = ""
	}
	if text == f.trouble {
		return
	}
	if text != "" {
		l.tale.say(now, status.Bad, text)
	} else if f.source.kind == media.Video {
		l.tale.say(now, status.OK, "The room's picture is back.")
	} else {
		l.tale.say(now, status.OK, "The room's sound is back.")
	}
	f.trouble, l.news = text, true
}

// apply makes the plan true: each leg is selected or not. Doing it twice is harmless, and a leg that came since the last time
// is caught up with.
func (l *loop) apply(plan failover.Plan) {
	l.plan = plan
	l.ask(plan)
	for i := range l.links {
		s := &l.links[i]
		if s.conn == nil {
			continue
		}
		for k, leg := range s.conn.legs {
			want := plan.Route[k].Has(failover.Link(i))
			if leg == nil || want == s.on[k] {
				continue
			}
			s.on[k] = want
			leg.Select(want)
			switch {
			case !want:
			case s.conn.session.Echoes():
				l.replay(&l.flows[k], leg, s.rtt)
			case media.Kind(k) == media.Video: // a stream of its own there: it begins with a whole picture
				l.flows[k].source.keyFrame(time.Now())
			}
		}
	}
}

// replay sends on a leg that has just begun to carry a stream what the far end does not have yet: if the other legs bring it
// after all, the far end drops the copies; if not, nothing is lost. Until it has left and its effect could be seen at the far
// end, a round trip later, no key frame is made: who asks for one asks about what is on its way.
func (l *loop) replay(f *flow, leg *media.Leg, rtt time.Duration) {
	n, known := f.unacknowledged()
	switch limit := [...]int{media.Voice: replayVoice, media.Video: replayVideo}[f.source.kind]; {
	case !known || n == 0:
	case n <= limit:
		again := leg.Replay(uint16(f.far.Highest))
		f.source.gate.Hold(time.Now().Add(again.Takes + rtt))
	default:
		f.source.src.RequestKeyFrame()
	}
}
