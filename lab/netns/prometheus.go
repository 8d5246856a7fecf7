package netns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"scanside/lab/scenario"
)

// Where the Prometheuses and node_exporter listen: on the box, and at the far end.
const (
	siteProm    = "127.0.0.1:9090"
	sendingProm = "127.0.0.1:9091"
	nodeExports = "127.0.0.1:9100"
	centralProm = farAddress + ":9090"
)

// Names of the room as it comes by each way.
const (
	scraped = site
	asFile  = site + "-textfile"
)

// Watched is what real Prometheuses saw of a cable that was pulled and put back. Seconds are from the act.
type Watched struct {
	Figure   string  `json:"figure"`
	Factor   float64 `json:"for_divided_by"`       // what the alerts' `for` were divided by
	Series   int     `json:"series_scraped"`       // from the agent, in one scrape
	File     int     `json:"series_in_textfile"`   // of these, by node_exporter
	Fired    float64 `json:"site_fired_s"`         // the alert, at the Prometheus beside the box
	Central  float64 `json:"central_fired_s"`      // and at the one at the far end, that is written to over the uplinks
	Resolved float64 `json:"site_resolved_s"`      //
	Over     float64 `json:"central_resolved_s"`   //
	Others   int     `json:"other_alerts"`         // that fired meanwhile
	Queries  int     `json:"dashboard_queries"`    // that were asked
	Empty    int     `json:"dashboard_empty"`      // of these, without a series though they should have one
	Samples  int     `json:"samples"`              // of one series beside the box, from the pull until the end
	Missed   int     `json:"central_lost_samples"` // of these, those that the central one does not have
	Bytes    int     `json:"remote_write_bytes"`   // bodies that went to the far end, compressed
	Sent     int     `json:"remote_write_samples"` // in these
	Native   int     `json:"native_observations"`  // of silences around switchovers, in the native histogram
}

// MeasurePrometheus has real Prometheuses watch a room: one beside the box scrapes it, also by way of node_exporter's textfiles; an ordinary
// agent beside it writes to a third one at the far end over whichever uplink lives. The primary's cable is pulled, and put back.
func MeasurePrometheus(ctx context.Context, cfg Config, shipped string, factor float64) (Watched, error) {
	r := Watched{Figure: "prometheus", Factor: factor}
	w, err := NewWorld(ctx, cfg, uplinksOf())
	if err != nil {
		return r, err
	}
	defer w.Close()
	p := &people{World: w}
	if err := p.come(ctx, scenario.Scenario{Uplinks: w.uplinks, Voice: "always", Video: "always"}); err != nil {
		return r, err
	}
	if err := w.startPrometheus(filepath.Join(shipped, "prometheus"), factor); err != nil {
		return r, err
	}
	at, far := prometheus(w.place.room, siteProm), prometheus(w.place.far, centralProm)
	all := w.programs(p.far, p.room)
	reach := func(limit time.Duration, what string, at asked, query string, series int) error {
		return until(ctx, limit, every/4, what, all, func() error { return at.expect(ctx, query, series) })
	}
	w.say("waiting until both know of the room, and no alert fires")
	const up = `scanside_link_state{state="up"} == 1`
	if err := errors.Join(reach(starting, "beside the box", at, up, 4), reach(starting, "at the far end", far, up, 2)); err != nil {
		return r, err
	}
	if err := sleep(ctx, settled); err != nil {
		return r, err
	}
	if err := errors.Join(at.expect(ctx, anyAlert, 0), far.expect(ctx, anyAlert, 0)); err != nil {
		return r, fmt.Errorf("before anything happened: %w", err)
	}

	w.say("the primary's cable is pulled")
	limit := starting + time.Duration(float64(2*time.Minute)/factor)
	pulled, begun := time.Now(), time.Now()
	if err := w.place.ifDown("primary"); err != nil {
		return r, err
	}
	if err := reach(limit, "the alert beside the box", at, downAlert, 2); err != nil {
		return r, err
	}
	r.Fired = seconds(begun)
	if err := reach(starting, "the alert at the far end", far, downAlert, 1); err != nil {
		return r, err
	}
	r.Central = seconds(begun)
	if r.Others, err = at.count(ctx, otherAlert); err != nil {
		return r, err
	}
	w.say("it fired after %.1f s, at the far end after %.1f s; the cable is put back", r.Fired, r.Central)
	begun = time.Now()
	if err := w.place.ifUp("primary"); err != nil {
		return r, err
	}
	if err := reach(proving, "the end of the alert beside the box", at, anyAlert, 0); err != nil {
		return r, err
	}
	r.Resolved = seconds(begun)
	if err := reach(starting, "the end of the alert at the far end", far, anyAlert, 0); err != nil {
		return r, err
	}
	r.Over = seconds(begun)
	if err := sleep(ctx, settled); err != nil {
		return r, err
	}
	return r, w.reckon(ctx, &r, at, far, pulled, filepath.Join(shipped, "grafana", "scanside.json"))
}

// seconds since a moment, to the millisecond.
func seconds(since time.Time) float64 { return float64(time.Since(since).Milliseconds()) / 1000 }

// reckon counts what they have, and asks what the dashboard asks.
func (w *World) reckon(ctx context.Context, r *Watched, at, far asked, pulled time.Time, dashboard string) (err error) {
	value := func(into *int, at asked, query string) {
		if err == nil {
			*into, err = at.value(ctx, query)
		}
	}
	value(&r.Series, at, `scrape_samples_scraped{instance="`+scraped+`"}`)
	value(&r.File, at, `count({__name__=~"scanside_.+", instance="`+asFile+`"})`)
	value(&r.Native, at, `sum(histogram_count(scanside_switchover_gap_seconds{instance="`+scraped+`"}))`)
	value(&r.Bytes, at, `prometheus_remote_storage_bytes_total`)
	value(&r.Sent, at, `prometheus_remote_storage_samples_total`)
	var there int
	// What was scraped from the moment before the cable was pulled until a moment ago.
	window := fmt.Sprintf(`{instance="%s"}[%ds] offset 2s`, scraped, int(time.Since(pulled).Seconds()))
	value(&r.Samples, at, `count_over_time(scanside_snapshot_timestamp_seconds`+window+`)`)
	value(&there, far, `count_over_time(scanside_snapshot_timestamp_seconds`+window+`)`)
	if err != nil {
		return err
	}
	r.Missed = max(0, r.Samples-there-1) // the two do not scrape at the same moment
	r.Queries, r.Empty, err = w.askDashboard(ctx, dashboard, at, far)
	return err
}

// startPrometheus starts the three and node_exporter.
func (w *World) startPrometheus(rules string, factor float64) error {
	dir := filepath.Join(w.dir, "prometheus")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := shortened(rules, dir, factor); err != nil {
		return err
	}
	scrape := func(job, instance, target string) string {
		return fmt.Sprintf("  - {job_name: %s, static_configs: [{targets: ['%s'], labels: {instance: %s}}]}\n", job, target, instance)
	}
	const global = "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
	const byRules = "rule_files: [scanside.rules.yaml, scanside.alerts.yaml]\n"
	room := "scrape_configs:\n" + scrape("scanside", scraped, strings.TrimPrefix(pageURL, "http://"))
	page := scrape("textfile", asFile, nodeExports)
	config := func(name, text string) string {
		path := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return ""
		}
		return path
	}
	for _, one := range []struct{ ns, name, text, listen, where, features string }{
		{w.place.room, "site", global + byRules + room + page + scrape("sending", "sending", sendingProm), siteProm, "--storage.tsdb.path=", "native-histograms"},
		// As docs/prometheus.md says.
		{w.place.room, "sending", global + room + "remote_write:\n  - {url: 'http://" + centralProm + "/api/v1/write', remote_timeout: 5s}\n", sendingProm, "--storage.agent.path=", "agent"},
		{w.place.far, "central", global + byRules + "scrape_configs:\n" + scrape("scanside-gateway", "far", gatewayMetrics), centralProm, "--storage.tsdb.path=", "remote-write-receiver"},
	} {
		args := []string{"--config.file=" + config(one.name, one.text), one.where + filepath.Join(dir, one.name), "--web.listen-address=" + one.listen, "--log.level=warn"}
		if one.features == "remote-write-receiver" {
			args = append(args, "--web.enable-remote-write-receiver")
		} else {
			args = append(args, "--enable-feature="+one.features)
		}
		if err := w.startPart(one.ns, "prometheus-"+one.name, filepath.Join(dir, one.name+".args"), strings.Join(args, "\n"), append([]string{"prometheus"}, args...)...); err != nil {
			return err
		}
	}
	return w.startPart(w.place.room, "node-exporter", filepath.Join(dir, "node.args"), "", "prometheus-node-exporter", "--collector.disable-defaults", "--web.disable-exporter-metrics",
		"--collector.textfile", "--collector.textfile.directory="+filepath.Dir(w.files.textfile()), "--web.listen-address="+nodeExports)
}
