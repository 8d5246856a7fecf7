package bubble

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"scanside/lab/scenario"
)

// cutCase is one way in which an uplink that alone carries everything dies, with the figures that it shows.
type cutCase struct {
	name  string
	story string
	event string // of a scenario
	most  map[string]float64
}

// Every copy is alone until doubt (protection on-doubt): what the engine notices late, somebody sees. Limits are those of
// TARGETS.md, for the 95th percentile: G3 freeze, G4 a black hole suspected, G5 one direction alone: RTT 20 + interval of
// probes 50 + 50, G6 the way back over the new uplink within one one-way delay (30) of its first packet. Nobody hears or sees the
// death of a copy; it is noticed within the round trip 60 + 50 + 50, and the 40 that one word about what arrived is apart from the next.
var cutCases = []cutCase{
	{"black hole", aloneStory, "cut primary", map[string]float64{"freeze": 250, "return freeze": 250, "suspected": 150, "way back": 31}},
	{"room to far end alone", aloneStory, "cut primary up", map[string]float64{"freeze": 250, "return freeze": 250, "suspected": 120}},
	{"far end to room alone", aloneStory, "cut primary down", map[string]float64{"freeze": 250, "return freeze": 250, "suspected": 120}},
	{"interface down", aloneStory, "ifdown primary", map[string]float64{"freeze": 250, "return freeze": 250, "suspected": 150}},
	{"black hole of a copy", copyStory, "cut cellular", map[string]float64{"freeze": 34, "return freeze": 34, "suspected": 200}},
	{"copy, room to far end alone", copyStory, "cut cellular up", map[string]float64{"freeze": 34, "return freeze": 34, "suspected": 200}},
	{"copy, far end to room alone", copyStory, "cut cellular down", map[string]float64{"freeze": 34, "return freeze": 34, "suspected": 200}},
}

const aloneStory = `# One copy of each stream, and the uplink that carries it dies.
length 8s
uplink primary 20ms
uplink cellular 60ms metered
protect voice on-doubt
protect video on-doubt
at %dms %s
expect voice.lost = 0
`

const copyStory = `# As in a procedure: a metered uplink carries a copy of voice, and dies.
length 8s
uplink primary 20ms
uplink cellular 60ms metered
protect voice always
protect video on-doubt
at %dms %s
expect voice.lost = 0
`

// calm is when the copies have ended that bring a link's proof.
const calm = 3900 * time.Millisecond

// figure is the spread of one thing measured over all cuts, in ms.
type figure struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func spread(all []float64) figure {
	slices.Sort(all)
	at := func(share float64) float64 { return all[int(share*float64(len(all)-1)+0.5)] }
	return figure{at(0.5), at(0.95), at(0.99), all[len(all)-1]}
}

// cutResult is what one case showed.
type cutResult struct {
	Case       string            `json:"case"`
	Cuts       int               `json:"cuts"`
	VoiceLost  uint64            `json:"voice_lost"` // both directions
	FramesLost uint64            `json:"frames_lost"`
	KeyFrames  uint64            `json:"key_frame_requests"`
	MS         map[string]figure `json:"ms"`
	values     map[string][]float64
}

// G3, G4, G5, G6: cuts at random phases. SCANSIDE_CUTS is how many of each case (3), SCANSIDE_RESULT a file that gets the figures.
func TestCuts(t *testing.T) {
	cuts := 3
	if testing.Short() {
		cuts = 1
	}
	if n, err := strconv.Atoi(os.Getenv("SCANSIDE_CUTS")); err == nil && n > 0 {
		cuts = n
	}
	var all []cutResult
	for _, c := range cutCases {
		t.Run(c.name, func(t *testing.T) {
			r := cutResult{Case: c.name, Cuts: cuts, MS: map[string]figure{}, values: map[string][]float64{}}
			random := rand.New(rand.NewPCG(1, uint64(len(c.name)))) // the same phases each time
			for range cuts {
				r.one(t, fmt.Sprintf(c.story, 4000+random.IntN(1000), c.event))
			}
			for name, all := range r.values {
				r.MS[name] = spread(all)
			}
			all = append(all, r)
			if r.VoiceLost+r.FramesLost+r.KeyFrames != 0 {
				t.Errorf("lost %d packets of voice and %d frames, and %d key frames were asked for; want none", r.VoiceLost, r.FramesLost, r.KeyFrames)
			}
			for name, most := range c.most {
				if got, ok := r.MS[name]; !ok || got.P95 > most {
					t.Errorf("%s: 95 %% within %.1f ms, want %.0f", name, got.P95, most)
				}
			}
		})
	}
	figures(t, all...)
}

// one plays one cut in a world of its own: an uplink that has just come back is trusted less, and would be a different case.
func (r *cutResult) one(t *testing.T, story string) {
	s, err := scenario.Parse("cut", story)
	if err != nil {
		t.Fatal(err)
	}
	inDayOf(t, s, func(d *day) {
		cellular := d.w.taps["cellular"]
		time.AfterFunc(calm, cellular.set)
		out, err := d.play(d.t.Context(), s)
		if err != nil {
			d.t.Fatal(err)
		}
		r.add(out.Result, cellular)
	})
}

func (r *cutResult) add(s scenario.Result, cellular *tap) {
	r.VoiceLost += s.Voice.Lost + s.Return.Voice.Lost
	r.FramesLost += s.Video.FramesLost + s.Return.Video.FramesLost
	r.KeyFrames += s.Video.KeyFrameRequests + s.Return.Video.KeyFrameRequests
	note := func(name string, ms float64) { r.values[name] = append(r.values[name], ms) }
	note("freeze", s.Video.LongestFreezeMS)
	note("return freeze", s.Return.Video.LongestFreezeMS)
	note("voice gap", s.Voice.LongestGapMS)
	note("return voice gap", s.Return.Voice.LongestGapMS)
	if s.DetectMS != nil {
		note("suspected", *s.DetectMS)
	}
	const there = 30 * time.Millisecond // the cellular uplink's one-way delay
	if turn, ok := cellular.turn(); ok {
		note("way back", inMS(turn-there))
	}
}
