package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scanside/agent/status"
)

// Cut is what a bound network does: this machine's packets vanish, both ways.
func (h *host) Cut(on bool) {
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	h.world.silent[h.ip] = on
}

func (w *world) isCut(host string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.silent[w.hosts[host].ip]
}

// drilling brings a world to where a drill may begin.
func (w *world) drilling() (a *Agent, stop func()) {
	w.t.Helper()
	a, end := w.start(w.config())
	stop = sync.OnceFunc(end)
	until(w.t, a, 30*time.Second, "a drill may begin", func(s *Snapshot) bool { return s.Status.Drill.Refusal == "" && verdicts("up", "up")(s) })
	return a, stop
}

// The drill of the issue: the primary is really cut for as long as was asked, nobody at the far end notices, it comes back, and what was
// measured is in the signed record and on the page, over a restart too.
func TestDrillPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		defer f.stop()
		defer f.physician()()
		a, stop := w.drilling()
		defer stop()
		time.Sleep(3 * time.Second) // the physician talks
		b := boxed{a}
		if err := b.StartDrill(t.Context(), "ada", 0); err != nil {
			t.Fatal(err)
		}
		if err := b.StartDrill(t.Context(), "ada", 0); err == nil || !strings.Contains(err.Error(), "under way") {
			t.Errorf("a second drill: %v", err)
		}
		s := until(t, a, 20*time.Second, "cut", func(s *Snapshot) bool { return s.Status.Drill.Phase == "cutting" || s.Status.Drill.Last != nil })
		if s.Status.Drill.Last != nil {
			t.Fatalf("%s", jsonOf(s.Status.Drill))
		}
		begun := time.Now()
		if !w.isCut("primary") || w.isCut("cellular") {
			t.Error("the primary is not cut, or more is")
		}
		s = until(t, a, 5*time.Second, "down", verdicts("down", "up"))
		if u := s.Status.Uplinks[0]; u.Words != "Cut by a drill" {
			t.Errorf("its card says %q: %s", u.Words, u.Reason)
		}
		if p := s.Status.Problem; len(p) == 0 || p[0].ID != "drill:primary" || p[0].Severity != status.Notice {
			t.Errorf("problems %+v", p)
		}
		if v := s.Status.Verdict; !v.Qualifying || v.Redundancy != "last-link" {
			t.Errorf("the verdict during it: %+v", v)
		}
		s = until(t, a, 25*time.Second, "given back", func(s *Snapshot) bool { return s.Status.Drill.Phase == "returning" })
		if took := time.Since(begun); w.isCut("primary") || took < 19*time.Second || took > 21*time.Second {
			t.Errorf("cut: %v, given back after %v", w.isCut("primary"), took)
		}
		s = until(t, a, 60*time.Second, "recorded", func(s *Snapshot) bool { return s.Status.Drill.Last != nil && s.Status.Drill.Last.Hash != "" })
		last := s.Status.Drill.Last
		if !last.Passed() || last.By != "ada" || last.Uplink != "primary" || s.Status.Drill.Overdue {
			t.Fatalf("%s %v", jsonOf(last), s.Status.Drill)
		}
		for what, v := range map[string]*float64{"notice": last.Detect, "switch": last.Switch, "back": last.Back, "voice": last.Gap.Voice, "video": last.Gap.Video,
			"voice in the room": last.ReturnGap.Voice, "video in the room": last.ReturnGap.Video} {
			if v == nil || *v <= 0 {
				t.Errorf("%s was not measured: %s", what, jsonOf(last))
			}
		}
		if !last.Lost.Known || last.Lost.Voice != 0 || *last.Gap.Voice > 200 || *last.Detect > 400 {
			t.Errorf("%s", jsonOf(last))
		}
		t.Log(last.Sentence)
		drilled := false
		for _, c := range s.Status.Switchovers {
			drilled = drilled || c.Drill && strings.Contains(c.Sentence, "drill: voice and picture")
		}
		if !drilled {
			t.Errorf("no switchover says that it was a drill: %s", jsonOf(s.Status.Switchovers))
		}
		if text := exposed(t, gathered(t, a)); !strings.Contains(text, "scanside_switchover_detection_seconds_count 0") || !strings.Contains(text, "scanside_drill_passed 1") {
			t.Error("the drill's figures are mixed with real ones, or its result is not told")
		}
		stop()

		checkJournal(t, w.dir, "drill")
		a, stop = w.start(w.config())
		defer stop()
		if again := a.Snapshot().Status.Drill.Last; again == nil || jsonOf(again) != jsonOf(last) {
			t.Errorf("after a restart: %s, before %s", jsonOf(again), jsonOf(last))
		}
	})
}

// What breaks a drill off gives the uplink back at once, and is recorded as not passed.
func TestDrillIsBrokenOff(t *testing.T) {
	for _, c := range []struct {
		story  string
		spoil  func(w *world, a *Agent)
		reason string
	}{
		{"a procedure is opened", func(w *world, a *Agent) {
			if err := (boxed{a}).Procedure(w.t.Context(), "ada", true); err != nil {
				w.t.Error(err)
			}
		}, "procedure_opened"},
		{"the spare fails", func(w *world, a *Agent) { w.cut("cellular", true) }, "spare_failed"},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := w.gateway()
				defer f.stop()
				a, stop := w.drilling()
				defer stop()
				if err := (boxed{a}).StartDrill(t.Context(), "ada", 20*time.Second); err != nil {
					t.Fatal(err)
				}
				until(t, a, 20*time.Second, "cut", verdicts("down", "up"))
				time.Sleep(4 * time.Second)
				c.spoil(w, a)
				begun := time.Now()
				s := until(t, a, 3*time.Second, "broken off", func(s *Snapshot) bool { return s.Status.Drill.Last != nil })
				if took := time.Since(begun); w.isCut("primary") || took > 1200*time.Millisecond {
					t.Errorf("still cut: %v, after %v", w.isCut("primary"), took)
				}
				if last := s.Status.Drill.Last; last.Outcome != "aborted" || len(last.Reasons) != 1 || last.Reasons[0] != c.reason || !s.Status.Drill.Overdue {
					t.Errorf("%s", jsonOf(last))
				}
				s = until(t, a, 5*time.Second, "recorded", func(s *Snapshot) bool { return s.Status.Drill.Last.Hash != "" })
			})
		})
	}
}

// A stop gives the uplink back and says so in the record; a crash leaves nothing cut, and the next run says that there was one.
func TestDrillAndTheEndOfTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		defer f.stop()
		a, stop := w.drilling()
		defer stop()
		if err := (boxed{a}).StartDrill(t.Context(), "ada", 20*time.Second); err != nil {
			t.Fatal(err)
		}
		until(t, a, 20*time.Second, "cut", verdicts("down", "up"))
		crashed, err := os.ReadFile(filepath.Join(w.dir, drillFile))
		if err != nil || !strings.Contains(string(crashed), `"by": "ada"`) {
			t.Fatalf("%s %v", crashed, err)
		}
		stop()
		if w.isCut("primary") {
			t.Error("the program ended, and the uplink is cut")
		}
		if k := (store{w.dir}).drill(); k.Running != nil || k.Last == nil || k.Last.Outcome != "aborted" || k.Last.Reasons[0] != "stopped" {
			t.Errorf("kept: %s", jsonOf(k))
		}
		if err := os.WriteFile(filepath.Join(w.dir, drillFile), crashed, 0o600); err != nil {
			t.Fatal(err)
		}
		a, stop = w.start(w.config())
		defer stop()
		s := until(t, a, 5*time.Second, "recorded", func(s *Snapshot) bool { return s.Status.Drill.Last != nil && s.Status.Drill.Last.Hash != "" })
		if last := s.Status.Drill.Last; last.Outcome != "aborted" || last.Reasons[0] != "interrupted" {
			t.Errorf("%s", jsonOf(last))
		}
	})
}

// The loop that does not end a cut does not keep the uplink: it comes back by itself.
func TestCutEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		u := &uplink{cutter: w.hosts["primary"]}
		u.cut(true, 20*time.Second)
		time.Sleep(21 * time.Second)
		if !w.isCut("primary") {
			t.Error("it ended early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if w.isCut("primary") {
			t.Error("it did not end")
		}
	})
}

// Every refusal is a sentence, on the page before anybody asks, and to whoever asks.
func TestDrillIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		defer f.stop()
		a, stop := w.start(w.config())
		defer stop()
		refused := func(what, says string) {
			t.Helper()
			err := (boxed{a}).StartDrill(t.Context(), "ada", 0)
			var r status.Refusal
			if !errors.As(err, &r) || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, want %q", what, err, says)
			}
		}
		refused("right after the start", "not proven now")
		until(t, a, 30*time.Second, "both up", verdicts("up", "up"))
		if err := (boxed{a}).Pin(t.Context(), "ada", "cellular"); err != nil {
			t.Fatal(err)
		}
		refused("pinned", "let go of it")
		until(t, a, time.Second, "the page says so", func(s *Snapshot) bool { return s.Status.Pinned == "cellular" })
		if err := (boxed{a}).Pin(t.Context(), "ada", ""); err != nil {
			t.Fatal(err)
		}
		w.cut("cellular", true)
		until(t, a, 5*time.Second, "the spare is down", verdicts("up", "down"))
		refused("without a spare", "No other uplink is proven")
		if err := (boxed{a}).Procedure(t.Context(), "ada", true); err != nil {
			t.Fatal(err)
		}
		refused("in a procedure", "A procedure is open")
		s := until(t, a, 2*time.Second, "the page says so", func(s *Snapshot) bool { return strings.Contains(s.Status.Drill.Refusal, "A procedure is open") })
		if w.isCut("primary") || s.Status.Drill.Last != nil {
			t.Errorf("refused, and yet: %s", jsonOf(s.Status.Drill))
		}
	})
}
