// Package roomscene draws scan rooms and makes their sounds, for what judges pictures and sounds to be tried on: walls with the
// uneven brightness of real surfaces, a gantry, a table, cabinets, people who walk, a sensor's noise, exposure that follows the
// light; a fan, a helium pump, gradient coils, a voice. And everything that goes wrong with them: a hand over the lens, a lens
// out of focus, a cloth, the light switched off, a picture that hangs; mains hum, an overdriven input, a mute switch.
//
// The same seed draws the same. Nothing is recorded material.
package roomscene
