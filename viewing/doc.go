// Package viewing decides what a scan room is told about the people who can see or hear it from afar: whose names stand on its
// screen, whether the light burns, and when a sound announces somebody. Nobody can look in silently.
//
// [Room.Look] is a function of its inputs and of who was there before: no clock, no I/O. The agent's loop calls it ten times a
// second and makes true what it answers.
//
// # Rules
//
//	V1  Who begins to watch is announced by a sound, once; a word that he watches is enough, seen or not.
//	V2  Who was away for less than Absence has not come anew: a reconnect, a switch of uplinks or a page that was loaded again
//	    makes no sound. His name and the light come back at once all the same.
//	V3  Two sounds are Spacing apart. Who comes between them is announced by the next one, also if he is gone by then.
//	V4  The light burns while somebody watches, and while it is not known whether somebody does, though somebody could.
//	V5  A word that is too old names nobody at the far end: the screen says that it is not known.
//	V6  Who looks by the box's own page is named, lit for and announced as everybody else. The box knows that always.
//
// Names are those of the far end's users. Nothing here knows a patient.
package viewing
