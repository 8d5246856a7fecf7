package installation

import "time"

// Question is what only a person can answer: a closed set, by its code word.
type Question string

// step is one line of the plan.
type step struct {
	name     string // its code word, and the question's
	title    string
	ask      string   // "": nothing is asked
	do       string   // how to get there
	checks   []string // of package doctor, by name; one that ends in ":" stands for all that begin so
	selfTest []string // of the self-test
	drill    bool
}

// plan is the installation, in the order in which it is done.
var plan = []step{
	{name: "place", title: "Place", ask: "Are box, modem and their leads outside the magnet room (MRI Zone IV), and is their power on the UPS?",
		do: "Mount them first; nothing of them may go into Zone IV, and cellular does not work behind a room's radio shield.", checks: []string{"power"}},
	{name: "cable", title: "Cable", do: "Plug the network cable in.", checks: []string{"uplink:wired"}},
	{name: "cellular", title: "SIM and cellular", ask: "Do the carrier's contract and data budget belong to this box alone?",
		do: "Put the SIM in, and the antenna where the signal is good.", checks: []string{"uplink:metered"}},
	{name: "clock", title: "Clock", do: "Records are worth what their times are worth.", checks: []string{"clock"}},
	{name: "far-end", title: "Far end", ask: "Did the physician at the far end see and hear this room, and answer?",
		do: "Have somebody sign in at the far end and talk to the room.", checks: []string{"far-end", "certificate:"}},
	{name: "camera", title: "Camera", ask: "Is the patient table fully in the picture, and are screens with patients' data outside of it?",
		do: "Look at the picture on the status page, and aim the camera.", checks: []string{"camera"}, selfTest: []string{"camera"}},
	{name: "microphone", title: "Microphone", ask: "Was what you said played back so that it could be understood?",
		do: "Make the self-test; it asks you to speak.", checks: []string{"microphone"}, selfTest: []string{"say-something"}},
	{name: "loudspeaker", title: "Loudspeaker", ask: "Can the physician be understood at the patient table?",
		do: "Make the self-test; the loudspeaker chirps.", checks: []string{"loudspeaker"}, selfTest: []string{"speaker-to-microphone"}},
	{name: "box", title: "The box itself", do: "Have the box examined.", checks: []string{"disk-space", "disk-write", "permission:", "bind:", "spare"}},
	{name: "drill", title: "Drill", ask: "Did the person at the far end notice nothing that disturbed the work?",
		do: "Make a drill while somebody looks from the far end.", drill: true},
}

// Questions are the code words of what people are asked, in order.
func Questions() []Question {
	var all []Question
	for _, s := range plan {
		if s.ask != "" {
			all = append(all, Question(s.name))
		}
	}
	return all
}

// Result of a check, a step or the whole. The zero value is Open.
type Result uint8

// The results, from what is to be done to what is done.
const (
	Open    Result = iota // not made, or not answered
	Unknown               // made, and the box cannot see it
	Failed                // the box found a fault, or a person said no
	Done
)

var resultWords = [...]string{"open", "unknown", "failed", "done"}

func (r Result) String() string {
	if int(r) < len(resultWords) {
		return resultWords[r]
	}
	return "open"
}

// Check is what the box found.
type Check struct {
	Name     string // as package doctor or the self-test has it
	Result   Result
	Sentence string
	Do       string
	At       time.Time // zero: never
}

// Answer is what a person said.
type Answer struct {
	Yes bool
	By  string
	At  time.Time // zero: nobody has
}

// Facts is what is known.
type Facts struct {
	Checks  []Check // of the doctor
	Tests   []Check // of the self-test
	Drill   Check   // of the last drill
	Metered []string
	Answers map[Question]Answer // looked up by question only: its order reaches no output
}

// Step is one step as it stands.
type Step struct {
	Name, Title, Do string
	Result          Result
	Checks          []Check
	Ask             string // "": nothing is asked
	Answer          Answer
}

// Report is the installation as it stands.
type Report struct {
	Result             Result // Done only when every step is
	Done, Open, Failed int    // steps
	Unknown            int
	Steps              []Step
}

// Judge holds the plan against what is known.
func Judge(f Facts) Report {
	var r Report
	for _, p := range plan {
		s := Step{Name: p.name, Title: p.title, Do: p.do, Ask: p.ask, Answer: f.Answers[Question(p.name)]}
		for _, want := range p.checks {
			s.Checks = append(s.Checks, f.find(want)...)
		}
		for _, want := range p.selfTest {
			s.Checks = append(s.Checks, one(f.Tests, want, "The self-test was not made."))
		}
		if p.drill {
			s.Checks = append(s.Checks, f.Drill)
		}
		s.Result = s.judge()
		switch s.Result {
		case Done:
			r.Done++
		case Failed:
			r.Failed++
		case Unknown:
			r.Unknown++
		default:
			r.Open++
		}
		r.Steps = append(r.Steps, s)
	}
	switch {
	case r.Failed > 0:
		r.Result = Failed
	case r.Open > 0:
		r.Result = Open
	case r.Unknown > 0:
		r.Result = Unknown
	default:
		r.Result = Done
	}
	return r
}

// judge sums a step up: a fault first, then what is missing, then what cannot be seen.
func (s Step) judge() Result {
	failed, open, unknown := false, false, false
	note := func(r Result) {
		failed = failed || r == Failed
		open = open || r == Open
		unknown = unknown || r == Unknown
	}
	for _, c := range s.Checks {
		note(c.Result)
	}
	if s.Ask != "" {
		note(s.Answer.Result())
	}
	switch {
	case failed:
		return Failed
	case open:
		return Open
	case unknown:
		return Unknown
	}
	return Done
}

// Result is what an answer counts for.
func (a Answer) Result() Result {
	switch {
	case a.At.IsZero():
		return Open
	case a.Yes:
		return Done
	}
	return Failed
}

// find is what the doctor found under a name of the plan.
func (f Facts) find(want string) []Check {
	switch want {
	case "uplink:wired", "uplink:metered":
		return f.uplinks(want == "uplink:metered")
	}
	if want[len(want)-1] != ':' {
		return []Check{one(f.Checks, want, "The box was not examined.")}
	}
	var all []Check
	for _, c := range f.Checks {
		if len(c.Name) > len(want) && c.Name[:len(want)] == want {
			all = append(all, c)
		}
	}
	return all
}

// uplinks are the checks of those that cost money by the byte, or of the others. A room may have none of a kind.
func (f Facts) uplinks(metered bool) []Check {
	const prefix = "uplink:"
	all := []Check{}
	for _, c := range f.Checks {
		if len(c.Name) <= len(prefix) || c.Name[:len(prefix)] != prefix {
			continue
		}
		is := false
		for _, name := range f.Metered {
			is = is || prefix+name == c.Name
		}
		if is == metered {
			all = append(all, c)
		}
	}
	if len(f.Checks) == 0 {
		return []Check{{Name: prefix, Sentence: "The box was not examined."}}
	}
	if len(all) == 0 {
		return []Check{{Name: prefix, Result: Unknown, Sentence: "The configuration names no such uplink."}}
	}
	return all
}

func one(all []Check, name, missing string) Check {
	for _, c := range all {
		if c.Name == name {
			return c
		}
	}
	return Check{Name: name, Sentence: missing}
}
