package status

import (
	"encoding/json"
	"net/http"
	"time"
)

// Levels is GET /api/v1/levels, five times a second: how loud microphone and loudspeaker are. Numbers alone, never sound.
type Levels struct {
	At          time.Time `json:"at"`
	Microphone  Sound     `json:"microphone"`  // what leaves the room
	Loudspeaker Sound     `json:"loudspeaker"` // what goes to it
}

// Sound is how loud one of them is, in dB below full scale (dBFS): 0 is the loudest there can be, -120 nothing at all.
type Sound struct {
	There    bool     `json:"there"`     // one is configured
	RMS      *float64 `json:"rms_dbfs"`  // of the last tenth of a second; null: there is no sound to measure
	Peak     *float64 `json:"peak_dbfs"` // the highest of the last second
	Heard    bool     `json:"heard"`     // something stands out from the room's own noise
	Level    Level    `json:"level"`     //
	Sentence string   `json:"sentence"`  // e.g. "We hear you."
}

// The scale of the meters, dBFS: below the lowest, speech drowns in any room's noise.
const (
	meterLow  = -60
	meterHigh = 0
)

// Now is the level for a meter's scale.
func (s Sound) Now() int {
	if s.RMS == nil {
		return meterLow
	}
	return int(min(max(*s.RMS, meterLow), meterHigh))
}

// Words says the level in numbers.
func (s Sound) Words() string {
	if s.RMS == nil {
		return "not measured"
	}
	if *s.Peak <= -120 {
		return "nothing at all"
	}
	return decibels(*s.RMS) + ", peak " + decibels(*s.Peak)
}

const levelsEvery = 200 * time.Millisecond

// levels streams them while somebody looks.
func (s *Server) levels(w http.ResponseWriter, r *http.Request) {
	st, ok := s.open(w, r)
	if !ok {
		return
	}
	defer st.close()
	for {
		text, err := json.Marshal(s.box.Levels())
		if err != nil || !st.write(frame("levels", text)) || !pause(r, levelsEvery) {
			return
		}
	}
}

// preview passes a look at the room's picture on, with the name that the room is told.
func (s *Server) preview(w http.ResponseWriter, r *http.Request) { s.box.Preview(w, r, by(r)) }
