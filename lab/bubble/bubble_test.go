package bubble

import (
	"log/slog"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"scanside/lab/scenario"
)

// quick is how long a minute of scenario may take in real time (issue: size). It is printed, not asserted: machines differ.
const quick = 5 * time.Second

// few is what -short plays: one of each kind.
var few = []string{"steady", "blackhole-primary", "blackhole-primary-ondoubt", "restore-primary", "flap-primary", "oneway-up-primary"}

// Every scenario, in memory, as many at a time as go test -parallel says. SCANSIDE_RESULT names a file that gets the JSON line; SCANSIDE_LOG=1 shows both programs' logs.
func TestScenario(t *testing.T) {
	for _, name := range scenario.All() {
		if testing.Short() && !slices.Contains(few, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := scenario.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Missing(); err != nil {
				t.Skipf("SKIPPED, LOUDLY: %v", err)
			}
			state, began := t.TempDir(), time.Now()
			var out Outcome
			synctest.Test(t, func(t *testing.T) {
				if out, err = Play(t.Context(), s, state, logger(t)); err != nil {
					t.Fatal(err)
				}
			})
			took := time.Since(began)
			t.Logf("%s took %.2f s for %v (aim: %v)\n%s", name, took.Seconds(), s.Length, quick, out.Result.Line())
			for _, v := range s.Judge(out.Result, out.Routes, true) {
				switch {
				case !v.Held && v.Asserted:
					t.Error(v.Text)
				case !v.Held:
					t.Log("NOT MET: " + v.Text)
				}
			}
			if file := os.Getenv("SCANSIDE_RESULT"); file != "" {
				if err := os.WriteFile(file, []byte(out.Result.Line()+"\n"), 0o644); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Two minutes of random cuts; `make soak-netns` plays ten with the real programs.
func TestStorm(t *testing.T) {
	if testing.Short() {
		t.Skip("two virtual minutes take ten seconds or more")
	}
	s := scenario.Storm(2, 2*time.Minute)
	state := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		out, err := Play(t.Context(), s, state, logger(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d cuts\n%s", len(s.Events)/2, out.Result.Line())
		for _, v := range s.Judge(out.Result, out.Routes, true) {
			if !v.Held {
				t.Error(v.Text)
			}
		}
	})
}

func logger(t *testing.T) *slog.Logger {
	if os.Getenv("SCANSIDE_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
