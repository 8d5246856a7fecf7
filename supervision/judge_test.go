package supervision

import (
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

var (
	flowing = Direction{Known: true, Word: 50 * ms, Idle: 20 * ms}
	silent  = Direction{Known: true, Word: 50 * ms, Idle: 4 * time.Second}
	stale   = Direction{Known: true, Word: Fresh + ms, Idle: 20 * ms}
	unknown = Direction{}
)

// available is a room that can be supervised while nobody talks.
func available() Inputs {
	return Inputs{
		Out:        Media{flowing, flowing},
		Back:       Media{silent, silent},
		Supervisor: Supervisor{Known: true, Word: 500 * ms, Present: true, Name: "Dr Moss", Heard: time.Second, Sees: true, Hears: true},
		Links:      Links{Known: true, Usable: 2, Proven: 2, Return: true},
		Speaker:    Loudspeaker{Known: true, Plays: true},
	}
}

// talking is the same while the supervisor talks.
func talking() Inputs {
	in := available()
	in.Back = Media{flowing, flowing}
	in.Supervisor.Talking, in.Supervisor.Talks = true, time.Minute
	return in
}

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	good := Verdict{State: Engaged, Since: noon.Add(-time.Minute)}
	gap := func(age time.Duration) Verdict { return Verdict{State: Switching, Since: noon.Add(-age)} }
	for _, c := range []struct {
		story string
		in    Inputs
		but   func(*Inputs)
		state State
		why   Reason
	}{
		{"nothing is known", Inputs{}, nil, Unknown, LinksUnknown},
		{"a supervisor is there and silent", available(), nil, Ready, Available},
		{"he talks", talking(), nil, Engaged, BothWays},
		{"he talks, and sees a smaller picture", talking(), func(in *Inputs) { in.Reduced = true }, Reduced, PictureReduced},
		{"he is silent, and sees a smaller picture", available(), func(in *Inputs) { in.Reduced = true }, Ready, Available},

		{"no link, long since", available(), func(in *Inputs) { in.Links.Usable = 0 }, Lost, NoLink},
		{"no link, since now", available(), func(in *Inputs) { in.Links.Usable, in.Before = 0, good }, Switching, NoLink},
		{"no link, for 4.9 s", available(), func(in *Inputs) { in.Links.Usable, in.Before = 0, gap(4900*ms) }, Switching, NoLink},
		{"no link, for 5 s", available(), func(in *Inputs) { in.Links.Usable, in.Before = 0, gap(5*time.Second) }, Lost, NoLink},
		{"no link, and nothing else known", Inputs{Links: Links{Known: true}}, nil, Lost, NoLink},
		{"the links' state is old", talking(), func(in *Inputs) { in.Links.Word = Fresh + ms }, Unknown, LinksUnknown},

		{"a server of another make, all else well", talking(), func(in *Inputs) { in.Foreign = true }, Unknown, FarEndForeign},
		{"a server of another make, and nothing gets there", available(), func(in *Inputs) { in.Foreign, in.Out = true, Media{silent, silent} }, Lost, RoomUnseenUnheard},
		{"the far end counts neither", available(), func(in *Inputs) { in.Out = Media{silent, silent} }, Lost, RoomUnseenUnheard},
		{"the far end counts neither, since now", available(), func(in *Inputs) { in.Out, in.Before = Media{silent, silent}, good }, Switching, RoomUnseenUnheard},
		{"the far end's word on voice is old", talking(), func(in *Inputs) { in.Out.Voice = stale }, Unknown, FarEndSilent},
		{"the far end's word on the picture is old", talking(), func(in *Inputs) { in.Out.Video = stale }, Unknown, FarEndSilent},
		{"the far end never gave word", talking(), func(in *Inputs) { in.Out.Video = unknown }, Unknown, FarEndSilent},
		{"camera unplugged", available(), func(in *Inputs) { in.Out.Video = silent }, AudioOnly, RoomUnseen},
		{"camera unplugged a moment ago is no switching", available(), func(in *Inputs) { in.Out.Video, in.Before = silent, good }, AudioOnly, RoomUnseen},
		{"microphone unplugged", available(), func(in *Inputs) { in.Out.Voice = silent }, OneWay, RoomUnheard},

		{"the loudspeaker was pulled out", talking(), func(in *Inputs) { in.Speaker.Plays = false }, OneWay, LoudspeakerFailed},
		{"and nobody talks", available(), func(in *Inputs) { in.Speaker.Plays = false }, OneWay, LoudspeakerFailed},
		{"nothing is known of the loudspeaker", talking(), func(in *Inputs) { in.Speaker = Loudspeaker{} }, Unknown, LoudspeakerUnknown},
		{"its word is old", talking(), func(in *Inputs) { in.Speaker.Word = Fresh + ms }, Unknown, LoudspeakerUnknown},
		{"something else plays his voice", talking(), func(in *Inputs) { in.Speaker = Loudspeaker{Elsewhere: true} }, Engaged, BothWays},
		{"a slate, or black", talking(), func(in *Inputs) { in.Out.Video.Empty = true }, AudioOnly, RoomInvisible},
		{"a slate since now is no switching", talking(), func(in *Inputs) { in.Out.Video.Empty, in.Before = true, good }, AudioOnly, RoomInvisible},
		{"digital silence", talking(), func(in *Inputs) { in.Out.Voice.Empty = true }, OneWay, RoomInaudible},
		{"both", talking(), func(in *Inputs) { in.Out.Voice.Empty, in.Out.Video.Empty, in.Before = true, true, good }, Lost, RoomEmpty},
		{"a slate, and no microphone", talking(), func(in *Inputs) { in.Out.Voice, in.Out.Video.Empty = silent, true }, Lost, RoomEmpty},

		{"camera muted", talking(), func(in *Inputs) { in.Muted.Camera = true }, Privacy, CameraMuted},
		{"microphone muted", talking(), func(in *Inputs) { in.Muted.Microphone = true }, OneWay, MicrophoneMuted},
		{"both muted", talking(), func(in *Inputs) { in.Muted = Muted{true, true} }, Privacy, BothMuted},
		{"muted a moment ago is no switching", talking(), func(in *Inputs) { in.Muted.Camera, in.Before = true, good }, Privacy, CameraMuted},
		{"muted, and nothing else known", Inputs{Muted: Muted{true, true}}, nil, Privacy, BothMuted},
		{"muted, and no link", available(), func(in *Inputs) { in.Muted.Camera, in.Links.Usable = true, 0 }, Lost, NoLink},

		{"nobody there", available(), func(in *Inputs) { in.Supervisor = Supervisor{Known: true} }, SupervisorAbsent, NobodyPresent},
		{"somebody without a name", available(), func(in *Inputs) { in.Supervisor.Name = "" }, SupervisorAbsent, NobodyNamed},
		{"his console has been silent", available(), func(in *Inputs) { in.Supervisor.Heard = ConsoleDead }, SupervisorAbsent, NobodyPresent},
		{"word about him is old", talking(), func(in *Inputs) { in.Supervisor.Word = Fresh + ms }, Unknown, SupervisorUnknown},
		{"no word about him", talking(), func(in *Inputs) { in.Supervisor.Known = false }, Unknown, SupervisorUnknown},
		{"his console shows no picture", available(), func(in *Inputs) { in.Supervisor.Sees = false }, AudioOnly, ConsoleUnseeing},
		{"his console plays no voice", available(), func(in *Inputs) { in.Supervisor.Hears = false }, OneWay, ConsoleUnhearing},
		{"his console does neither", available(), func(in *Inputs) { in.Supervisor.Sees, in.Supervisor.Hears = false, false }, SupervisorAbsent, ConsoleBlind},

		{"he could not answer", available(), func(in *Inputs) { in.Links.Return = false }, OneWay, NoReturn},
		{"what comes back is not known", available(), func(in *Inputs) { in.Back.Voice = unknown }, Unknown, ReturnUnknown},
		{"he has just begun to talk", talking(), func(in *Inputs) { in.Back, in.Supervisor.Talks = Media{silent, silent}, time.Second }, Ready, Available},
		{"he talks without a picture", talking(), func(in *Inputs) { in.Back.Video = silent }, AudioOnly, SupervisorUnseen},
		{"he shows himself without a voice", talking(), func(in *Inputs) { in.Back.Voice = silent }, OneWay, SupervisorUnheard},
		{"he talks and nothing comes", talking(), func(in *Inputs) { in.Back = Media{silent, silent} }, OneWay, NothingBack},
		{"he talks and nothing comes any more", talking(), func(in *Inputs) { in.Back, in.Before = Media{silent, silent}, good }, Switching, NothingBack},
		{"what comes back is old news", talking(), func(in *Inputs) { in.Back = Media{stale, stale} }, Unknown, ReturnUnknown},
	} {
		t.Run(c.story, func(t *testing.T) {
			if c.but != nil {
				c.but(&c.in)
			}
			v := Judge(noon, c.in)
			if v.State != c.state || v.Reason != c.why {
				t.Errorf("judged %v because %v, want %v because %v", v.State, v.Reason, c.state, c.why)
			}
			if qualifying := c.state == Ready || c.state == Engaged || c.state == Reduced; v.Qualifying != qualifying {
				t.Errorf("qualifying is %v", v.Qualifying)
			}
			if v.Sentence == "" || strings.Contains(v.Sentence, "@") {
				t.Errorf("sentence %q", v.Sentence)
			}
		})
	}
}

// Never green from stale data, from one direction, or from voice alone: of all combinations of what the inputs can be,
// only those qualify in which every part is fresh and there.
func TestNothingLessQualifies(t *testing.T) {
	directions := []Direction{flowing, silent, stale, unknown}
	count := 0
	for i := range 4 * 4 * 4 * 4 << 8 {
		bit := func(n int) bool { return i>>n&1 == 1 }
		in := talking()
		in.Out = Media{directions[i>>8&3], directions[i>>10&3]}
		in.Back = Media{directions[i>>12&3], directions[i>>14&3]}
		s, l := &in.Supervisor, &in.Links
		s.Known, s.Present, s.Sees, s.Hears, s.Talking = !bit(0), !bit(1), !bit(2), !bit(3), !bit(4)
		if bit(5) {
			s.Name = ""
		}
		if bit(6) {
			s.Word, l.Word = time.Hour, time.Hour
		}
		l.Return = !bit(7)

		out := in.Out == Media{flowing, flowing} && s.Known && s.Present && s.Sees && s.Hears && s.Name != "" && !bit(6)
		counted := in.Back.Voice.fresh() && in.Back.Video.fresh()
		four := in.Back == Media{flowing, flowing}
		could := counted && !s.Talking && l.Return
		v := Judge(noon, in)
		if v.Qualifying != (out && (four || could)) {
			t.Fatalf("%+v: judged %v because %v, qualifying %v", in, v.State, v.Reason, v.Qualifying)
		}
		if v.Qualifying {
			count++
		}
	}
	if count == 0 {
		t.Error("nothing qualifies at all")
	}
}

// A gap ends by its name after five seconds, however often it is judged, and a later one starts anew.
func TestGapIsBounded(t *testing.T) {
	at, v := noon, Verdict{}
	judge := func(in Inputs, d time.Duration) State {
		at = at.Add(d)
		in.Before = v
		v = Judge(at, in)
		return v.State
	}
	cut := talking()
	cut.Links.Usable = 0
	judge(talking(), 0)
	for i := range 50 {
		if s := judge(cut, 100*ms); s != Switching {
			t.Fatalf("after %d ms: %v", i*100, s)
		}
	}
	if s := judge(cut, 100*ms); s != Lost {
		t.Errorf("after 5 s: %v", s)
	}
	if judge(talking(), 100*ms); v.State != Engaged || !v.Since.Equal(at) {
		t.Errorf("when it is back: %+v", v)
	}
	if s := judge(cut, 100*ms); s != Switching {
		t.Errorf("the next gap: %v", s)
	}
}

func TestSince(t *testing.T) {
	in := available()
	in.Before = Judge(noon, available())
	if v := Judge(noon.Add(time.Minute), in); !v.Since.Equal(noon) {
		t.Errorf("the state is the same and began %v", v.Since)
	}
	in = talking()
	in.Before = Judge(noon, available())
	if v := Judge(noon.Add(time.Minute), in); !v.Since.Equal(noon.Add(time.Minute)) {
		t.Errorf("the state is new and began %v", v.Since)
	}
}

func TestRedundancy(t *testing.T) {
	for _, c := range []struct {
		links Links
		want  Redundancy
	}{
		{Links{}, RedundancyUnknown},
		{Links{Known: true, Word: Fresh + ms, Usable: 2, Proven: 2}, RedundancyUnknown},
		{Links{Known: true}, None},
		{Links{Known: true, Usable: 1, Proven: 1}, LastLink},
		{Links{Known: true, Usable: 2, Proven: 1}, LastLink}, // a spare that has proved nothing is no redundancy
		{Links{Known: true, Usable: 2, Proven: 2}, Full},
		{Links{Known: true, Usable: 3, Proven: 2}, Full},
	} {
		in := available()
		in.Links = c.links
		if v := Judge(noon, in); v.Redundancy != c.want {
			t.Errorf("%+v: %v, want %v", c.links, v.Redundancy, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	seen := []string{}
	for _, s := range States() {
		if s.Words("Dr Moss") == "" {
			t.Errorf("%v has no words", s)
		}
		seen = append(seen, s.String())
	}
	for r := range numReasons {
		if r.Sentence("Dr Moss") == "" {
			t.Errorf("reason %d has no sentence", r)
		}
		seen = append(seen, r.String())
	}
	for i, a := range seen {
		for _, b := range seen[:i] {
			if a == b {
				t.Errorf("%q names two things", a)
			}
		}
	}
	if got := Engaged.Words("Dr Moss"); got != "CONNECTED: Dr Moss" {
		t.Error(got)
	}
	if got := State(99).String() + Reason(99).String() + Redundancy(99).String(); got != "UNKNOWNnot_judgedunknown" {
		t.Error(got)
	}
}
