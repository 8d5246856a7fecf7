package media

// Filter remembers which numbers were seen in a sliding window. The zero value is ready.
type Filter struct{ last uint64 }

// First reports whether seq is new: not seen before and not older than the window.
func (f *Filter) First(seq uint64) bool { return false }

// Extender makes 64 bit numbers out of RTP's 16 bit ones.
type Extender struct{ highest uint64 }

// Extend returns the 64 bit number of seq nearest to the highest so far.
func (e *Extender) Extend(seq uint16) uint64 { return 0 }
