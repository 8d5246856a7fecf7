package agent

import (
	"time"

	"scanside/failover"
	"scanside/link"
	"scanside/media"
)

// reportEvery is the least between two reports about a link: words come over every link, and one link's 20 a second are
// enough. Where probes are fewer than that, reports are to make up for it, as fast as packets of voice follow each other.
const (
	reportEvery = 40 * time.Millisecond
	denseEvery  = 20 * time.Millisecond
	fullPace    = 50 * time.Millisecond // between probes
)

// reportDue reports whether there is to be another report about a link.
func (s *linkState) reportDue(now time.Time) bool {
	if s.every > fullPace {
		return now.Sub(s.reported) >= denseEvery
	}
	return now.Sub(s.reported) >= reportEvery
}

// reports translates the far end's counts of each leg into what the engine takes: of the packets that had left on a link
// when the far end counted, how many had arrived. On the link that brought the word that is when its probe left, for packets
// and probes do not overtake each other; another link's packets were so much longer under way as it is slower.
func (l *loop) reports(now time.Time, from failover.Link, p link.Sample) {
	var arrived [failover.MaxLinks]uint64
	var named failover.LinkSet // what is not named is not said to have lost everything
	for _, r := range p.Far {
		if !l.foreign() || !l.plan.HasBest || from == l.plan.Best {
			l.flows[r.Kind].word(now, r)
		}
		for _, leg := range r.Legs {
			if i := l.agent.uplink(leg.Uplink); i >= 0 {
				arrived[i] += uint64(leg.Received)
				named = named.With(failover.Link(i))
			}
		}
	}
	for i := range l.links {
		other := &l.links[i]
		if other.conn == nil || !named.Has(failover.Link(i)) || !other.reportDue(now) {
			continue
		}
		other.reported = now
		counted := p.Sent.Add((l.links[from].rtt - other.rtt) / 2)
		ds, da, ok := other.words.since(other.leftBy(counted), arrived[i])
		if l.foreign() && other.on == [media.NumKinds]bool{} {
			continue // it rests: what an outage swallowed is known, and no later word would make up for it
		}
		if ok {
			l.step(now, failover.Reported(failover.Link(i), ds, da))
			if ds > 0 && da == 0 && other.every > fullPace {
				l.pace(failover.Link(i))
			}
		}
	}
}

// ledger compares what left on a link with what the far end says arrived, from word to word.
type ledger struct {
	known         bool
	sent, arrived uint64 // at the last word
	behind        int    // words in a row that said less than the one before
}

// staleWords is how many words in a row may be older than the newest (they came over a slower link) before they mean that
// the far end counts anew. Two links at 20 words a second bring one old word after each new one at most.
const staleWords = 8

// since returns what was sent and what arrived since the last word.
func (g *ledger) since(sent, arrived uint64) (ds, da uint32, ok bool) {
	if g.known && arrived < g.arrived {
		if g.behind++; g.behind < staleWords {
			return 0, 0, false
		}
		g.known = false
	}
	g.behind = 0
	sent = max(sent, g.sent)
	if g.known {
		ds, da, ok = uint32(sent-g.sent), uint32(arrived-g.arrived), true
	}
	g.known, g.sent, g.arrived = true, sent, arrived
	return ds, da, ok
}
