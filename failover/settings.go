package failover

import (
	"fmt"
	"strconv"
	"time"
)

// setting is one threshold of Policy by name: the one list that Check, and the text form of traces, go by. Exactly one of
// its pointers' getters is set.
type setting struct {
	name     string
	duration func(*Policy) *time.Duration
	count    func(*Policy) *int
	share    func(*Policy) *float64
	bits     func(*Policy) *int // bit/s
}

// settings is the table of all thresholds, in the order of Policy.
var settings = []setting{
	{name: "ProbesPerSecond", count: func(p *Policy) *int { return &p.ProbesPerSecond }},
	{name: "LoneProbes", count: func(p *Policy) *int { return &p.LoneProbes }},
	{name: "FalseAlarmEvery", duration: func(p *Policy) *time.Duration { return &p.FalseAlarmEvery }},
	{name: "LossFloor", share: func(p *Policy) *float64 { return &p.LossFloor }},
	{name: "LossPrior", share: func(p *Policy) *float64 { return &p.LossPrior }},
	{name: "SuspectMisses", count: func(p *Policy) *int { return &p.SuspectMisses }},
	{name: "DoubtPatience", duration: func(p *Policy) *time.Duration { return &p.DoubtPatience }},
	{name: "ClearAnswers", count: func(p *Policy) *int { return &p.ClearAnswers }},
	{name: "DownSilence", duration: func(p *Policy) *time.Duration { return &p.DownSilence }},
	{name: "LongestHole", duration: func(p *Policy) *time.Duration { return &p.LongestHole }},
	{name: "ReviveAnswers", count: func(p *Policy) *int { return &p.ReviveAnswers }},
	{name: "ReportSettle", duration: func(p *Policy) *time.Duration { return &p.ReportSettle }},
	{name: "ReportPackets", count: func(p *Policy) *int { return &p.ReportPackets }},
	{name: "Refusals", count: func(p *Policy) *int { return &p.Refusals }},
	{name: "RefusedFor", duration: func(p *Policy) *time.Duration { return &p.RefusedFor }},
	{name: "SampleDue", duration: func(p *Policy) *time.Duration { return &p.SampleDue }},
	{name: "IdleProbe", duration: func(p *Policy) *time.Duration { return &p.IdleProbe }},
	{name: "MeteredProbe", duration: func(p *Policy) *time.Duration { return &p.MeteredProbe }},
	{name: "CopyProbe", duration: func(p *Policy) *time.Duration { return &p.CopyProbe }},
	{name: "SpentProbe", duration: func(p *Policy) *time.Duration { return &p.SpentProbe }},
	{name: "Heartbeat", duration: func(p *Policy) *time.Duration { return &p.Heartbeat }},
	{name: "Stall", duration: func(p *Policy) *time.Duration { return &p.Stall }},
	{name: "VoidMost", count: func(p *Policy) *int { return &p.VoidMost }},
	{name: "DegradeLoss", share: func(p *Policy) *float64 { return &p.DegradeLoss }},
	{name: "RestoreLoss", share: func(p *Policy) *float64 { return &p.RestoreLoss }},
	{name: "DegradeRTT", duration: func(p *Policy) *time.Duration { return &p.DegradeRTT }},
	{name: "RestoreRTT", duration: func(p *Policy) *time.Duration { return &p.RestoreRTT }},
	{name: "Dwell", duration: func(p *Policy) *time.Duration { return &p.Dwell }},
	{name: "DwellMost", duration: func(p *Policy) *time.Duration { return &p.DwellMost }},
	{name: "FlapMemory", duration: func(p *Policy) *time.Duration { return &p.FlapMemory }},
	{name: "Overlap", duration: func(p *Policy) *time.Duration { return &p.Overlap }},
	{name: "DoubtHold", duration: func(p *Policy) *time.Duration { return &p.DoubtHold }},
	{name: "SwitchoversPerMinute", count: func(p *Policy) *int { return &p.SwitchoversPerMinute }},
	{name: "VideoRate", bits: func(p *Policy) *int { return &p.VideoRate }},
	{name: "VideoFloor", bits: func(p *Policy) *int { return &p.VideoFloor }},
	{name: "VoiceRate", bits: func(p *Policy) *int { return &p.VoiceRate }},
	{name: "Drain", duration: func(p *Policy) *time.Duration { return &p.Drain }},
	{name: "RateHold", duration: func(p *Policy) *time.Duration { return &p.RateHold }},
	{name: "RateStep", share: func(p *Policy) *float64 { return &p.RateStep }},
	{name: "BlameAfter", duration: func(p *Policy) *time.Duration { return &p.BlameAfter }},
	{name: "BloatPatience", duration: func(p *Policy) *time.Duration { return &p.BloatPatience }},
	{name: "ThinFor", duration: func(p *Policy) *time.Duration { return &p.ThinFor }},
	{name: "StopAfter", duration: func(p *Policy) *time.Duration { return &p.StopAfter }},
}

// Bounds outside of which a threshold is a slip of the pen, and arithmetic could overflow.
const (
	mostDuration = 10000 * time.Hour
	mostCount    = 10000
	leastBits    = 10_000
	mostBits     = 1_000_000_000
)

func (t setting) mistake(p *Policy) string {
	switch {
	case t.duration != nil:
		if d := *t.duration(p); d <= 0 || d > mostDuration {
			return fmt.Sprintf("%s is %v; use a time above zero, at most %v", t.name, d, mostDuration)
		}
	case t.count != nil:
		if n := *t.count(p); n < 1 || n > mostCount {
			return fmt.Sprintf("%s is %d; use 1 to %d", t.name, n, mostCount)
		}
	case t.bits != nil:
		if n := *t.bits(p); n < leastBits || n > mostBits {
			return fmt.Sprintf("%s is %d; use %d to %d bit/s", t.name, n, leastBits, mostBits)
		}
	default:
		if f := *t.share(p); !(f > 0 && f <= 0.5) { // not (f <= 0 || f > 0.5): NaN is a mistake too
			return fmt.Sprintf("%s is %v; use a share above 0, at most 0.5", t.name, f)
		}
	}
	return ""
}

func (t setting) text(p *Policy) string {
	switch {
	case t.duration != nil:
		return t.duration(p).String()
	case t.count != nil:
		return strconv.Itoa(*t.count(p))
	case t.bits != nil:
		return strconv.Itoa(*t.bits(p))
	}
	return strconv.FormatFloat(*t.share(p), 'g', -1, 64)
}

func (t setting) set(p *Policy, text string) (err error) {
	switch {
	case t.duration != nil:
		*t.duration(p), err = time.ParseDuration(text)
	case t.count != nil:
		*t.count(p), err = strconv.Atoi(text)
	case t.bits != nil:
		*t.bits(p), err = strconv.Atoi(text)
	default:
		*t.share(p), err = strconv.ParseFloat(text, 64)
	}
	return err
}
