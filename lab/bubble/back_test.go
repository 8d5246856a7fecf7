package bubble

import (
	"slices"
	"testing"
	"time"

	"scanside/lab/observe"
	"scanside/lab/scenario"
)

// backStory is a room whose copies wait for doubt, so that after a failure everything is on the other uplink.
const backStory = `# The preferred uplink fails and heals.
length 60s
uplink primary 20ms
uplink cellular 60ms metered
protect voice on-doubt
protect video on-doubt
expect voice.lost = 0
`

// alone is that story.
func alone(t *testing.T) scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("back", backStory)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// turnBack is one figure of G9: a failure of the preferred uplink, and the way back to it.
type turnBack struct {
	Failure    int     `json:"failure"`   // the first, the second, … within FlapMemory
	Procedure  bool    `json:"procedure"` // one was open when the uplink healed
	After      float64 `json:"back_after_s"`
	AtLeast    float64 `json:"at_least_s"` // by the policy: of delivered duplicates
	VoiceLost  uint64  `json:"voice_lost"` // from the failure until the way back is over, both directions
	FramesLost uint64  `json:"frames_lost"`
	Freeze     float64 `json:"longest_freeze_ms"` // from healing until the way back is over, to the far end
	ReturnMS   float64 `json:"longest_return_freeze_ms"`
	KeyFrames  uint64  `json:"key_frame_requests"`
}

// G9: "Switching back: 0 packets lost, only after >= 10 s of delivered duplicate media, doubling to 5 min on flaps", and never
// for preference while a procedure is open (F9). SCANSIDE_RESULT names a file that gets the figures.
func TestSwitchBack(t *testing.T) {
	dwells := []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second}
	if testing.Short() {
		dwells = dwells[:1]
	}
	var all []turnBack
	inDayOf(t, alone(t), func(d *day) {
		time.Sleep(5 * time.Second) // the copies that brought the uplinks' proof have ended
		for i, dwell := range dwells {
			all = append(all, d.turnBack(i+1, dwell, false))
		}
		all = append(all, d.turnBack(len(dwells)+1, 2*dwells[len(dwells)-1], true))
	})
	figures(t, all...)
	for _, r := range all {
		if r.VoiceLost+r.FramesLost+r.KeyFrames != 0 {
			t.Errorf("failure %d: something was lost or asked for", r.Failure)
		}
		if r.After < r.AtLeast || !r.Procedure && r.After > r.AtLeast+3 {
			t.Errorf("failure %d: back after %.2f s, want %.0f and a little", r.Failure, r.After, r.AtLeast)
		}
		if limit := 60.0; max(r.Freeze, r.ReturnMS) > limit { // a frame and the skew of the uplinks
			t.Errorf("failure %d: the way back froze the picture", r.Failure)
		}
	}
}

// turnBack cuts the primary for five seconds and waits until it carries everything alone again.
func (d *day) turnBack(number int, dwell time.Duration, procedure bool) turnBack {
	d.t.Helper()
	r := turnBack{Failure: number, Procedure: procedure, AtLeast: dwell.Seconds()}
	room, doc := d.w.Box.Video.KeyFrameRequests(), d.doc.KeyFrameRequests()
	count := func() {
		v, p := d.console.Way(), d.tv.Way()
		r.VoiceLost += v.Voice.Lost + p.Voice.Lost
		r.FramesLost += v.Video.FramesLost + p.Video.FramesLost
		r.Freeze, r.ReturnMS = v.Video.LongestFreezeMS, p.Video.LongestFreezeMS
		d.console.Mark()
		d.tv.Mark()
	}
	d.console.Mark()
	d.tv.Mark()
	d.w.Set.Impair("primary", "cut")
	if procedure {
		d.procedure(true)
	}
	time.Sleep(5 * time.Second)
	if got := d.routes(); !slices.Equal(got, []string{"cellular"}) {
		d.t.Fatalf("after the failure everything goes over %v", got)
	}
	count()
	healed := time.Now()
	d.w.Set.Impair("primary", "restore")
	if procedure {
		time.Sleep(dwell + 20*time.Second)
		if got := d.routes(); !slices.Contains(got, "cellular") {
			d.t.Errorf("while a procedure was open everything went from cellular to %v", got)
		}
		d.procedure(false)
	}
	d.takes(dwell+10*time.Second, "back to primary", d.allOver("primary"))
	r.After = time.Since(healed).Seconds()
	time.Sleep(time.Second)
	count()
	r.KeyFrames = d.w.Box.Video.KeyFrameRequests() - room + d.doc.KeyFrameRequests() - doc
	return r
}

// allOver asks, not too often, whether an uplink alone carries everything.
func (d *day) allOver(uplink string) func() bool {
	return func() bool {
		time.Sleep(looking)
		return slices.Equal(d.routes(), []string{uplink})
	}
}

// do does what a scenario says.
func (d *day) do(event string) {
	d.t.Helper()
	e, err := scenario.ParseEvent(event, d.w.scenario.Uplinks)
	if err == nil {
		err = d.w.Do(e)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// routes are the uplinks that carry anything.
func (d *day) routes() []string {
	d.t.Helper()
	st, err := d.box.Status(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	var all []string
	for _, route := range observe.Routes(st) {
		all = append(all, route...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// procedure opens or closes one, as the technician does.
func (d *day) procedure(open bool) {
	d.t.Helper()
	if err := d.box.Procedure(d.t.Context(), open); err != nil {
		d.t.Fatal(err)
	}
}
