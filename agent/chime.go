package agent

import (
	"math"

	"scanside/media"
)

// The sound that announces somebody who looks in: two notes that fall, as the room's screen makes them (assets/chime.js), so that
// people learn one sound.
const (
	chimeFirst, chimeSecond = 880.0, 659.3 // Hz
	chimeApart              = 0.22         // seconds
	chimeNote               = 0.6          // seconds that a note rings
	chimeLoud               = 0.35         // of full scale; the loudspeaker's volume comes on top
)

// chime is the sound as samples at media.ToneRate.
func chime() []int16 {
	pcm := make([]int16, int((chimeApart+chimeNote)*media.ToneRate))
	for i := range pcm {
		at := float64(i) / media.ToneRate
		v := note(at, chimeFirst) + note(at-chimeApart, chimeSecond)
		pcm[i] = int16(min(max(v*chimeLoud, -1), 1) * math.MaxInt16)
	}
	return pcm
}

// note rises within 20 ms and dies away.
func note(at, hertz float64) float64 {
	if at < 0 || at > chimeNote {
		return 0
	}
	return math.Sin(2*math.Pi*hertz*at) * min(at/0.02, 1) * math.Pow(0.001, at/chimeNote)
}

// announce makes the sound in the room: by its loudspeaker, or if that does not play, on the room's screen.
func (a *Agent) announce() (played bool) {
	speaker := a.parts.Loudspeaker
	if speaker == nil || !speaker.Playback().OK {
		return false
	}
	_, err := speaker.Play(chime())
	return err == nil
}
