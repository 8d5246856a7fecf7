package failover

import "time"

// rule changes a link's verdict and says so.
func (t *turn) rule(l Link, to Verdict, why Reason, lastGood Instant) {
	v := &t.s.Links[l]
	t.d.Rulings = append(t.d.Rulings, Ruling{l, v.Verdict, to, v.Suspect, why, t.at, lastGood})
	v.Verdict, v.Reason, v.Since = to, why, t.at
}

// fall rules a link Down, unless it is.
func (t *turn) fall(l Link, why Reason, lastGood Instant) {
	v := &t.s.Links[l]
	v.Echoes.Answers = 0
	if v.Verdict == Down {
		return
	}
	v.Suspect, v.SuspectReason, v.SuspectSince = false, noReason, 0
	if v.Verdict == Degraded && t.at.Sub(v.Since) < t.p.LongestHole {
		v.Proof = 0 // the same trouble, seen as loss first: one fall
	} else {
		t.strike(v)
	}
	t.rule(l, Down, why, lastGood)
	t.fell.note(why, l)
}

// rise rules a link Proving that was Down, and forgets what the outage has taught about its quality.
func (t *turn) rise(l Link, why Reason) {
	v := &t.s.Links[l]
	if v.Verdict != Down {
		return
	}
	v.RTT, v.Loss, v.ForwardLoss, v.Arrivals, v.Refused = 0, 0, 0, Arrivals{}, Refused{}
	v.Capacity = Capacity{Measured: v.Capacity.Measured, Proved: v.Capacity.Proved}
	v.Echoes = Echoes{Answers: v.Echoes.Answers, LossPeak: t.p.LossPrior, Hole: v.Echoes.Hole, Last: t.at}
	v.Proof, v.ProofAt = 0, t.at
	t.rule(l, Proving, why, v.LastGood)
	t.rose.note(why, l)
}

// strike doubles the dwell of a link that falls again soon after it fell.
func (t *turn) strike(v *LinkView) {
	if v.Strikes > 0 && t.at.Sub(v.LastFall) < t.p.FlapMemory {
		v.Dwell = min(v.Dwell*2, t.p.DwellMost)
		v.Strikes++
	} else {
		v.Dwell, v.Strikes = t.p.Dwell, 1
	}
	v.LastFall = t.at
	v.Proof = 0
}

// judge weighs one link's evidence: first suspicion, then the verdicts above Down. Down itself is ruled where its
// evidence comes in.
func (t *turn) judge(l Link) {
	v := &t.s.Links[l]
	if v.Verdict == Down {
		return
	}
	t.forget(l, v)
	t.suspect(l, v)
	t.thin(l, v)
	why := t.charge(v, t.bad(v))
	if v.Capacity.Thin {
		why = TooThin
	}
	switch {
	case v.Verdict == Up && v.Suspect && v.Echoes.Misses > 0: // silent: how good it is will be seen when it speaks, or is Down
	case v.Verdict == Up && why != noReason:
		t.strike(v)
		t.rule(l, Degraded, why, v.LastGood)
	case v.Verdict == Up:
	case v.Suspect || why != noReason || v.Capacity.Charge != noReason || v.Verdict == Degraded && !t.good(v):
		v.Proof, v.ProofAt = 0, t.at
	case v.Proof >= v.Dwell:
		t.rule(l, Up, Proven, v.LastGood)
	}
}

// suspect raises doubt at once and withdraws it after a second of answers.
func (t *turn) suspect(l Link, v *LinkView) {
	why, good := noReason, v.LastGood
	switch {
	case v.Echoes.Misses >= t.p.SuspectMisses && t.at.Sub(v.Echoes.MissedSince) >= t.patience(v):
		why = ProbesMissed
	case v.Refused.Run > 0:
		why = SendRefused
	case v.Arrivals.nothing(&t.p):
		why, good = OneWayOut, v.lastArrival()
	case t.at.Sub(v.Echoes.Last) >= t.p.sampleDue(l, v):
		why = NoSamples
	}
	switch {
	case why != noReason && !v.Suspect:
		v.Suspect, v.SuspectReason, v.SuspectSince = true, why, t.at
		t.d.Rulings = append(t.d.Rulings, Ruling{l, v.Verdict, v.Verdict, true, why, t.at, good})
	case why == noReason && v.Suspect && v.Echoes.Answers >= t.p.ClearAnswers:
		v.Suspect, v.SuspectReason, v.SuspectSince = false, noReason, 0
		t.d.Rulings = append(t.d.Rulings, Ruling{l, v.Verdict, v.Verdict, false, Answering, t.at, v.LastGood})
	}
}

// bad is what is wrong with a link, if anything is.
func (t *turn) bad(v *LinkView) Reason {
	switch {
	case v.Echoes.Samples >= lossSpan/4 && v.Loss > t.p.DegradeLoss:
		return LossHigh
	case v.Arrivals.Sent >= mediaLeast && v.ForwardLoss > t.p.DegradeLoss:
		return MediaLossHigh
	case v.RTT > t.p.DegradeRTT:
		return RTTHigh
	}
	return noReason
}

// good reports whether a link is well enough to leave Degraded: hysteresis.
func (t *turn) good(v *LinkView) bool {
	return v.Loss <= t.p.RestoreLoss && v.RTT <= t.p.RestoreRTT &&
		(v.Arrivals.Sent < mediaLeast || v.ForwardLoss <= t.p.RestoreLoss)
}

// patience is for how long missed probes alone raise no doubt: a quarter more than the longest hole that the link has lately
// shown to end by itself. A link that pauses now and then, or loses packets here and there, is not doubted for each of them.
func (t *turn) patience(v *LinkView) time.Duration {
	return min(v.Echoes.Hole*5/4, t.p.DoubtPatience)
}
