package agent

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"scanside/agent/status"
	"scanside/audit"
	"scanside/drill"
)

// drillFile holds the last drill's result, and who began the one that is under way.
const drillFile = "drill.json"

// keptDrill is what the file holds.
type keptDrill struct {
	Running *runningDrill       `json:"running"` // null: none
	Last    *status.DrillResult `json:"last"`    // null: none was ever made
}

type runningDrill struct {
	By     string    `json:"by"`
	Uplink string    `json:"uplink"`
	Begun  time.Time `json:"begun"`
}

// drill is what the run before this left. A file that cannot be read says nothing.
func (s store) drill() (k keptDrill) {
	if s.dir == "" {
		return k
	}
	text, err := os.ReadFile(filepath.Join(s.dir, drillFile))
	if err != nil || json.Unmarshal(text, &k) != nil {
		return keptDrill{}
	}
	return k
}

// keepDrill hands what is to be written to keepDrills; what was handed over before and is not written yet is overtaken.
func (l *loop) keepDrill() {
	k := keptDrill{Last: l.drills.last}
	if d := l.drills.now; d != nil {
		k.Running = &runningDrill{d.Order().By, d.Order().Uplink, d.Begun()}
	}
	select {
	case <-l.drills.keep:
	default:
	}
	l.drills.keep <- k
}

// keepDrills writes drills down until the loop ends, and then what is left.
func (a *Agent) keepDrills(kept store) {
	write := func(k keptDrill) {
		if kept.dir == "" {
			return
		}
		text, err := json.MarshalIndent(k, "", "  ")
		if err == nil {
			err = kept.write(drillFile, string(text)+"\n")
		}
		if err != nil {
			a.log.Error("the drill's result is not kept over a restart", "err", err)
		}
	}
	for {
		select {
		case k := <-a.loop.drills.keep:
			write(k)
		case <-a.loop.ended:
			select {
			case k := <-a.loop.drills.keep:
				write(k)
			default:
			}
			return
		}
	}
}

// resumeDrill takes up the last result, and tells of a drill in which the program ended: nothing is cut by now.
func (l *loop) resumeDrill(now time.Time, k keptDrill) {
	l.drills.last = k.Last
	if k.Running == nil {
		return
	}
	r := drill.Result{Order: drill.Order{By: k.Running.By, Uplink: k.Running.Uplink}, Reasons: []drill.Reason{drill.Interrupted}, Begun: k.Running.Begun, Ended: now}
	l.drills.last = viewDrill(r, status.Warning)
	l.tale.say(now, status.Warning, "Drill: "+r.Sentence())
	l.keepDrill()
	l.note(drillEntry(r))
}

// drillEntry is a result as it is recorded.
func drillEntry(r drill.Result) audit.Drill {
	e := audit.Drill{By: r.Order.By, Uplink: r.Order.Uplink, Outcome: r.Outcome.String(), Passed: r.Outcome == drill.Passed, Reasons: []string{}, CutMS: *ms(r.Cut),
		DetectMS: known(r.Cost.Notice), SwitchMS: known(r.Cost.Switch), VoiceGap: known(r.Cost.Voice), VideoGap: known(r.Cost.Video),
		RoomVoiceGap: known(r.Cost.RoomVoice), RoomVideoGap: known(r.Cost.RoomVideo), BackMS: known(r.Back), Switchover: r.Cost.Switchover}
	for _, why := range r.Reasons {
		e.Reasons = append(e.Reasons, why.String())
	}
	if r.Cost.LostKnown && r.Cut > 0 {
		e.Lost = &audit.Lost{Voice: r.Cost.LostVoice, Video: r.Cost.LostVideo}
	}
	return e
}

// known is a figure in ms; nil: it was not measured.
func known(m drill.Measure) *float64 {
	if !m.Known {
		return nil
	}
	return ms(m.Value)
}

// recordedDrill notes by which record the last drill is vouched for.
func (l *loop) recordedDrill(r *audit.Record) {
	if l.drills.last == nil {
		return
	}
	last := *l.drills.last // snapshots hold the old one
	last.Record, last.Hash = r.Number, hex.EncodeToString(r.Hash[:])
	l.drills.last = &last
	l.keepDrill()
	l.news = true
}

// viewDrill is a result for the page and for programs.
func viewDrill(r drill.Result, level status.Level) *status.DrillResult {
	v := &status.DrillResult{
		At: r.Ended, By: r.Order.By, Uplink: r.Order.Uplink, Outcome: r.Outcome.String(), Level: level, Sentence: r.Sentence(), Reasons: []string{}, Record: -1,
		Cut: *ms(r.Cut), Detect: known(r.Cost.Notice), Switch: known(r.Cost.Switch), Back: known(r.Back), Switchover: r.Cost.Switchover,
		Gap:       status.Gap{Voice: known(r.Cost.Voice), Video: known(r.Cost.Video)},
		ReturnGap: status.Gap{Voice: known(r.Cost.RoomVoice), Video: known(r.Cost.RoomVideo)},
		Lost:      status.Lost{Known: r.Cost.LostKnown && r.Cut > 0, Voice: r.Cost.LostVoice, Video: r.Cost.LostVideo},
	}
	for _, why := range r.Reasons {
		v.Reasons = append(v.Reasons, why.String())
	}
	return v
}

// viewDrills is what the page says of drills.
func (l *loop) viewDrills(now time.Time) status.Drill {
	v := status.Drill{Uplink: l.name(0), Last: l.drills.last, Bounds: drill.Bounds(), Overdue: drillOverdue(now, l.drills.last)}
	d := l.drills.now
	if d == nil {
		v.Refusal = l.drillRefusal(now)
		return v
	}
	v.Running, v.Phase, v.By, v.Until = true, d.Phase().String(), d.Order().By, d.Until()
	switch d.Phase() {
	case drill.Looking:
		v.Sentence = "The uplinks are examined before anything is cut."
	case drill.Cutting:
		v.Sentence = v.Uplink + " is cut, as the drill wants; it is given back by itself."
	default:
		v.Sentence = v.Uplink + " is given back, and has to carry everything again."
	}
	return v
}

// drillAge is how old a drill may be: a drill a month, and a month has 31 days.
const drillAge = 31 * 24 * time.Hour

// drillOverdue reports whether a drill is due.
func drillOverdue(now time.Time, last *status.DrillResult) bool {
	return last == nil || last.Outcome == drill.Aborted.String() || now.Sub(last.At) > drillAge
}
