package media

import "time"

// Choice is which of its devices a source uses now, and why.
type Choice struct {
	Devices   []Device  // in the order of preference; at least one
	Used      int       // index into Devices
	Since     time.Time // of the last change; zero: none in this run
	Why       string    // why the last change was made, a sentence; empty: none was
	Return    string    // why a preferred device that works again is not used yet, a sentence; empty: none waits
	Takeovers []Takeovers
	Breaches  uint64 // steps after which an invariant of the choice did not hold; any is a bug
}

// Device is one of a source's devices.
type Device struct {
	Name      string // as the configuration names it
	Condition string // "ok", "doubtful", "failed", "unknown"
	Health    Health
}

// Takeovers counts changes of the device used for one reason.
type Takeovers struct {
	Reason string
	N      uint64
}

// Chooser is a Source that has devices to choose from. Any goroutine may call its methods.
type Chooser interface {
	Choice() Choice
	// SetOpen says whether a procedure is open in the room: no device is changed for mere preference meanwhile.
	SetOpen(open bool)
	// Trace is what the choice was made from in the last minutes, as text that package devices replays; empty: no change yet.
	Trace() []byte
}
