package soak

import (
	"testing"
	"time"
)

// Some hours of it at every test; `make soak` lives through 30 days.
func TestSoak(t *testing.T) {
	length := 3 * time.Hour
	if testing.Short() {
		length = time.Hour
	}
	for seed := range uint64(2) {
		r, err := Run(t.Context(), Config{Length: length, Seed: seed + 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", r)
		if r.Breaches > 0 {
			t.Errorf("seed %d: %d breaches, first %s", seed+1, r.Breaches, r.FirstBreach)
		}
		if r.FalseDowns > 0 || r.WhileWell > 0 {
			t.Errorf("seed %d: %d false downs of %d; %d voice packets lost while an uplink was well", seed+1, r.FalseDowns, r.Downs, r.WhileWell)
		}
		if r.Downs == 0 || r.Faults == 0 || r.Voice == 0 {
			t.Errorf("seed %d: nothing happened: %+v", seed+1, r)
		}
	}
}

// The same seed makes the same hours.
func TestSoakRepeats(t *testing.T) {
	var all [2]Result
	for i := range all {
		r, err := Run(t.Context(), Config{Length: 20 * time.Minute, Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		r.HeapStart, r.HeapEnd, r.Seconds = 0, 0, 0
		all[i] = r
	}
	if all[0] != all[1] {
		t.Errorf("the same seed made\n%+v and\n%+v", all[0], all[1])
	}
}
