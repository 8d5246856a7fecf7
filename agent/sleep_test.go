package agent

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"scanside/agent/status"
	"scanside/supervision"
)

// A machine that was suspended: by its own clock no time has passed, and everything looks fresh. Nothing may be believed until it was
// said anew, and sessions that ended meanwhile are dialled again at once.
func TestSuspend(t *testing.T) {
	for _, c := range []struct {
		name     string
		forgets  bool // the far end was restarted meanwhile
		answered bool // the network is there when the box wakes
	}{
		{"sessions live on", false, true},
		{"sessions are gone", true, true},
		{"the network is gone", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				var asleep atomic.Int64
				w.suspended = func() time.Duration { return time.Duration(asleep.Load()) }
				f := w.gateway()
				leave := f.physician()
				cfg := w.config()
				a, stop := w.start(cfg)
				defer stop()
				until(t, a, 15*time.Second, "engaged", func(s *Snapshot) bool { return s.Supervision.State == supervision.Engaged && connected(2)(s) })
				time.Sleep(time.Second)

				// The sleep itself takes no time.
				if c.forgets {
					leave()
					f.stop()
					f = w.gateway()
					leave = f.physician()
				}
				defer func() { leave(); f.stop() }()
				w.cut("primary", !c.answered)
				w.cut("cellular", !c.answered)
				begun := time.Now()
				asleep.Store(int64(10 * time.Minute))
				s := until(t, a, time.Second, "unknown", func(s *Snapshot) bool { return s.Supervision.State == supervision.Unknown })
				if took := time.Since(begun); took > 5*houseEvery || s.Status.Verdict.Qualifying || s.Status.FarEnd.Known {
					t.Errorf("%v after waking: %+v", took, s.Status.Verdict)
				}
				if !slices.ContainsFunc(s.Status.Events, func(e status.Event) bool { return strings.Contains(e.Text, "The box stood still for 10 min") }) {
					t.Errorf("the events say %v", s.Status.Events[0])
				}
				if !c.answered {
					time.Sleep(5 * time.Second)
					if v := a.Snapshot().Status.Verdict; v.Qualifying || v.Level == status.OK {
						t.Errorf("with nothing answering: %+v", v)
					}
					return
				}
				until(t, a, 4*time.Second, "engaged again", func(s *Snapshot) bool { return s.Supervision.State == supervision.Engaged && connected(2)(s) })
				t.Logf("engaged again %v after waking", time.Since(begun))
			})
		})
	}
}
