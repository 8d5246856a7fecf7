package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"scanside/agent/status"
	"scanside/audit"
	"scanside/doctor"
	"scanside/installation"
)

// installationFile holds what people answered while the box was installed.
const installationFile = "installation.json"

// answers is what people have said, for one configuration: with another they are asked again.
type answers struct {
	kept   store
	config string // digest

	mu   sync.Mutex
	said map[installation.Question]installation.Answer
}

// keptAnswers is the file.
type keptAnswers struct {
	Config  string       `json:"config_sha256"`
	Answers []keptAnswer `json:"answers"`
}

type keptAnswer struct {
	Question string    `json:"question"`
	Yes      bool      `json:"yes"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

func newAnswers(kept store, config string) *answers {
	a := &answers{kept: kept, config: config, said: map[installation.Question]installation.Answer{}}
	var file keptAnswers
	text, err := os.ReadFile(filepath.Join(kept.dir, installationFile))
	if kept.dir == "" || err != nil || json.Unmarshal(text, &file) != nil || file.Config != config {
		return a
	}
	for _, k := range file.Answers {
		if q := installation.Question(k.Question); slices.Contains(installation.Questions(), q) {
			a.said[q] = installation.Answer{Yes: k.Yes, By: k.By, At: k.At}
		}
	}
	return a
}

// give takes an answer; it returns when that would survive a restart, or says why it would not, and then it is not taken.
func (a *answers) give(q installation.Question, x installation.Answer) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, had := a.said[q]
	a.said[q] = x
	if a.kept.dir == "" {
		return nil
	}
	file := keptAnswers{Config: a.config, Answers: []keptAnswer{}}
	for _, q := range installation.Questions() {
		if x, there := a.said[q]; there {
			file.Answers = append(file.Answers, keptAnswer{string(q), x.Yes, x.By, x.At})
		}
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err == nil {
		err = a.kept.write(installationFile, string(text)+"\n")
	}
	if err != nil {
		delete(a.said, q)
		if had {
			a.said[q] = before
		}
		return fmt.Errorf("the answer is not kept, so it does not count: %w", err)
	}
	return nil
}

func (a *answers) all() map[installation.Question]installation.Answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make(map[installation.Question]installation.Answer, len(a.said))
	for _, q := range installation.Questions() {
		if x, there := a.said[q]; there {
			out[q] = x
		}
	}
	return out
}

// Answer implements status.Box.
func (b boxed) Answer(_ context.Context, by, question string, yes bool) error {
	q := installation.Question(question)
	if !slices.Contains(installation.Questions(), q) {
		return fmt.Errorf("%w: %q", status.ErrNoQuestion, question)
	}
	if err := b.a.answers.give(q, installation.Answer{Yes: yes, By: by, At: time.Now()}); err != nil {
		return err
	}
	b.a.journal.note(audit.Installation{By: by, Question: question, Yes: yes})
	b.a.loop.post(event{kind: heard}) // the page shall say so
	return nil
}

// viewInstallation holds the plan of installation against what the document says.
func (a *Agent) viewInstallation(st *status.Status) status.Installation {
	f := installation.Facts{Answers: a.answers.all()}
	for _, c := range st.Doctor.Checks {
		f.Checks = append(f.Checks, installation.Check{Name: c.Name, Result: installed(c.Result), Sentence: c.Sentence, Do: c.Do, At: st.Doctor.At})
	}
	for _, c := range st.SelfTest.Results {
		one := installation.Check{Name: c.Name, Result: installation.Failed, Sentence: c.Sentence, Do: c.Do, At: st.SelfTest.At}
		if c.Pass {
			one.Result = installation.Done
		}
		f.Tests = append(f.Tests, one)
	}
	f.Drill = installation.Check{Name: "drill", Sentence: "No drill was made yet."}
	if d := st.Drill.Last; d != nil {
		f.Drill = installation.Check{Name: "drill", Result: installation.Failed, Sentence: d.Sentence, Do: "Make another drill.", At: d.At}
		if d.Passed() {
			f.Drill.Result, f.Drill.Do = installation.Done, ""
		}
	}
	for _, u := range st.Uplinks {
		if u.Metered {
			f.Metered = append(f.Metered, u.Name)
		}
	}
	r := installation.Judge(f)
	v := status.Installation{Config: a.answers.config, Result: r.Result.String(), Level: stepLevel(r.Result), Done: r.Done, Total: len(r.Steps), Steps: []status.Step{}}
	switch r.Result {
	case installation.Done:
		v.Sentence = fmt.Sprintf("All %d steps are done.", v.Total)
	case installation.Unknown:
		v.Sentence = fmt.Sprintf("%d of %d steps are done; the box cannot see the rest, and nothing is open.", v.Done, v.Total)
	default:
		v.Sentence = fmt.Sprintf("%d of %d steps are done; %d failed, %d are open.", v.Done, v.Total, r.Failed, r.Open)
	}
	next := false
	for _, s := range r.Steps {
		one := status.Step{Name: s.Name, Title: s.Title, Do: s.Do, Result: s.Result.String(), Level: stepLevel(s.Result), Ask: s.Ask, Checks: []status.StepCheck{}}
		if s.Ask != "" {
			one.Answer = status.Answer{Given: !s.Answer.At.IsZero(), Yes: s.Answer.Yes, By: s.Answer.By, At: s.Answer.At}
		}
		if one.Next = !next && (s.Result == installation.Open || s.Result == installation.Failed); one.Next {
			next = true
		}
		for _, c := range s.Checks {
			one.Checks = append(one.Checks, status.StepCheck{Name: c.Name, Result: c.Result.String(), Level: stepLevel(c.Result), Sentence: c.Sentence, Do: c.Do, At: c.At})
		}
		v.Steps = append(v.Steps, one)
	}
	return v
}

// installed is a check's word as the plan has it.
func installed(result string) installation.Result {
	switch result {
	case doctor.Passed.String():
		return installation.Done
	case doctor.Failed.String():
		return installation.Failed
	}
	return installation.Unknown
}

func stepLevel(r installation.Result) status.Level {
	return [...]status.Level{installation.Open: status.Notice, installation.Unknown: status.Unknown, installation.Failed: status.Bad, installation.Done: status.OK}[r]
}
