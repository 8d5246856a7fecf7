package main

import (
	"encoding/binary"
	"math"
	"os"
)

const (
	sampleRate = 48000 // Hz, what the agent records at
	toneHertz  = 440
	// The tone swells and fades four times a second, as syllables do: a codec that takes a steady tone for noise and a meter
	// that looks for change both see a voice.
	syllables = 4
	tonePeak  = 8000 // of 32767, a voice at arm's length
)

// voiceTone is whole syllables of the lab's test voice, so that it can be played in a loop without a click.
func voiceTone(seconds int) []int16 {
	pcm := make([]int16, seconds*sampleRate)
	for i := range pcm {
		t := float64(i) / sampleRate
		envelope := 0.5 - 0.5*math.Cos(2*math.Pi*syllables*t)
		pcm[i] = int16(tonePeak * envelope * math.Sin(2*math.Pi*toneHertz*t))
	}
	return pcm
}

// writePCM writes samples as ALSA's tools know them by the name S16_LE.
func writePCM(path string, pcm []int16) error {
	raw := make([]byte, 0, 2*len(pcm))
	for _, v := range pcm {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
	}
	return os.WriteFile(path, raw, 0o644)
}

// readPCM reads what writePCM or arecord wrote.
func readPCM(path string) ([]int16, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return pcm, nil
}

// Sound is what was heard.
type Sound struct {
	Seconds float64 `json:"seconds"`
	RMS     int     `json:"rms"`       // of 32767
	Tone    float64 `json:"tone_part"` // share of the energy within the test voice's own band, 0 to 1
	Jumps   int     `json:"jumps"`     // places where the wave breaks: lost or repeated samples
}

// listen measures pcm against the lab's test voice.
func listen(pcm []int16) Sound {
	s := Sound{Seconds: float64(len(pcm)) / sampleRate}
	var energy float64
	for _, v := range pcm {
		energy += float64(v) * float64(v)
	}
	if energy == 0 {
		return s
	}
	s.RMS = int(math.Sqrt(energy / float64(len(pcm))))
	// The swelling puts two thirds of the tone's energy at its own frequency and a sixth a syllable rate to each side.
	inBand := power(pcm, toneHertz-syllables) + power(pcm, toneHertz) + power(pcm, toneHertz+syllables)
	s.Tone = math.Round(100*inBand/energy) / 100
	// A sine at this frequency and peak moves at most that far from one sample to the next, and changes that by far less.
	const step = 2 * math.Pi * toneHertz / sampleRate
	for i := 2; i < len(pcm); i++ {
		bend := float64(pcm[i]) - 2*float64(pcm[i-1]) + float64(pcm[i-2])
		if math.Abs(bend) > 3*step*step*tonePeak {
			s.Jumps++
		}
	}
	return s
}

// power is the energy of one frequency in pcm, by correlation, on the scale of the sum of squares.
func power(pcm []int16, hertz float64) float64 {
	var re, im float64
	for i, v := range pcm {
		sin, cos := math.Sincos(2 * math.Pi * hertz * float64(i) / sampleRate)
		re += float64(v) * cos
		im += float64(v) * sin
	}
	return 2 * (re*re + im*im) / float64(len(pcm))
}
