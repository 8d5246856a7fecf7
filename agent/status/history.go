package status

import (
	"encoding/json"
	"net/http"
	"time"
)

// History is GET /api/v1/history: the last 24 hours by minutes, drawn anew each minute. In its strings each letter is a minute, the
// first of them From; a dot is a minute in which the box did not look.
type History struct {
	From    time.Time `json:"from"`    // zero: nothing was noted yet
	Minutes int       `json:"minutes"` // letters of each string
	Verdict string    `json:"verdict"` // the worst that lasted a second: o good, n notice, w warning, b bad, u unknown
	Open    string    `json:"open"`    // o: a procedure was open

	Uplinks []HistoryUplink `json:"uplinks"`
	Gaps    []Mark          `json:"voice_gaps_ms"` // longest pauses of voice at the far end, where they stand out
	Lost    []Mark          `json:"voice_lost"`    // packets of voice that the far end missed

	Sentence    string `json:"sentence"`     // the verdict in words
	GapSentence string `json:"gap_sentence"` // pauses and losses in words
}

// HistoryUplink is one uplink's day.
type HistoryUplink struct {
	Name     string `json:"name"`
	Does     string `json:"does"` // c carried, s stood by, d was down
	Loss     []Mark `json:"loss"` // of its probes, 0 to 1, where it stands out
	Sentence string `json:"sentence"`
}

// Mark is a minute that stands out.
type Mark struct {
	Minute int     `json:"minute"` // 0 is From
	Value  float64 `json:"value"`
}

func (s *Server) history(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s.box.History())
}
