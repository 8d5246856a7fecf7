package media

import (
	"testing"
	"time"
)

func TestRecentGap(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name string
		hits []time.Duration
		at   time.Duration
		want time.Duration
	}{
		{"nothing yet", nil, 5000 * ms, 0},
		{"a silence that still runs", []time.Duration{0, 20 * ms}, 520 * ms, 500 * ms},
		{"a gap a second ago", []time.Duration{0, 300 * ms, 320 * ms, 340 * ms, 1340 * ms, 1360 * ms}, 2300 * ms, 1000 * ms},
		{"a gap that ended before the window", []time.Duration{0, 300 * ms, 310 * ms, 2400 * ms, 2410 * ms, 4000 * ms, 4500 * ms, 4520 * ms}, 4530 * ms, 1590 * ms},
		{"only what is within", []time.Duration{0, 700 * ms, 720 * ms, 740 * ms}, 745 * ms, 700 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			var g recentGap
			for _, at := range c.hits {
				g.hit(at)
			}
			if got := g.upTo(c.at); got != c.want {
				t.Errorf("at %v: %v, want %v", c.at, got, c.want)
			}
		})
	}
	var g recentGap
	g.hit(0)
	for at := 700 * ms; at < 4*time.Second; at += 20 * ms {
		g.hit(at)
	}
	if got := g.upTo(4 * time.Second); got != 20*ms {
		t.Errorf("3.3 s after a gap of 700 ms it is still said to be %v", got)
	}
}
