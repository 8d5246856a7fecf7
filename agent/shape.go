package agent

import (
	"fmt"
	"time"

	"scanside/agent/status"
	"scanside/failover"
	"scanside/media"
)

// shapes is how the picture is sent, and how it is when nothing makes it smaller; zero where the source does not say.
func (l *loop) shapes() (now, full media.Shape) {
	if s := l.flows[media.Video].source; s != nil {
		if shaped, ok := s.src.(media.Shaped); ok {
			return shaped.Shapes()
		}
	}
	return now, full
}

// reduced reports whether the picture is smaller, slower or stopped because the links carry too little.
func (l *loop) reduced() bool {
	now, full := l.shapes()
	return l.flows[media.Video].source != nil && (l.plan.VoiceOnly || now != full)
}

// viewShape says how the picture is sent and, if it is less than configured, why.
func (l *loop) viewShape(st *status.Stream, e failover.Snapshot) {
	now, full := l.shapes()
	st.Width, st.Height, st.Pace = now.Width, now.Height, now.FPS
	if st.Wanted = float64(e.Plan.Rate); e.Plan.Rate == 0 {
		st.Wanted = float64(l.agent.cfg.Video.Bitrate)
	}
	if st.Reduced = l.reduced(); !st.Reduced {
		return
	}
	what := fmt.Sprintf("Picture reduced to %d × %d", now.Width, now.Height)
	if now.FPS < full.FPS {
		what += fmt.Sprintf(", %d pictures a second", now.FPS)
	}
	if e.Plan.VoiceOnly {
		what, st.Wanted = "Picture stopped, so that voice gets through", 0
	}
	st.Limit = what + ": " + l.tightest(e)
	if st.Level == status.OK {
		st.Level = status.Notice
	}
}

// tightest says which link carries least of those that carry the picture.
func (l *loop) tightest(e failover.Snapshot) string {
	least, at := 0, failover.Link(0)
	for i, v := range e.Links {
		if c := v.Capacity; e.Plan.Route[failover.Video].Has(failover.Link(i)) && c.Rate > 0 && (least == 0 || c.Rate < least) {
			least, at = c.Rate, failover.Link(i)
		}
	}
	switch {
	case least == 0:
		return "it grows again as the uplinks show that they carry it."
	case e.Links[at].Capacity.Queue > 0:
		return fmt.Sprintf("%s carries %s, and what was sent before still waits there.", l.name(at), megabits(least))
	}
	return fmt.Sprintf("%s carries %s.", l.name(at), megabits(least))
}

func megabits(bps int) string {
	if bps < 100_000 {
		return fmt.Sprintf("%.2f Mbit/s", float64(bps)/1e6)
	}
	return fmt.Sprintf("%.1f Mbit/s", float64(bps)/1e6)
}

// tellShape says when the picture's shape changes; not each step on the way back up.
func (l *loop) tellShape(now time.Time, st *status.Status) {
	for _, s := range st.Streams {
		if s.Kind != media.Video.String() {
			continue
		}
		key := ""
		if s.Reduced {
			key = fmt.Sprint(s.Width, s.Height, s.Pace, s.Wanted == 0)
		}
		switch was := l.smaller; {
		case key == was:
			return
		case key == "":
			l.tale.say(now, status.OK, "The picture is as large as configured again.")
		default:
			l.tale.say(now, status.Notice, s.Limit)
		}
		l.smaller, l.news = key, true
	}
}
