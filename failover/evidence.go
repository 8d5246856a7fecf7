package failover

import "time"

// How fast measurements forget. Powers of two; every product is rounded by itself (an explicit conversion), since a fused
// multiply-add would give other bits on other machines (F5).
const (
	lossSpan   = 64                      // samples that Loss looks back on: 3 s of probes
	peakSpan   = 512                     // samples that LossPeak looks back on: 26 s
	leastLoss  = 1e-9                    // is no loss; smaller numbers are slow to compute with, far down
	runCounts  = 3                       // losses that one run of misses counts as, at most: a hole in the air is not loss
	rttSpan    = 8                       // RFC 6298 (2.3): alpha = 1/8
	mediaSpan  = 64                      // reports that ForwardLoss looks back on: 3 s
	mediaLeast = 100                     // packets below which ForwardLoss says nothing: 2 s of voice
	holeSpan   = 1 << 14                 // answers in which a hole is all but forgotten: 14 min of probes
	mediaWorth = 5 * time.Second         // after the last media: what they lost says nothing of the link any more
	proofGap   = 1500 * time.Millisecond // longest time that one answer or report can prove: an idle interval and a half
)

// take puts one event into the engine's memory, and rules where the event itself is the ruling.
func (t *turn) take(ev Event) {
	if ev.kind == tick {
		return
	}
	if ev.kind == procedure {
		if t.s.Procedure != ev.on {
			t.s.Procedure = ev.on
			t.told.note(pick(ev.on, ProcedureOpened, ProcedureClosed), t.s.Plan.Best)
		}
		return
	}
	if int(ev.link) >= len(t.s.Links) {
		return
	}
	v := &t.s.Links[ev.link]
	switch ev.kind {
	case opened:
		t.open(ev.link, v)
	case closed:
		v.Open, v.Capacity = false, Capacity{Proved: v.Capacity.Proved}
		t.fall(ev.link, Disconnected, v.LastGood)
	case carrier:
		v.NoCarrier = !ev.on
		if !ev.on {
			t.fall(ev.link, CarrierLost, v.LastGood)
		}
	case pinned:
		t.pin(ev.link, ev.on)
	case budget:
		if before := v.Allowance; before != ev.left {
			v.Allowance = ev.left
			t.told.note(pick(ev.left > before, ev.left.reason(), BudgetBack), ev.link)
		}
	}
	if !v.Open {
		return // what follows is about an association that has ended
	}
	switch ev.kind {
	case sampled:
		v.Echoes.Last = t.at
		if ev.on {
			t.answered(ev.link, v, ev.took, ev.late)
		} else {
			t.missed(ev.link, v, ev.took)
		}
	case reported:
		t.reported(ev.link, v, ev.sent, ev.arrived)
	case estimated:
		t.estimated(v, int(ev.rate), ev.took)
	case sendFailed:
		if v.Refused.Run == 0 {
			v.Refused.Since = t.at
		}
		v.Refused.Run++
		if v.Refused.Run >= t.p.Refusals && t.at.Sub(v.Refused.Since) >= t.p.RefusedFor {
			t.fall(ev.link, SendRefused, v.LastGood)
		}
	}
}

func pick(on bool, a, b Reason) Reason {
	if on {
		return a
	}
	return b
}

func (t *turn) open(l Link, v *LinkView) {
	if v.Open {
		return
	}
	v.Open, v.NoCarrier, v.LastGood = true, false, t.at
	t.rise(l, Connected)
}

func (t *turn) pin(l Link, on bool) {
	if t.s.Links[l].Pinned == on {
		return
	}
	for i := range t.s.Links {
		t.s.Links[i].Pinned = on && Link(i) == l
	}
	t.told.note(OperatorPin, l)
}

// answered takes in a proof of life.
func (t *turn) answered(l Link, v *LinkView, rtt time.Duration, late bool) {
	o := &v.Echoes
	quiet := v.Verdict != Down || v.Reason == ProbesMissed // rather than cut loudly
	if hole := t.at.Sub(o.MissedSince); o.Misses > 0 && quiet && hole <= t.p.LongestHole {
		o.Hole = max(o.Hole, hole)
	}
	if v.Verdict != Down {
		for range min(o.Misses, runCounts) {
			v.lost(1)
		}
		if late {
			v.Loss = max(0, v.Loss-1.0/lossSpan) // counted as lost before
		} else {
			v.lost(0)
		}
	}
	o.Misses, o.Void = 0, 0
	o.Answers++
	o.Hole -= o.Hole / holeSpan
	v.Refused.Run = 0
	v.LastGood = t.at
	if v.RTT == 0 {
		v.RTT = rtt
	} else {
		v.RTT += (rtt - v.RTT) / rttSpan
	}
	if v.Verdict == Down && o.Answers >= t.p.ReviveAnswers && (v.Reason != OneWayOut || t.at.Sub(v.Since) >= v.Dwell) {
		v.NoCarrier = false // an authenticated answer outranks the driver's word
		t.rise(l, Answering)
	}
	if !t.carries(l) {
		t.prove(v)
	}
}

// lost takes one probe's fate into Loss and LossPeak: 1 lost, 0 answered.
func (v *LinkView) lost(x float64) {
	o := &v.Echoes
	if o.Samples < lossSpan {
		o.Samples++
	}
	if v.Loss += float64((x - v.Loss) / float64(o.Samples)); v.Loss < leastLoss {
		v.Loss = 0
	}
	if o.Samples < lossSpan/4 {
		return // too few to raise the peak by
	}
	o.LossPeak = max(v.Loss, leastLoss, o.LossPeak+float64((v.Loss-o.LossPeak)/peakSpan))
}

// missed takes in a probe without an answer; it was waited for that long.
func (t *turn) missed(l Link, v *LinkView, waited time.Duration) {
	o := &v.Echoes
	sent := t.at.Add(-waited)
	if sent < t.s.StallEnd && o.Void < t.p.VoidMost {
		o.Void++
		return
	}
	if o.Misses == 0 {
		o.MissedSince = max(sent, 0)
	}
	o.Misses++
	o.Answers = 0
	if v.Verdict != Down && o.Misses >= t.p.DownMisses(o.LossPeak) && t.at.Sub(o.MissedSince) >= t.silence(v) {
		why := ProbesMissed
		if a := &v.Arrivals; a.Any && a.LostRun == 0 && a.Last > o.MissedSince && t.at.Sub(a.Last) <= t.p.ReportSettle {
			why = OneWayBack
		}
		t.fall(l, why, v.LastGood)
	}
}

// silence is the least that rules Down: what the policy says, or half as long again as the longest hole the link has
// shown lately.
func (t *turn) silence(v *LinkView) time.Duration {
	return max(t.p.DownSilence, v.Echoes.Hole*3/2)
}

// reported takes in the far end's count. Of a link that carries nothing it tells what was, an outage perhaps. A run of reports without one packet is kept apart until it ends or rules: it is an
// outage, not loss.
func (t *turn) reported(l Link, v *LinkView, sent, arrived uint32) {
	a := &v.Arrivals
	sent, arrived = min(sent, mostCount), min(arrived, mostCount)
	switch {
	case !t.carries(l):
		if arrived > 0 && v.Verdict == Down && v.Reason == OneWayOut {
			t.rise(l, Answering)
		}
	case arrived > 0:
		a.count(float64(sent)+float64(a.LostRun), float64(arrived))
		v.ForwardLoss = max(0, 1-a.Arrived/a.Sent)
		a.LostRun, a.LostReports = 0, 0
		a.Last, a.Any = t.at, true
		if v.Verdict == Down && v.Reason == OneWayOut {
			t.rise(l, Answering)
		}
		t.prove(v)
	case sent > 0 && t.carriedFor(l) >= t.p.ReportSettle:
		if a.LostRun == 0 {
			a.LostSince = t.at
		}
		a.LostRun = min(a.LostRun+int(sent), mostCount)
		a.LostReports++
		if a.nothing(&t.p) && a.LostRun >= t.p.DownMisses(v.Echoes.LossPeak) && t.at.Sub(a.LostSince) >= t.silence(v) {
			if v.Echoes.Misses >= t.p.SuspectMisses {
				t.fall(l, ProbesMissed, v.LastGood)
			} else {
				t.fall(l, OneWayOut, v.lastArrival())
			}
		}
	}
}

// forget gives up what a link that carries nothing any more has lost of its media. It is judged by its probes: what it lost once would
// otherwise speak against it for ever. Where probes were not lost as media were, they cannot tell when that is over (a packet as large as a
// probe passes where a picture's do not): then it is tried again, but not soon.
func (t *turn) forget(l Link, v *LinkView) {
	worth := mediaWorth
	if v.Echoes.LossPeak < v.ForwardLoss/2 {
		worth = t.p.DwellMost
	}
	if a := &v.Arrivals; a.Sent > 0 && !t.carries(l) && t.at.Sub(max(a.Last, v.Since)) >= worth {
		v.ForwardLoss, a.Sent, a.Arrived = 0, 0, 0
	}
}

// lastArrival is when media last arrived, or could first have.
func (v *LinkView) lastArrival() Instant {
	if v.Arrivals.Any {
		return v.Arrivals.Last
	}
	return v.Since
}

// nothing reports whether the far end says, credibly, that nothing arrives.
func (a *Arrivals) nothing(p *Policy) bool { return a.LostReports >= 2 && a.LostRun >= p.ReportPackets }

func (a *Arrivals) count(sent, arrived float64) {
	a.Sent += sent - float64(a.Sent/mediaSpan)
	a.Arrived += arrived - float64(a.Arrived/mediaSpan)
	a.Sent = max(a.Sent, 1)
}

// carriedFor is how long the link has carried any stream.
func (t *turn) carriedFor(l Link) time.Duration {
	var d time.Duration
	for s, r := range t.s.Plan.Route {
		if r.Has(l) {
			d = max(d, t.at.Sub(t.s.Carried[s][l]))
		}
	}
	return d
}

// prove adds the time since the last proof, if that was not long ago.
func (t *turn) prove(v *LinkView) {
	v.Proof += min(t.at.Sub(v.ProofAt), proofGap)
	v.ProofAt = t.at
}
