package agent

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// A newer version is installed while a procedure is open: the box runs on, says so, and ends by itself ten seconds after the
// procedure is closed.
func TestGivesWayWhenFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "restart-when-free")
		w := newWorld(t)
		w.giveWay = file
		a, stop := w.start(w.config())
		defer stop()
		if err := (boxed{a}).Procedure(t.Context(), "ada", true); err != nil {
			t.Fatal(err)
		}
		os.WriteFile(file, nil, 0o600)
		time.Sleep(5 * time.Minute)
		says := func() bool {
			for _, p := range a.Snapshot().Status.Problem {
				if p.ID == "update-waiting" {
					return true
				}
			}
			return false
		}
		select {
		case <-a.loop.ended:
			t.Fatal("it ended while a procedure was open")
		default:
		}
		if !says() {
			t.Error("the page does not say that a version waits")
		}
		if err := (boxed{a}).Procedure(t.Context(), "ada", false); err != nil {
			t.Fatal(err)
		}
		closed := time.Now()
		<-a.loop.ended
		if after := time.Since(closed); after < wayFree || after > wayFree+5*time.Second {
			t.Errorf("it ended %v after the procedure was closed", after)
		}
	})
}

// Who looks in, or might, keeps the box; unknown is not nobody.
func TestFree(t *testing.T) {
	now := time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)
	seeing := &presence{Supervisors: []supervisor{{Name: "Dr Moss", Sees: true}}, heard: now}
	for _, c := range []struct {
		story                       string
		procedure, reached, foreign bool
		word                        *presence
		want                        bool
	}{
		{"nobody", false, true, false, &presence{heard: now}, true},
		{"nobody, and a procedure", true, true, false, &presence{heard: now}, false},
		{"no far end, and a procedure", true, false, false, nil, false},
		{"no far end", false, false, false, seeing, true},
		{"a supervisor who sees", false, true, false, seeing, false},
		{"an observer", false, true, false, &presence{Watchers: []watcher{{"Fern", "observer"}}, heard: now}, false},
		{"an old word", false, true, false, &presence{heard: now.Add(-time.Minute)}, false},
		{"no word", false, true, false, nil, false},
		{"a WHIP server, which never says", false, true, true, nil, true},
	} {
		if got := free(c.procedure, c.reached, c.foreign, c.word, now); got != c.want {
			t.Errorf("%s: free %v", c.story, got)
		}
	}
}
