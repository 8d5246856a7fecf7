package media

import "scanside/media/playout"

// Playback is what a loudspeaker knows about itself right now. The zero value is one that has not started.
type Playback struct {
	Health        // OK: it takes sound. Frames are packets of voice that were played, Opens the times it was opened
	Volume int    // percent
	Most   int    // the volume that it may not pass, percent
	Hung   int    // calls into its driver that have not come back
	Stalls uint64 // times it stopped taking sound and was opened again
	Buffer playout.Stats
}
