package agent

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"scanside/failover"
	"scanside/media"
)

// metrics is everything Prometheus is told. Gauges and counters are read from the newest snapshot when they are asked for
// (metricsread.go); only what has no place in a snapshot (distributions, and counts by reason) is kept here. docs/metrics.md
// lists them, and which facts of the snapshot are left out, and why.
type metrics struct {
	registry *prometheus.Registry
	switches *prometheus.CounterVec
	lost     *prometheus.CounterVec
	untold   prometheus.Counter
	detect   prometheus.Histogram
	resume   prometheus.Histogram
	gap      *prometheus.HistogramVec
	back     *prometheus.HistogramVec
	replayed prometheus.Histogram
}

// buckets of times to detect and to switch, seconds: around the targets G3 and G4.
var buckets = []float64{.01, .025, .05, .1, .15, .25, .5, .8, 1, 2, 5}

// A native histogram's buckets are 10 % wide, and at most so many; what a room sees in an hour fits a third of them.
const (
	nativeFactor  = 1.1
	nativeBuckets = 100
)

// histogram is classic for those who scrape text, native for those who ask for it.
func histogram(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: "scanside_" + name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets, NativeHistogramMinResetDuration: time.Hour,
	}
}

func newMetrics(a *Agent) *metrics {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "scanside_" + name, Help: help}, labels)
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		switches: counters("switchovers_total", "Changes of the links that carry a stream, by stream and reason.", "media", "reason"),
		lost:     counters("switchover_lost_packets_total", "Packets that the far end missed around switchovers, by its own word.", "media"),
		untold:   prometheus.NewCounter(prometheus.CounterOpts{Name: "scanside_switchovers_untold_total", Help: "Switchovers of which the far end did not say what they cost."}),
		detect:   prometheus.NewHistogram(histogram("switchover_detection_seconds", "From the last proof that a failing link worked to the first action.", buckets)),
		resume:   prometheus.NewHistogram(histogram("switchover_resume_seconds", "From a switchover until the far end said that the stream goes on.", buckets)),
		gap:      prometheus.NewHistogramVec(histogram("switchover_gap_seconds", "Longest silence around a switchover for a failure, in what the far end merged.", buckets), []string{"media"}),
		back:     prometheus.NewHistogramVec(histogram("switchover_return_gap_seconds", "Longest silence around a switchover for a failure, in what came to the room.", buckets), []string{"media"}),
		replayed: prometheus.NewHistogram(histogram("switchover_replayed_bytes", "Payload sent again after a switchover for a failure.", prometheus.ExponentialBuckets(1000, 4, 7))),
	}
	for k := range media.NumKinds {
		kind := media.Kind(k).String()
		for _, r := range failover.Reasons() {
			m.switches.WithLabelValues(kind, r.String())
		}
		m.lost.WithLabelValues(kind)
		m.gap.WithLabelValues(kind)
		m.back.WithLabelValues(kind)
	}
	m.registry.MustRegister(m.switches, m.lost, m.untold, m.detect, m.resume, m.gap, m.back, m.replayed, &reader{agent: a, descs: describe()},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	return m
}

func (m *metrics) switched(w failover.Switchover) {
	m.switches.WithLabelValues(w.Stream.String(), w.Reason.String()).Inc()
}

// settled counts how long a change for a failure took.
func (m *metrics) settled(c *change) {
	if lossy(c.reason) && !c.drill { // a drill's figures are its own
		m.detect.Observe(c.detect.Seconds())
		m.resume.Observe(c.switched.Seconds())
	}
}

// told counts what a change has cost.
func (m *metrics) told(c *change) {
	if c.drill {
		return
	}
	if !c.known {
		m.untold.Inc()
	}
	for k := range c.lost {
		if c.known {
			m.lost.WithLabelValues(media.Kind(k).String()).Add(float64(c.lost[k]))
		}
	}
	if !lossy(c.reason) {
		return
	}
	observe := func(to *prometheus.HistogramVec, k int, g gap) {
		if g.known && c.streams[k] {
			to.WithLabelValues(media.Kind(k).String()).Observe(g.long.Seconds())
		}
	}
	for k := range media.NumKinds {
		observe(m.gap, k, c.gaps[k])
		observe(m.back, k, c.back[k])
	}
	m.replayed.Observe(float64(c.replayed.bytes))
}
