package failover

import (
	"fmt"
	"slices"
	"time"
)

// Snapshot is the engine's whole memory: what it knows of each link, what it decided, and what it must remember to decide
// the same again. The engine has no other state, so Restore goes on exactly where Snapshot was taken.
type Snapshot struct {
	At        Instant // of the last Step
	Started   bool    // there was one
	Links     []LinkView
	Plan      Plan
	Why       Reason  // why Plan.Best is best
	Procedure bool    // contrast or observation is open
	Doubt     Reason  // why OnDoubt streams have copies; none if they have none
	CalmSince Instant // while in Doubt: since when there would be none

	Carried  [NumStreams][MaxLinks]Instant // since when each routed link carries each stream
	Acts     [maxActs]Instant              // the latest changes of the engine's own will, a ring
	ActCount uint64
	RateAt   Instant // when Plan.Rate last changed
	StallEnd Instant // when our own last stall ended; what was asked before proves nothing by silence
	Stalls   uint64
}

// LinkView is what the engine knows of one link.
type LinkView struct {
	Name    string
	Verdict Verdict
	Reason  Reason  // of the verdict
	Since   Instant // of the verdict

	Suspect       bool // doubt that is cheap to raise and to withdraw; a Down link is not suspect, it is Down
	SuspectReason Reason
	SuspectSince  Instant

	Open      bool // the association is up
	NoCarrier bool
	Pinned    bool
	Allowance Allowance // what is left of its data budget

	RTT         time.Duration // smoothed, RFC 6298 section 2; 0: not measured
	Loss        float64       // share of probes lost, 0 to 1, smoothed; a silence that still lasts is not in it
	ForwardLoss float64       // share of the media sent over it that did not arrive, by the far end's word, 0 to 1
	LastGood    Instant       // last proof of life: an answered probe, or the association coming up
	Dwell       time.Duration // delivered media it needs from Proving or Degraded to Up
	Proof       time.Duration // how much of that it has

	Echoes   Echoes
	Arrivals Arrivals
	Refused  Refused
	Capacity Capacity
	ProofAt  Instant
	Strikes  int // falls that followed each other within FlapMemory
	LastFall Instant
}

// Echoes is what the probes of one link have shown.
type Echoes struct {
	Samples     int           // taken into Loss since the link came up, up to lossSpan
	Answers     int           // in a row
	Misses      int           // in a row
	MissedSince Instant       // when the first of them was sent
	Void        int           // misses in a row that our own stall made void
	LossPeak    float64       // like Loss, but forgets slowly: what misses are counted against
	Hole        time.Duration // longest silence lately that ended by itself
	Last        Instant       // of the last sample, answered or not
}

// Arrivals is what the far end said about media on one link.
type Arrivals struct {
	Sent, Arrived float64 // packets, older ones fading
	LostRun       int     // packets sent since one last arrived
	LostReports   int     // reports in that run
	LostSince     Instant
	Last          Instant // something arrived
	Any           bool    // ever, since the link came up
}

// Refused is the run of sends that the kernel refused on one link.
type Refused struct {
	Run   int
	Since Instant
}

// Snapshot is a copy of everything the engine knows.
func (e *Engine) Snapshot() Snapshot {
	s := e.s
	s.Links = slices.Clone(e.s.Links)
	return s
}

// Restore makes the engine that was asked for this snapshot. The policy must be the one it ran with.
func Restore(p Policy, s Snapshot) (*Engine, error) {
	e, err := New(p)
	if err != nil {
		return nil, err
	}
	if len(s.Links) != len(p.Links) {
		return nil, fmt.Errorf("restore the failover engine: the snapshot has %d links, the policy %d; use the policy it was taken with", len(s.Links), len(p.Links))
	}
	for i, v := range s.Links {
		switch {
		case v.Name != p.Links[i].Name:
			return nil, fmt.Errorf("restore the failover engine: link %d is %q in the snapshot and %q in the policy; use the policy it was taken with", i+1, v.Name, p.Links[i].Name)
		case v.Verdict > Up || v.Allowance >= numAllowances || v.Reason >= numReasons || v.SuspectReason >= numReasons:
			return nil, fmt.Errorf("restore the failover engine: the snapshot's link %q is damaged; take another", v.Name)
		}
	}
	all := firstLinks(len(p.Links))
	for _, r := range s.Plan.Route {
		if r.Minus(all) != 0 || r == 0 || s.Plan.HasBest && !all.Has(s.Plan.Best) || s.Doubt >= numReasons || s.Why >= numReasons {
			return nil, fmt.Errorf("restore the failover engine: the snapshot's plan is damaged; take another")
		}
	}
	if r := s.Plan.Rate; r != 0 && (r < p.VideoFloor || r >= p.VideoRate) {
		return nil, fmt.Errorf("restore the failover engine: the snapshot's rate is damaged; take another")
	}
	e.s = s
	e.s.Links = slices.Clone(s.Links)
	return e, nil
}
