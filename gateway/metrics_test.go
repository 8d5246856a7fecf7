package gateway

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"scanside/media"
)

func TestMetricsLint(t *testing.T) {
	f := newFixture(t)
	problems, err := testutil.GatherAndLint(f.Registry())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "scanside_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// Absent and zero are not the same: every label value is there from the start.
func TestMetricsAreThereFromTheStart(t *testing.T) {
	f := newFixture(t)
	families, err := f.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, family := range families {
		got[family.GetName()] = len(family.GetMetric())
	}
	for name, want := range map[string]int{
		"scanside_gateway_box_connected": 2, "scanside_gateway_merged_packets_total": 2 * 2 * 2, "scanside_gateway_lost_packets_total": 8,
		"scanside_gateway_viewer_dropped_packets_total": 4, "scanside_gateway_sign_ins_total": len(signInResults),
		"scanside_gateway_refused_sessions_total": len(refusals), "scanside_gateway_sessions": 1, "go_goroutines": 1,
	} {
		if got[name] != want {
			t.Errorf("%s has %d series, want %d", name, got[name], want)
		}
	}
}

// A packet that was given up and comes late is no longer lost to its merger; to Prometheus a counter that steps back is a restart.
func TestLostPacketsNeverStepBack(t *testing.T) {
	f := newFixture(t)
	r := f.room("north")
	for _, step := range []struct{ lost, want uint64 }{{5, 5}, {3, 5}, {7, 7}} {
		r.mu.Lock()
		r.sums.merged[media.Voice].Lost = step.lost
		r.mu.Unlock()
		families, err := f.Registry().Gather()
		if err != nil {
			t.Fatal(err)
		}
		var sum float64
		for _, family := range families {
			if family.GetName() == "scanside_gateway_lost_packets_total" {
				for _, m := range family.GetMetric() {
					sum += m.GetCounter().GetValue()
				}
			}
		}
		if sum != float64(step.want) {
			t.Errorf("%d lost: exported %v, want %d", step.lost, sum, step.want)
		}
	}
}
