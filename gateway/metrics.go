package gateway

import (
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"scanside/link"
	"scanside/media"
)

// Closed sets of label values; each is there from the start, so that absent and zero are not the same.
var (
	signInResults = []string{"password", "code", "refused", "limited", "busy"}
	refusals      = []string{"token", "unknown-site", "other-site", "other-box", "old-run", "uplinks", "talking", "full", "signed-out", "closing", "bad-request", "offer"}
)

// metrics are the gateway's numbers on a registry of its own. What rooms count is read when somebody asks.
type metrics struct {
	registry *prometheus.Registry
	signIns  *prometheus.CounterVec
	refusals *prometheus.CounterVec
}

func newMetrics(g *Gateway) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "scanside_gateway_sign_ins_total", Help: "Sign-in attempts by result.",
		}, []string{"result"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "scanside_gateway_refused_sessions_total", Help: "WHIP and WHEP sessions that were refused, by reason.",
		}, []string{"reason"}),
	}
	for _, r := range signInResults {
		m.signIns.WithLabelValues(r)
	}
	for _, r := range refusals {
		m.refusals.WithLabelValues(r)
	}
	m.registry.MustRegister(m.signIns, m.refusals, newRoomCollector(g),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	return m
}

func (m *metrics) signIn(result string) { m.signIns.WithLabelValues(result).Inc() }

// refused counts a session that was not made.
func (g *Gateway) refused(err error) {
	reason := "offer"
	var p *link.Problem
	if errors.As(err, &p) {
		kind := strings.TrimPrefix(p.Type, "urn:scanside:problem:")
		for _, known := range refusals {
			if known == kind {
				reason = kind
			}
		}
	}
	g.metrics.refusals.WithLabelValues(reason).Inc()
}

// roomCollector reads the rooms at each scrape (as node_exporter's collectors do).
type roomCollector struct {
	g *Gateway

	box, links, linksUp, viewers, talking, present  *prometheus.Desc
	runs, sessions, talks, keyFrames                *prometheus.Desc
	received, duplicate, lost, repaired, asked, gap *prometheus.Desc
	newest, dropped, replayed, replayedBytes        *prometheus.Desc
	peers, browsers                                 *prometheus.Desc

	onward, onwardFailed, onwardPackets, onwardDropped *prometheus.Desc
}

func newRoomCollector(g *Gateway) *roomCollector {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("scanside_gateway_"+name, help, labels, nil)
	}
	return &roomCollector{
		g:         g,
		box:       d("box_connected", "Whether a box of the site was heard within the last 3 seconds.", "site"),
		links:     d("box_links", "Uplinks of the box that have a session.", "site"),
		linksUp:   d("box_links_heard", "Uplinks of the box that were heard within the last 3 seconds.", "site"),
		viewers:   d("viewers", "Viewers connected to the room.", "site"),
		talking:   d("talking", "Whether a supervisor talks in the room.", "site"),
		present:   d("supervisor_present", "Whether a supervisor has the room open.", "site"),
		runs:      d("box_runs_total", "Runs of the site's agent that have come.", "site"),
		sessions:  d("box_sessions_total", "Publishing sessions of the site's box.", "site"),
		talks:     d("talks_total", "Times a supervisor began to talk.", "site"),
		keyFrames: d("key_frame_requests_total", "Key frames asked of the box.", "site"),
		received:  d("merged_packets_total", "Distinct packets of the merged stream.", "site", "direction", "media"),
		duplicate: d("duplicate_packets_total", "Further copies of packets.", "site", "direction", "media"),
		lost:      d("lost_packets_total", "Packets that came over no leg and were given up.", "site", "direction", "media"),
		repaired:  d("repaired_packets_total", "Packets that came after they were asked for.", "site", "direction", "media"),
		asked:     d("repair_requests_total", "Packets asked for again.", "site", "direction", "media"),
		gap:       d("longest_gap_seconds", "Longest silence in the merged stream of the present run.", "site", "direction", "media"),
		newest:    d("newest_packet_timestamp_seconds", "When the newest packet of the merged stream came; 0: none yet.", "site", "direction", "media"),
		dropped:   d("viewer_dropped_packets_total", "Packets dropped because a viewer's queue was full.", "site", "media"),
		replayed:  d("replayed_packets_total", "Packets sent again to the room on an uplink that took the return media over.", "site", "media"),

		replayedBytes: d("replayed_bytes_total", "Payload of these.", "site", "media"),

		peers:    d("sessions", "WHIP and WHEP sessions open now."),
		browsers: d("signed_in", "Browsers signed in now."),

		onward:        d("republish_connected", "Whether the room is passed on to the configured WHIP server now.", "site"),
		onwardFailed:  d("republish_failures_total", "Attempts to pass the room on that failed, and sessions that broke.", "site"),
		onwardPackets: d("republish_packets_total", "Packets passed on.", "site", "media"),
		onwardDropped: d("republish_dropped_packets_total", "Packets not passed on because the session's queue was full.", "site", "media"),
	}
}

func (c *roomCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.box, c.links, c.linksUp, c.viewers, c.talking, c.present, c.runs, c.sessions, c.talks, c.keyFrames, c.received, c.duplicate,
		c.lost, c.repaired, c.asked, c.gap, c.newest, c.dropped, c.replayed, c.replayedBytes, c.peers, c.browsers, c.onward, c.onwardFailed, c.onwardPackets, c.onwardDropped,
	} {
		ch <- d
	}
}

func (c *roomCollector) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	for _, r := range c.g.rooms {
		c.collect(ch, r, now)
	}
	gauge(ch, c.peers, float64(c.g.resources.Len()))
	gauge(ch, c.browsers, float64(c.g.door.sessions.len()))
}

func (c *roomCollector) collect(ch chan<- prometheus.Metric, r *room, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	site := r.site.ID
	p := r.presence(now)
	var alive, links, heard float64
	if r.run != nil {
		alive = truth(r.run.alive(now))
		for _, u := range r.run.uplinks {
			links += truth(u.connected())
			heard += truth(u.connected() && now.Sub(u.heard()) < boxAlive)
		}
	}
	gauge(ch, c.box, alive, site)
	gauge(ch, c.links, links, site)
	gauge(ch, c.linksUp, heard, site)
	gauge(ch, c.viewers, float64(len(r.viewers)), site)
	gauge(ch, c.talking, truth(r.talk != nil), site)
	gauge(ch, c.present, truth(p.Present), site)
	counter(ch, c.runs, float64(r.sums.runs), site)
	counter(ch, c.sessions, float64(r.sums.sessions), site)
	counter(ch, c.talks, float64(r.sums.talks), site)
	counter(ch, c.keyFrames, float64(r.sums.keyFrames), site)
	if o := r.onward; o != nil {
		n := o.counts()
		gauge(ch, c.onward, truth(n.live), site)
		counter(ch, c.onwardFailed, float64(n.failures), site)
		for k := range media.NumKinds {
			counter(ch, c.onwardPackets, float64(n.packets[k]), site, media.Kind(k).String())
			counter(ch, c.onwardDropped, float64(n.dropped[k]), site, media.Kind(k).String())
		}
	}
	for k := range media.NumKinds {
		c.streams(ch, r, media.Kind(k))
	}
}

func (c *roomCollector) streams(ch chan<- prometheus.Metric, r *room, k media.Kind) {
	site := r.site.ID
	in, back := r.sums.merged[k], r.sums.talked[k]
	var inLast, backLast int64
	if r.run != nil {
		in, inLast = plus(in, r.run.mergers[k].Stats()), r.run.newest(k)
	}
	if r.talk != nil {
		back, backLast = plus(back, r.talk.mergers[k].Stats()), r.talk.last[k].Load()
	}
	for d, s := range [directions]struct {
		direction string
		st        media.MergerStats
		last      int64
	}{fromRoom: {"from_room", in, inLast}, toRoom: {"to_room", back, backLast}} {
		l := []string{site, s.direction, k.String()}
		counter(ch, c.received, float64(s.st.Received), l...)
		counter(ch, c.duplicate, float64(s.st.Duplicate), l...)
		lost := &r.sums.lost[d][k]
		*lost = max(*lost, s.st.Lost)
		counter(ch, c.lost, float64(*lost), l...)
		counter(ch, c.repaired, float64(s.st.Repaired), l...)
		counter(ch, c.asked, float64(s.st.RepairsAsked), l...)
		gauge(ch, c.gap, s.st.LongestGap.Seconds(), l...)
		gauge(ch, c.newest, float64(s.last)/1e9, l...)
	}
	dropped := r.sums.viewerDropped[k]
	for _, v := range r.viewers {
		dropped += v.legs[k].Stats().Dropped
	}
	counter(ch, c.dropped, float64(dropped), site, k.String())
	counter(ch, c.replayed, float64(r.sums.replayed[k].packets), site, k.String())
	counter(ch, c.replayedBytes, float64(r.sums.replayed[k].bytes), site, k.String())
}

func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func counter(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
