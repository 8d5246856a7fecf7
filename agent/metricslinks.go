package agent

import (
	"slices"
	"strconv"

	"scanside/agent/status"
	"scanside/budget"
	"scanside/diagnosis"
	"scanside/failover"
	"scanside/link"
	"scanside/media"
)

func (r *reader) link(e emitter, s *Snapshot, i int) {
	u, c, v := s.Status.Uplinks[i], s.links[i], s.Engine.Links[i]
	for verdict := failover.Down; verdict <= failover.Up; verdict++ {
		e.flag("link_state", verdict == v.Verdict, u.Name, verdict.String())
	}
	e.gauge("link_state_since_timestamp_seconds", stamp(u.Since), u.Name)
	e.gauge("uplink_info", 1, u.Name, u.Device, strconv.FormatBool(u.Metered))
	if u.Carrier != "unknown" {
		e.flag("uplink_carrier", u.Carrier == "up", u.Name)
	}
	e.flag("link_suspect", v.Suspect, u.Name)
	e.gauge("link_doubted_timestamp_seconds", stamp(u.Doubted), u.Name)
	e.gauge("link_missed_probes", float64(u.MissedRow), u.Name)
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
	e.gauge("uplink_examined_timestamp_seconds", stamp(u.Fault.Checked), u.Name)
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
		e.flag("return_link_active", slices.Contains(u.Brings, kind), u.Name, kind)
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
	e.gauge("uplink_month_end_timestamp_seconds", stamp(b.Ends), u.Name)
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
