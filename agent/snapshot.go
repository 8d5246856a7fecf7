package agent

import (
	"time"

	"scanside/agent/status"
	"scanside/diagnosis"
	"scanside/failover"
	"scanside/media"
	"scanside/supervision"
)

// Snapshot is one consistent view of the agent: the pages, /metrics and tests read this one truth. It is never changed after
// it was published.
type Snapshot struct {
	Status      *status.Status
	Engine      failover.Snapshot
	Supervision supervision.Verdict

	found    []diagnosis.Findings // of each link, as far as they are fresh
	judged   []diagnosis.Verdict  // likewise
	links    []linkCounts
	flows    []status.Stream // those of the status, with what is for metrics only
	people   struct{ supervisors, observers int }
	dropped  uint64
	traces   [2]uint64 // saved, failed
	moves    [3]uint64 // of the room, by farend.Reason
	breaches [invariants]uint64
	next     chan struct{}
}

type linkCounts struct {
	probes, dials [2]uint64
	late, outages uint64
	bytes         [2]uint64 // sent, received, as a carrier bills them
	stuck         uint64    // packets that TCP connections of the uplink did not take
	sent          [media.NumKinds]media.LegStats
}

// Superseded is closed when a newer snapshot was published.
func (s *Snapshot) Superseded() <-chan struct{} { return s.next }

// Snapshot is the newest published truth; never nil.
func (a *Agent) Snapshot() *Snapshot { return a.latest.Load() }

// publish makes a new snapshot and wakes those who wait for one.
func (l *loop) publish(now time.Time) {
	e := l.engine.Snapshot()
	found := l.diagnose(now, e)
	s := &Snapshot{Engine: e, Status: l.view(now, e, found), found: found, next: make(chan struct{}), dropped: l.dropped.Load(), breaches: l.breaches}
	l.tellShape(now, s.Status)
	s.Supervision = l.judge(now, s.Status, e)
	s.moves = l.where.moves
	for i := range l.links {
		st := &l.links[i]
		c := linkCounts{probes: st.probes, dials: st.dials, late: st.late, outages: st.outages}
		meter := &l.agent.uplinks[i].meter
		c.bytes, c.stuck = [2]uint64{meter.Sent(), meter.Received()}, meter.Dropped()
		for k := range c.sent {
			c.sent[k] = st.sent(media.Kind(k))
		}
		s.links = append(s.links, c)
		s.judged = append(s.judged, st.judged)
	}
	for k := range media.NumKinds {
		one := status.Stream{Kind: media.Kind(k).String()}
		for _, st := range s.Status.Streams {
			if st.Kind == one.Kind {
				one = st
			}
		}
		one.Lost = l.flows[k].lostEver
		s.flows = append(s.flows, one)
	}
	if p := l.present; p.fresh(now) {
		s.people.supervisors, s.people.observers = len(p.Supervisors), p.Observers
	}
	s.traces = [2]uint64{l.rec.saves.Load(), l.rec.failed.Load()}
	if old := l.agent.latest.Swap(s); old != nil {
		close(old.next)
	}
}
