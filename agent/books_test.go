package agent

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scanside/budget"
	"scanside/failover"
)

func problem(s *Snapshot, id string) bool {
	for _, p := range s.Status.Problem {
		if p.ID == id {
			return true
		}
	}
	return false
}

// A budget that comes to its end while copies of everything are sent: they are left out in the published order, a procedure
// brings voice back, and when the metered uplink is the only one left it carries everything. What was used survives a restart.
func TestBudgetRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		defer f.stop()
		cfg := w.config()
		cfg.Protection = Protection{failover.Always, failover.Always}
		cfg.Uplinks[1].Metered, cfg.Uplinks[1].Budget = true, Budget{Gigabytes: 0.5}
		seed := func(used uint64) {
			text, err := json.Marshal(onDisk{booksVersion, map[string]budget.Account{"cellular": {Pending: used}, "another": {Pending: 7}}})
			if err != nil {
				t.Fatal(err)
			}
			if err := (store{w.dir}).write(booksFile, string(text)); err != nil {
				t.Fatal(err)
			}
		}
		route := func(k int, want string) func(*Snapshot) bool {
			return func(s *Snapshot) bool {
				return verdicts("up", "up")(s) && strings.Join(s.Status.Streams[k].Route, " ") == want
			}
		}
		seed(392e6) // 8 MB below 80 %: half a minute of everything
		a, stop := w.start(cfg)
		until(t, a, 20*time.Second, "copies of both", func(s *Snapshot) bool { return route(0, "primary cellular")(s) && route(1, "primary cellular")(s) })
		s := until(t, a, 30*time.Second, "no copies of the picture", route(1, "primary"))
		if u := s.Status.Uplinks[1]; u.Budget.Level != "low" || u.Budget.Used < 400e6 || u.Budget.Used > 405e6 || !problem(s, "budget-low:cellular") || len(s.Status.Streams[0].Route) != 2 {
			t.Errorf("low: %+v, voice on %v", u.Budget, s.Status.Streams[0].Route)
		}
		stop()
		used := s.Status.Uplinks[1].Budget.Used

		a, stop = w.start(cfg)
		s = until(t, a, 20*time.Second, "low after a restart", func(s *Snapshot) bool { return route(1, "primary")(s) && problem(s, "budget-low:cellular") })
		if got := s.Status.Uplinks[1].Budget.Used; got < used || got > used+5e6 {
			t.Errorf("%d bytes used after a restart, %d before", got, used)
		}
		stop()

		seed(600e6)
		a, stop = w.start(cfg)
		defer stop()
		until(t, a, 20*time.Second, "no copies", func(s *Snapshot) bool { return route(0, "primary")(s) && route(1, "primary")(s) })
		boxed{a}.Procedure(t.Context(), "ada", true)
		until(t, a, time.Second, "voice on both in a procedure", route(0, "primary cellular"))
		boxed{a}.Procedure(t.Context(), "ada", false)
		until(t, a, 2*time.Second, "no copies again", route(0, "primary"))
		if every := time.Duration(a.uplinks[1].every.Load()); every != 10*time.Second {
			t.Errorf("without budget the idle uplink is probed every %v", every)
		}
		w.cut("primary", true)
		s = until(t, a, 15*time.Second, "everything on cellular", func(s *Snapshot) bool {
			return strings.Join(s.Status.Streams[1].Route, " ") == "cellular" && strings.Contains(s.Status.Uplinks[1].Why, "only one that works")
		})
		if !strings.Contains(s.Status.Uplinks[1].Why, "whatever is left of its data budget") {
			t.Errorf("the only uplink: %s", s.Status.Uplinks[1].Why)
		}
	})
}

// A torn or foreign file is put aside, what it held is counted from zero, and the page says so.
func TestBooksDamaged(t *testing.T) {
	for _, text := range []string{"", "{", `{"version": 2}`, `{"version": 1, "uplinks": {"cellular": {"billing_day": 99}}}`, "\x00\x00\x00", `{"version": 1, "uplinks": {"cellular": {"pending": -1}}}`} {
		dir := t.TempDir()
		path := filepath.Join(dir, booksFile)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := lonely(t)
		cfg.StateDir = dir
		a, err := New(cfg, Parts{})
		if err != nil {
			t.Fatal(err)
		}
		if s := a.Snapshot(); !problem(s, "budget-lost") || s.Status.Uplinks[0].Budget.Used != 0 {
			t.Errorf("%q: %+v", text, s.Status.Problem)
		}
		if aside, err := os.ReadFile(path + ".damaged"); err != nil || string(aside) != text {
			t.Errorf("%q was put aside as %q, %v", text, aside, err)
		}
	}
}

// What is written is read back, uplinks that are not configured now included; a folder that is gone is said once.
func TestBooksOnDisk(t *testing.T) {
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	b := newBooks([]Uplink{{Name: "a"}, {Name: "b"}}, store{dir}, log)
	moved := []uint64{0, 0}
	for range 3 {
		now = now.Add(time.Second)
		moved[0] += 100
		moved[1] += 7
		if !b.count(now, func(i int) uint64 { return moved[i] }) || b.count(now, func(i int) uint64 { return 1 << 60 }) {
			t.Fatal("it is counted once a second")
		}
	}
	b.save()
	again := newBooks([]Uplink{{Name: "b"}}, store{dir}, log)
	if again.lost != "" || again.accounts[0].Used() != 21 {
		t.Fatalf("%q, %+v", again.lost, again.accounts)
	}
	again.count(now, func(int) uint64 { return 1 })
	again.save()
	third := newBooks([]Uplink{{Name: "a"}, {Name: "b"}}, store{dir}, log)
	if third.accounts[0].Used() != 300 || third.accounts[1].Used() != 22 {
		t.Errorf("%+v", third.accounts)
	}
	third.store.dir = filepath.Join(dir, "gone")
	third.draw()
	third.save()
	if why := third.trouble.Load(); why == nil || !strings.Contains(*why, booksFile) {
		t.Errorf("a folder that is gone: %v", why)
	}
	third.store.dir = dir
	third.save()
	if third.trouble.Load() != nil {
		t.Error("the trouble is over and still told")
	}
}
