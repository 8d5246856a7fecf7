package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/diagnosis"
	"scanside/failover"
	"scanside/link"
	"scanside/media"
	"scanside/media/content"
)

// view draws the status document from what the loop knows. It is the only place that chooses words for the pages.
func (l *loop) view(now time.Time, e failover.Snapshot, found []diagnosis.Findings) *status.Status {
	a := l.agent
	st := &status.Status{
		At: now, Version: a.parts.Version, Site: a.cfg.Site, Box: a.box, Run: a.run, Started: l.begun, IsDemo: a.parts.Demo != nil,
		Problem: []status.Problem{}, Uplinks: []status.Uplink{}, Streams: []status.Stream{}, Return: []status.Return{},
		Switchovers: []status.Switchover{}, Events: slices.Clone(l.tale.events), Recorder: l.rec.view(), Audit: l.agent.journal.view(),
	}
	if st.Events == nil {
		st.Events = []status.Event{}
	}
	for i := range l.links {
		u := l.viewUplink(now, failover.Link(i), e)
		if u.Pinned {
			st.Pinned = u.Name
		}
		u.Fault = l.viewFault(now, i, found[i])
		st.Uplinks = append(st.Uplinks, u)
	}
	for k := range l.flows {
		if l.flows[k].source != nil {
			st.Streams = append(st.Streams, l.viewStream(now, media.Kind(k), e))
		}
		st.Return = append(st.Return, l.viewReturn(now, media.Kind(k)))
	}
	for _, c := range l.tale.changes {
		st.Switchovers = append(st.Switchovers, l.viewChange(c))
	}
	st.FarEnd = l.viewFarEnd(now, e)
	st.Procedure = l.viewProcedure()
	st.Loudspeaker = a.viewLoudspeaker()
	st.SelfTest, st.Levels = boxed{a}.SelfTest(), boxed{a}.Levels()
	st.Doctor, st.Drill = a.checkups.view(), l.viewDrills(now)
	st.Reach, st.Clock = a.viewReach(), a.viewClock()
	st.History = l.chronicle.drawn.Load()
	st.Installation = a.viewInstallation(st)
	st.Privacy, st.Watched, st.Phone = l.viewMutes(now), l.viewWatched(), a.cfg.Room.Phone
	return st
}

func (l *loop) wall(at failover.Instant) time.Time { return l.begun.Add(time.Duration(at)) }

func (l *loop) viewUplink(now time.Time, i failover.Link, e failover.Snapshot) status.Uplink {
	s, v, cfg := &l.links[i], e.Links[i], l.agent.cfg.Uplinks[i]
	u := status.Uplink{
		Name: cfg.Name, Device: cfg.Interface + cfg.Address, Metered: cfg.Metered, Verdict: v.Verdict.String(), Since: l.wall(v.Since),
		Connected: s.conn != nil, Carrier: s.carrier, Pinned: v.Pinned, Carries: []string{}, Brings: []string{}, Probes: s.probes,
		Suspect: v.Suspect, Doubted: s.doubted, MissedRow: v.Echoes.Misses, LastOutage: s.outage, CanImpair: l.agent.parts.Demo != nil,
	}
	for k := range media.NumKinds {
		kind := media.Kind(k)
		if s.on[k] && l.flows[k].source != nil {
			u.Carries = append(u.Carries, kind.String())
		}
		if now.Sub(l.agent.back.last(i, kind)) < bringing {
			u.Brings = append(u.Brings, kind.String())
		}
		u.SentBytes += s.sent(kind).Bytes
	}
	if s.conn != nil && v.Verdict != failover.Down && v.RTT > 0 {
		u.RTT = ms(v.RTT)
	}
	if s.conn != nil && s.probes[0] > 0 {
		loss := v.Loss
		if v.Verdict == failover.Down || v.Echoes.Misses > 3 {
			loss = 1 // a silence that still lasts is not in the average yet
		}
		u.Loss = &loss
	}
	if v.Arrivals.Any {
		loss := v.ForwardLoss
		u.ForwardLoss = &loss
	}
	if rate := s.capacity.now.Rate; s.conn != nil && rate > 0 {
		bps := float64(rate)
		u.Estimate = &bps
	}
	if s.conn != nil {
		u.Queue = *ms(s.capacity.now.Queue)
	}
	if s.conn == nil {
		d := s.dial
		u.Dial = &d
	} else if s.conn.path.Kind != link.PathUnknown {
		u.Path, u.Relay, u.Proxy, u.PathWords = s.conn.path.Kind.String(), s.conn.path.Relay, s.conn.path.Proxy, pathWords(s.conn.path)
	}
	if l.agent.parts.Demo != nil {
		u.Impairment = l.agent.parts.Demo.State(cfg.Name)
	}
	l.judgeUplink(now, &u, i, v)
	u.Budget = l.viewBudget(now, int(i))
	u.Why = l.why(i, e)
	return u
}

// judgeUplink chooses an uplink's word, level and reason.
func (l *loop) judgeUplink(now time.Time, u *status.Uplink, i failover.Link, v failover.LinkView) {
	s := &l.links[i]
	u.Reason = sentence(v.Reason.Sentence("it"))
	switch {
	case l.drills.now != nil && l.drills.now.Cuts() && l.drilled(i):
		u.Words, u.Level = "Cut by a drill", status.Warning
		u.Reason = "A drill has cut it until " + l.drills.now.Until().Local().Format("15:04:05") + "; it is given back by itself."
	case s.conn == nil && s.carrier == "down" && !s.absent:
		u.Words, u.Level = "Down", status.Bad
		u.Reason = sentence(failover.CarrierLost.Sentence("it"))
	case s.conn == nil && s.dial.Error == "" && v.Reason == failover.NotConnected:
		u.Words, u.Level, u.Reason = "Connecting", status.Unknown, "The first attempt to connect is under way."
	case s.conn == nil:
		u.Words, u.Level = "Down", status.Bad
		if s.dial.Error != "" {
			u.Reason = "It cannot connect: " + s.dial.Error + "."
		}
	case v.Verdict == failover.Down:
		u.Words, u.Level = "Down", status.Bad
	case v.Suspect:
		u.Words, u.Level, u.Reason = "In doubt", status.Warning, sentence(v.SuspectReason.Sentence("it"))
	case v.Verdict == failover.Proving:
		u.Words, u.Level = "Proving", status.Notice
		if left := v.Dwell - v.Proof; left > 0 {
			u.Reason = fmt.Sprintf("It answers, and must carry media well for another %s before it is relied on.", lasted(max(left, time.Second).Round(time.Second)))
		}
	case v.Verdict == failover.Degraded:
		u.Words, u.Level = "Degraded", status.Warning
		if v.Proof > 0 {
			u.Reason += " It is better now, and must stay so for another " + lasted(max(v.Dwell-v.Proof, time.Second).Round(time.Second)) + "."
		}
	default:
		u.Words, u.Level, u.Reason = "Up", status.OK, "It works: its probes are answered, and what is sent arrives."
	}
}

// why says why an uplink carries what it carries.
func (l *loop) why(i failover.Link, e failover.Snapshot) string {
	s, v := &l.links[i], e.Links[i]
	if s.conn == nil {
		switch {
		case s.carrier == "down" && !s.absent:
			return "It is dialled again as soon as there is carrier."
		case s.dial.Error == "":
			return "Carries nothing until it has connected."
		}
		text := "The next attempt is under way."
		if wait := time.Until(s.dial.Next); wait > 0 {
			text = "The next attempt is in " + lasted(max(wait, time.Second).Round(time.Second)) + "."
		}
		return strings.TrimSpace(s.hint + " " + text)
	}
	best := e.Plan.HasBest && e.Plan.Best == i
	var copies, nothing bool = false, true
	for k := range l.flows {
		if l.flows[k].source != nil && e.Plan.Route[k].Has(i) {
			nothing = false
			copies = copies || !best
		}
	}
	switch {
	case l.flows[media.Voice].source == nil && l.flows[media.Video].source == nil:
		return "Carries nothing: the room has neither camera nor microphone."
	case !e.Plan.HasBest:
		return "Carries everything, as all others do: no uplink is known to work, so all are tried."
	case v.Pinned && best:
		return "It is the one to rely on: an operator holds everything here."
	case best && usable(e) == 1 && v.Allowance > failover.Enough:
		return "It is the only one that works, so it carries everything, whatever is left of its data budget."
	case best && usable(e) == 1:
		return "It is the only one that works, so it carries everything."
	case best && i == 0:
		return "It is the preferred one, so it carries everything."
	case best:
		return sentence("it is the one to rely on now, because " + e.Why.Sentence(l.name(e.Plan.Best)))
	case v.Verdict == failover.Down:
		return "Carries nothing while another one works."
	case nothing && v.Allowance == failover.Spent:
		return "Stands by, probed rarely: its data budget is spent."
	case nothing && l.foreign():
		return "Stands by, connected and probed every " + lasted(s.every) + ": it takes over when the one in use is down."
	case nothing:
		return "Stands by: probed every " + lasted(s.every) + ", and used at the first sign of trouble."
	case copies && e.Doubt != 0 && e.Plan.Route[media.Video].Has(i) && l.engine.Copies(failover.Video, i) == failover.OnDoubt:
		return sentence("carries copies because " + e.Doubt.Sentence(l.name(e.Plan.Best)))
	case v.Verdict == failover.Proving:
		return "Carries copies to prove itself, and so that nothing is lost if another one fails."
	}
	return "Carries copies, so that nothing is lost if another one fails."
}

func usable(e failover.Snapshot) int {
	n := 0
	for _, v := range e.Links {
		if v.Verdict != failover.Down {
			n++
		}
	}
	return n
}

func (l *loop) viewStream(now time.Time, k media.Kind, e failover.Snapshot) status.Stream {
	f := &l.flows[k]
	h := f.source.health(now)
	st := status.Stream{
		Kind: k.String(), Source: h.Device, Protection: l.engine.Policy().Protection[e.Phase()][k].String(), Route: []string{},
		Packets: f.source.fanout.Stats().Packets, Rate: f.source.measured.bits, PerSecond: f.source.measured.frames, LastPacket: unix(f.source.last.Load()), LastFrame: h.LastFrame,
		Received: uint64(f.far.Received), Lost: uint64(f.far.Lost), FarWord: f.heard, LongestGap: *ms(f.far.LongestGap),
		KeyFrames: f.source.asked.Load(), Restarts: max(f.source.starts.Load(), 1) - 1,
	}
	for i := range l.links {
		sum := l.links[i].sent(k)
		st.Repairs += sum.Resent
		st.Replayed += sum.Replayed
		if l.links[i].on[k] {
			st.Route = append(st.Route, l.name(failover.Link(i)))
		}
	}
	st.Level, st.Sentence = f.source.sentence(h)
	st.Devices, st.Choice = l.viewDevices(now, f.source)
	st.Fault = f.source.fault(now).String()
	if k == media.Video {
		l.viewShape(&st, e)
	}
	return st
}

// sentence says how the source is.
func (s *source) sentence(h media.Health) (status.Level, string) {
	what := "No sound comes from the microphone"
	if s.kind == media.Video {
		what = "No picture comes from the camera"
	}
	switch {
	case s.muted.Load() && s.kind == media.Video:
		return status.Warning, media.MutedPicture + "."
	case s.muted.Load():
		return status.Warning, media.MutedVoice + "."
	case h.Muted: // opened again, and not there yet
		return status.Unknown, what + " yet."
	case !h.OK && h.Reason != "":
		return status.Bad, sentence(strings.TrimRight(h.Reason, "."))
	case !h.OK && h.LastFrame.IsZero() && s.starts.Load() <= 1:
		return status.Unknown, what + " yet."
	case !h.OK:
		return status.Bad, what + "."
	case h.Fault != content.None:
		return status.Warning, sentence(h.Fault.Sentence())
	case s.kind == media.Video && h.Width > 0:
		return status.OK, fmt.Sprintf("%.0f pictures a second, %d × %d.", h.FPS, h.Width, h.Height)
	case s.kind == media.Video:
		return status.OK, fmt.Sprintf("%.0f pictures a second.", s.measured.frames)
	}
	return status.OK, fmt.Sprintf("%.0f packets a second.", s.measured.frames)
}

func (l *loop) viewReturn(now time.Time, k media.Kind) status.Return {
	s := l.agent.back.stats(k)
	r := status.Return{
		Kind: k.String(), Packets: s.Received, Lost: s.Lost, Repaired: s.Repaired, Duplicate: s.Duplicate, LongestGap: *ms(s.LongestGap), Via: []string{},
		LastPacket: l.agent.back.came(k), // not what a link brings, but what goes on to the room
	}
	for i := range l.links {
		if now.Sub(l.agent.back.last(failover.Link(i), k)) < bringing {
			r.Via = append(r.Via, l.name(failover.Link(i)))
		}
	}
	talking := l.present.fresh(now) && l.present.Talk != nil
	switch age := now.Sub(r.LastPacket); {
	case !r.LastPacket.IsZero() && age < bringing:
		r.Level, r.Sentence = status.OK, "arrives."
	case talking:
		r.Level, r.Sentence = status.Bad, "does not arrive, although "+l.present.Talk.Name+" talks to the room."
		if !r.LastPacket.IsZero() {
			r.Sentence = fmt.Sprintf("stopped %s ago, although %s talks to the room.", lasted(age), l.present.Talk.Name)
		}
	case r.LastPacket.IsZero():
		r.Level, r.Sentence = status.Unknown, "has not come yet: nobody has talked to the room."
	default:
		r.Level, r.Sentence = status.Unknown, "does not come: nobody talks to the room."
	}
	return r
}

func (l *loop) viewChange(c *change) status.Switchover {
	w := status.Switchover{
		Number: c.number, When: c.when, Streams: []string{}, From: l.list(c.from), To: l.list(c.to), Cause: c.reason.String(), Drill: c.drill,
		Sentence: c.when.Local().Format("15:04:05") + " " + lowerFirst(c.story(l)), Settled: c.settled, Routine: c.routine(),
		Lost:     status.Lost{Known: c.settled && c.known, Voice: uint64(c.lost[media.Voice]), Video: uint64(c.lost[media.Video])},
		Evidence: c.evidence(), Gap: viewGaps(c.gaps), ReturnGap: viewGaps(c.back),
		Trace: c.saved.name, SHA256: c.saved.sum, Decisions: c.saved.decisions,
	}
	for k, moved := range c.streams {
		if moved {
			w.Streams = append(w.Streams, media.Kind(k).String())
		}
	}
	if lossy(c.reason) {
		w.Detect = ms(c.detect)
	}
	if c.switched > 0 {
		w.Switch = ms(c.switched)
	}
	if c.settled {
		w.Replayed, w.ReplayedBytes = c.replayed.packets, c.replayed.bytes
	}
	return w
}

func lowerFirst(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func ms(d time.Duration) *float64 {
	v := float64(d.Microseconds()) / 1000
	return &v
}

func unix(nano int64) time.Time {
	if nano == 0 {
		return time.Time{}
	}
	return time.Unix(0, nano)
}
