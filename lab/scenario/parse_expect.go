package scenario

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (p *parser) expect(words []string, owed bool) {
	if len(words) == 1 && words[0] == "unnoticed" {
		p.unnoticed(owed)
		return
	}
	if len(words) != 3 {
		p.wrong("an expectation is a name, = or <=, and a number, with spaces between; write e.g. expect voice.lost = 0, or expect unnoticed")
		return
	}
	x := Expectation{Name: words[0], AtMost: words[1] == "<=", Owed: owed}
	if !x.AtMost && words[1] != "=" {
		p.wrong("%q is not a comparison; use = or <=", words[1])
	}
	if !slices.Contains(Names(), x.Name) {
		p.wrong("%q is not in the result; use one of %s", x.Name, strings.Join(Names(), ", "))
	}
	var err error
	if x.Value, err = strconv.ParseFloat(words[2], 64); err != nil {
		p.wrong("%q is not a number; write e.g. 45", words[2])
	}
	p.s.Expect = append(p.s.Expect, x)
}

// tolerance is what a gap may be longer than the arithmetic says: probes and the virtual network's own queues.
const tolerance = 5 * time.Millisecond

// unnoticed is targets G1 and G2, both ways. A packet lost on one uplink is on its way on the other, their difference in
// delay later at most; so the longest silence is the cadence and that difference.
func (p *parser) unnoticed(owed bool) {
	least, most := time.Duration(math.MaxInt64), time.Duration(0)
	for _, u := range p.s.Uplinks {
		least, most = min(least, u.RoundTrip/2), max(most, u.RoundTrip/2)
	}
	if len(p.s.Uplinks) == 0 {
		p.wrong("unnoticed depends on the uplinks; put it behind them")
		return
	}
	gap := func(rate float64) float64 {
		return math.Ceil(1000/rate + float64((most - least + tolerance).Milliseconds()))
	}
	for _, way := range []string{"", "return."} {
		for _, x := range []Expectation{
			{Name: "voice.lost"}, {Name: "voice.longest_gap_ms", AtMost: true, Value: gap(VoiceRate)},
			{Name: "video.frames_lost"}, {Name: "video.longest_freeze_ms", AtMost: true, Value: gap(VideoRate)},
			{Name: "video.key_frame_requests"},
		} {
			x.Name, x.Owed = way+x.Name, owed
			p.s.Expect = append(p.s.Expect, x)
		}
	}
}
