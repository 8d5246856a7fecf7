// Package content judges a picture and a sound by what is in them: a camera that sends the same picture for ever is connected,
// on time, and shows nobody anything. Pure: time is an argument, and the same material gives the same verdicts.
//
// # Who calls it
//
// media/device gives every picture to [Picture.See] and every packet's samples to [Sound.Hear], as they come from the device
// and before anything improves them, and keeps the [Fault] in the source's media.Health. Its String is the metric's label, its
// Sentence what people read, and its number is what the box tells the far end, so that a console never says LIVE over a slate.
//
// # What is ruled
//
//	Frozen      the same picture again and again                       dead: a slate takes its place
//	Black       nothing is bright                                      unusable: shown, and said
//	Covered     one tone, or smooth and unlike the room before         unusable
//	Blurred     the room's layout is there, its edges are not          unusable
//	Backward    the camera's time stamps run backwards, or far off     impaired: pictures are stamped on arrival
//	Silent      one value since the device was opened                  unusable
//	Muted       one value, after there was sound                       unusable
//	Clipping    the loudest parts are cut off                          impaired
//	Hum         the mains, and little else                             impaired
//	TooQuiet    far below any room's own noise                         impaired
//
// Each has a threshold to come, another to go, and a time for both: Policy, where every number has its reason. What stands
// under 2 s in Policy is said within 2 s of the fault (TARGETS G17).
//
// # How a picture is looked at
//
// Ten times a second a picture is drawn together into at most 160 x 90 cells. From these come brightness, range, and the
// steepest steps between neighbours; from the cells of the look before, how much is noise. A sensor's noise is in every cell
// of every picture: a picture without it, from a camera that had it, is not from the sensor. Noise is taken off the steps, or
// a dark blurred picture would pass for a sharp one. Sharpness is the steps' height as a share of the range, so that neither
// light nor exposure changes it: a sharp edge crosses its range in one cell, a blurred one needs many.
//
// # How a sound is listened to
//
// Samples of one value (or two neighbours: a dithered zero) are no sound, since every microphone and every converter has
// noise. Hum is measured by Goertzel's algorithm at eight multiples of 50 and of 60 Hz over half a second: its share of all power.
//
// # Invariants
//
//	T1 a verdict changes only by evidence that lasted: nothing that is shorter than its time to come is ever ruled
//	T2 a gap in the material is no evidence: what was pending begins anew, what was ruled stays
//	T3 the worst fault is the verdict: dead, then unusable, then impaired; of the same weight the first in the list above
//	T4 a picture or sound that cannot be looked at (no pixels, no samples) changes nothing, and nothing panics
package content
