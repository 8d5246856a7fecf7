package media

import (
	"math"
	"time"
)

// A beat is a moment that is seen and heard at once: the picture flashes and the sound beeps, both by the clock on the wall, so that
// it can be measured how far apart they arrive. 1.1 s is no multiple of a picture's time, so that flashes fall anywhere between
// two pictures.
const (
	BeatEvery = 1100 * time.Millisecond
	BeatLasts = 100 * time.Millisecond
)

// Beat reports whether it flashes and beeps at that time.
func Beat(at time.Time) bool { return time.Duration(at.UnixNano())%BeatEvery < BeatLasts }

// Flash draws the beat over the picture that was drawn last: its middle is white while it lasts, else black.
func (p *Pattern) Flash(at time.Time) {
	luma := byte(black)
	if Beat(at) {
		luma = white
	}
	w, h := p.w/3&^1, p.h/3&^1
	x, y := (p.w-w)/2&^1, (p.h-h)/2&^1
	for row := range h {
		line := p.img.Y[(y+row)*p.img.YStride+x:][:w]
		for i := range line {
			line[i] = luma
		}
	}
	for row := range h / 2 {
		at := (y/2+row)*p.img.CStride + x/2
		for i := range w / 2 {
			p.img.Cb[at+i], p.img.Cr[at+i] = grey, grey
		}
	}
}

const (
	beepHertz = 1000
	beepLevel = 12000 // -9 dBFS
)

// Beep fills pcm, ToneRate, with what sounds from that time on: a tone while a beat lasts, else a room's noise.
func Beep(pcm []int16, from time.Time) {
	for i := range pcm {
		at := from.Add(time.Duration(i) * time.Second / ToneRate)
		n := uint32(at.UnixNano() * ToneRate / int64(time.Second))
		v := float64((n*1664525+1013904223)>>16)/32768*toneNoise - toneNoise
		if Beat(at) {
			v += beepLevel * math.Sin(2*math.Pi*beepHertz*float64(n%ToneRate)/ToneRate)
		}
		pcm[i] = int16(v)
	}
}
