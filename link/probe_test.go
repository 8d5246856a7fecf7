package link

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"

	"scanside/media"
	"scanside/media/content"
)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// Each story is what happens to the book, and the samples that come out.
func TestProbeBook(t *testing.T) {
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	type step struct {
		at     int    // ms
		do     string // send, answer, refuse, expire, stall
		number uint32 // for answer and refuse; for stall the ms
		want   []Sample
	}
	answered := func(n uint32, sent, rtt int, late bool) Sample {
		return Sample{Number: n, Sent: epoch.Add(ms(sent)), Answered: true, Late: late, RTT: ms(rtt)}
	}
	missed := func(n uint32, sent int) Sample { return Sample{Number: n, Sent: epoch.Add(ms(sent))} }
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"answered in time", []step{{0, "send", 0, nil}, {20, "answer", 1, []Sample{answered(1, 0, 20, false)}}, {600, "expire", 0, nil}}},
		{"answered twice counts once", []step{{0, "send", 0, nil}, {20, "answer", 1, []Sample{answered(1, 0, 20, false)}}, {21, "answer", 1, nil}}},
		{"unknown number, zero, and one to come", []step{{0, "send", 0, nil}, {1, "answer", 0, nil}, {1, "answer", 2, nil}, {1, "answer", 1025, nil}, {1, "answer", math.MaxUint32, nil}}},
		{"missed after the first time-out", []step{{0, "send", 0, nil}, {499, "expire", 0, nil}, {500, "expire", 0, []Sample{missed(1, 0)}}, {501, "expire", 0, nil}}},
		{"late: missed, then its true round trip", []step{{0, "send", 0, nil}, {500, "expire", 0, []Sample{missed(1, 0)}}, {9000, "answer", 1, []Sample{answered(1, 0, 9000, true)}}, {9001, "answer", 1, nil}}},
		{"a steady link has a short time-out", []step{
			{0, "send", 0, nil}, {20, "answer", 1, []Sample{answered(1, 0, 20, false)}}, // srtt 20, var 10
			{50, "send", 0, nil}, {109, "expire", 0, nil}, {110, "expire", 0, []Sample{missed(2, 50)}},
		}},
		{"refused by the kernel: missed at once, once", []step{{0, "send", 0, nil}, {0, "refuse", 1, []Sample{missed(1, 0)}}, {0, "refuse", 1, nil}, {600, "expire", 0, nil}}},
		{"we slept: the evidence waits", []step{{0, "send", 0, nil}, {3000, "stall", 2900, nil}, {3000, "expire", 0, nil}, {3001, "answer", 1, []Sample{answered(1, 0, 3001, false)}}}},
		{"answers overtake each other", []step{
			{0, "send", 0, nil}, {50, "send", 0, nil}, {60, "answer", 2, []Sample{answered(2, 50, 10, false)}},
			{70, "answer", 1, []Sample{answered(1, 0, 70, false)}}, {900, "expire", 0, nil},
		}},
	} {
		var b probes
		for i, s := range c.steps {
			at := epoch.Add(ms(s.at))
			var got []Sample
			one := func(sample Sample, ok bool) {
				if ok {
					got = append(got, sample)
				}
			}
			switch s.do {
			case "send":
				b.send(at)
			case "answer":
				one(b.answer(at, s.number))
			case "refuse":
				one(b.refuse(s.number))
			case "expire":
				got = b.expire(at, nil)
			case "stall":
				b.stall(ms(int(s.number)))
			}
			if !reflect.DeepEqual(got, s.want) {
				t.Errorf("%s, step %d (%s at %d ms): %+v, want %+v", c.name, i+1, s.do, s.at, got, s.want)
			}
		}
	}
}

func TestProbeTimeout(t *testing.T) {
	for _, c := range []struct {
		name string
		rtts []int
		want [2]time.Duration // at least, at most
	}{
		{"none yet", nil, [2]time.Duration{firstTimeout, firstTimeout}},
		{"steady 20 ms", repeat(20, 200), [2]time.Duration{ms(40), ms(41)}},
		{"steady 60 ms", repeat(60, 200), [2]time.Duration{ms(80), ms(81)}},
		{"jitter 60 to 160 ms", alternate(60, 160, 200), [2]time.Duration{ms(250), ms(350)}},
		{"after answers that were 10 s late", append(append(repeat(20, 50), repeat(10000, 200)...), repeat(20, 60)...), [2]time.Duration{ms(40), ms(120)}},
		{"never above the cap", repeat(5000, 10), [2]time.Duration{maxTimeout, maxTimeout}},
	} {
		var b probes
		for _, r := range c.rtts {
			b.measure(ms(r))
		}
		if got := b.timeout(); got < c.want[0] || got > c.want[1] {
			t.Errorf("%s: %v, want %v to %v", c.name, got, c.want[0], c.want[1])
		}
	}
}

func repeat(v, n int) []int { return alternate(v, v, n) }

func alternate(a, b, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = a
		if i%2 == 1 {
			out[i] = b
		}
	}
	return out
}

// Invariant L2 in a long run, through the ring's end and the number's end.
func TestProbeBookRuns(t *testing.T) {
	var b probes
	b.last, b.first = math.MaxUint32-100, math.MaxUint32-99
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	var samples []Sample
	for i := range 5000 {
		number := b.send(now)
		if i%3 == 0 {
			if s, ok := b.answer(now.Add(ms(20)), number); ok {
				samples = append(samples, s)
			}
		}
		now = now.Add(ms(50))
		samples = b.expire(now, samples)
		if due, ok := b.due(); ok && !due.After(now) {
			t.Fatalf("a probe is due in the past after expire")
		}
	}
	if len(samples) < 4800 {
		t.Errorf("%d samples of 5000 probes", len(samples))
	}
}

func TestWire(t *testing.T) {
	reports := []StreamReport{
		{Kind: media.Voice, Highest: math.MaxUint32, Received: 1, Lost: 2, LongestGap: 1234 * time.Millisecond, RecentGap: 56 * time.Millisecond,
			Legs: []LegReport{{"wired", 70000, 12}, {"cellular", 0, math.MaxUint32}}},
		{Kind: media.Video},
	}
	data := appendAnswer([]byte("before"), 77, reports)[6:]
	number, got, err := parseAnswer(data)
	if err != nil || number != 77 || !reflect.DeepEqual(got, reports) || len(data)%4 != 0 {
		t.Errorf("%d %v %v, %d bytes", number, got, err, len(data))
	}
	// A far end that does not know the recent gap leaves it out, and so does not say that there was none.
	reports[0].RecentGap, reports[1].RecentGap = -1, -1
	if _, got, err := parseAnswer(appendAnswer(nil, 78, reports)); err != nil || !reflect.DeepEqual(got, reports) {
		t.Errorf("without recent gaps: %v %v", got, err)
	}
	t.Logf("answer with two streams over two legs: %d bytes", len(data)+12)
	const srtcp = 14 // index and authentication (RFC 3711 3.4)
	probe := appendProbe(nil, 9, nil)
	raw, err := app(nameProbe, 5, probe).Marshal()
	must(t, err)
	if n, word, err := parseProbe(probe); n != 9 || word != nil || err != nil || len(raw)+srtcp < 32 {
		t.Errorf("%d %v %v, %d bytes", n, word, err, len(raw))
	}
	// What is over the limits is left out, the rest arrives.
	many := make([]StreamReport, 9)
	for i := range many {
		many[i].Legs = make([]LegReport, 20)
		for j := range many[i].Legs {
			many[i].Legs[j].Uplink = "a-name-that-is-far-too-long-for-an-uplink"
		}
	}
	data = appendAnswer(nil, 1, many)
	if _, got, err = parseAnswer(data); err != nil || len(got) != maxStreams || len(got[0].Legs) != maxLegs || len(got[0].Legs[0].Uplink) != maxName {
		t.Errorf("%v %v", got, err)
	}
	if len(data)+12 > 1500 {
		t.Errorf("the longest answer has %d bytes", len(data)+12)
	}
	for name, bad := range map[string][]byte{
		"empty": nil, "short": {1, 0, 0, 0, 0, 0, 0}, "version 2": append([]byte{2}, data[1:]...), "streams": {1, 9, 0, 0, 0, 0, 0, 1},
		"length": {1, 1, 255, 255, 0, 0, 0, 1, 0}, "torn": data[:20], "name": {1, 1, 0, 8, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 31, 'x'},
		"kind": {1, 1, 0, 6, 0, 0, 0, 1, 9, 1, 1, 1, 1, 0},
	} {
		if _, _, err := parseAnswer(bad); !errors.Is(err, errWire) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A probe with a word is a probe to the first readers, and the first senders' probes are probes without a word.
func TestProbeWord(t *testing.T) {
	word := []StreamReport{{Kind: media.Voice, Highest: 70000, Received: 4000, Lost: 3, LongestGap: ms(40)}, {Kind: media.Video, Highest: 99000, Received: 33000}}
	probe := appendProbe(nil, 9, word)
	t.Logf("probe with the word on two streams: %d bytes, without %d", len(probe)+12, len(appendProbe(nil, 9, nil))+12)
	if n, got, err := parseProbe(probe); n != 9 || err != nil || !reflect.DeepEqual(got, word) {
		t.Errorf("%d %v %v, want the word back", n, got, err)
	}
	first := func(b []byte) (uint32, bool) { // as version 1 began
		if len(b) < wireHead || b[0] != wireVersion {
			return 0, false
		}
		return binary.BigEndian.Uint32(b[4:]), true
	}
	if n, ok := first(probe); n != 9 || !ok {
		t.Errorf("the first reader reads %d %v", n, ok)
	}
	old := make([]byte, wireMin)
	old[0], old[7] = wireVersion, 9
	if n, got, err := parseProbe(old); n != 9 || got != nil || err != nil {
		t.Errorf("the first sender's probe: %d %v %v", n, got, err)
	}
	// A word of a form to come is none; the probe is answered all the same.
	probe[1] = 200
	if n, got, err := parseProbe(probe); n != 9 || got != nil || err != nil {
		t.Errorf("a word that is not understood: %d %v %v", n, got, err)
	}
	if _, _, err := parseProbe([]byte{2, 0, 0, 0, 0, 0, 0, 9}); !errors.Is(err, errWire) {
		t.Errorf("version 2: %v", err)
	}
}

// What is wrong with the sources stands behind the padding, where the first readers do not look; without it nothing is said.
func TestProbeFaults(t *testing.T) {
	for _, word := range [][]StreamReport{nil, {{Kind: media.Video, Highest: 9, Received: 4}}} {
		for _, f := range []Faults{{}, {media.Video: content.Frozen}, {media.Voice: content.Muted, media.Video: content.Black}, {255, 254}} {
			plain := appendProbe(nil, 9, word)
			if _, said := parseFaults(plain); said {
				t.Error("a probe that says nothing of its sources does")
			}
			b := appendFaults(plain, f)
			if len(b)%4 != 0 || len(b) != len(plain)+4 {
				t.Errorf("%d bytes became %d", len(plain), len(b))
			}
			if n, got, err := parseProbe(b); n != 9 || len(got) != len(word) || err != nil {
				t.Errorf("with faults behind it a probe reads %d %v %v", n, got, err)
			}
			got, said := parseFaults(b)
			if f[media.Voice] == 255 {
				f[media.Voice] = 254 // both are of a later version
			}
			if !said || got != f {
				t.Errorf("%v became %v (%v)", f, got, said)
			}
		}
	}
	if _, said := parseFaults(append(appendBrief(nil, 3), 5, 5, 0, 0)); said {
		t.Error("a brief probe says something")
	}
}

// An answer may say when it was given; one of an older far end does not. The clock wraps, and goes on.
func TestAnswersClock(t *testing.T) {
	var clock farClock
	reports := []StreamReport{{Kind: media.Video, Highest: 5, RecentGap: -1, Legs: []LegReport{{"wired", 1, 2}}}}
	var first time.Duration
	for i := range 12 { // five hours; it wraps each 71 minutes
		at := time.Duration(i)*25*time.Minute + time.Second
		plain := appendAnswer(nil, 7, reports[:i%2])
		if _, ok := parseClock(plain); ok {
			t.Error("an answer without a clock has one")
		}
		b := appendClock(plain, at)
		if n, got, err := parseAnswer(b); err != nil || n != 7 || len(got) != i%2 {
			t.Errorf("with a clock behind it an answer reads %d %v %v", n, got, err)
		}
		us, ok := parseClock(b)
		now := clock.extend(us)
		if i == 0 {
			first = now
		}
		if !ok || first <= 0 || now-first != at-time.Second {
			t.Errorf("the clock at %v reads %v after %v", at, now, first)
		}
	}
}

// What went back is told behind the clock, wraps, and may start anew with another session at the far end.
func TestAnswerTally(t *testing.T) {
	var back tallies
	for _, want := range []Tally{{3, 1000}, {1 << 20, 3 << 30}, {1 << 21, 5<<32 - 1<<31}, {1 << 21, 5 << 32}, {7, 5<<32 + 900}} {
		plain := appendClock(appendAnswer(nil, 7, nil), time.Second)
		if _, ok := parseTally(plain); ok {
			t.Error("an answer without a tally has one")
		}
		b := appendTally(plain, want)
		read, ok := parseTally(b)
		if clock, has := parseClock(b); !ok || !has || clock != 1_000_000 {
			t.Errorf("read %v %v, clock %v %v", read, ok, clock, has)
		}
		if got := back.extend(read); got.Packets != want.Packets {
			t.Errorf("told %v, it is %v", got, want)
		}
	}
	if r, ok := parseTally(nil); ok {
		t.Errorf("nothing tells %v", r)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(appendAnswer(nil, 77, []StreamReport{{Kind: media.Video, Highest: 5, Legs: []LegReport{{"wired", 1, 2}}}}))
	f.Add(appendProbe(nil, 1, []StreamReport{{Kind: media.Voice, Highest: 65537, Received: 1, RecentGap: ms(20)}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		asked, word, err := parseProbe(b)
		if (err != nil) != (len(b) < wireHead || b[0] != wireVersion) {
			t.Errorf("a probe's head is %v: %v", b, err)
		}
		if err == nil {
			n, got, err := parseProbe(appendProbe(nil, asked, word))
			if err != nil || n != asked || !reflect.DeepEqual(got, word) && len(word) > 0 {
				t.Errorf("probe with %v became %v, %v", word, got, err)
			}
		}
		number, reports, err := parseAnswer(b)
		if err != nil {
			return
		}
		again := appendAnswer(nil, number, reports)
		n, got, err := parseAnswer(again)
		if err != nil || n != number || !reflect.DeepEqual(got, reports) {
			t.Errorf("%v became %v, %v", reports, got, err)
		}
	})
}

// RTCP of every shape from an authenticated peer is answered or dropped, never a panic (L4).
func FuzzRTCP(f *testing.F) {
	for _, p := range []rtcp.Packet{
		app(nameProbe, 1, appendProbe(nil, 1, []StreamReport{{Kind: media.Video, Highest: 9}})), app(nameAnswer, 1, appendAnswer(nil, 1, nil)), &rtcp.PictureLossIndication{MediaSSRC: 1},
		&rtcp.TransportLayerNack{MediaSSRC: 1, Nacks: []rtcp.NackPair{{PacketID: 1, LostPackets: 0xffff}}}, &rtcp.FullIntraRequest{MediaSSRC: 1},
	} {
		raw, err := p.Marshal()
		if err == nil {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		packets, err := rtcp.Unmarshal(raw)
		if err != nil {
			return
		}
		p := newProber(nil, nil, func(uint32) error { return nil }, func(Sample) {})
		p.one(time.Now())
		for _, packet := range packets {
			p.heard(packet)
			hearFaults(packet, func(Faults) {})
			rateAsked(packet, func(int) {})
			echo(packet, PublishEvents{Word: func([]StreamReport) {}, Sent: func() Tally { return Tally{1, 2} }}, time.Minute, func(answers ...rtcp.Packet) error {
				if _, err := rtcp.Marshal(answers); err != nil {
					t.Errorf("our answer does not marshal: %v", err)
				}
				return nil
			})
			feedback(media.Video, packet, func() {}, func(media.Kind, []uint16) {})
		}
	})
}

// The cadence follows the wish, at once when hurried.
func TestProberCadence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var every atomic.Int64
		every.Store(int64(time.Second))
		var sent atomic.Int32
		var p *prober
		p = newProber(func() time.Duration { return time.Duration(every.Load()) }, nil, func(number uint32) error {
			sent.Add(1)
			time.AfterFunc(ms(20), func() { p.heard(app(nameAnswer, 1, appendAnswer(nil, number, nil))) })
			return nil
		}, func(s Sample) {
			if !s.Answered {
				t.Errorf("%+v", s)
			}
		})
		done, ended := make(chan struct{}), make(chan struct{})
		go func() { defer close(ended); p.run(done) }()
		time.Sleep(ms(4500))
		if n := sent.Load(); n != 5 {
			t.Errorf("%d probes in 4.5 s at 1 s", n)
		}
		every.Store(int64(ms(50)))
		p.again()
		time.Sleep(ms(1))
		if n := sent.Load(); n != 6 {
			t.Errorf("%d probes right after Hurry", n)
		}
		time.Sleep(ms(999))
		if n := sent.Load(); n < 24 || n > 26 {
			t.Errorf("%d probes after a second at 50 ms", n)
		}
		close(done)
		<-ended
		time.Sleep(ms(50))
	})
}

func TestBackoff(t *testing.T) {
	var b Backoff
	last := time.Duration(0)
	for i := range 100 {
		wait := b.Next(0)
		full := min(250*time.Millisecond<<min(i, 10), 15*time.Second)
		if wait < full/2 || wait > full {
			t.Errorf("try %d: %v, want %v to %v", i, wait, full/2, full)
		}
		last = wait
	}
	if b.Next(time.Minute) < time.Minute {
		t.Error("shorter than Retry-After")
	}
	b.Reset()
	if again := b.Next(0); again > last || again > 250*time.Millisecond {
		t.Errorf("%v after Reset", again)
	}
}

// A brief probe is answered without reports, and by a far end that does not know such probes in full; the next wordy one
// brings them again.
func TestBriefProbe(t *testing.T) {
	report := func() []StreamReport { return []StreamReport{{Kind: media.Voice, Highest: 9, Received: 9}} }
	for _, c := range []struct {
		probe []byte
		want  int
	}{{appendBrief(nil, 7), 0}, {appendProbe(nil, 7, nil), 1}} {
		answers := 0
		echo(app(nameProbe, 1, c.probe), PublishEvents{Report: report}, time.Minute, func(packets ...rtcp.Packet) error {
			for _, p := range packets {
				number, reports, err := parseAnswer(p.(*rtcp.ApplicationDefined).Data)
				if err != nil || number != 7 || len(reports) != c.want {
					t.Errorf("answered %d with %d reports, %v; want %d", number, len(reports), err, c.want)
				}
				answers++
			}
			return nil
		})
		if number, word, err := parseProbe(c.probe); answers != 1 || number != 7 || word != nil || err != nil {
			t.Errorf("%d answers; read as %d, %v, %v", answers, number, word, err)
		}
	}
}
