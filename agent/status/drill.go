package status

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Drilled is the part of a Box that makes failover drills.
type Drilled interface {
	// StartDrill begins a drill of the preferred uplink, in somebody's name; its error is a Refusal where none may begin. A length of 0 is
	// the usual one.
	StartDrill(ctx context.Context, by string, length time.Duration) error
}

// Refusal is why a Box does not do what was asked, in a sentence for people.
type Refusal string

func (r Refusal) Error() string { return string(r) }

// Drill is GET /api/v1/drill, and part of the document: the failover drill, by package drill. POST begins one; the field seconds says for
// how long the uplink is to be cut.
type Drill struct {
	Uplink   string       `json:"uplink"`  // the one that is cut
	Running  bool         `json:"running"` //
	Phase    string       `json:"phase"`   // "looking", "cutting", "returning"; "" when none runs
	By       string       `json:"by"`      // who asked for it
	Until    time.Time    `json:"until"`   // when the phase ends at the latest; zero: none runs
	Sentence string       `json:"sentence"`
	Refusal  string       `json:"refusal"` // why none may begin now, a sentence; "": one may, or runs
	Bounds   []string     `json:"bounds"`  // what it passes by, in words
	Overdue  bool         `json:"overdue"` // none in the last 31 days that was not broken off
	Last     *DrillResult `json:"last"`    // null: none was ever made
}

// DrillResult is what a drill came to. Figures are null where they were not measured.
type DrillResult struct {
	At         time.Time `json:"at"` // of its end
	By         string    `json:"by"`
	Uplink     string    `json:"uplink"`
	Outcome    string    `json:"outcome"` // "passed", "failed", "aborted"
	Level      Level     `json:"level"`
	Sentence   string    `json:"sentence"`
	Reasons    []string  `json:"reasons"`    // why it did not pass: code words of package drill
	Cut        float64   `json:"cut_ms"`     // how long the uplink was cut; 0: it was not
	Detect     *float64  `json:"detect_ms"`  // until the cut was noticed
	Switch     *float64  `json:"switch_ms"`  // from then until the far end said that it goes on
	Back       *float64  `json:"back_ms"`    // from giving it back until it carried everything
	Gap        Gap       `json:"gap"`        // longest pause in what the far end merged
	ReturnGap  Gap       `json:"return_gap"` // longest pause in what came to the room, where somebody talked to it
	Lost       Lost      `json:"lost"`       // at the far end
	Switchover uint64    `json:"switchover"` // number of the story that tells it, within its run; 0: none
	Record     int64     `json:"record"`     // of the audit log; -1: not recorded
	Hash       string    `json:"hash"`       // of that record, hex
}

// Passed reports whether the drill passed.
func (d *DrillResult) Passed() bool { return d != nil && d.Outcome == "passed" }

func (s *Server) startDrill(w http.ResponseWriter, r *http.Request) {
	text, ok := field(w, r, "seconds")
	if !ok {
		return
	}
	seconds := 0
	if text != "" {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil || seconds < 10 || seconds > 60 {
			problem(w, http.StatusBadRequest, "bad-request", "Say for how long the uplink is to be cut: seconds from 10 to 60, or nothing for 20.")
			return
		}
	}
	s.done(w, r, s.box.StartDrill(r.Context(), by(r), time.Duration(seconds)*time.Second))
}

func (s *Server) drill(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s.current().Drill)
}
