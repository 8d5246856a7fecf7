package status

import (
	"encoding/json"
	"net/http"
	"time"
)

// Examined is the part of a Box that says what is wrong with the box itself.
type Examined interface {
	// StartDoctor begins a whole look; asking while one is under way is asking for that one.
	StartDoctor() error
	// Doctor is what the newest look has found, or with now one that waits for nothing.
	Doctor(now bool) Doctor
}

// Doctor is GET /api/v1/doctor: what the newest look at the box itself found, by package doctor; ?quick makes one now. POST begins a
// whole one, which examines the uplinks too.
type Doctor struct {
	At       time.Time     `json:"at"`      // zero: none was made in this run
	Running  bool          `json:"running"` // a whole one is under way
	Quick    bool          `json:"quick"`   // nothing was waited for
	Result   string        `json:"result"`  // "passed", "failed", "unknown": nothing failed, and not everything could be seen
	Level    Level         `json:"level"`   // ok, bad, unknown
	Sentence string        `json:"sentence"`
	Checks   []DoctorCheck `json:"checks"`
}

// DoctorCheck is one thing that was looked at.
type DoctorCheck struct {
	Name     string  `json:"check"` // stable, e.g. "uplink:primary"
	Area     string  `json:"area"`  // agent, devices, uplinks, far-end, clock, disk, certificates, permissions, power
	Result   string  `json:"result"`
	Level    Level   `json:"level"`
	Sentence string  `json:"sentence"`
	Do       string  `json:"do"`               // what to do next; "" when it passed
	Layers   []Layer `json:"layers,omitempty"` // of an uplink; left out in the status document, where the uplink has them
}

// Of are the checks of one result.
func (d Doctor) Of(result string) []DoctorCheck {
	var some []DoctorCheck
	for _, c := range d.Checks {
		if c.Result == result {
			some = append(some, c)
		}
	}
	return some
}

func (s *Server) startDoctor(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.box.StartDoctor())
}

func (s *Server) doctor(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s.box.Doctor(r.URL.Query().Has("quick")))
}
