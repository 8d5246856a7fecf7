package status

import "time"

// Loudspeaker is what plays the physician's voice in the room. Its counters are of this run.
type Loudspeaker struct {
	Configured bool    `json:"configured"` // false: the box plays no voice
	Plays      bool    `json:"plays"`      // it takes sound now
	Device     string  `json:"device"`
	Level      Level   `json:"level"`
	Sentence   string  `json:"sentence"`
	Volume     int     `json:"volume"`     // percent
	MaxVolume  int     `json:"max_volume"` // percent; nobody may pass it
	Delay      float64 `json:"delay_ms"`   // that voice is held against jitter; 0: there is none now
	Target     float64 `json:"target_ms"`  // that it is brought to
	Played     uint64  `json:"played"`     // packets
	Concealed  uint64  `json:"concealed"`  // frames made up while the voice went on
	Corrected  uint64  `json:"corrected"`  // frames taken from the packet after them
	Late       uint64  `json:"late"`       // packets whose time had passed
	Skipped    uint64  `json:"skipped"`    // packets left out because they were far behind
	Underruns  uint64  `json:"underruns"`  // times that the voice had not come when it was due
	Opens      uint64  `json:"opens"`      // times the device was opened
	Stalls     uint64  `json:"stalls"`     // times it stopped taking sound
	Hung       int     `json:"hung"`       // calls into its driver that have not come back
}

// SelfTest is GET /api/v1/selftest: what the newest self-test found, of this run. POST begins one.
type SelfTest struct {
	Running bool      `json:"running"`
	Say     string    `json:"say"`     // what the person in the room should do or know now; "": nothing
	Results []Check   `json:"results"` // as far as it has come
	At      time.Time `json:"at"`      // when it ended; zero: none has
}

// Passed reports whether all checks were made and passed.
func (s SelfTest) Passed() bool {
	for _, c := range s.Results {
		if !c.Pass {
			return false
		}
	}
	return !s.Running && len(s.Results) == 3
}

// Check is one of them: camera, speaker-to-microphone, say-something.
type Check struct {
	Name     string `json:"check"`
	Pass     bool   `json:"pass"`
	Sentence string `json:"sentence"` // what was found
	Do       string `json:"do"`       // what to do about it; "" when it passed
}

// Privacy is what people in the room have closed. They alone open it again.
type Privacy struct {
	Camera     Mute `json:"camera"`
	Microphone Mute `json:"microphone"`
}

// Mute is the state of one device.
type Mute struct {
	There    bool      `json:"there"`  // one is configured
	Muted    bool      `json:"muted"`  // nothing of it leaves the room; stays so over a restart
	Closed   bool      `json:"closed"` // and its device is closed
	Since    time.Time `json:"since"`  // of the present state; zero: as long as this run, or not known
	Level    Level     `json:"level"`
	Sentence string    `json:"sentence"`
}

// Watched is how the room is told that somebody looks in.
type Watched struct {
	Light  bool   `json:"light"`  // the light is to burn: somebody watches, or nobody knows
	Sounds uint64 `json:"sounds"` // announcements in this run; each is a sound in the room

	Here []string `json:"here"` // who looks at the room's picture on the status page

	OnScreen uint64 `json:"sounds_on_screen"` // of these, those that the room's screen makes, because no loudspeaker of the box does
}
