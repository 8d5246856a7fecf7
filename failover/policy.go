package failover

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// LinkPolicy is what a policy says about one link.
type LinkPolicy struct {
	Name    string // as people call it; no space
	Metered bool   // its bytes cost money
}

// Policy is every preference and threshold, frozen when the engine is made. Start from DefaultPolicy.
// Sources: [T] TARGETS G1-G12 and its tables, [D] the bands of ITU-T G.114 and telehealth practice, [C] our choice.
type Policy struct {
	Links      []LinkPolicy                      // in order of preference
	Protection [NumPhases][NumStreams]Protection // of each stream's copies

	// Evidence: when silence means something.
	ProbesPerSecond int           // the cadence of probes of a link that anything depends on [T G4]
	LoneProbes      int           // the same of the best link while it alone carries a stream and its bytes cost nothing [T G3]
	FalseAlarmEvery time.Duration // at most one false Down in this time from independent loss alone [T G8]
	LossFloor       float64       // least loss assumed when counting misses; no link is perfect [T, table's first column]
	LossPrior       float64       // loss assumed of a link nothing is known about yet [C]
	SuspectMisses   int           // misses in a row that make a link suspect [T G4]
	DoubtPatience   time.Duration // a link that has shown holes is not suspect within one more like them, but for this long at most [T G4]
	ClearAnswers    int           // answers in a row that clear it: a second of probes [C]
	DownSilence     time.Duration // no Down for less silence than this: LTE has holes up to 0.72 s that end by themselves [T]
	LongestHole     time.Duration // silence that ended by itself within this time teaches patience; longer is an outage [C]
	ReviveAnswers   int           // answers in a row before a silent link is Proving: more than one stray [C]
	ReportSettle    time.Duration // a leg must carry this long before "nothing arrived" counts: counts are a round trip apart [C]
	ReportPackets   int           // packets of which none arrived that make a link suspect: 200 ms of voice [C]
	Refusals        int           // sends refused in a row, over at least RefusedFor, that rule Down [C]
	RefusedFor      time.Duration // a route that is replaced refuses for tens of ms [C]
	SampleDue       time.Duration // no probe's outcome for so long, and for three idle intervals, makes a link suspect [C]

	// Probes of a link that carries nothing and is well: what they cost against how late its death is noticed [T G4, G11].
	IdleProbe    time.Duration // usually
	MeteredProbe time.Duration // of a proven link whose bytes cost money
	CopyProbe    time.Duration // of a metered one that carries copies alone, while the far end counts them in: they are evidence themselves
	SpentProbe   time.Duration // of one whose budget is spent; a NAT forgets a silent path after 27 s [T G11]

	// Stalls of our own: when silence means nothing.
	Heartbeat time.Duration // Step wants to be called at least this often [C]
	Stall     time.Duration // later than that by this much: we slept, and what was waited for meanwhile is void [C]
	VoidMost  int           // but no more misses in a row than this are void: 1 s of probes [C]

	// Verdicts.
	DegradeLoss float64       // worse is Degraded [D: reduced band]
	RestoreLoss float64       // it must be better than this to become Up again [C: hysteresis]
	DegradeRTT  time.Duration // half-way between the good band (200 ms) and the limit (400 ms) [D]
	RestoreRTT  time.Duration // the good band [D]
	Dwell       time.Duration // delivered media before a link is Up [T G9]
	DwellMost   time.Duration // Dwell doubles with each fall, to this [T G9]
	FlapMemory  time.Duration // falls further apart than this do not add up [C]

	// Plans.
	Overlap              time.Duration // how long the successor carries a stream before the old link leaves: several round trips (F3) [C]
	DoubtHold            time.Duration // how long all must be well before extra copies end [C]
	SwitchoversPerMinute int           // of one stream, while no link is Down and nobody asks (F4) [C]

	// The picture's rate.
	VideoRate     int           // bit/s of the picture where no link sets a limit: what is configured
	VideoFloor    int           // bit/s of the least picture worth sending: 640x360, 15 a second [D: DR-36] [C]
	VoiceRate     int           // bit/s kept free on each link for voice, headers and probes: 52 + 13 kbit/s, and some [C]
	Drain         time.Duration // a queue of our own as long as this takes all that is left for the picture [C]
	RateHold      time.Duration // how long a rate holds before it rises [C]
	RateStep      float64       // by how much it rises at most where no link has shown its limit [C]
	BlameAfter    time.Duration // a fault must last this long before a link is ruled by it: until then an estimate may say it is ours [C]
	BloatPatience time.Duration // how long a queue of our own excuses a link's round trip and loss [C]
	ThinFor       time.Duration // how long a link must be known to carry less than voice and VideoFloor before that counts [C]
	StopAfter     time.Duration // how long all links must be so thin before the picture stops for voice's sake [C]
}

// DefaultPolicy is the policy for these links, in order of preference. Where none is metered both streams are sent over
// all of them. Where one is, copies wait for doubt; while a procedure is open voice is sent over all links, and video over
// all that cost nothing.
func DefaultPolicy(links ...LinkPolicy) Policy {
	p := Policy{
		Links:           links,
		ProbesPerSecond: 20,
		LoneProbes:      50,
		FalseAlarmEvery: 720 * time.Hour,
		LossFloor:       0.01,
		LossPrior:       0.1,
		SuspectMisses:   2,
		DoubtPatience:   100 * time.Millisecond,
		ClearAnswers:    20,
		DownSilence:     800 * time.Millisecond,
		LongestHole:     5 * time.Second,
		ReviveAnswers:   3,
		ReportSettle:    500 * time.Millisecond,
		ReportPackets:   10,
		Refusals:        10,
		RefusedFor:      200 * time.Millisecond,
		SampleDue:       5 * time.Second,

		IdleProbe:    time.Second,
		MeteredProbe: 4 * time.Second,
		CopyProbe:    200 * time.Millisecond,
		SpentProbe:   10 * time.Second,

		Heartbeat: 50 * time.Millisecond,
		Stall:     50 * time.Millisecond,
		VoidMost:  20,

		DegradeLoss: 0.05,
		RestoreLoss: 0.02,
		DegradeRTT:  300 * time.Millisecond,
		RestoreRTT:  200 * time.Millisecond,
		Dwell:       10 * time.Second,
		DwellMost:   5 * time.Minute,
		FlapMemory:  10 * time.Minute,

		Overlap:              500 * time.Millisecond,
		DoubtHold:            2 * time.Second,
		SwitchoversPerMinute: 12,

		VideoRate:     2_500_000,
		VideoFloor:    200_000,
		VoiceRate:     80_000,
		Drain:         time.Second,
		RateHold:      2 * time.Second,
		RateStep:      0.25,
		BlameAfter:    time.Second,
		BloatPatience: 5 * time.Second,
		ThinFor:       time.Second,
		StopAfter:     3 * time.Second,
	}
	for _, l := range links {
		if l.Metered {
			p.Protection = [NumPhases][NumStreams]Protection{Idle: {Voice: OnDoubt, Video: OnDoubt}, InProcedure: {Voice: Always, Video: ByCost}}
		}
	}
	return p
}

// maxActs bounds the engine's memory of its own switchovers.
const maxActs = 16

// acts is how many changes the engine may make of its own will in a minute. Each is at most two switchovers of a stream
// (a copy comes, a copy goes); one more may be a copy that doubt brought, and each link may once end its proof.
func (p *Policy) acts() int { return min((p.SwitchoversPerMinute-1-len(p.Links))/2, maxActs) }

// Check finds all mistakes together; nil if there are none.
func (p Policy) Check() error {
	var all []error
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if n := len(p.Links); n < 1 || n > MaxLinks {
		wrong("%d links; name 1 to %d", n, MaxLinks)
	}
	for i, l := range p.Links {
		if l.Name == "" || strings.ContainsFunc(l.Name, func(r rune) bool { return r <= ' ' || r == '#' || r == '{' || r == '}' }) {
			wrong("link %d is called %q; give it a name without space, # and braces", i+1, l.Name)
		}
		for _, m := range p.Links[:i] {
			if m.Name == l.Name {
				wrong("two links are called %q; give each its own name", l.Name)
			}
		}
	}
	for s := range Stream(NumStreams) {
		if p.Protection[Idle][s] >= numProtections || p.Protection[InProcedure][s] >= numProtections {
			wrong("protection of %v is %s; use always, on-doubt, by-cost or never", s, p.protectionText(s))
		}
	}
	for _, t := range settings {
		if msg := t.mistake(&p); msg != "" {
			wrong("%s", msg)
		}
	}
	if p.RestoreLoss > p.DegradeLoss {
		wrong("RestoreLoss %v is above DegradeLoss %v; make it smaller, or the verdict flaps", p.RestoreLoss, p.DegradeLoss)
	}
	if p.RestoreRTT > p.DegradeRTT {
		wrong("RestoreRTT %v is above DegradeRTT %v; make it smaller, or the verdict flaps", p.RestoreRTT, p.DegradeRTT)
	}
	if p.DwellMost < p.Dwell {
		wrong("DwellMost %v is below Dwell %v; make it larger", p.DwellMost, p.Dwell)
	}
	if p.VideoFloor > p.VideoRate {
		wrong("VideoFloor %d is above VideoRate %d; make it smaller", p.VideoFloor, p.VideoRate)
	}
	if least := len(p.Links) + 3; p.SwitchoversPerMinute < least {
		wrong("SwitchoversPerMinute is %d; with %d links allow at least %d", p.SwitchoversPerMinute, len(p.Links), least)
	}
	return errors.Join(all...)
}

func (p *Policy) name(l Link) string {
	if int(l) < len(p.Links) {
		return p.Links[l].Name
	}
	return fmt.Sprintf("link%d", l)
}

// DownMisses is how many probes in a row must be lost before silence rules a link Down that loses this share of its
// packets independently: the smallest n with N(1-p)p^n <= 1, where N probes are sent in FalseAlarmEvery. N(1-p)p^n is the
// expected number of runs of n losses, so n >= ln(N(1-p)) / ln(1/p). The loss is taken to be at least LossFloor and at
// most one half: beyond, patience would cost more than a false alarm.
//
// It multiplies instead of taking logarithms, and every product is rounded by itself, so that every machine counts the
// same (F5).
func (p *Policy) DownMisses(loss float64) int {
	loss = min(max(loss, p.LossFloor), 0.5)
	runs := float64(float64(max(p.ProbesPerSecond, p.LoneProbes))*p.FalseAlarmEvery.Seconds()) * (1 - loss)
	n := 0
	for ; runs > 1; n++ {
		runs = float64(runs * loss)
	}
	return max(n, p.SuspectMisses+1)
}
