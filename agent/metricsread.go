package agent

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"scanside/agent/status"
	"scanside/doctor"
	"scanside/farend"
	"scanside/installation"
	"scanside/media"
	"scanside/supervision"
)

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
	e.flag("demo", st.IsDemo)
	e.gauge("start_timestamp_seconds", stamp(st.Started))
	e.gauge("snapshot_timestamp_seconds", stamp(st.At))
	verdict(e, s)
	for i := range s.links {
		r.link(e, s, i)
	}
	farEnds(e, s)
	r.streams(e, s)
	loudspeaker(e, st.Loudspeaker)
	room(e, st)
	e.count("events_dropped_total", s.dropped)
	records(e, s)
	e.gauge("page_streams", float64(r.agent.pages.Streams()))
	e.count("page_streams_dropped_total", r.agent.pages.Dropped())
}

// verdict is whether supervision is available, and what the page lists as wrong.
func verdict(e emitter, s *Snapshot) {
	for _, state := range supervision.States() {
		e.flag("supervision_state", state == s.Supervision.State, state.String())
	}
	e.flag("supervision_qualifying", s.Supervision.Qualifying)
	e.gauge("supervision_since_timestamp_seconds", stamp(s.Status.Verdict.Since))
	for level := supervision.RedundancyUnknown; level <= supervision.Full; level++ {
		e.flag("supervision_redundancy", level == s.Supervision.Redundancy, level.String())
	}
	e.flag("procedure_open", s.Status.Procedure.Open)
	e.gauge("procedure_since_timestamp_seconds", stamp(s.Status.Procedure.Since))
	for _, level := range []status.Level{status.Notice, status.Warning, status.Bad} {
		n := 0
		for _, p := range s.Status.Problem {
			if p.Severity == level {
				n++
			}
		}
		e.gauge("problems", float64(n), string(level))
	}
}

// farEnds is where the room is, and how many people are there; names are nobody's business here.
func farEnds(e emitter, s *Snapshot) {
	f := s.Status.FarEnd
	for _, p := range f.All {
		e.flag("far_end_current", p.Current, p.Name)
	}
	e.flag("far_end_reached", f.Reached)
	e.gauge("far_end_since_timestamp_seconds", stamp(f.Since))
	e.gauge("far_heard_timestamp_seconds", stamp(f.Heard))
	for _, why := range farend.Reasons() {
		e.count("far_end_moves_total", s.moves[why], why.String())
	}
	e.flag("people_known", f.Known)
	if !f.Known {
		return
	}
	e.gauge("people", float64(s.people.supervisors), "supervisor")
	e.gauge("people", float64(s.people.observers), "observer")
	does := map[string]float64{}
	for _, p := range f.People {
		for activity, is := range map[string]bool{"sees": p.Sees, "hears": p.Hears, "talks": p.Talks} {
			if is {
				does[activity]++
			}
		}
	}
	for _, activity := range []string{"sees", "hears", "talks"} {
		e.gauge("people_active", does[activity], activity)
	}
}

// records is what is kept for later: traces, and the audit log.
func records(e emitter, s *Snapshot) {
	e.gauge("recorder_events", float64(s.Status.Recorder.Held))
	e.count("traces_total", s.traces[0], "saved")
	e.count("traces_total", s.traces[1], "failed")
	if a := s.Status.Audit; a.Folder != "" {
		e.flag("audit_writable", a.Error == "")
		e.gauge("audit_records", float64(a.Records))
		e.gauge("audit_records_signed", float64(a.Signed))
		e.gauge("audit_records_exported", float64(a.Exported))
		e.count("audit_records_missed_total", uint64(a.Missed))
	}
	for i, n := range s.breaches {
		e.count("invariant_breaches_total", n, "F"+strconv.Itoa(i+1))
	}
}

// room is what people in the room have closed, are told and have tried.
func room(e emitter, st *status.Status) {
	for k, m := range [media.NumKinds]status.Mute{media.Voice: st.Privacy.Microphone, media.Video: st.Privacy.Camera} {
		e.flag("muted", m.Muted, media.Kind(k).String())
		e.flag("muted_device_closed", m.Muted && m.Closed, media.Kind(k).String())
	}
	e.flag("watched_light", st.Watched.Light)
	e.gauge("watched_here", float64(len(st.Watched.Here)))
	e.count("announcements_total", st.Watched.Sounds-st.Watched.OnScreen, "loudspeaker")
	e.count("announcements_total", st.Watched.OnScreen, "screen")
	e.gauge("self_test_timestamp_seconds", stamp(st.SelfTest.At))
	for _, c := range st.SelfTest.Results {
		e.flag("self_test_passed", c.Pass, c.Name)
	}
	for r := installation.Open; r <= installation.Done; r++ {
		n := 0
		for _, s := range st.Installation.Steps {
			if s.Result == r.String() {
				n++
			}
		}
		e.gauge("installation_steps", float64(n), r.String())
	}
	e.flag("drill_running", st.Drill.Running)
	if last := st.Drill.Last; last != nil {
		e.gauge("drill_timestamp_seconds", stamp(last.At))
		e.flag("drill_passed", last.Passed())
	} else {
		e.gauge("drill_timestamp_seconds", 0)
	}
	e.gauge("doctor_timestamp_seconds", stamp(st.Doctor.At))
	for r := doctor.Unknown; r <= doctor.Failed; r++ {
		e.gauge("doctor_checks", float64(len(st.Doctor.Of(r.String()))), r.String())
	}
}
