package gateway

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"scanside/link"
)

var update = flag.Bool("update", false, "rewrite the list of metrics")

// gatewayWith has one room or two, each passed on to a WHIP server; it never runs.
func gatewayWith(t *testing.T, rooms int) []*dto.MetricFamily {
	t.Helper()
	api, err := link.NewAPI(link.APIConfig{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	cfg, _ := testConfig(t)
	cfg.Media = api
	cfg.Sites = cfg.Sites[:rooms]
	cfg.Republish = []Republish{{WHIP: "https://sfu.example.org/{site}"}}
	g, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	families, err := g.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func series(t *testing.T, families []*dto.MetricFamily) (n int) {
	t.Helper()
	var b bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(b.String()) {
		if line[0] != '#' {
			n++
		}
	}
	return n
}

// docs/prometheus.md says how many series a gateway has, and how many more with each room.
func TestSeriesBudget(t *testing.T) {
	text, err := os.ReadFile("../docs/prometheus.md")
	if err != nil {
		t.Fatal(err)
	}
	one, two := series(t, gatewayWith(t, 1)), series(t, gatewayWith(t, 2))
	for what, n := range map[string]int{"a gateway, besides its rooms": one - (two - one), "each of its rooms": two - one} {
		m := regexp.MustCompile(`\| ` + what + ` \| ([0-9 ]+) \|`).FindSubmatch(text)
		if m == nil {
			t.Errorf("docs/prometheus.md has no line for %s", what)
			continue
		}
		most, err := strconv.Atoi(strings.ReplaceAll(string(m[1]), " ", ""))
		if err != nil || n > most || n < most*8/10 {
			t.Errorf("%s: %d series, and docs/prometheus.md says at most %d (%v)", what, n, most, err)
		} else {
			t.Logf("%s: %d series, budget %d", what, n, most)
		}
	}
}

// docs/metrics-gateway.md is the list of what there is, drawn from the program itself.
func TestMetricsReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Metrics of the gateway\n\nWhat `scanside-gateway` tells Prometheus on `metrics.listen`; `go test ./gateway -run Reference -update` draws this list. The box's are in\n" +
		"[metrics.md](metrics.md), how to have both collected in [prometheus.md](prometheus.md).\n\n| Metric | Type | Labels | What it says |\n|---|---|---|---|\n")
	for _, f := range gatewayWith(t, 1) {
		if !strings.HasPrefix(f.GetName(), "scanside_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ", "), f.GetHelp())
	}
	const path = "../docs/metrics-gateway.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != b.String() {
		t.Errorf("%s is not what the program tells any more (%v); draw it again: go test ./gateway -run Reference -update", path, err)
	}
}
