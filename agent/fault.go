package agent

import (
	"time"

	"scanside/agent/status"
	"scanside/diagnosis"
	"scanside/failover"
)

// lookForFaults tells the examiner how the links are.
func (l *loop) lookForFaults() {
	engine := l.engine.Snapshot()
	for i, v := range engine.Links {
		s := &l.links[i]
		state := ""
		switch {
		case s.conn == nil && (s.dial.Error != "" || s.carrier == "down"):
			state = "not connected, carrier " + s.carrier
		case s.conn != nil && v.Verdict == failover.Down:
			state = "connected, carrier " + s.carrier
		}
		failed := s.forgive(v.Verdict, state == "")
		l.agent.examiner.need(failover.Link(i), state, failed)
	}
}

// forgive drops what an examination found wrong beyond the router when the link works again: that it was so then says nothing
// now, and one more look will tell. It reports whether there was anything.
func (s *linkState) forgive(v failover.Verdict, well bool) (failed bool) {
	if s.conn == nil || v == failover.Down || !well || !s.faulty {
		return false
	}
	s.faulty = false
	for _, layer := range []diagnosis.Layer{diagnosis.Names, diagnosis.Web, diagnosis.Datagrams} {
		if f := &s.findings.Layers[layer]; f.Result == diagnosis.Failed {
			*f = diagnosis.Finding{Subject: f.Subject, At: f.At}
			failed = true
		}
	}
	return failed
}

// examining notes that an examination begins. It may end after a short cut is over, and then tells of the past.
func (l *loop) examining(link failover.Link) {
	s := &l.links[link]
	s.examining = true
	s.faulty = l.engine.Snapshot().Links[link].Verdict == failover.Down
	l.news = true
}

// examined takes what an examination found.
func (l *loop) examined(now time.Time, e event) {
	s := &l.links[e.link]
	s.findings, s.examining = e.findings, false
	s.checked = now
	s.faulty = s.faulty || l.engine.Snapshot().Links[e.link].Verdict == failover.Down
	l.news = true
}

// diagnose judges all uplinks together and returns what it went by. What the link knows of media is newer than any
// examination.
func (l *loop) diagnose(now time.Time, e failover.Snapshot) []diagnosis.Findings {
	all := make([]diagnosis.Findings, len(l.links))
	for i := range l.links {
		s, v := &l.links[i], e.Links[i]
		f := s.findings
		f.Uplink = l.agent.cfg.Uplinks[i].Name
		f.Layers[diagnosis.Media] = mediaFinding(now, s, v)
		all[i] = f
	}
	for i, verdict := range diagnosis.Judge(now, all) {
		l.links[i].judged = verdict
		all[i] = all[i].Current(now)
	}
	return all
}

func mediaFinding(now time.Time, s *linkState, v failover.LinkView) diagnosis.Finding {
	f := diagnosis.Finding{At: now}
	switch {
	case s.conn == nil && s.noPath:
		f.Result, f.Kind, f.Note = diagnosis.Failed, diagnosis.NotConnected, "no way was found for it"
	case s.conn == nil:
		f.Note = "not connected"
	case v.Verdict == failover.Down:
		f.Result, f.Kind, f.Note = diagnosis.Failed, diagnosis.Silent, "probes are not answered"
	case v.Suspect:
		f.Note = "in doubt"
	default:
		f.Result, f.Note = diagnosis.OK, "probes are answered"
	}
	return f
}

// layerWords are the layers as the page names them.
var layerWords = [diagnosis.NumLayers]string{
	"Adapter", "Cable or signal", "Address", "Router", "Name servers", "Far end over HTTPS", "Far end over UDP", "Voice and picture",
}

func (l *loop) viewFault(now time.Time, i int, f diagnosis.Findings) status.Fault {
	s := &l.links[i]
	v := s.judged
	out := status.Fault{
		Cause: v.Cause.String(), Layer: v.Layer.String(), Sentence: v.Sentence, Next: v.Next, Level: faultLevel(v),
		Checked: s.checked, Checking: s.examining, Layers: []status.Layer{},
	}
	for layer, x := range f.Layers {
		out.Layers = append(out.Layers, viewLayer(now, diagnosis.Layer(layer), x))
	}
	return out
}

func viewLayer(now time.Time, l diagnosis.Layer, x diagnosis.Finding) status.Layer {
	one := status.Layer{Name: l.String(), Words: layerWords[l], Result: x.Result.String(), Level: status.Unknown, Subject: x.Subject, Note: x.Note, At: x.At}
	switch x.Result {
	case diagnosis.OK:
		one.Level = status.OK
	case diagnosis.Failed:
		one.Level = status.Bad
	}
	if !x.At.IsZero() {
		one.Age = float64(now.Sub(x.At).Milliseconds())
	}
	return one
}

func faultLevel(v diagnosis.Verdict) status.Level {
	switch {
	case v.IsFault():
		return status.Warning
	case v.Cause == diagnosis.Unknown:
		return status.Unknown
	}
	return status.OK
}
