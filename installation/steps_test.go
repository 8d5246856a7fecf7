package installation

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// finished is an installation of which every check passed and every question was answered with yes.
func finished() Facts {
	f := Facts{Metered: []string{"cellular"}, Drill: Check{Name: "drill", Result: Done, Sentence: "Passed."}, Answers: map[Question]Answer{}}
	for _, name := range []string{"power", "uplink:primary", "uplink:cellular", "clock", "far-end", "certificate:far", "camera", "microphone", "loudspeaker", "disk-space", "disk-write", "permission:camera", "bind:eth0", "spare"} {
		f.Checks = append(f.Checks, Check{Name: name, Result: Done, Sentence: name + " is well.", At: noon})
	}
	for _, name := range []string{"camera", "speaker-to-microphone", "say-something"} {
		f.Tests = append(f.Tests, Check{Name: name, Result: Done, Sentence: name + " passed.", At: noon})
	}
	for _, q := range Questions() {
		f.Answers[q] = Answer{Yes: true, By: "ada", At: noon}
	}
	return f
}

func (f *Facts) set(name string, r Result) {
	for i := range f.Checks {
		if f.Checks[i].Name == name {
			f.Checks[i].Result = r
		}
	}
}

// Each story changes one thing of a finished installation and names the step that must say so.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		story string
		spoil func(*Facts)
		step  string
		want  Result
	}{
		{"finished", func(*Facts) {}, "drill", Done},
		{"nobody knows how the power is, and a person looked", func(f *Facts) { f.set("power", Unknown) }, "place", Unknown},
		{"a person says no", func(f *Facts) { f.Answers["camera"] = Answer{By: "ada", At: noon} }, "camera", Failed},
		{"a person was not asked", func(f *Facts) { delete(f.Answers, "camera") }, "camera", Open},
		{"a fault outweighs what is open", func(f *Facts) { delete(f.Answers, "camera"); f.set("camera", Failed) }, "camera", Failed},
		{"a cable that is out", func(f *Facts) { f.set("uplink:primary", Failed) }, "cable", Failed},
		{"a modem without signal", func(f *Facts) { f.set("uplink:cellular", Failed) }, "cellular", Failed},
		{"no metered uplink", func(f *Facts) { f.Metered = nil }, "cellular", Unknown},
		{"the self-test was not made", func(f *Facts) { f.Tests = nil }, "microphone", Open},
		{"no drill", func(f *Facts) { f.Drill = Check{Name: "drill"} }, "drill", Open},
		{"a drill that did not pass", func(f *Facts) { f.Drill.Result = Failed }, "drill", Failed},
		{"a certificate that ends", func(f *Facts) { f.set("certificate:far", Failed) }, "far-end", Failed},
		{"a token open to all", func(f *Facts) { f.set("permission:camera", Failed) }, "box", Failed},
	} {
		t.Run(c.story, func(t *testing.T) {
			f := finished()
			c.spoil(&f)
			r := Judge(f)
			if r.Done+r.Open+r.Failed+r.Unknown != len(r.Steps) || len(r.Steps) != len(plan) {
				t.Errorf("the sums are wrong: %+v", r)
			}
			for _, s := range r.Steps {
				if s.Name == c.step && s.Result != c.want {
					t.Errorf("%s is %v, want %v: %+v", s.Name, s.Result, c.want, s)
				}
				if s.Do == "" || s.Title == "" || s.Ask != "" && !strings.HasSuffix(s.Ask, "?") {
					t.Errorf("%+v", s)
				}
			}
			if (r.Result == Done) != (c.want == Done) || c.want == Failed && r.Result != Failed {
				t.Errorf("the whole is %v", r.Result)
			}
		})
	}
}

// Of a box that nobody looked at, nothing is done; and everything that is asked has a name of its own.
func TestNothingIsDoneByItself(t *testing.T) {
	r := Judge(Facts{})
	if r.Done != 0 || r.Result == Done {
		t.Errorf("%d steps are done: %+v", r.Done, r.Steps)
	}
	q := Questions()
	slices.Sort(q)
	if len(slices.Compact(q)) != len(Questions()) || len(q) < 5 {
		t.Errorf("questions %v", q)
	}
}
