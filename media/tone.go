package media

import "math"

// ToneRate is the sampling rate of a Tone in Hz, the rate of Opus.
const ToneRate = 48000

const (
	tonePhrase  = 2.0            // seconds: a chime, five syllables, a pause
	toneControl = ToneRate / 200 // samples between changes of pitch and colour: 5 ms
	toneNoise   = 24             // the room: about -68 dBFS, so that it is never digital silence
	toneVoice   = 3000           // sets the syllables near -20 dBFS, where speech should be
	toneChime   = 1500           // two of them together: -21 dBFS, softly struck
)

// Tone is the test voice: a soft chime, then five sung syllables and a short pause, every two seconds. It has the level and rhythm of speech,
// so that level meters, silence alarms and voice detection see what they see of a person, and nobody takes it for one. PCM at
// ToneRate, mono. The zero value is ready. One goroutine at a time.
type Tone struct {
	n        uint64  // samples so far
	pitch    float64 // position in the present pulse of the vocal folds, 0 to 1
	step     float64 // what pitch grows by each sample
	loud     float64
	formants [2]resonator
	noise    uint32
}

// syllable is one sound of the phrase: from when to when in seconds, at what pitch, the two resonances of the mouth that make the
// vowel, all in Hz, and how loud, so that the vowels come out alike.
type syllable struct{ from, to, pitch, low, high, loud float64 }

// syllables is the phrase: "ah-eh-oh-ee-ah".
func syllables() [5]syllable {
	return [...]syllable{
		{0.35, 0.58, 123, 730, 1090, 1},
		{0.62, 0.82, 138, 530, 1840, 0.9},
		{0.86, 1.08, 131, 570, 840, 0.9},
		{1.14, 1.32, 147, 300, 2290, 0.5},
		{1.36, 1.72, 110, 730, 1090, 1},
	}
}

// Read fills pcm with the next samples; 960 are 20 ms.
func (t *Tone) Read(pcm []int16) {
	for i := range pcm {
		if t.n%toneControl == 0 {
			t.shape(math.Mod(float64(t.n)/ToneRate, tonePhrase))
		}
		t.pitch += t.step
		t.pitch -= math.Floor(t.pitch)
		pulse := t.loud * (1 - 2*t.pitch)
		v := toneVoice * (t.formants[0].next(pulse) + 0.6*t.formants[1].next(pulse))
		v += t.chime(float64(t.n%(tonePhrase*ToneRate)) / ToneRate)
		t.noise = t.noise*1664525 + 1013904223 // Knuth's linear congruence: cheap, and the same every time
		v += toneNoise * (float64(t.noise>>16)/32768 - 1)
		pcm[i] = int16(min(max(v, math.MinInt16), math.MaxInt16))
		t.n++
	}
}

// shape sets pitch, loudness and vowel for the moment at in the phrase.
func (t *Tone) shape(at float64) {
	t.loud = 0
	for _, s := range syllables() {
		if at < s.from || at >= s.to {
			continue
		}
		rise, fall := min((at-s.from)/0.04, 1), min((s.to-at)/0.07, 1)
		t.loud = s.loud * rise * fall
		t.step = s.pitch * (1 - 0.08*(at-s.from)/(s.to-s.from)) / ToneRate // the voice falls a little
		t.formants[0].tune(s.low, 90)
		t.formants[1].tune(s.high, 120)
	}
}

// chime is a fifth struck softly at the start of the phrase, and died away when the voice begins.
func (t *Tone) chime(at float64) float64 {
	if at > 0.35 {
		return 0
	}
	strike := min(at/0.01, 1) * math.Exp(-at/0.08)
	return toneChime * strike * (math.Sin(2*math.Pi*660*at) + math.Sin(2*math.Pi*990*at))
}

// resonator is a two pole filter: one resonance of the mouth. The zero value is silent until tuned.
type resonator struct{ gain, a, b, y1, y2 float64 }

// tune sets the resonance and its width in Hz; the gain at resonance is about one.
func (r *resonator) tune(hz, width float64) {
	radius := math.Exp(-math.Pi * width / ToneRate)
	r.a = 2 * radius * math.Cos(2*math.Pi*hz/ToneRate)
	r.b = -radius * radius
	r.gain = (1 - radius) * 2 * math.Sin(2*math.Pi*hz/ToneRate) * 8
}

func (r *resonator) next(x float64) float64 {
	y := r.gain*x + r.a*r.y1 + r.b*r.y2
	r.y1, r.y2 = y, r.y1
	return y
}
