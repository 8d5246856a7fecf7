package roomscene

import "scanside/media/content"

// PictureStory is one thing that goes wrong with a picture, and what it must be called.
type PictureStory struct {
	Name  string
	Shot  Shot
	Fault content.Fault
}

// Lit is the room when all is well, with a person in it.
func Lit() Shot {
	return Shot{Light: 1, Noise: 2, People: []Person{{X: 0.3, Y: 0.5, Size: 0.7, Tone: 60}}}
}

// PictureStories lists them.
func PictureStories() []PictureStory {
	return []PictureStory{
		{"lights off at night, the sensor's gain at its end", Shot{Light: 0, Noise: 8}, content.Black},
		{"cap on the lens", Shot{Light: 0, Noise: 1}, content.Black},
		{"one dying lamp", Shot{Light: 0.02, Noise: 8}, content.Black},
		{"a hand over the lens", Shot{Light: 1, Noise: 3, Hand: 1}, content.Covered},
		{"a curtain before the lens", Shot{Light: 1, Noise: 2, Cloth: true}, content.Covered},
		{"a curtain in dim light", Shot{Light: 0.3, Noise: 6, Cloth: true}, content.Covered},
		{"focus at the wrong end", Shot{Light: 1, Noise: 2, Blur: 30}, content.Blurred},
		{"focus at the wrong end, dim", Shot{Light: 0.35, Noise: 5, Blur: 40}, content.Blurred},
		{"fog on the lens", Shot{Light: 0.8, Noise: 2, Blur: 45}, content.Blurred},
	}
}

// SoundStory is one thing that goes wrong with a sound.
type SoundStory struct {
	Name   string
	Take   Take
	Change func([]int16) // what the hardware makes of it; nil: nothing
	Fault  content.Fault
}

// Speech is the room when all is well.
func Speech() Take { return Take{Noise: -70, Fan: -52, Pump: -45, Voice: -24} }

// SoundStories lists them.
func SoundStories() []SoundStory {
	return []SoundStory{
		{"mute switch", Speech(), fill(0), content.Muted},
		{"mute switch of a converter with an offset", Speech(), fill(-113), content.Muted},
		{"mute switch, dithered", Speech(), dither, content.Muted},
		{"gain far too high", Take{Noise: -70, Fan: -52, Voice: -24, Gain: 35}, nil, content.Clipping},
		{"a scanner that overdrives", Take{Noise: -70, Gradient: -3, Gain: 6}, nil, content.Clipping},
		{"hum of 50 Hz, no voice", Take{Noise: -70, Mains: -30}, nil, content.Hum},
		{"hum of 60 Hz over a fan", Take{Noise: -70, Fan: -50, Mains: -28, Hertz: 60}, nil, content.Hum},
		{"hum of a grid that is slow", Take{Noise: -70, Fan: -50, Mains: -28, Hertz: 49.8}, nil, content.Hum},
		{"hum that drowns a voice", Take{Noise: -70, Voice: -30, Mains: -14}, nil, content.Hum},
	}
}

func fill(with int16) func([]int16) {
	return func(pcm []int16) {
		for i := range pcm {
			pcm[i] = with
		}
	}
}

func dither(pcm []int16) {
	for i := range pcm {
		pcm[i] = int16(i % 2)
	}
}
