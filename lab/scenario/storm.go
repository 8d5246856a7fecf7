package scenario

import (
	"fmt"
	"math/rand/v2"
	"time"

	"scanside/lab/emu"
)

// Storm is a story of random cuts every few seconds, of either uplink, in both directions or one, never of both uplinks at
// once. Under Always no packet of voice may be lost by them, nor a picture.
func Storm(seed uint64, length time.Duration) Scenario {
	s := Scenario{
		Name:    fmt.Sprintf("storm-%d", seed),
		Story:   "Random cuts every few seconds, never of both uplinks at once.",
		Length:  length,
		Uplinks: []Uplink{{"primary", 20 * time.Millisecond, false}, {"cellular", 60 * time.Millisecond, true}},
		Voice:   "always",
		Video:   "always",
	}
	p := &parser{s: s}
	p.unnoticed(false)
	s.Expect = p.s.Expect
	rng := rand.New(rand.NewPCG(seed, 0x5707))
	between := func(from, to time.Duration) time.Duration { return from + time.Duration(rng.Int64N(int64(to-from))) }
	for at := 2 * time.Second; ; {
		e := Event{At: at, Verb: Cut, Uplink: s.Uplinks[rng.IntN(2)].Name, Direction: emu.Direction(rng.IntN(3))}
		end := at + between(100*time.Millisecond, 4*time.Second)
		if end > length-3*time.Second {
			return s
		}
		s.Events = append(s.Events, e, Event{At: end, Verb: Restore, Uplink: e.Uplink})
		at = end + between(time.Second, 3*time.Second)
	}
}
