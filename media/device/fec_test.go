package device

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/hraban/opus"
)

// speech makes something with the properties of speech that concealment lives and dies by: voiced syllables whose pitch and resonances
// glide, hisses between them, and pauses.
func speech(seconds int) []int16 {
	random := rand.New(rand.NewPCG(3, 4))
	pcm := make([]int16, seconds*voiceClock)
	var low, high resonator
	phase := 0.0
	for i := range pcm {
		at := float64(i) / voiceClock
		syllable, in := math.Modf(at / 0.22) // 4.5 syllables a second
		kind := int(syllable*7919) % 10
		pitch := 110 + 30*math.Sin(at*2.1) + 25*in
		source, gain := 0.0, math.Sin(math.Pi*in)
		switch {
		case kind == 0: // a pause
			gain = 0
		case in < 0.25 && kind%3 == 0: // a hiss
			source, gain = random.NormFloat64()*0.05, 1
		default:
			if phase += pitch / voiceClock; phase >= 1 {
				phase--
				source = 1
			}
		}
		low.tune(300+40*float64(kind)+120*in, 90)
		high.tune(1000+130*float64((kind*3)%10)-250*in, 150)
		pcm[i] = int16(max(-32000, min(32000, 9000*gain*(low.next(source)+0.6*high.next(source)+0.1*source))))
	}
	return pcm
}

// resonator is a formant: two poles.
type resonator struct{ a, b, gain, y1, y2 float64 }

func (r *resonator) tune(hertz, width float64) {
	pole := math.Exp(-math.Pi * width / voiceClock)
	r.a, r.b = 2*pole*math.Cos(2*math.Pi*hertz/voiceClock), -pole*pole
	r.gain = (1 - pole) * 12
}

func (r *resonator) next(x float64) float64 {
	y := r.gain*x + r.a*r.y1 + r.b*r.y2
	r.y2, r.y1 = r.y1, y
	return y
}

// hear decodes what was not lost; with correction a lost packet is taken from the next one, where that has come, else guessed.
func hear(t testing.TB, packets [][]byte, lost []bool, correct bool) []int16 {
	t.Helper()
	d, err := opus.NewDecoder(voiceClock, 1)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]int16, 0, len(packets)*voiceFrame)
	for i, p := range packets {
		pcm := make([]int16, voiceFrame)
		switch {
		case !lost[i]:
			_, err = d.Decode(p, pcm)
		case correct && i+1 < len(packets) && !lost[i+1]:
			err = d.DecodeFEC(packets[i+1], pcm)
		default:
			err = d.DecodePLC(pcm)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, pcm...)
	}
	return all
}

// distance is the mean signal-to-noise ratio in dB of the frames that were lost and the one after each, against what would have been heard;
// frames of silence do not count, and none counts less than -10 or more than 30 dB.
func distance(want, got []int16, lost []bool) float64 {
	sum, n := 0.0, 0
	for i := range lost {
		if !lost[i] && (i == 0 || !lost[i-1]) {
			continue
		}
		var signal, noise float64
		for j := i * voiceFrame; j < (i+1)*voiceFrame; j++ {
			d := float64(want[j]) - float64(got[j])
			signal, noise = signal+float64(want[j])*float64(want[j]), noise+d*d
		}
		if signal < voiceFrame*100*100 {
			continue
		}
		sum += min(max(10*math.Log10(signal/max(noise, 1)), -10), 30)
		n++
	}
	return sum / float64(n)
}

// What forward error correction inside Opus wins over concealment alone, and what it costs: printed by -v, for each loss that the encoder
// is told of. It must win wherever packets are lost.
func TestForwardErrorCorrectionWins(t *testing.T) {
	said := speech(30)
	without := voice(t, defaultVoiceBitrate)
	if err := without.enc.SetInBandFEC(false); err != nil {
		t.Fatal(err)
	}
	plain := &tape{}
	speak(t, without, said, plain)
	t.Logf("no correction: %d bit/s", plain.bytes()*8/30)
	for _, told := range []float64{0, 0.2, 0.5} {
		v, out := voice(t, defaultVoiceBitrate), &tape{}
		v.SetLoss(told)
		speak(t, v, said, out)
		var packets [][]byte
		for _, p := range out.packets {
			packets = append(packets, p.Payload)
		}
		whole := hear(t, packets, make([]bool, len(packets)), false)
		for _, loss := range []float64{0.1, 0.2} {
			random := rand.New(rand.NewPCG(5, 6))
			lost := make([]bool, len(packets))
			for i := range lost {
				lost[i] = random.Float64() < loss
			}
			guessed, corrected := distance(whole, hear(t, packets, lost, false), lost), distance(whole, hear(t, packets, lost, true), lost)
			t.Logf("told of %2.0f %% loss, armed for %d %%: %d bit/s; at %2.0f %% loss guessing is %4.1f dB from what was said, correcting %4.1f dB",
				100*told, v.armed, out.bytes()*8/30, 100*loss, guessed, corrected)
			if corrected < guessed+1 {
				t.Errorf("told of %.0f %%: at %.0f %% loss correction gives %.1f dB, guessing %.1f", 100*told, 100*loss, corrected, guessed)
			}
		}
	}
}
