// Package soundcard is sound cards for machines without any: a private PulseAudio, out of the way of any other, whose cards
// are plugged in and pulled out by software, and which the program under test opens through ALSA as it would a real one.
//
//	Speaker     a loudspeaker: ALSA knows it as PCM(name); what it plays can be recorded
//	Microphone  a microphone: ALSA knows it as PCM(name); what is said into it is another program's playing
//
// The server lives as long as its context and leaves nothing behind.
package soundcard
