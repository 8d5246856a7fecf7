package agent

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"scanside/agent/status"
	"scanside/budget"
	"scanside/devices"
	"scanside/diagnosis"
	"scanside/failover"
	"scanside/media"
)

// roomWith is an agent that never runs, whose newest snapshot shows everything that a room of its size can show.
func roomWith(t *testing.T, uplinks, each, fars int) *Agent {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Site, cfg.StateDir, cfg.Status.Listen = "mri-2", t.TempDir(), ""
	for i := range fars {
		cfg.FarEnds = append(cfg.FarEnds, FarEnd{URL: fmt.Sprintf("http://far-%d", i), Token: strings.Repeat("t", shortestToken)})
	}
	for i := range uplinks {
		cfg.Uplinks = append(cfg.Uplinks, Uplink{Name: fmt.Sprintf("uplink-%d", i), Interface: fmt.Sprintf("eth%d", i), Metered: true, Budget: Budget{Gigabytes: 20}})
	}
	a, err := New(cfg, Parts{})
	if err != nil {
		t.Fatal(err)
	}
	s, st, now, one := *a.Snapshot(), *a.Snapshot().Status, time.Now(), 1.0
	s.Status = &st
	st.Uplinks = slices.Clone(st.Uplinks)
	for i := range st.Uplinks {
		u := &st.Uplinks[i]
		u.RTT, u.Loss, u.ForwardLoss, u.Estimate, u.Carrier = &one, &one, &one, &one, "up"
		u.Budget.Until, u.Budget.Level = now, budget.Low.String()
		u.Fault.Layers = nil
		for layer := diagnosis.Device; layer < diagnosis.NumLayers; layer++ {
			u.Fault.Layers = append(u.Fault.Layers, status.Layer{Name: layer.String(), Result: diagnosis.OK.String()})
		}
	}
	s.flows = nil
	for k := range media.NumKinds {
		f := status.Stream{Kind: media.Kind(k).String(), Choice: status.Choice{Takeovers: map[string]uint64{}}}
		for _, r := range devices.Reasons() {
			f.Choice.Takeovers[r.String()] = 1
		}
		for i := range each {
			f.Devices = append(f.Devices, status.Device{Name: fmt.Sprintf("device-%d", i), Condition: "ok"})
		}
		s.flows = append(s.flows, f)
	}
	st.FarEnd.Known, st.Loudspeaker.Configured = true, true
	st.Audit.Folder = "audit"
	st.Drill.Last = &status.DrillResult{}
	st.SelfTest.Results = []status.Check{{Name: "camera"}, {Name: "speaker-to-microphone"}, {Name: "say-something"}}
	a.latest.Store(&s)
	return a
}

func largest(t *testing.T) *Agent { return roomWith(t, maxUplinks, maxDevices, maxFarEnds) }

// described is one metric family.
type described struct {
	name, kind, help string
	labels           []string
}

func metricsOf(t *testing.T, a *Agent) (all []described) {
	t.Helper()
	for _, f := range gathered(t, a) {
		if !strings.HasPrefix(f.GetName(), "scanside_") {
			continue
		}
		d := described{name: f.GetName(), kind: strings.ToLower(f.GetType().String()), help: f.GetHelp()}
		for _, l := range f.GetMetric()[0].GetLabel() {
			d.labels = append(d.labels, l.GetName())
		}
		all = append(all, d)
	}
	return all
}

func gathered(t *testing.T, a *Agent) []*dto.MetricFamily {
	t.Helper()
	families, err := a.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// series is how many Prometheus keeps of what is scraped as text: a histogram is one for each bucket, and two.
func series(t *testing.T, families []*dto.MetricFamily) (n int) {
	t.Helper()
	for line := range strings.Lines(exposed(t, families)) {
		if line[0] != '#' {
			n++
		}
	}
	return n
}

func exposed(t *testing.T, families []*dto.MetricFamily) string {
	t.Helper()
	var b bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// The number of series that docs/prometheus.md promises is one that no room exceeds, and that an ordinary room has.
func TestSeriesBudget(t *testing.T) {
	text, err := os.ReadFile("../docs/prometheus.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		room *Agent
	}{
		{"two uplinks, one camera, one microphone, one far end", roomWith(t, 2, 1, 1)},
		{"eight uplinks, four cameras, four microphones, four far ends", largest(t)},
	} {
		m := regexp.MustCompile(`\| ` + c.what + ` \| ([0-9 ]+) \|`).FindSubmatch(text)
		if m == nil {
			t.Errorf("docs/prometheus.md has no line for %s", c.what)
			continue
		}
		most, err := strconv.Atoi(strings.ReplaceAll(string(m[1]), " ", ""))
		if n := series(t, gathered(t, c.room)); err != nil || n > most || n < most*9/10 {
			t.Errorf("%s: %d series, and docs/prometheus.md says at most %d (%v); a budget is what is needed and a tenth at most", c.what, n, most, err)
		} else {
			t.Logf("%s: %d series, budget %d", c.what, n, most)
		}
	}
}

// Prometheus' own conventions, with everything shown that can be.
func TestMetricsLint(t *testing.T) {
	problems, err := promlint.NewWithMetricFamilies(gathered(t, largest(t))).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", err, problems)
	}
}

// A histogram is both: buckets for those who scrape text, a native one for those who ask for it.
func TestHistogramsAreBoth(t *testing.T) {
	a := roomWith(t, 2, 1, 1)
	a.metrics.told(&change{reason: failover.ProbesMissed, known: true, streams: [media.NumKinds]bool{true, true},
		gaps: [media.NumKinds]gap{{40 * time.Millisecond, true}, {60 * time.Millisecond, true}}})
	a.metrics.settled(&change{reason: failover.ProbesMissed, detect: 50 * time.Millisecond, switched: 30 * time.Millisecond})
	seen := 0
	for _, f := range gathered(t, a) {
		if f.GetType() != dto.MetricType_HISTOGRAM || !strings.HasPrefix(f.GetName(), "scanside_") {
			continue
		}
		for _, m := range f.GetMetric() {
			h := m.GetHistogram()
			if len(h.GetBucket()) == 0 || h.Schema == nil {
				t.Errorf("%s: %d classic buckets, native %v", f.GetName(), len(h.GetBucket()), h.Schema != nil)
			}
			if h.GetSampleCount() > 0 && len(h.GetPositiveDelta())+int(h.GetZeroCount()) == 0 {
				t.Errorf("%s: counted, but not natively", f.GetName())
			}
			seen += int(h.GetSampleCount())
		}
	}
	if seen != 5 {
		t.Errorf("%d observations, want 2 gaps, detection, resumption, replay", seen)
	}
}
