package agent

import (
	"fmt"
	"strings"
	"time"

	"scanside/failover"
	"scanside/media"
)

// story is the change in one sentence, without the clock.
func (c *change) story(l *loop) string {
	what := streamWords(c.streams)
	why := c.reason.Sentence(l.name(c.link))
	var b strings.Builder
	if c.drill {
		b.WriteString("drill: ")
	}
	came, left := c.to.Minus(c.from), c.from.Minus(c.to)
	switch {
	case left.Has(c.link) && c.wasBest:
		fmt.Fprintf(&b, "%s moved from %s to %s because %s", what, l.names(left), l.names(c.to), why)
	case left != 0 && came != 0:
		fmt.Fprintf(&b, "%s moved from %s to %s because %s", what, l.names(left), l.names(came), why)
	case came != 0:
		fmt.Fprintf(&b, "%s also went over %s because %s", what, l.names(came), why)
	default:
		fmt.Fprintf(&b, "%s no longer went over %s because %s", what, l.names(left), why)
	}
	if lossy(c.reason) {
		fmt.Fprintf(&b, "; noticed in %s", lasted(c.detect))
	}
	b.WriteString(c.cost())
	b.WriteByte('.')
	return strings.ToUpper(b.String()[:1]) + b.String()[1:]
}

// routine reports whether only copies came or went, because all is well or getting better.
func (c *change) routine() bool {
	switch c.reason {
	case failover.Connected, failover.Answering, failover.Proven, failover.DoubtOver, failover.BudgetBack, failover.ProcedureClosed:
		return true
	}
	return false
}

// lossy reports whether the reason is a failure, whose detection took time.
func lossy(r failover.Reason) bool {
	switch r {
	case failover.ProbesMissed, failover.OneWayOut, failover.OneWayBack, failover.SendRefused, failover.NoSamples,
		failover.CarrierLost, failover.Disconnected, failover.AllDown:
		return true
	}
	return false
}

// cost says what the far end missed.
func (c *change) cost() string {
	voice, video := c.lost[media.Voice], c.lost[media.Video]
	switch {
	case !c.settled:
		return ", the far end has not said yet what it lost"
	case !c.known:
		return ", it is not known what the far end lost"
	}
	what := "nothing"
	switch {
	case voice > 0 && video > 0:
		what = fmt.Sprintf("%s of voice and %s of the picture", packets(voice), packets(video))
	case voice > 0:
		what = packets(voice) + " of voice"
	case video > 0:
		what = packets(video) + " of the picture"
	}
	was := "were"
	if voice+video <= 1 {
		was = "was"
	}
	return fmt.Sprintf(", %s %s lost at the far end%s", what, was, c.silence())
}

func packets[N uint32 | uint64](n N) string {
	if n == 1 {
		return "1 packet"
	}
	return fmt.Sprintf("%d packets", n)
}

func streamWords(s [media.NumKinds]bool) string {
	switch {
	case s[media.Voice] && s[media.Video]:
		return "voice and picture"
	case s[media.Voice]:
		return "voice"
	}
	return "the picture"
}

// names writes a set of links as people say it: "primary and cellular".
func (l *loop) names(s failover.LinkSet) string {
	list := l.list(s)
	switch n := len(list); n {
	case 0:
		return "nothing"
	case 1:
		return list[0]
	default:
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
	}
}

func (l *loop) list(s failover.LinkSet) []string {
	list := []string{}
	for i := range l.links {
		if s.Has(failover.Link(i)) {
			list = append(list, l.name(failover.Link(i)))
		}
	}
	return list
}

// sentence makes a clause a sentence.
func sentence(clause string) string {
	if clause == "" {
		return ""
	}
	return strings.ToUpper(clause[:1]) + clause[1:] + "."
}

// lasted is a length of time in its most telling unit.
func lasted(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "less than 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second && d%time.Second >= 100*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}
