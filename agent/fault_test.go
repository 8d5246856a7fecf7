package agent

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scanside/agent/status"
)

func layer(u status.Uplink, name string) status.Layer {
	for _, l := range u.Fault.Layers {
		if l.Name == name {
			return l
		}
	}
	return status.Layer{}
}

// An uplink that dies is examined by itself, compared with the one that lives, and forgiven when it is back; one that is well
// is left alone until somebody asks.
func TestFaultIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		defer f.stop()
		cfg := w.config()
		a, stop := w.start(cfg)
		defer stop()
		until(t, a, 15*time.Second, "both up", verdicts("up", "up"))
		time.Sleep(2 * time.Minute)
		for _, u := range a.Snapshot().Status.Uplinks {
			if !u.Fault.Checked.IsZero() || u.Fault.Cause != "well" || u.Fault.Found() {
				t.Errorf("%s is well, and yet: %+v", u.Name, u.Fault)
			}
		}
		page := boxed{a}
		if err := page.Examine("satellite"); err == nil {
			t.Error("an unknown uplink was examined")
		}
		page.Examine("cellular")
		s := until(t, a, 10*time.Second, "looked at", func(s *Snapshot) bool { return !s.Status.Uplinks[1].Fault.Checked.IsZero() })
		u := s.Status.Uplinks[1]
		if layer(u, "https").Result != "ok" || layer(u, "udp").Result != "ok" || layer(u, "media").Result != "ok" || u.Fault.Cause != "well" || !u.Fault.Found() {
			t.Errorf("cellular: %+v", u.Fault)
		}

		w.cut("primary", true)
		s = until(t, a, 15*time.Second, "the fault of primary", func(s *Snapshot) bool { return s.Status.Uplinks[0].Fault.Cause == "path-dead" })
		u = s.Status.Uplinks[0]
		if !strings.Contains(u.Fault.Sentence, "answers over cellular") || layer(u, "https").Result != "failed" || layer(u, "udp").Result != "failed" {
			t.Errorf("primary: %+v", u.Fault)
		}
		told := false
		for _, p := range s.Status.Problem {
			told = told || p.ID == "uplink-down:primary" && strings.HasPrefix(p.Hint, u.Fault.Sentence)
		}
		if !told {
			t.Errorf("the list of problems does not say where the fault is: %+v", s.Status.Problem)
		}
		rec := httptest.NewRecorder()
		atConsole(a).ServeHTTP(rec, httptest.NewRequest("GET", "http://127.0.0.1/metrics", nil))
		body, _ := io.ReadAll(rec.Body)
		for _, want := range []string{
			`scanside_uplink_layer_ok{layer="https",link="primary"} 0`, `scanside_uplink_layer_ok{layer="udp",link="cellular"} 1`,
			`scanside_uplink_fault{cause="path-dead",link="primary"} 1`, `scanside_uplink_fault{cause="path-dead",link="cellular"} 0`,
		} {
			if !strings.Contains(string(body), want) {
				t.Errorf("/metrics lacks %s", want)
			}
		}
		time.Sleep(5 * time.Minute) // a lasting fault stays named, for it is looked at again and again
		if got := a.Snapshot().Status.Uplinks[0].Fault; got.Cause != "path-dead" {
			t.Errorf("after five minutes: %s: %s", got.Cause, got.Sentence)
		}

		w.cut("primary", false)
		until(t, a, time.Minute, "primary well and looked at once more", func(s *Snapshot) bool {
			u := s.Status.Uplinks[0]
			return u.Fault.Cause == "well" && layer(u, "https").Result == "ok" && layer(u, "udp").Result == "ok"
		})
		looked := a.Snapshot().Status.Uplinks[0].Fault.Checked
		time.Sleep(3 * time.Minute)
		if u := a.Snapshot().Status.Uplinks[0]; u.Fault.Found() || !u.Fault.Checked.Equal(looked) {
			t.Errorf("long after: %+v", u.Fault)
		}
	})
}

// The far end is called down only when no uplink hears it.
func TestFarEndDownIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		cfg := w.config()
		a, stop := w.start(cfg)
		defer stop()
		until(t, a, 15*time.Second, "both up", verdicts("up", "up"))
		f.stop()
		s := until(t, a, 30*time.Second, "both say so", func(s *Snapshot) bool {
			return s.Status.Uplinks[0].Fault.IsFault() && s.Status.Uplinks[1].Fault.IsFault() && !s.Status.Uplinks[0].Fault.Checking && !s.Status.Uplinks[1].Fault.Checking
		})
		for _, u := range s.Status.Uplinks {
			t.Logf("%s: %s: %s", u.Name, u.Fault.Cause, u.Fault.Sentence)
			if u.Fault.Cause == "well" || strings.Contains(u.Fault.Sentence, "answers over") {
				t.Errorf("%s: %s", u.Fault.Cause, u.Fault.Sentence)
			}
		}
	})
}
