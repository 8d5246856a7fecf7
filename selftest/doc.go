// Package selftest listens to what a room's microphone recorded and says what is in it: the test sound that its loudspeaker
// played, or somebody's voice. Pure: samples in, a finding out, nothing kept.
//
//	Chirp() ─► loudspeaker ─► room ─► microphone ─► Find ─► how late, how loud, how clear
//	somebody speaks ─► microphone ─► Listen ─► how loud, for how much of the time
//
// A chirp is found by correlation, which hears it well below a room's own noise; it says how much clearer the best place is
// than all others, so that noise is not taken for it.
package selftest
