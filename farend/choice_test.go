package farend

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"scanside/failover"
)

// story is a test's small language. Each line is a moment: what is seen there, then what must be decided.
//
//	5s reached 1     links 0 … reach the present far end (a bit set, 0: none)
//	   held 2 3      far ends 2 and 3 are held by a link
//	   open          a procedure is open
//	   conflict      another box serves the room at the present one
//	   wish 1        an operator wants far end 1
//	=> at 0 look 1 2, or: moved 0 1 unreachable, or: given-up
//
// What is seen holds until another line says otherwise; decisions are looked at in the lines alone, steps are taken every
// 100 ms in between, as the agent's loop does.
func play(t *testing.T, n int, text string) {
	t.Helper()
	c := New(n, 0, 0)
	var seen Seen
	var now time.Duration
	var last string // a move or a wish given up since the line before
	step := func() {
		d := c.Step(failover.Instant(now), seen)
		if d.Moved {
			last += fmt.Sprintf(" moved %d %d %v", d.From, d.At, d.Why)
			seen = Seen{Reached: 1} // the held session is the link's now
		}
		if d.GivenUp {
			last += " given-up"
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		given, want, _ := strings.Cut(line, "=>")
		words := strings.Fields(given)
		at, err := time.ParseDuration(words[0])
		if err != nil {
			t.Fatal(err)
		}
		for now+100*time.Millisecond < at {
			now += 100 * time.Millisecond
			step()
		}
		now = at
		see(t, c, &seen, n, now, words[1:])
		step()
		d := c.Step(failover.Instant(now), seen)
		got := fmt.Sprintf("at %d", d.At)
		if d.Look != nil {
			got += " look"
			for _, i := range d.Look {
				got += " " + strconv.Itoa(i)
			}
		}
		if got += last; got != strings.TrimSpace(want) {
			t.Errorf("%s: decided %q", strings.TrimSpace(line), got)
		}
		last = ""
	}
}

func see(t *testing.T, c *Choice, seen *Seen, n int, now time.Duration, words []string) {
	for i := 0; i < len(words); i++ {
		switch words[i] {
		case "reached":
			i++
			set, _ := strconv.Atoi(words[i])
			seen.Reached = failover.LinkSet(set)
		case "conflict":
			seen.Conflict = true
		case "peace":
			seen.Conflict = false
		case "open":
			seen.Open = true
		case "wish":
			i++
			to, _ := strconv.Atoi(words[i])
			if !c.Wish(failover.Instant(now), to) {
				t.Errorf("there is no far end %d", to)
			}
		case "held":
			seen.Held = make([]failover.LinkSet, n)
			for ; i+1 < len(words) && words[i+1][0] <= '9'; i++ {
				to, _ := strconv.Atoi(words[i+1])
				seen.Held[to] = 1
			}
		default:
			t.Fatalf("%q is not a word", words[i])
		}
	}
}

func TestStories(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int
		text string
	}{
		{"one far end has nowhere to go", 1, `
			0s reached 1 => at 0
			1s reached 0 => at 0
			60s => at 0`},
		{"the first is gone and the second answers", 2, `
			0s reached 3 => at 0
			10s reached 0 => at 0
			12.8s => at 0
			13s => at 0 look 1
			13.4s held 1 => at 0 look 1
			14.9s => at 0 look 1
			15.4s => at 1 moved 0 1 unreachable`},
		{"all uplinks are dead: nobody answers, nobody moves", 2, `
			0s reached 3 => at 0
			10s reached 0 => at 0
			70s => at 0 look 1`},
		{"an uplink that returns reaches both; the present one has its chance", 2, `
			0s reached 3 => at 0
			10s reached 0 => at 0
			50s held 1 => at 0 look 1
			51s reached 2 => at 0
			60s => at 0`},
		{"what is found is lost again and must be held anew", 2, `
			0s reached 1 => at 0
			1s reached 0 => at 0
			5s held 1 => at 0 look 1
			6.5s held => at 0 look 1
			6.6s held 1 => at 0 look 1
			8.5s => at 0 look 1
			8.7s => at 1 moved 0 1 unreachable`},
		{"a gateway that restarts keeps its room", 2, `
			0s reached 3 => at 0
			10s reached 0 => at 0
			14s held 1 => at 0 look 1
			14.8s reached 1 => at 0
			60s => at 0`},
		{"the first is back: nothing moves", 2, `
			0s reached 1 => at 0
			1s reached 0 held 1 => at 0
			6.1s => at 1 moved 0 1 unreachable
			600s held 0 => at 1`},
		{"the second fails too: back to the first", 2, `
			0s reached 1 => at 0
			1s reached 0 held 1 => at 0
			6.1s => at 1 moved 0 1 unreachable
			100s reached 0 held 0 => at 1
			109s => at 1 look 0
			110.2s => at 0 moved 1 0 unreachable`},
		{"in order: the earlier one of two that were found", 3, `
			0s reached 1 => at 0
			1s reached 0 => at 0
			4s held 1 2 => at 0 look 1 2
			6.2s => at 1 moved 0 1 unreachable`},
		{"in order: the first that is proven", 3, `
			0s reached 1 => at 0
			1s reached 0 => at 0
			4s held 2 => at 0 look 1 2
			5.9s held 1 2 => at 0 look 1 2
			6.2s => at 2 moved 0 2 unreachable`},
		{"another box serves the room there: no second room", 2, `
			0s conflict reached 0 held 1 => at 0
			60s => at 0
			60s peace => at 0
			65.1s => at 1 moved 0 1 unreachable`},
		{"an operator asks", 2, `
			0s reached 3 => at 0
			10s wish 1 => at 0 look 1
			10.5s held 1 => at 1 moved 0 1 operator`},
		{"an operator asks for one that does not answer", 2, `
			0s reached 3 => at 0
			10s wish 1 => at 0 look 1
			24.9s => at 0 look 1
			25.1s => at 0 given-up`},
		{"a procedure is open: nobody leaves a working far end", 2, `
			0s reached 3 open => at 0
			10s wish 1 => at 0 given-up
			11s held 1 => at 0`},
		{"a procedure opens while a wish is tried", 2, `
			0s reached 3 => at 0
			10s wish 1 => at 0 look 1
			11s open held 1 => at 0 given-up`},
		{"a procedure is open and the far end is gone: it is left, by wish or by itself", 2, `
			0s reached 3 open => at 0
			1s reached 0 wish 1 => at 0 look 1
			1.5s held 1 => at 1 moved 0 1 operator
			10s reached 0 open held 0 => at 1
			16s => at 0 moved 1 0 unreachable`},
		{"an operator thinks better of it", 2, `
			0s reached 3 => at 0
			10s wish 1 => at 0 look 1
			11s wish 0 => at 0
			12s held 1 => at 0`},
		{"flaps: each takes twice as long, and ten minutes of peace forgive", 2, `
			0s reached 0 held 1 => at 0
			5.1s => at 1 moved 0 1 unreachable
			6s reached 0 held 0 => at 1
			15.8s => at 1 look 0
			15.9s => at 0 moved 1 0 unreachable
			17s reached 0 held 1 => at 0
			36.8s => at 0 look 1
			36.9s => at 1 moved 0 1 unreachable
			700s reached 0 held 0 => at 1
			705.1s => at 0 moved 1 0 unreachable`},
	} {
		t.Run(c.name, func(t *testing.T) { play(t, c.n, c.text) })
	}
}

func TestNoSuchFarEnd(t *testing.T) {
	c := New(2, 7, 0)
	if c.Wish(0, 2) || c.Wish(0, -1) {
		t.Error("a far end that does not exist was wished for")
	}
	if d := c.Step(0, Seen{}); d.At != 0 {
		t.Errorf("at %d", d.At)
	}
}

// Whatever is seen, the rules hold: a walk over random moments.
func TestWalk(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 1 + r.IntN(3)
		c := New(n, 0, 0)
		at, wish := 0, -1
		var now, reached, wished failover.Instant
		held := make([]failover.Instant, n) // since when, -1: not
		for i := range held {
			held[i] = -1
		}
		var moves []failover.Instant
		seen := Seen{Held: make([]failover.LinkSet, n)}
		for range 2000 {
			now = now.Add(time.Duration(r.IntN(400)) * time.Millisecond)
			if r.IntN(20) == 0 {
				seen.Reached = failover.LinkSet(r.IntN(3))
			}
			if r.IntN(200) == 0 {
				seen.Conflict = !seen.Conflict
			}
			if k := r.IntN(n); r.IntN(10) == 0 {
				seen.Held[k] = failover.LinkSet(r.IntN(2))
			}
			if k := r.IntN(n); r.IntN(300) == 0 && c.Wish(now, k) {
				wish, wished = k, now
			}
			if seen.Reached != 0 || seen.Conflict {
				reached = now
			}
			for k := range held {
				if seen.Held[k] == 0 {
					held[k] = -1
				} else if held[k] < 0 {
					held[k] = now
				}
			}
			d := c.Step(now, seen)
			if d.At < 0 || d.At >= n || d.Moved != (d.At != at) || (d.Moved && d.From != at) {
				t.Fatalf("seed %d: R1: at %d, was at %d: %+v", seed, d.At, at, d)
			}
			if d.Moved {
				switch {
				case held[d.At] < 0:
					t.Fatalf("seed %d: moved to %d, which nobody reached", seed, d.At)
				case d.Why == Operator && (wish != d.At || now.Sub(wished) > WishTime):
					t.Fatalf("seed %d: R7: nobody wished for %d", seed, d.At)
				case d.Why == Unreachable && (now.Sub(reached) < Patience || now.Sub(held[d.At]) < Confirm):
					t.Fatalf("seed %d: R2: out of reach for %v, held for %v", seed, now.Sub(reached), now.Sub(held[d.At]))
				case d.Why == Unreachable && len(moves) > 0 && now.Sub(moves[len(moves)-1]) < FlapMemory && now.Sub(reached) < 2*Patience:
					t.Fatalf("seed %d: R6: a second move after %v", seed, now.Sub(reached))
				}
				if d.Why == Unreachable {
					moves = append(moves, now)
				}
				at, reached, wish = d.At, now, -1
				for k := range held {
					held[k], seen.Held[k] = -1, 0
				}
			}
			for _, k := range d.Look {
				if k == at {
					t.Fatalf("seed %d: looks for where it is", seed)
				}
			}
		}
	}
}
