package viewing

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// A step is a moment in seconds, what the far end says, and what the room must be told. In said, names are divided by commas;
// "?" is a word that is too old, "-" a far end that is not reached; who stands behind a "+" looks by the box's own page.
type step struct {
	at    float64
	said  string
	light bool
	sound string // who is announced
}

func TestRoom(t *testing.T) {
	for _, c := range []struct {
		story string
		steps []step
	}{
		{"nobody", []step{{0, "", false, ""}, {60, "", false, ""}}},
		{"somebody comes and stays", []step{{0, "", false, ""}, {1, "Moss", true, "Moss"}, {2, "Moss", true, ""}, {3600, "Moss", true, ""}}},
		{"somebody was there before the box started", []step{{0, "Moss", true, "Moss"}}},
		{"a console reconnects", []step{{0, "Moss", true, "Moss"}, {20, "", false, ""}, {22, "Moss", true, ""}}},
		{"reconnect after reconnect", []step{{0, "Moss", true, "Moss"}, {30, "", false, ""}, {50, "Moss", true, ""}, {90, "", false, ""}, {105, "Moss", true, ""}, {150, "Moss", true, ""}}},
		{"somebody comes back after lunch", []step{{0, "Moss", true, "Moss"}, {10, "", false, ""}, {70, "Moss", true, "Moss"}}},
		{"a second one", []step{{0, "Moss", true, "Moss"}, {30, "Moss,Reed", true, "Reed"}, {31, "Moss,Reed", true, ""}}},
		{"three at once are one sound", []step{{0, "Moss,Reed,Fern", true, "Moss Reed Fern"}}},
		{"one after the other: the rest wait for the next sound", []step{{0, "Moss", true, "Moss"}, {1, "Moss,Reed", true, ""}, {2, "Moss,Reed,Fern", true, ""}, {10, "Moss,Reed,Fern", true, "Reed Fern"}, {20, "Moss,Reed,Fern", true, ""}}},
		{"a short look is announced late rather than never", []step{{0, "Moss", true, "Moss"}, {3, "Moss,Reed", true, ""}, {4, "Moss", true, ""}, {10, "Moss", true, "Reed"}}},
		{"both uplinks dead for half a minute", []step{{0, "Moss", true, "Moss"}, {60, "Moss", true, ""}, {63, "-", false, ""}, {90, "Moss", true, ""}}},
		{"the far end is reached and says nothing", []step{{0, "?", true, ""}, {5, "?", true, ""}, {6, "", false, ""}}},
		{"silent for a while with somebody there", []step{{0, "Moss", true, "Moss"}, {5, "?", true, ""}, {30, "Moss", true, ""}}},
		{"by the box's own page, no far end reached", []step{{0, "-+Fern", true, "Fern"}, {20, "-", false, ""}, {50, "-+Fern", true, ""}}},
		{"by the box's own page, and the far end is silent", []step{{0, "?+Fern", true, "Fern"}, {20, "?", true, ""}}},
		{"at both ends", []step{{0, "Moss", true, "Moss"}, {20, "Moss+Fern", true, "Fern"}, {40, "+Fern", true, ""}}},
		{"not reached: nobody can look in", []step{{0, "-", false, ""}}},
	} {
		t.Run(c.story, func(t *testing.T) {
			var r Room
			var before Word
			looked := noon
			for _, s := range c.steps {
				for ; looked.Before(noon.Add(time.Duration(s.at * float64(time.Second)))); looked = looked.Add(100 * time.Millisecond) {
					if n := r.Look(looked, before); n.Sound {
						t.Errorf("a sound for %q %v after the first look, before it is due", n.Arrived, looked.Sub(noon))
					}
				}
				said, here, looks := strings.Cut(s.said, "+")
				w := Word{Reached: said != "-", Known: said != "-" && said != "?"}
				if w.Known && said != "" {
					w.Watching = strings.Split(said, ",")
				}
				if looks {
					w.Here = []string{here}
				}
				n := r.Look(noon.Add(time.Duration(s.at*float64(time.Second))), w)
				if got := strings.Join(n.Arrived, " "); n.Light != s.light || got != s.sound || n.Sound != (s.sound != "") {
					t.Errorf("at %v s, %q: light %v, sound %v for %q; want light %v, for %q", s.at, s.said, n.Light, n.Sound, got, s.light, s.sound)
				}
				before = w
				if n.Known != w.Known || !slices.Equal(n.Watching, slices.Concat(w.Here, w.Watching)) {
					t.Errorf("at %v s: names %q, known %v", s.at, n.Watching, n.Known)
				}
			}
		})
	}
}

// However people come and go: sounds are Spacing apart, everybody's first coming is announced within it, and memory is bounded.
func TestNoStorm(t *testing.T) {
	var r Room
	announced := map[string]bool{}
	var last time.Time
	for i := range 2000 {
		at := noon.Add(time.Duration(i) * 700 * time.Millisecond)
		name := fmt.Sprintf("user %d", i*i%97)
		n := r.Look(at, Word{Reached: true, Known: true, Watching: []string{name}})
		if n.Sound {
			if !last.IsZero() && at.Sub(last) < Spacing {
				t.Fatalf("sounds %v apart", at.Sub(last))
			}
			last = at
		}
		for _, who := range n.Arrived {
			announced[who] = true
		}
		if !announced[name] && at.Sub(last) > Spacing {
			t.Fatalf("%s looks in and is not announced", name)
		}
		if len(r.people) > remembered || len(r.waiting) > remembered {
			t.Fatalf("%d remembered, %d waiting", len(r.people), len(r.waiting))
		}
	}
}
