package agent

import (
	"fmt"
	"time"

	"scanside/agent/status"
	"scanside/failover"
	"scanside/media"
)

// gap is the longest silence of one stream around a change, as far as it was measured.
type gap struct {
	long  time.Duration
	known bool
}

func (g *gap) add(d time.Duration) {
	g.long, g.known = max(g.long, d), true
}

// measure takes in how long each stream was silent. What the far end says looks back for GapWindow, so the first words after
// the last good moment that could speak of earlier silence are not taken.
func (c *change) measure(now time.Time, at failover.Instant, l *loop) {
	if at.Sub(c.at.Add(-c.detect)) < media.GapWindow {
		return
	}
	for k := range media.NumKinds {
		if f := &l.flows[k]; f.source != nil && !f.heard.IsZero() && f.far.RecentGap >= 0 {
			c.gaps[k].add(f.far.RecentGap)
		}
		kind := media.Kind(k)
		if now.Sub(l.agent.back.came(kind)) < bringing {
			c.back[k].add(l.agent.back.stats(kind).RecentGap)
		}
	}
}

// replayed is what was sent again on legs that took a stream over.
type replayed struct{ packets, bytes uint64 }

func (r replayed) since(before replayed) replayed {
	return replayed{r.packets - before.packets, r.bytes - before.bytes}
}

func (l *loop) replayed() (r replayed) {
	for i := range l.links {
		for k := range media.NumKinds {
			s := l.links[i].sent(media.Kind(k))
			r.packets += s.Replayed
			r.bytes += s.ReplayedBytes
		}
	}
	return r
}

// silence says how long the far end heard and saw nothing, in a clause after "at the far end"; "" where it does not say.
func (c *change) silence() string {
	voice, video := c.gaps[media.Voice], c.gaps[media.Video]
	switch {
	case voice.known && video.known:
		return fmt.Sprintf(", where the longest pause was %s in voice and %s in the picture", lasted(voice.long), lasted(video.long))
	case voice.known:
		return fmt.Sprintf(", where the longest pause was %s in voice", lasted(voice.long))
	case video.known:
		return fmt.Sprintf(", where the longest pause was %s in the picture", lasted(video.long))
	}
	return ""
}

// witness notes what was measured when the change was decided.
func (l *loop) witness(c *change, w failover.Switchover) {
	v := l.engine.Snapshot().Links[w.Link]
	switch seen := v.Seen(w.Reason, w.At); {
	case lossy(w.Reason) && v.Verdict != failover.Down:
		c.doubt = seen
	case c.doubt != "" && seen != "":
		c.seen = "given up when " + seen
	default:
		c.seen = seen
	}
}

// evidence is what was measured and what was done about it, in a sentence.
func (c *change) evidence() string {
	text := c.seen
	if c.doubt != "" {
		text = "in doubt when " + c.doubt
		if c.seen != "" {
			text += "; " + c.seen
		}
	}
	if c.settled && c.replayed.packets > 0 {
		again := fmt.Sprintf("%s (%.1f kB) were sent again", packets(c.replayed.packets), float64(c.replayed.bytes)/1000)
		if text != "" {
			text += "; "
		}
		text += again
	}
	return sentence(text)
}

func viewGaps(g [media.NumKinds]gap) status.Gap {
	one := func(g gap) *float64 {
		if !g.known {
			return nil
		}
		return ms(g.long)
	}
	return status.Gap{Voice: one(g[media.Voice]), Video: one(g[media.Video])}
}
