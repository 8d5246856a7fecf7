package supervision

import (
	"strings"
	"testing"
	"time"
)

var (
	flowing = Direction{Known: true, Age: 20 * time.Millisecond}
	silent  = Direction{Known: true, Age: Flowing + time.Millisecond}
	unheard = Direction{}
)

func ready() Inputs {
	return Inputs{VoiceOut: flowing, PictureOut: flowing, Usable: 2,
		Supervisor: Supervisor{Known: true, Present: true, Sees: true, Hears: true}}
}

func engaged() Inputs {
	in := ready()
	in.VoiceIn, in.PictureIn, in.Supervisor.Talking = flowing, flowing, true
	return in
}

func TestJudge(t *testing.T) {
	at := time.Unix(1000, 0)
	for _, c := range []struct {
		story string
		from  Inputs
		with  func(*Inputs)
		want  State
	}{
		{"nothing is known yet, no link", Inputs{}, nil, Lost},
		{"nothing is known yet, links up", Inputs{Usable: 2}, nil, Unknown},
		{"supervisor watches", ready(), nil, Ready},
		{"supervisor talks", engaged(), nil, Engaged},
		{"nobody there", ready(), func(in *Inputs) { in.Supervisor = Supervisor{Known: true} }, SupervisorAbsent},
		{"presence word is old", engaged(), func(in *Inputs) { in.Supervisor.Known = false }, Unknown},
		{"far end silent about the room's picture", ready(), func(in *Inputs) { in.PictureOut = unheard }, Unknown},
		{"return counters unknown while talking", engaged(), func(in *Inputs) { in.VoiceIn = unheard }, Unknown},
		{"camera dead", ready(), func(in *Inputs) { in.PictureOut = silent }, AudioOnly},
		{"console does not show the picture", ready(), func(in *Inputs) { in.Supervisor.Sees = false }, AudioOnly},
		{"console is silent", ready(), func(in *Inputs) { in.Supervisor.Hears = false }, OneWay},
		{"microphone dead", ready(), func(in *Inputs) { in.VoiceOut = silent }, OneWay},
		{"console in the background", ready(), func(in *Inputs) { in.Supervisor.Sees, in.Supervisor.Hears = false, false }, SupervisorAbsent},
		{"talking, but his picture does not arrive", engaged(), func(in *Inputs) { in.PictureIn = silent }, AudioOnly},
		{"talking, but his voice does not arrive", engaged(), func(in *Inputs) { in.VoiceIn = silent }, OneWay},
		{"talking, nothing arrives in the room", engaged(), func(in *Inputs) { in.VoiceIn, in.PictureIn = silent, silent }, OneWay},
		{"nothing leaves the room", ready(), func(in *Inputs) { in.VoiceOut, in.PictureOut = silent, silent }, Lost},
		{"all links down a moment ago", engaged(), func(in *Inputs) { in.Usable, in.DownSince = 0, at.Add(-MaxSwitching) }, Switching},
		{"all links down for long", engaged(), func(in *Inputs) { in.Usable, in.DownSince = 0, at.Add(-MaxSwitching-time.Second) }, Lost},
	} {
		in := c.from
		if c.with != nil {
			c.with(&in)
		}
		v := Judge(at, in, Verdict{})
		if v.State != c.want {
			t.Errorf("%s: %v (%s), want %v", c.story, v.State, v.Reason, c.want)
		}
		if v.Sentence == "" || v.Reason == "" {
			t.Errorf("%s: says nothing: %+v", c.story, v)
		}
		if v.Qualifying != (c.want == Ready || c.want == Engaged) {
			t.Errorf("%s: qualifying %v", c.story, v.Qualifying)
		}
	}
}

// Audio-only and one-way are useful help and never count; old news is never green.
func TestNothingLessThanFourDirectionsQualifies(t *testing.T) {
	at := time.Unix(1000, 0)
	states := []Direction{flowing, silent, unheard}
	for _, vo := range states {
		for _, po := range states {
			for _, vi := range states {
				for _, pi := range states {
					for flags := range 32 {
						in := Inputs{VoiceOut: vo, PictureOut: po, VoiceIn: vi, PictureIn: pi, Usable: 2, Supervisor: Supervisor{
							flags&1 > 0, flags&2 > 0, flags&4 > 0, flags&8 > 0, flags&16 > 0}}
						s := in.Supervisor
						out := vo.flows() && po.flows() && s.Known && s.Present && s.Sees && s.Hears
						back := vi.flows() && pi.flows() || !s.Talking
						if v := Judge(at, in, Verdict{}); v.Qualifying != (out && back) {
							t.Fatalf("%+v: %v, qualifying %v", in, v.State, v.Qualifying)
						}
					}
				}
			}
		}
	}
}

func TestSinceAndRedundancy(t *testing.T) {
	at := time.Unix(1000, 0)
	v := Judge(at, engaged(), Verdict{})
	later := Judge(at.Add(time.Minute), engaged(), v)
	if !later.Since.Equal(at) || later.Redundancy != Full {
		t.Errorf("%+v", later)
	}
	in := engaged()
	in.Usable = 1
	last := Judge(at.Add(time.Hour), in, later)
	if !last.Since.Equal(at) || last.Redundancy != LastLink || !strings.Contains(last.Sentence, "Only one uplink is left") {
		t.Errorf("on the last link: %+v", last)
	}
	in.Supervisor.Known = false
	if v := Judge(at.Add(2*time.Hour), in, last); !v.Since.Equal(at.Add(2 * time.Hour)) {
		t.Errorf("a new state began at its instant: %+v", v)
	}
}

func TestEveryStateHasWords(t *testing.T) {
	for _, s := range States() {
		if s.String() == "" || s.Words() == "" || sentence(s, Full) == "" {
			t.Errorf("state %d has no words", s)
		}
	}
}
