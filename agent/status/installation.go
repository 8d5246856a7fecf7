package status

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Installed is the part of a Box that keeps what people answer while it is installed.
type Installed interface {
	// Answer takes somebody's answer to a question of the installation. It returns when that would survive a restart, or says why it
	// would not, and then it does not count.
	Answer(ctx context.Context, by, question string, yes bool) error
}

// Installation is GET /api/v1/installation, and part of the document: how far the box is installed, by package installation. POST with
// the fields question and answer ("yes", "no") answers what only a person can.
type Installation struct {
	Config   string `json:"config_sha256"` // of the configuration that it speaks of
	Result   string `json:"result"`        // "open", "unknown": done as far as the box can see, "failed", "done"
	Level    Level  `json:"level"`
	Sentence string `json:"sentence"`
	Done     int    `json:"done"` // steps
	Total    int    `json:"total"`
	Steps    []Step `json:"steps"`
}

// Step is one step of it.
type Step struct {
	Name   string      `json:"step"`
	Title  string      `json:"title"`
	Do     string      `json:"do"`
	Result string      `json:"result"`
	Level  Level       `json:"level"`
	Next   bool        `json:"next"` // the first that is not done
	Checks []StepCheck `json:"checks"`
	Ask    string      `json:"ask"` // "": nothing is asked
	Answer Answer      `json:"answer"`
}

// StepCheck is what the box found.
type StepCheck struct {
	Name     string    `json:"check"`
	Result   string    `json:"result"`
	Level    Level     `json:"level"`
	Sentence string    `json:"sentence"`
	Do       string    `json:"do"`
	At       time.Time `json:"at"` // zero: never
}

// Answer is what a person said.
type Answer struct {
	Given bool      `json:"given"`
	Yes   bool      `json:"yes"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

func (s *Server) installation(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s.current().Installation)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Question, Answer string }
	if !fields(w, r, map[string]*string{"question": &ask.Question, "answer": &ask.Answer}) {
		return
	}
	if ask.Answer != "yes" && ask.Answer != "no" {
		problem(w, http.StatusBadRequest, "bad-request", `Answer with yes or no: send {"question": "camera", "answer": "yes"}, or a form with both fields.`)
		return
	}
	s.done(w, r, s.box.Answer(r.Context(), by(r), ask.Question, ask.Answer == "yes"))
}

// fields reads several values from a form or from a JSON object.
func fields(w http.ResponseWriter, r *http.Request, want map[string]*string) bool {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if r.Header.Get("Content-Type") == "application/json" {
		var got map[string]string
		if json.NewDecoder(r.Body).Decode(&got) != nil {
			problem(w, http.StatusBadRequest, "bad-request", "Send a JSON object whose fields are texts.")
			return false
		}
		for name, to := range want {
			*to = got[name]
		}
		return true
	}
	if r.ParseForm() != nil {
		problem(w, http.StatusBadRequest, "bad-request", "Send a form.")
		return false
	}
	for name, to := range want {
		*to = r.PostForm.Get(name)
	}
	return true
}
