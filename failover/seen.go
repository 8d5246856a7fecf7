package failover

import (
	"fmt"
	"time"
)

// Seen says in a clause what was measured that brought this reason about at that instant, with its numbers; empty where the
// reason says it all. Ask the view of the link as it was right after the Step that ruled.
func (v LinkView) Seen(why Reason, at Instant) string {
	ago := func(t Instant) string { return milliseconds(at.Sub(t)) }
	switch why {
	case ProbesMissed:
		return fmt.Sprintf("%s in a row brought no answer, and the last answer was %s old", count(v.Echoes.Misses, "probe"), ago(v.LastGood))
	case OneWayBack:
		return fmt.Sprintf("%s in a row brought no answer, while what was sent last arrived %s before", count(v.Echoes.Misses, "probe"), ago(v.Arrivals.Last))
	case OneWayOut:
		return fmt.Sprintf("none of the last %s arrived by the far end's word, for %s", count(v.Arrivals.LostRun, "packet"), ago(v.lastArrival()))
	case SendRefused:
		return fmt.Sprintf("%s in a row refused within %s", count(v.Refused.Run, "send"), ago(v.Refused.Since))
	case NoSamples:
		return fmt.Sprintf("the last outcome of a probe was %s old", ago(v.Echoes.Last))
	case LossHigh:
		return fmt.Sprintf("%.0f %% of the latest probes were lost", 100*v.Loss)
	case MediaLossHigh:
		return fmt.Sprintf("%.0f %% of the packets sent lately did not arrive", 100*v.ForwardLoss)
	case RTTHigh:
		return fmt.Sprintf("an answer takes %s", milliseconds(v.RTT))
	case Answering:
		return count(v.Echoes.Answers, "answer") + " in a row"
	case Proven, Preferred:
		return fmt.Sprintf("it has carried media for %s without a fault", v.Proof.Truncate(100*time.Millisecond))
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
