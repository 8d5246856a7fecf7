package drill

import (
	"fmt"
	"strings"
	"time"
)

// Reason is why a drill did not pass: a closed set. The zero value is None.
type Reason uint8

// The reasons. Up to OperatorPinned the drill was broken off; the others are figures beyond their bounds.
const (
	None Reason = iota
	ProcedureOpened
	SpareFailed
	Stopped
	NotExamined
	FaultFound
	NotReady
	OperatorPinned
	Interrupted
	NotNoticed
	NoticedLate
	VoiceNotMeasured
	VideoNotMeasured
	VoicePause
	VideoPause
	RoomPause
	LossNotKnown
	VoiceLost
	NotBack
	numReasons
)

var reasonWords = [numReasons]string{
	"none", "procedure_opened", "spare_failed", "stopped", "not_examined", "fault_found", "not_ready", "operator_pinned", "interrupted",
	"not_noticed", "noticed_late", "voice_not_measured", "video_not_measured", "voice_pause", "video_pause", "room_pause", "loss_not_known",
	"voice_lost", "not_back",
}

var reasonSentences = [numReasons]string{
	ProcedureOpened:  "a procedure was opened",
	SpareFailed:      "the spare failed",
	Stopped:          "scanside was stopped",
	NotExamined:      "the uplinks could not be examined in time",
	FaultFound:       "an uplink has a fault: see its card",
	NotReady:         "the uplinks did not stay well",
	OperatorPinned:   "an operator held everything on one uplink",
	Interrupted:      "scanside ended without a word: it crashed, or its power was cut",
	NotNoticed:       "the cut was not noticed",
	NoticedLate:      "the cut was noticed late",
	VoiceNotMeasured: "the far end did not say how long voice paused",
	VideoNotMeasured: "the far end did not say how long the picture paused",
	VoicePause:       "voice paused for too long",
	VideoPause:       "the picture paused for too long",
	RoomPause:        "what came into the room paused for too long",
	LossNotKnown:     "the far end did not say what it lost",
	VoiceLost:        "voice was lost",
	NotBack:          "the uplink did not come back in time",
}

// String is the reason's code word in the API and in records.
func (r Reason) String() string {
	if r < numReasons {
		return reasonWords[r]
	}
	return "none"
}

// Sentence is the reason in a clause.
func (r Reason) Sentence() string {
	if r < numReasons {
		return reasonSentences[r]
	}
	return ""
}

// The bounds that a drill passes by.
const (
	// MostNotice: detect dead media within 2 s is what a warm standby is asked for; ours is asked for half of that.
	MostNotice = time.Second
	// MostVoice is a hesitation; more is taken for a cut line. Both directions.
	MostVoice = 500 * time.Millisecond
	// MostVideo is as long as a picture may stand before the room's screen says so.
	MostVideo = time.Second
	// MostLost packets of voice (20 ms each) are MostVoice.
	MostLost = 25
)

// Bounds are the bounds in words, for the page and the report.
func Bounds() []string {
	return []string{
		fmt.Sprintf("noticed within %v", MostNotice), fmt.Sprintf("voice paused for at most %v, both ways", MostVoice),
		fmt.Sprintf("the picture for at most %v", MostVideo), fmt.Sprintf("at most %d packets of voice lost", MostLost),
		fmt.Sprintf("back within %v after it was given back", BackWithin),
	}
}

// Outcome of a drill.
type Outcome uint8

// The outcomes. The zero value is Aborted.
const (
	Aborted Outcome = iota
	Passed
	Failed
)

var outcomeWords = [...]string{"aborted", "passed", "failed"}

func (o Outcome) String() string {
	if int(o) < len(outcomeWords) {
		return outcomeWords[o]
	}
	return "aborted"
}

// Result is what a drill came to.
type Result struct {
	Order   Order
	Outcome Outcome
	Reasons []Reason // why it did not pass; empty when it did
	Begun   time.Time
	Cut     time.Duration // how long it was cut; 0: it was not
	Back    Measure       // from giving it back until it carried everything
	Ended   time.Time
	Cost    Cost
}

// Result is what the drill came to; false while it is not over.
func (d *Drill) Result() (Result, bool) {
	if d.phase != Over {
		return Result{}, false
	}
	r := Result{Order: d.order, Begun: d.begun, Ended: d.ended, Cost: d.cost}
	if !d.cutAt.IsZero() {
		r.Cut = d.givenAt.Sub(d.cutAt)
	}
	if !d.back.IsZero() {
		r.Back = Measure{d.back.Sub(d.givenAt), true}
	}
	if d.broke != None {
		r.Reasons = []Reason{d.broke}
		return r, true
	}
	r.Reasons = r.judge()
	r.Outcome = Passed
	if len(r.Reasons) > 0 {
		r.Outcome = Failed
	}
	return r, true
}

// judge holds the figures against their bounds (R3).
func (r Result) judge() (beyond []Reason) {
	add := func(is bool, why Reason) {
		if is {
			beyond = append(beyond, why)
		}
	}
	c := r.Cost
	add(!c.Notice.Known || !c.Switch.Known, NotNoticed)
	add(c.Notice.Value > MostNotice, NoticedLate)
	add(c.HasVoice && !c.Voice.Known, VoiceNotMeasured)
	add(c.HasVideo && !c.Video.Known, VideoNotMeasured)
	add(c.Voice.Value > MostVoice, VoicePause)
	add(c.Video.Value > MostVideo, VideoPause)
	add(c.RoomVoice.Value > MostVoice || c.RoomVideo.Value > MostVideo, RoomPause)
	add(!c.LostKnown, LossNotKnown)
	add(c.LostKnown && c.LostVoice > MostLost, VoiceLost)
	add(!r.Back.Known || r.Back.Value > BackWithin, NotBack)
	return beyond
}

// Sentence tells the result as people read it.
func (r Result) Sentence() string {
	var why []string
	for _, x := range r.Reasons {
		why = append(why, x.Sentence())
	}
	if r.Outcome == Aborted {
		if r.Cut == 0 {
			return "Broken off before anything was cut: " + strings.Join(why, "; ") + "."
		}
		return fmt.Sprintf("Broken off after %s: %s. %s was given back at once.", span(r.Cut), strings.Join(why, "; "), r.Order.Uplink)
	}
	text := fmt.Sprintf("%s was cut for %s. ", r.Order.Uplink, span(r.Cut))
	c := r.Cost
	text += fmt.Sprintf("Noticed after %s; voice paused for %s, the picture for %s, at the far end", c.Notice, c.Voice, c.Video)
	if c.RoomVoice.Known || c.RoomVideo.Known {
		text += fmt.Sprintf("; in the room voice for %s, the picture for %s", c.RoomVoice, c.RoomVideo)
	}
	text += fmt.Sprintf(". Back after %s.", r.Back)
	if r.Outcome == Passed {
		return "Passed: " + text
	}
	return "Not passed, for " + strings.Join(why, "; ") + ". " + text
}

// String is the figure, or that there is none.
func (m Measure) String() string {
	if !m.Known {
		return "an unknown time"
	}
	return span(m.Value)
}

func span(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
