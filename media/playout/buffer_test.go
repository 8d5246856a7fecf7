package playout

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"scanside/lab/emu"
)

const ms = time.Millisecond

// voice20 is an Opus packet of 20 ms (config 1, one SILK frame), with its number in it.
func voice20(n int) []byte { return []byte{1 << 3, byte(n), byte(n >> 8)} }

func number(p []byte) int { return int(p[1]) | int(p[2])<<8 }

// world plays what arrives when it arrives: a loudspeaker that asks for a frame as soon as the last one has been played.
type world struct {
	buffer  *Buffer
	arrives []time.Duration // packet n was sent at n × 20 ms; negative: lost
	every   time.Duration   // the loudspeaker asks at multiples of this only; 0: at once
	until   time.Duration
}

// played is one frame as it went to the loudspeaker.
type played struct {
	at time.Duration
	Step
}

// run plays the world and checks the invariants on the way.
func (w world) run(t testing.TB) (all []played) {
	t.Helper()
	clock := time.Duration(0)
	sequence := make([]int, 0, len(w.arrives)) // in the order of arrival
	for i, at := range w.arrives {
		if at >= 0 {
			sequence = append(sequence, i)
		}
	}
	slices.SortStableFunc(sequence, func(a, b int) int { return cmp.Compare(w.arrives[a], w.arrives[b]) })
	last := -1
	for clock < w.until {
		ask := clock
		if w.every > 0 {
			ask = clock / w.every * w.every
		}
		for ; len(sequence) > 0 && w.arrives[sequence[0]] <= ask; sequence = sequence[1:] {
			n := sequence[0]
			w.buffer.Put(w.arrives[n], uint32(n*960+4_294_960_000), voice20(n)) // wraps on the way
		}
		step := w.buffer.Next(ask)
		all = append(all, played{ask, step})
		samples := step.Samples
		switch step.Stretch {
		case Shorten:
			samples -= Rate / 150
		case Lengthen:
			samples += Rate / 150
		}
		if step.Kind == Decode {
			n := number(step.Payload)
			if n <= last {
				t.Fatalf("P1: packet %d after %d", n, last)
			}
			last = n
		}
		clock += duration(int64(samples))
	}
	checkCounts(t, w.buffer)
	return all
}

func checkCounts(t testing.TB, b *Buffer) {
	t.Helper()
	s := b.Stats()
	if sum := s.Played + s.Late + s.Skipped + s.Again + s.Bad + s.Flushed + uint64(len(b.held)); sum != s.Packets {
		t.Errorf("P3: %d packets came, %d are accounted for: %+v", s.Packets, sum, s)
	}
}

// spoken is seconds of voice, each packet so late.
func spoken(seconds int, late func(n int) time.Duration) []time.Duration {
	all := make([]time.Duration, seconds*50)
	for n := range all {
		if d := late(n); d < 0 {
			all[n] = -1
		} else {
			all[n] = time.Duration(n)*20*ms + d
		}
	}
	return all
}

func TestStories(t *testing.T) {
	steady := func(int) time.Duration { return 30 * ms }
	for _, c := range []struct {
		story   string
		seconds int
		late    func(n int) time.Duration
		every   time.Duration
		check   func(s Stats) bool
	}{
		{"a steady way", 30, steady, 0, func(s Stats) bool {
			return s.Played == 1500 && s.Concealed+s.Corrected+s.Underruns == 0 && s.Target == 20*ms && s.Delay <= 30*ms
		}},
		{"a loudspeaker that asks every 40 ms", 30, steady, 40 * ms, func(s Stats) bool {
			return s.Played == 1500 && s.Concealed+s.Corrected+s.Underruns <= 4
		}},
		{"one packet in ten is lost", 30, func(n int) time.Duration {
			if n%10 == 5 {
				return -1
			}
			return 30 * ms
		}, 0, func(s Stats) bool { return s.Played == 1350 && s.Corrected >= 145 && s.Concealed <= 5 && s.Late == 0 }},
		{"two in a row are lost", 30, func(n int) time.Duration {
			if n%50 == 5 || n%50 == 6 {
				return -1
			}
			return 30 * ms
		}, 0, func(s Stats) bool { return s.Corrected+s.Concealed == 60 }},
		{"every fourth is 60 ms late", 30, func(n int) time.Duration { return 30*ms + time.Duration(n%4/3)*60*ms }, 0,
			func(s Stats) bool {
				return s.Target >= 60*ms && s.Target <= 80*ms && s.Concealed+s.Corrected <= 15
			}},
		{"the way becomes 40 ms longer, as when an uplink is cut", 30, func(n int) time.Duration {
			if n > 750 {
				return 70 * ms
			}
			return 30 * ms
		}, 0, func(s Stats) bool { return s.Played == 1500 && s.Concealed <= 3 && s.Delay < 55*ms }},
		{"a hole of 300 ms, then all of it at once", 30, func(n int) time.Duration {
			if n > 700 && n <= 715 {
				return 30*ms + time.Duration(716-n)*20*ms
			}
			return 30 * ms
		}, 0, func(s Stats) bool { return s.Played+s.Skipped == 1500 && s.Skipped <= 5 && s.Delay < 60*ms }},
		{"a hole of two seconds, then all of it at once", 30, func(n int) time.Duration {
			if n > 700 && n <= 800 {
				return 30*ms + time.Duration(801-n)*20*ms
			}
			return 30 * ms
		}, 0, func(s Stats) bool { return s.Skipped > 80 && s.Delay < 60*ms }},
		{"nobody is heard", 0, steady, 0, func(s Stats) bool { return s == Stats{Target: s.Target} }},
		{"a talk ends", 1, steady, 0, func(s Stats) bool { return s.Played == 50 && s.Faded == 5 && s.Concealed == 0 && s.Delay == 0 }},
	} {
		t.Run(c.story, func(t *testing.T) {
			w := world{New(Config{}), spoken(c.seconds, c.late), c.every, time.Duration(c.seconds)*time.Second + time.Second}
			w.run(t)
			if c.seconds > 1 { // the voice has ended meanwhile: ask how late it was
				w.buffer.state = playing
			}
			if s := w.buffer.Stats(); !c.check(s) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// P2, and what stands between two talks: silence, at once.
func TestAnotherTalk(t *testing.T) {
	b := New(Config{})
	at, next := time.Duration(0), uint32(77)
	say := func(frames int) (kinds [4]int) {
		for range frames {
			b.Put(at, next, voice20(0))
			next += 960
			kinds[b.Next(at).Kind]++
			at += 20 * ms
		}
		return kinds
	}
	say(100)
	for range 200 {
		b.Next(at)
		at += 20 * ms
	}
	next += 123_456_789 // another producer
	if k := say(100); k[Decode] < 95 || k[Conceal]+k[Correct] != 0 {
		t.Errorf("of the second talk: %v", k)
	}
	checkCounts(t, b)
}

// Samples tells what RFC 6716's table 2 and section 3.2 say.
func TestSamples(t *testing.T) {
	for _, c := range []struct {
		packet []byte
		want   int
	}{
		{nil, 0}, {[]byte{0}, 480}, {[]byte{3 << 3}, 2880}, {[]byte{12 << 3}, 480}, {[]byte{15<<3 | 1}, 1920},
		{[]byte{16 << 3}, 120}, {[]byte{31 << 3}, 960}, {[]byte{31<<3 | 3, 6}, 5760}, {[]byte{31<<3 | 3, 7}, 0}, {[]byte{3}, 0},
	} {
		if got := Samples(c.packet); got != c.want {
			t.Errorf("%x: %d samples, want %d", c.packet, got, c.want)
		}
	}
}

// Whatever comes, in whatever order, nothing breaks and everything is accounted for.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{1, 0, 8, 2, 1, 8, 0, 0, 3})
	f.Fuzz(func(t *testing.T, script []byte) {
		b, at := New(Config{}), time.Duration(0)
		for ; len(script) >= 3; script = script[3:] {
			at += time.Duration(script[0]) * ms
			b.Put(at, uint32(int32(int8(script[1])))*480, script[2:])
			if s := b.Next(at); s.Samples <= 0 || s.Samples > longest {
				t.Fatalf("a step of %d samples", s.Samples)
			}
			if d := b.stats.Delay; d > b.cfg.Most+FarBehind+GiveUp+time.Second {
				t.Fatalf("P2: %v late", d)
			}
		}
		checkCounts(t, b)
	})
}

// What this buffer makes of recorded cellular uplinks, beside buffers of one size: a voice packet waits for the next
// moment at which the uplink carried anything. Printed by -v; the adaptive one must be earlier than the largest and miss
// less than the smallest.
func TestRecordedUplinks(t *testing.T) {
	folder := os.Getenv("SCANSIDE_TRACES")
	files, _ := filepath.Glob(filepath.Join(folder, "*.up"))
	if folder == "" || len(files) == 0 {
		t.Skip("no recorded uplinks: SCANSIDE_TRACES names no folder with *.up")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := emu.ReadTrace(bytes.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		arrives := overUplink(text, 120)
		report := func(name string, c Config) (missed float64, late time.Duration) {
			b := New(c)
			var sum time.Duration
			n := 0
			for _, p := range (world{b, arrives, 10 * ms, 121 * time.Second}).run(t) {
				if p.Kind == Decode {
					sum += p.at - 30*ms - time.Duration(number(p.Payload))*20*ms
					n++
				}
			}
			s := b.Stats()
			missed = 1 - float64(n)/float64(len(arrives))
			late = sum / time.Duration(max(n, 1))
			t.Logf("%-28s %-9s %5.2f %% not played as said (late %d, left out %d), made up %d, corrected %d, %d underruns, %3d ms behind on average",
				filepath.Base(file), name, 100*missed, s.Late, s.Skipped, s.Concealed, s.Corrected, s.Underruns, late.Milliseconds())
			return missed, late
		}
		missed, late := report("adaptive", Config{})
		few, _ := report("20 ms", Config{20 * ms, 20 * ms})
		report("60 ms", Config{60 * ms, 60 * ms})
		_, most := report("120 ms", Config{120 * ms, 120 * ms})
		if missed > few || late > most {
			t.Errorf("%s: %.2f %% missed, a buffer of 20 ms misses %.2f %%; %v behind, one of 120 ms is %v", filepath.Base(file), 100*missed, 100*few, late, most)
		}
	}
}

// overUplink sends voice for so many seconds over a recorded uplink: each line of text is a millisecond at which it carried
// a packet, so a packet leaves at the first that is not before it was made, and one line carries one packet.
func overUplink(text []byte, seconds int) []time.Duration {
	var moments []time.Duration
	for line := range bytes.Lines(text) {
		var at int
		if _, err := fmt.Sscan(string(line), &at); err == nil {
			moments = append(moments, time.Duration(at)*ms)
		}
	}
	i := 0
	return spoken(seconds, func(n int) time.Duration {
		sent := time.Duration(n) * 20 * ms
		for i < len(moments) && moments[i] < sent {
			i++
		}
		if i == len(moments) {
			return -1
		}
		i++
		return moments[i-1] - sent + 30*ms
	})
}

// Random losses, delays and disorder for twenty minutes: the invariants hold, and nearly everything is played.
func TestTroubleForTwentyMinutes(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	w := world{New(Config{}), spoken(1200, func(int) time.Duration {
		switch r := random.Float64(); {
		case r < 0.02:
			return -1
		case r < 0.03:
			return 30*ms + time.Duration(random.IntN(200))*ms
		}
		return 30*ms + time.Duration(random.IntN(15))*ms
	}), 10 * ms, 1201 * time.Second}
	w.run(t)
	if s := w.buffer.Stats(); float64(s.Played) < 0.97*60_000 {
		t.Errorf("%+v", s)
	}
}
