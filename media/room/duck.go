package room

import "math"

// The half duplex: who does without echo cancellation has one way at a time.
const (
	speaks   = 184 // root mean square from which the physician is heard: -45 dBFS
	hangOver = 30  // frames of 10 ms that the room goes on sounding, and the devices' buffers last
	turned   = 0.1 // the microphone meanwhile: -20 dB
	attack   = 0.5 // share of the way to the wanted gain in 10 ms: down within 30 ms
	release  = 0.1 // up again within 200 ms
)

// duck turns the microphone down while the loudspeaker speaks. It is pure: its time is the frames that it is given, 10 ms each.
// The zero value is ready.
type duck struct {
	hold int     // frames until the loudspeaker counts as silent
	down float64 // how far the gain is turned down, 0 to 1
}

// played is told of what goes to the loudspeaker.
func (d *duck) played(pcm []int16) {
	if loudness(pcm) >= speaks {
		d.hold = hangOver
	} else if d.hold > 0 {
		d.hold--
	}
}

// heard turns the microphone's frame down, without a step in it.
func (d *duck) heard(pcm []int16) {
	from, want, share := d.down, 0.0, release
	if d.hold > 0 {
		want, share = 1, attack
	}
	d.down += (want - d.down) * share
	for i, v := range pcm {
		at := from + (d.down-from)*float64(i+1)/float64(len(pcm))
		pcm[i] = int16(math.Round(float64(v) * math.Pow(turned, at)))
	}
}

// loudness is the root mean square.
func loudness(pcm []int16) float64 {
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(max(len(pcm), 1)))
}
