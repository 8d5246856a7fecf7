package agent

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scanside/audit"
)

// checkJournal verifies the audit log of a box that was stopped.
func checkJournal(t *testing.T, state string, kinds ...string) audit.Report {
	t.Helper()
	dir := filepath.Join(state, "audit")
	key, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := audit.Verify(os.DirFS(dir), strings.TrimSpace(string(key)), "")
	if err != nil || !r.OK() || r.Unsigned != 0 {
		t.Errorf("the audit log: %v, problems %q, %d unsigned", err, r.Problems, r.Unsigned)
	}
	for _, kind := range append(kinds, "started", "stopped") {
		if r.Kinds[kind] == 0 {
			t.Errorf("the audit log has no record of kind %q: %v", kind, r.Kinds)
		}
	}
	return r
}

func runJournal(j *journal) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); j.Run(ctx) }()
	return func() { cancel(); <-done }
}

// A run that did not end in order is told by the next one.
func TestJournalTellsOfACrash(t *testing.T) {
	state := t.TempDir()
	for i, want := range []int64{0, 0, 1} {
		j := newJournal(store{state}, "v1", "00", slog.New(slog.DiscardHandler))
		stop := runJournal(j)
		j.note(audit.Procedure{Open: true})
		stop()
		if r := checkJournal(t, state, "procedure"); r.Unclean != want {
			t.Errorf("run %d: %d starts after a crash, want %d", i, r.Unclean, want)
		}
		if i == 1 { // the third run finds a log that ends without Stopped
			l, err := audit.Open(filepath.Join(state, "audit"), audit.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Append(audit.Procedure{}); err != nil {
				t.Fatal(err)
			}
			l.Close()
		}
	}
}

// While the log cannot be opened the page says so; what was noted meanwhile is written as soon as it can be, and what was
// too much for the queue is counted in a record.
func TestJournalWaitsForItsDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state := t.TempDir()
		blocked := filepath.Join(state, "audit")
		if err := os.WriteFile(blocked, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		j := newJournal(store{state}, "v1", "00", slog.New(slog.DiscardHandler))
		stop := runJournal(j)
		for range journalQueue + 7 {
			j.note(audit.Procedure{Open: true})
		}
		time.Sleep(time.Second)
		if v := j.view(); v.Error == "" || v.Records != 0 {
			t.Errorf("the page says %+v", v)
		}
		if err := os.Remove(blocked); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		if v := j.view(); v.Error != "" || v.Missed != 7 {
			t.Errorf("the page says %+v", v)
		}
		j.note(audit.Pin{Link: "primary", On: true}) // too soon after the last checkpoint for one of its own
		time.Sleep(2 * journalLook)                  // and what no later entry would have signed is signed
		if v := j.view(); v.Signed != v.Records || v.Records == 0 {
			t.Errorf("after two quiet minutes %d of %d records are signed", v.Signed, v.Records)
		}
		stop()
		if r := checkJournal(t, state, "missed"); r.Kinds["procedure"] != journalQueue || r.Missed != 7 {
			t.Errorf("%d records of %d, %d said to be missed", r.Kinds["procedure"], journalQueue, r.Missed)
		}
	})
}

// Without a state folder nothing is kept and nobody waits.
func TestJournalOfNothing(t *testing.T) {
	j := newJournal(store{}, "", "", slog.New(slog.DiscardHandler))
	for range 2 * journalQueue {
		j.note(audit.Procedure{})
	}
	j.Run(context.Background())
	if v := j.view(); v.Folder != "" || v.Missed != 0 {
		t.Errorf("the page says %+v", v)
	}
}
