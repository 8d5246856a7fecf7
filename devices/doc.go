// Package devices decides which of a room's cameras is used, and which of its microphones: the first in the configured order
// that is well, and back to the preferred one when it has proven itself. It is pure: time is an argument, there is no clock,
// no I/O, no goroutine and no lock, so that what was recorded in a room decides the same again at a desk.
//
// media/device opens all of them, rules on the condition of each (from its driver, and from what its pictures and sounds
// show), and makes the choice true: one stream, numbered on without a break, that begins again with a key frame.
//
// # Conditions
//
//	unknown    it has not been heard of yet, in this run or since its mute ended
//	ok         it gives pictures or sound that can be used
//	doubtful   it gives something, but something is wrong with it (out of focus, hum): usable if there is nothing better
//	failed     it gives nothing, or nothing that may be shown (unplugged, hung, frozen, black, silent)
//
// # Rules
//
// A device that fails is left at once for the first one that is ok, else for one that is doubtful, if it has
// given something for [Settle]. One in
// doubt is left for one that is ok after [DoubtFor]. The way back to a preferred one is slow: it must have been ok without a
// break for [Dwell], which doubles with each time it was lost while in use, up to [LongestDwell]; and nobody goes back while a
// procedure is open, for preference is no reason to change what the physician looks at.
//
// At the start the preferred one is waited for, [StartPatience] at most: cameras take different times to open, and the room
// should not begin with the second one and change soon after.
//
// # Invariants
//
// [Guard] checks them after each step, in tests and in the room, where a breach is counted.
//
//	D1 the device used is one of the list, and changes only in a step that says so and why
//	D2 a failed device is not used while another has given something usable for Settle
//	D3 a device is changed to only if it is better than the one left, or preferred to it; never one that failed
//	D4 a change for preference goes up the list, to a device that was ok for Dwell without a break, from one that works
//	D5 no change for preference while a procedure is open
//	D6 while no device in use fails or is doubtful, there is at most one change in Dwell
//	D7 the deadline lies behind the step that gave it
//
// # Traces
//
// A trace is text: the devices in their order, then what was heard and when, in seconds since the start of the run; below the
// dashes what was decided. [Trace.Replay] decides it again. testdata holds golden ones.
//
//	scanside devices trace 1
//	device front
//	device ceiling
//	0.2 front ok
//	0.3 ceiling ok
//	7.1 front failed
//	9.0 open
//	----
//	7.1 front -> ceiling (failed) ceiling is used because front failed
package devices
