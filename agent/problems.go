package agent

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/failover"
	"scanside/media"
	"scanside/media/content"
)

// since remembers from when on each problem has been there.
type since map[string]time.Time

// problems lists what is wrong now, worst first. Ids are stable, so that a monitor can go by them.
func (l *loop) problems(now time.Time, st *status.Status, e failover.Snapshot) []status.Problem {
	all := []status.Problem{}
	add := func(id string, level status.Level, text, hint string) {
		all = append(all, status.Problem{ID: id, Severity: level, Text: text, Hint: hint, Since: now})
	}
	l.linkProblems(st, e, add)
	l.mediaProblems(st, add)
	l.agent.loudspeakerProblems(st, add)
	l.muteProblems(add)
	l.hookProblems(add)
	l.agent.doorProblems(add)
	deviceProblems(st, add)
	l.foreignProblems(add)
	l.budgetProblems(now, add)
	l.wayProblem(add)
	if st.FarEnd.Reached && !st.FarEnd.Known && !l.foreign() {
		add("presence-unknown", status.Warning, "It is not known who is at the far end.", "The gateway does not answer the question; its log says why.")
	}
	if text, hint, is := l.spare(); is {
		add("far-end-spare", status.Notice, text, hint)
	}
	if r := st.Recorder; r.Error != "" {
		add("trace-not-written", status.Warning, sentence(strings.TrimRight(r.Error, ".")), "Check space and permissions of the state directory.")
	}
	if r := st.Audit; r.Error != "" {
		add("record-not-written", status.Warning, "The audit log is not as it should be: "+strings.TrimRight(r.Error, ".")+".", "Check space and owner of "+r.Folder+"; export it with: scanside audit export.")
	}
	l.agent.textfile.problem(add)
	if why := l.agent.unkept; why != "" {
		add("state-not-kept", status.Warning, "Nothing is kept over a restart: "+why+".", "Check state_dir, its space and its owner, and restart.")
	}
	if l.breaches != [invariants]uint64{} {
		add("invariant-broken", status.Warning, "The failover engine broke one of its own rules.", "Please report it, with the newest file in the traces folder.")
	}
	seen := since{}
	for i := range all {
		at, known := l.since[all[i].ID]
		if known {
			all[i].Since = at
		}
		seen[all[i].ID] = all[i].Since
	}
	l.since = seen
	rank := func(p status.Problem) int {
		return slices.Index([]status.Level{status.Bad, status.Warning, status.Notice}, p.Severity)
	}
	slices.SortStableFunc(all, func(a, b status.Problem) int { return cmp.Compare(rank(a), rank(b)) })
	return all
}

func (l *loop) linkProblems(st *status.Status, e failover.Snapshot, add func(id string, level status.Level, text, hint string)) {
	works := usable(e)
	for i, u := range st.Uplinks {
		s, level := &l.links[i], status.Warning
		if works == 0 {
			level = status.Bad
		}
		where := func(hint string) string { // what was found on the spot tells more than what a dial ended with
			if s.judged.IsFault() {
				return s.judged.Sentence + " " + s.judged.Next
			}
			return hint
		}
		switch {
		case l.drilled(failover.Link(i)):
			add("drill:"+u.Name, status.Notice, "A drill of "+u.Name+" is under way: there is no spare until it has come back.", "Wait for its end; opening a procedure breaks it off at once.")
		case s.conn == nil && s.dial.Error != "" && (s.carrier != "down" || s.absent):
			add("uplink-down:"+u.Name, level, u.Name+" cannot connect: "+s.dial.Error+".", where(s.hint))
		case u.Verdict == "down" && u.Words != "Connecting":
			hint := where(downHint(u, e.Links[i].Reason))
			if u.Impairment != "" {
				hint = "Somebody spoiled it on this page: press Restore."
			}
			add("uplink-down:"+u.Name, level, u.Name+" is down: "+lowerFirst(u.Reason), hint)
		case u.Verdict == "degraded":
			add("uplink-degraded:"+u.Name, status.Notice, u.Name+" is degraded: "+lowerFirst(u.Reason), "If it lasts, look at its signal and cable, and at what else uses it.")
		}
	}
	if len(st.Uplinks) == 1 {
		add("single-uplink", status.Notice, "Only one way out of the room is configured.", "A cut ends supervision; configure a second uplink.")
	}
}

func downHint(u status.Uplink, why failover.Reason) string {
	switch why {
	case failover.CarrierLost:
		return "Check the cable, modem or antenna at " + u.Device + "."
	case failover.SendRefused:
		return "Check that " + u.Device + " has an address and a default route."
	case failover.OneWayOut, failover.OneWayBack:
		return "It works in one direction only; a firewall or the provider drops the other."
	case failover.Disconnected:
		return "It is dialled again by itself."
	}
	return "Check the cable at " + u.Device + " and the network behind it; it is taken up again by itself."
}

func (l *loop) mediaProblems(st *status.Status, add func(id string, level status.Level, text, hint string)) {
	for k := range l.flows {
		kind := media.Kind(k)
		what, device := "voice", "microphone"
		if kind == media.Video {
			what, device = "picture", "camera"
		}
		if l.flows[k].source == nil {
			add("no-"+device, status.Bad, fmt.Sprintf("There is no %s of the room: the configuration names no %s.", what, device), "Set "+device+".device in the configuration.")
			continue
		}
		for _, s := range st.Streams {
			if s.Kind == kind.String() && s.Level == status.Bad {
				text := fmt.Sprintf("There is no %s of the room. %s", what, s.Sentence)
				if s.Fault != content.Absent.String() {
					text = s.Sentence
				}
				add(device+"-failed", status.Bad, text, "Check the "+device+" and its cable; it is taken up again by itself.")
			}
			if s.Kind == kind.String() && s.Level == status.Warning && s.Fault != content.Private.String() {
				add(device+"-impaired", status.Warning, s.Sentence, "The far end is told; check the "+device+" before the next patient.")
			}
		}
	}
	for _, s := range st.Streams {
		switch {
		case s.Reduced && s.Wanted == 0:
			add("picture-stopped", status.Warning, s.Limit, "Look at what else uses the uplinks, and at their signal; the picture is tried again by itself.")
		case s.Reduced:
			add("picture-reduced", status.Notice, s.Limit, "If it lasts, look at what else uses the uplink, and at its signal.")
		}
	}
	for _, r := range st.Return {
		if r.Level == status.Bad {
			add("return-"+r.Kind+"-missing", status.Bad, "The physician's "+pictureWord(r.Kind)+" "+r.Sentence, "The far end is told by itself; if it lasts, the physician should press Talk again.")
		}
	}
}

func pictureWord(kind string) string {
	if kind == "video" {
		return "picture"
	}
	return kind
}
