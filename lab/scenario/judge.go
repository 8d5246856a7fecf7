package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verdict is one expectation and whether it held. One that is not Asserted proves nothing in this world.
type Verdict struct {
	Text     string // the expectation, and what was seen
	Held     bool
	Asserted bool
}

// Judge compares a result, and the routes at the end by stream, with what the story expects. virtual: the world's time is
// virtual, so that its times prove something.
func (s Scenario) Judge(r Result, routes map[string][]string, virtual bool) []Verdict {
	var all []Verdict
	for _, x := range s.Expect {
		all = append(all, Verdict{fmt.Sprintf("%v: %s", x, x.Seen(r)), x.Holds(r), !x.Owed && (virtual || !x.OnClock())})
	}
	for _, e := range s.End {
		all = append(all, Verdict{fmt.Sprintf("end %s %s: %s", e.Stream, strings.Join(e.Uplinks, " "), strings.Join(routes[e.Stream], " ")),
			sameSet(e.Uplinks, routes[e.Stream]), true})
	}
	for _, w := range []struct {
		name string
		way  Way
	}{{"", r.Way}, {"return.", r.Return}} {
		all = append(all, s.lived(w.name+"voice.sent", w.way.Voice.Sent, VoiceRate), s.lived(w.name+"video.frames_sent", w.way.Video.FramesSent, VideoRate))
	}
	return all
}

// What the lab's sources make, a second.
const (
	VoiceRate = 50 // packets of 20 ms
	VideoRate = 30 // pictures
)

// lived wants four fifths of what the story's length should have brought: a stream that ends in the middle has lost nothing
// by its own numbers, so that counting losses alone would call dead media well.
func (s Scenario) lived(name string, seen uint64, rate float64) Verdict {
	least := uint64(0.8 * rate * s.Length.Seconds())
	return Verdict{fmt.Sprintf("always %s >= %d: %d", name, least, seen), seen >= least, true}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// SetFall fills in what is known of the first blow.
func (r *Result) SetFall(detect, switched *time.Duration) {
	r.DetectMS, r.SwitchMS = milliseconds(detect), milliseconds(switched)
}

func milliseconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	ms := float64(d.Microseconds()) / 1000
	return &ms
}
