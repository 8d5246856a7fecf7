package failover

import (
	"math"
	"strings"
	"testing"
	"time"
)

// two is a wired and a metered cellular link; voice is copied always, video on doubt.
func two() Policy {
	p := DefaultPolicy(LinkPolicy{Name: "wired"}, LinkPolicy{Name: "cellular", Metered: true})
	p.Protect(Voice, Always)
	p.Protect(Video, OnDoubt)
	return p
}

// Consecutive losses so that independent loss gives at most one false alarm in 720 h (TARGETS, the table below G19; its
// rows for reports at 20 a second and probes at 1 a second).
func TestDownMisses(t *testing.T) {
	for _, c := range []struct {
		perSecond int
		loss      float64
		want      int
	}{
		{20, 0.01, 4}, {20, 0.05, 6}, {20, 0.10, 8}, {20, 0.20, 11}, {20, 0.30, 15},
		{1, 0.01, 4}, {1, 0.05, 5}, {1, 0.10, 7}, {1, 0.20, 10}, {1, 0.30, 12},
		{20, 0, 4},    // no link is perfect
		{20, 0.9, 25}, // beyond one half, patience would cost more than a false alarm
	} {
		p := two()
		p.ProbesPerSecond, p.LoneProbes = c.perSecond, c.perSecond
		got := p.DownMisses(c.loss)
		if got != c.want {
			t.Errorf("%d probes a second, loss %v: %d misses, want %d", c.perSecond, c.loss, got, c.want)
		}
		loss := min(max(c.loss, p.LossFloor), 0.5)
		probes := float64(c.perSecond) * p.FalseAlarmEvery.Seconds()
		if n := math.Log(probes*(1-loss)) / math.Log(1/loss); got != int(math.Ceil(n)) {
			t.Errorf("loss %v: multiplied %d, by logarithms %v", c.loss, got, n)
		}
	}
}

func TestDefaultPolicy(t *testing.T) {
	if err := two().Check(); err != nil {
		t.Error(err)
	}
	metered := DefaultPolicy(LinkPolicy{Name: "wired"}, LinkPolicy{Name: "cellular", Metered: true}).Protection
	if metered != [NumPhases][NumStreams]Protection{{OnDoubt, OnDoubt}, {Always, ByCost}} {
		t.Errorf("with a metered link: %v", metered)
	}
	if p := DefaultPolicy(LinkPolicy{Name: "a"}, LinkPolicy{Name: "b"}).Protection; p != [NumPhases][NumStreams]Protection{} {
		t.Errorf("without: %v", p)
	}
}

// All mistakes are reported together, and each says what to do.
func TestCheckReportsEveryMistake(t *testing.T) {
	p := two()
	p.Links = append(p.Links, LinkPolicy{Name: "wired"}, LinkPolicy{Name: "two words"})
	p.Protect(Video, 7)
	p.Overlap, p.SuspectMisses, p.DegradeLoss = 0, 0, math.NaN()
	p.RestoreRTT, p.DwellMost = time.Second, time.Second
	p.SwitchoversPerMinute = 3
	err := p.Check()
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, want := range []string{`two links are called "wired"`, `called "two words"`, "protection of video is unknown(7)", "Overlap is 0s",
		"SuspectMisses is 0", "DegradeLoss is NaN", "RestoreRTT 1s is above", "DwellMost 1s is below", "allow at least 7"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not among the mistakes:\n%v", want, err)
		}
	}
	if _, err := New(Policy{}); err == nil || !strings.Contains(err.Error(), "name 1 to 8") {
		t.Errorf("an empty policy: %v", err)
	}
}

// Every threshold of Policy is in the table that Check and traces go by.
func TestSettingsAreComplete(t *testing.T) {
	var p, q Policy
	for _, s := range settings {
		switch {
		case s.duration != nil:
			*s.duration(&p) = 1
		case s.count != nil:
			*s.count(&p) = 1
		case s.bits != nil:
			*s.bits(&p) = 1
		default:
			*s.share(&p) = 1
		}
		if err := s.set(&q, s.text(&p)); err != nil || s.text(&q) != s.text(&p) {
			t.Errorf("%s does not read back what it writes: %v", s.name, err)
		}
	}
	text := strings.Split(strings.Trim(sprint(p), "{}"), " ")
	for _, field := range text[2:] { // after links and protection
		if strings.HasSuffix(field, ":0") || strings.HasSuffix(field, ":0s") {
			t.Errorf("%s is not in the table of settings", field)
		}
	}
}

func TestWords(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Reasons() {
		s := r.Sentence("wired")
		if s == "" || strings.Contains(s, "@") || seen[r.String()] || seen[s] {
			t.Errorf("reason %d: %q, %q", r, r, s)
		}
		seen[r.String()], seen[s] = true, true
		var back Reason
		if text, _ := r.MarshalText(); back.UnmarshalText(text) != nil || back != r {
			t.Errorf("%v reads back as %v", r, back)
		}
	}
	var v Verdict
	if err := v.UnmarshalText([]byte("fine")); err == nil || !strings.Contains(err.Error(), "degraded") {
		t.Errorf("a verdict that is none: %v", err)
	}
	if got := Verdict(9).String() + Reason(99).Sentence("x") + Stream(3).String(); got != "unknown(9)unknown(99)unknown(3)" {
		t.Error(got)
	}
	for at, want := range map[Instant]string{0: "0.000", 1: "0.000000001", -5e8: "-0.500", 10350e6: "10.350", 12345678e3: "12.345678"} {
		if at.String() != want {
			t.Errorf("%d is written %s, want %s", int64(at), at, want)
		}
	}
}
