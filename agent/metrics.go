package agent

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"scanside/agent/status"
	"scanside/budget"
	"scanside/diagnosis"
	"scanside/failover"
	"scanside/farend"
	"scanside/link"
	"scanside/media"
	"scanside/media/content"
	"scanside/supervision"
)

// metrics is everything Prometheus is told. Gauges and counters are read from the newest snapshot when they are asked for;
// only what has no place in a snapshot (distributions, and counts by reason) is kept here.
type metrics struct {
	registry *prometheus.Registry
	switches *prometheus.CounterVec
	detect   prometheus.Histogram
	resume   prometheus.Histogram
	gap      *prometheus.HistogramVec
	replayed prometheus.Histogram
}

// buckets of times to detect and to switch, seconds: around the targets G3 and G4.
var buckets = []float64{.01, .025, .05, .1, .15, .25, .5, .8, 1, 2, 5}

func newMetrics(a *Agent) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.switches = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "scanside_switchovers_total", Help: "Changes of the links that carry a stream, by stream and reason.",
	}, []string{"media", "reason"})
	for _, r := range failover.Reasons() {
		for k := range media.NumKinds {
			m.switches.WithLabelValues(media.Kind(k).String(), r.String())
		}
	}
	options := func(name, help string, buckets []float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: buckets,
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}
	}
	histogram := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(options(name, help, buckets))
	}
	m.gap = prometheus.NewHistogramVec(options("scanside_switchover_gap_seconds", "Longest silence around a switchover for a failure, in what the far end merged.", buckets), []string{"media"})
	for k := range media.NumKinds {
		m.gap.WithLabelValues(media.Kind(k).String())
	}
	m.replayed = prometheus.NewHistogram(options("scanside_switchover_replayed_bytes", "Payload sent again after a switchover for a failure.", prometheus.ExponentialBuckets(1000, 4, 7)))
	m.detect = histogram("scanside_switchover_detection_seconds", "From the last proof that a failing link worked to the first action.")
	m.resume = histogram("scanside_switchover_resume_seconds", "From a switchover until the far end said that the stream goes on.")
	m.registry.MustRegister(m.switches, m.detect, m.resume, m.gap, m.replayed, &reader{agent: a, descs: describe()},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	return m
}

func (m *metrics) switched(w failover.Switchover) {
	m.switches.WithLabelValues(w.Stream.String(), w.Reason.String()).Inc()
}

func (m *metrics) settled(c *change) {
	if lossy(c.reason) {
		m.detect.Observe(c.detect.Seconds())
		m.resume.Observe(c.switched.Seconds())
	}
}

// reader collects from the newest snapshot.
type reader struct {
	agent *Agent
	descs map[string]*prometheus.Desc
	lost  [media.NumKinds]highest // a late packet is taken off what was lost; a counter may not step back
}

// highest is the highest value that was ever put to it. Collections may overlap.
type highest struct {
	mu sync.Mutex
	v  uint64
}

func (h *highest) of(v uint64) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.v = max(h.v, v)
	return h.v
}

func (r *reader) Describe(out chan<- *prometheus.Desc) {
	for _, d := range r.descs {
		out <- d
	}
}

// emitter writes values of one collection.
type emitter struct {
	descs map[string]*prometheus.Desc
	out   chan<- prometheus.Metric
}

func (e emitter) gauge(name string, v float64, labels ...string) {
	e.out <- prometheus.MustNewConstMetric(e.descs[name], prometheus.GaugeValue, v, labels...)
}

func (e emitter) count(name string, v uint64, labels ...string) {
	e.out <- prometheus.MustNewConstMetric(e.descs[name], prometheus.CounterValue, float64(v), labels...)
}

func (e emitter) flag(name string, on bool, labels ...string) {
	v := 0.0
	if on {
		v = 1
	}
	e.gauge(name, v, labels...)
}

func (e emitter) maybe(name string, v *float64, scale float64, labels ...string) {
	if v != nil {
		e.gauge(name, *v*scale, labels...)
	}
}

// stamp is a time as Prometheus wants it; 0 means never.
func stamp(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func (r *reader) Collect(out chan<- prometheus.Metric) {
	s, e := r.agent.Snapshot(), emitter{r.descs, out}
	st := s.Status
	e.gauge("agent_info", 1, st.Version, st.Site)
	e.gauge("start_timestamp_seconds", stamp(st.Started))
	e.gauge("snapshot_timestamp_seconds", stamp(st.At))
	for _, state := range supervision.States() {
		e.flag("supervision_state", state == s.Supervision.State, state.String())
	}
	e.flag("supervision_qualifying", s.Supervision.Qualifying)
	e.flag("procedure_open", st.Procedure.Open)
	e.flag("muted", st.Privacy.Microphone.Muted, media.Voice.String())
	e.flag("muted", st.Privacy.Camera.Muted, media.Video.String())
	for _, level := range []string{"notice", "warning", "bad"} {
		n := 0
		for _, p := range st.Problem {
			if string(p.Severity) == level {
				n++
			}
		}
		e.gauge("problems", float64(n), level)
	}
	for i := range s.links {
		r.link(e, s, i)
	}
	for _, p := range st.FarEnd.All {
		e.flag("far_end_current", p.Current, p.Name)
	}
	for _, why := range farend.Reasons() {
		e.count("far_end_moves_total", s.moves[why], why.String())
	}
	r.streams(e, s)
	loudspeaker(e, st.Loudspeaker)
	if st.FarEnd.Known {
		e.gauge("people", float64(s.people.supervisors), "supervisor")
		e.gauge("people", float64(s.people.observers), "observer")
	}
	e.count("events_dropped_total", s.dropped)
	e.count("traces_total", s.traces[0], "saved")
	e.count("traces_total", s.traces[1], "failed")
	if a := st.Audit; a.Folder != "" {
		e.flag("audit_writable", a.Error == "")
		e.gauge("audit_records", float64(a.Records))
		e.gauge("audit_records_signed", float64(a.Signed))
		e.gauge("audit_records_exported", float64(a.Exported))
		e.count("audit_records_missed_total", uint64(a.Missed))
	}
	for i, n := range s.breaches {
		e.count("invariant_breaches_total", n, "F"+strconv.Itoa(i+1))
	}
	e.gauge("page_streams", float64(r.agent.pages.Streams()))
	e.count("page_streams_dropped_total", r.agent.pages.Dropped())
}

func loudspeaker(e emitter, s status.Loudspeaker) {
	if !s.Configured {
		return
	}
	e.flag("loudspeaker_plays", s.Plays)
	e.gauge("loudspeaker_volume_ratio", float64(s.Volume)/100)
	e.count("loudspeaker_opens_total", s.Opens)
	e.count("loudspeaker_stalls_total", s.Stalls)
	e.gauge("loudspeaker_hung_calls", float64(s.Hung))
	e.gauge("playout_delay_seconds", s.Delay/1000)
	e.gauge("playout_target_seconds", s.Target/1000)
	e.count("playout_frames_total", s.Played, "packet")
	e.count("playout_frames_total", s.Corrected, "correction")
	e.count("playout_frames_total", s.Concealed, "concealment")
	e.count("playout_dropped_packets_total", s.Late, "late")
	e.count("playout_dropped_packets_total", s.Skipped, "behind")
	e.count("playout_underruns_total", s.Underruns)
}

func (r *reader) link(e emitter, s *Snapshot, i int) {
	u, c, v := s.Status.Uplinks[i], s.links[i], s.Engine.Links[i]
	for verdict := failover.Down; verdict <= failover.Up; verdict++ {
		e.flag("link_state", verdict == v.Verdict, u.Name, verdict.String())
	}
	e.flag("link_suspect", v.Suspect, u.Name)
	e.flag("link_connected", u.Connected, u.Name)
	for _, kind := range link.PathKinds() {
		e.flag("link_path", u.Path == kind.String(), u.Name, kind.String())
	}
	e.flag("link_pinned", v.Pinned, u.Name)
	e.maybe("link_rtt_seconds", u.RTT, .001, u.Name)
	e.maybe("link_loss_ratio", u.Loss, 1, u.Name)
	e.maybe("link_forward_loss_ratio", u.ForwardLoss, 1, u.Name)
	for _, l := range u.Fault.Layers {
		if l.Result != diagnosis.Untested.String() {
			e.flag("uplink_layer_ok", l.Result == diagnosis.OK.String(), u.Name, l.Name)
		}
	}
	for _, cause := range diagnosis.Causes() {
		e.flag("uplink_fault", cause.String() == u.Fault.Cause, u.Name, cause.String())
	}
	e.maybe("link_estimate_bytes_per_second", u.Estimate, 1./8, u.Name)
	e.gauge("link_own_queue_seconds", u.Queue/1000, u.Name)
	e.count("link_probes_total", c.probes[1], u.Name, "answered")
	e.count("link_probes_total", c.probes[0]-c.probes[1], u.Name, "missed")
	e.count("link_probes_total", c.late, u.Name, "late")
	e.count("link_dials_total", c.dials[0], u.Name, "failed")
	e.count("link_dials_total", c.dials[1], u.Name, "connected")
	e.count("link_outages_total", c.outages, u.Name)
	e.count("uplink_bytes_total", c.bytes[0], u.Name, "sent")
	e.count("uplink_bytes_total", c.bytes[1], u.Name, "received")
	e.count("uplink_tcp_dropped_packets_total", c.stuck, u.Name)
	r.budget(e, u)
	for k := range media.NumKinds {
		kind, leg := media.Kind(k).String(), c.sent[k]
		e.flag("leg_selected", s.Engine.Plan.Route[k].Has(failover.Link(i)), u.Name, kind)
		e.count("leg_packets_total", leg.Sent, u.Name, kind)
		e.count("leg_bytes_total", leg.Bytes, u.Name, kind)
		e.count("leg_dropped_packets_total", leg.Dropped, u.Name, kind)
		e.count("leg_resent_packets_total", leg.Resent, u.Name, kind, "repair")
		e.count("leg_resent_packets_total", leg.Replayed, u.Name, kind, "replay")
	}
}

func (r *reader) budget(e emitter, u status.Uplink) {
	b := u.Budget
	e.gauge("uplink_used_bytes", float64(b.Used), u.Name)
	if b.Allowed == 0 {
		return
	}
	e.gauge("uplink_budget_bytes", float64(b.Allowed), u.Name)
	for level := budget.Enough; level <= budget.Spent; level++ {
		e.flag("uplink_budget_level", level.String() == b.Level, u.Name, level.String())
	}
	if !b.Until.IsZero() {
		e.gauge("uplink_budget_exhausted_timestamp_seconds", stamp(b.Until), u.Name)
	}
}

func (r *reader) streams(e emitter, s *Snapshot) {
	video := s.flows[media.Video]
	e.gauge("picture_wanted_bytes_per_second", video.Wanted/8)
	e.gauge("picture_height_pixels", float64(video.Height))
	e.gauge("picture_pace_hertz", float64(video.Pace))
	e.flag("picture_reduced", video.Reduced)
	var heard time.Time
	for k, f := range s.flows {
		kind := media.Kind(k).String()
		e.count("source_packets_total", f.Packets, kind)
		e.gauge("source_last_packet_timestamp_seconds", stamp(f.LastPacket), kind)
		for _, one := range content.Faults() {
			e.flag("source_fault", f.Fault == one.String(), kind, one.String())
		}
		e.count("source_restarts_total", f.Restarts, kind)
		r.devices(e, f)
		e.count("source_key_frame_requests_total", f.KeyFrames, kind)
		e.count("far_received_packets_total", f.Received, kind)
		e.count("far_lost_packets_total", f.Lost, kind)
		e.gauge("far_longest_gap_seconds", f.LongestGap/1000, kind)
		if f.FarWord.After(heard) {
			heard = f.FarWord
		}
	}
	e.gauge("far_heard_timestamp_seconds", stamp(heard))
	for k, b := range s.Status.Return {
		e.count("return_packets_total", b.Packets, b.Kind)
		e.count("return_lost_packets_total", r.lost[k].of(b.Lost), b.Kind)
		e.count("return_duplicate_packets_total", b.Duplicate, b.Kind)
		e.gauge("return_last_packet_timestamp_seconds", stamp(b.LastPacket), b.Kind)
		e.gauge("return_longest_gap_seconds", b.LongestGap/1000, b.Kind)
	}
}

func (r *reader) devices(e emitter, f status.Stream) {
	for _, d := range f.Devices {
		e.flag("device_used", d.Used, f.Kind, d.Name)
		for _, c := range []string{"ok", "doubtful", "failed", "unknown"} {
			e.flag("device_condition", d.Condition == c, f.Kind, d.Name, c)
		}
		e.count("device_opens_total", d.Opens, f.Kind, d.Name)
		e.count("device_hung_total", d.Hung, f.Kind, d.Name)
		if f.Kind == media.Video.String() {
			e.count("device_bad_pictures_total", d.Bad, f.Kind, d.Name)
		}
	}
	for reason, n := range f.Choice.Takeovers {
		e.count("device_takeovers_total", n, f.Kind, reason)
	}
	if len(f.Devices) > 0 {
		e.count("device_invariant_breaches_total", f.Choice.Breaches, f.Kind)
	}
}
