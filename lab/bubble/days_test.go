package bubble

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scanside/agent/status"
	"scanside/gateway"
	"scanside/lab/observe"
	"scanside/lab/scenario"
	"scanside/media"
)

// day is a world with everybody in it, both uplinks proven, for a story that is more than things done to uplinks.
type day struct {
	*people
	t     *testing.T
	state string
}

func inDay(t *testing.T, story func(d *day)) {
	s, err := scenario.Load("steady")
	if err != nil {
		t.Fatal(err)
	}
	inDayOf(t, s, story)
}

// inDayOf is inDay with uplinks and protection of a scenario's.
func inDayOf(t *testing.T, s scenario.Scenario, story func(d *day)) {
	state := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w, err := NewWorld(s, state, logger(t))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		d := &day{&people{w: w}, t, state}
		defer d.leave()
		if err := d.come(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		d.console.Mark()
		d.tv.Mark()
		story(d)
	})
}

// takes says how long it is until something is true, looked at every millisecond of virtual time.
func (d *day) takes(limit time.Duration, what string, ready func() bool) time.Duration {
	d.t.Helper()
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		if ready() {
			return time.Since(start)
		}
		if time.Since(start) > limit {
			d.t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// shows tells when the viewer shows frames that it did not show before.
func shows(v *observe.Viewer) func() bool {
	before := v.Stats(media.Video).FramesShown
	return func() bool { return v.Stats(media.Video).FramesShown > before }
}

// "Agent that restarts in the middle: viewers keep their connection and see the picture return within a second."
func TestAgentRestarts(t *testing.T) {
	inDay(t, func(d *day) {
		d.w.Box.Stop()
		time.Sleep(3 * time.Second)
		again := shows(d.console)
		if _, err := d.w.StartBox(boxHTTP, d.state); err != nil {
			d.t.Fatal(err)
		}
		took := d.takes(10*time.Second, "the picture returns", again)
		d.t.Logf("picture back %v after the agent's start", took)
		if took > time.Second {
			d.t.Errorf("the picture returned %v after the agent's start, want a second at most", took)
		}
		if s := d.console.Stats(media.Video); s.Runs != 2 {
			d.t.Errorf("the console saw %d producers, want two over one connection", s.Runs)
		}
	})
}

// "Two agents claiming one site: the second is refused with a clear reason" and the first does not notice.
func TestTwoBoxesOneSite(t *testing.T) {
	state := t.TempDir()
	inDay(t, func(d *day) {
		const addr = "127.0.0.1:8481"
		second, err := d.w.StartBox(addr, state)
		if err != nil {
			d.t.Fatal(err)
		}
		page := d.w.Page(addr)
		time.Sleep(10 * time.Second)
		st, err := page.Status(d.t.Context())
		if err != nil {
			d.t.Fatal(err)
		}
		for _, u := range st.Uplinks {
			if u.Connected || u.Dial == nil || !strings.Contains(u.Dial.Error, "another box") {
				d.t.Errorf("the second box says of uplink %s: connected %v, %+v; want a refusal that names another box", u.Name, u.Connected, u.Dial)
			}
		}
		second.Stop()
		if v, p := d.console.Stats(media.Voice), d.console.Stats(media.Video); v.Lost != 0 || p.FramesLost != 0 || v.LongestGap > 21*time.Millisecond {
			d.t.Errorf("the first box's room noticed: voice %+v, video %+v", v, p)
		}
	})
}

// A box with another site's token is refused over both uplinks, says so, and is never green.
func TestWrongToken(t *testing.T) {
	inDay(t, func(d *day) {
		d.w.Box.Stop()
		d.w.token, _ = gateway.NewSiteToken()
		var err error
		if d.w.Box, err = d.w.StartBox(boxHTTP, d.state); err != nil {
			d.t.Fatal(err)
		}
		for range 150 {
			time.Sleep(100 * time.Millisecond)
			st, err := d.box.Status(d.t.Context())
			if err != nil {
				d.t.Fatal(err)
			}
			if st.Verdict.Qualifying || st.Verdict.Level == status.OK || st.FarEnd.Reached || st.FarEnd.Level == status.OK {
				d.t.Fatalf("refused, and the page says %+v, far end %+v", st.Verdict, st.FarEnd)
			}
		}
		st, err := d.box.Status(d.t.Context())
		if err != nil {
			d.t.Fatal(err)
		}
		for _, u := range st.Uplinks {
			if u.Connected || u.Verdict == "up" || u.Dial == nil || !strings.Contains(u.Dial.Error, "token") {
				d.t.Errorf("uplink %s: %s, connected %v, %+v; want a refusal that names the token", u.Name, u.Verdict, u.Connected, u.Dial)
			}
		}
		d.t.Logf("%s: %s; %s", st.Verdict.State, st.Verdict.Reason, st.Uplinks[0].Dial.Error)
	})
}

// "Viewers that never read" and viewers that leave without a word do not disturb the others.
func TestViewersComeAndGo(t *testing.T) {
	inDay(t, func(d *day) {
		for range 3 {
			v, err := d.w.Fars[0].Viewer(d.t.Context())
			if err != nil {
				d.t.Fatal(err)
			}
			d.takes(5*time.Second, "the newcomer sees the room", v.Receiving)
			if err := v.Close(); err != nil {
				d.t.Error(err)
			}
		}
		if v, p := d.console.Stats(media.Voice), d.console.Stats(media.Video); v.Lost != 0 || p.FramesLost != 0 || v.LongestGap > 21*time.Millisecond {
			d.t.Errorf("the first console noticed: voice %+v, video %+v", v, p)
		}
	})
}
