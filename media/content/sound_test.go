package content_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os/exec"
	"testing"
	"time"

	"scanside/lab/roomscene"
	"scanside/media/content"
)

const packet = 20 * time.Millisecond

// microphone gives a judge sound on media time.
type microphone struct {
	ear   *roomscene.Ear
	judge *content.Sound
	at    time.Time
	pcm   [960]int16
}

func newMicrophone(seed uint64) *microphone {
	return &microphone{ear: roomscene.NewEar(seed), judge: content.NewSound(content.DefaultPolicy()), at: time.Unix(1000, 0)}
}

// play gives sound for so long, changed by change, and returns when the verdict first was want, counted from now; -1: never.
func (m *microphone) play(long time.Duration, want content.Fault, take roomscene.Take, change func([]int16)) time.Duration {
	first := time.Duration(-1)
	for t := time.Duration(0); t < long; t += packet {
		m.ear.Read(m.pcm[:], take)
		if change != nil {
			change(m.pcm[:])
		}
		if v := m.judge.Hear(m.at, m.pcm[:]); v.Fault == want && first < 0 {
			first = t + packet
		}
		m.at = m.at.Add(packet)
	}
	return first
}

func speech() roomscene.Take { return roomscene.Speech() }

func zeros(pcm []int16) { clear(pcm) }

// TARGETS G17: microphone digitally silent: said within 2 s; and it is taken back when there is sound again.
func TestSoundFaultsAreSaidWithinTwoSeconds(t *testing.T) {
	for _, story := range roomscene.SoundStories() {
		back := time.Second
		if story.Fault.Weight() == content.Impaired { // whether a voice is clear again needs a few words
			back = 5 * time.Second
		}
		for _, offset := range []time.Duration{0, 120 * time.Millisecond, 260 * time.Millisecond, 380 * time.Millisecond} {
			m := newMicrophone(1)
			if d := m.play(4*time.Second+offset, content.None, speech(), nil); d != packet || m.judge.Hear(m.at, nil).Fault != content.None {
				t.Fatalf("speech before it is called %v", m.judge.Hear(m.at, nil).Fault)
			}
			if d := m.play(2*time.Second, story.Fault, story.Take, story.Change); d < 0 {
				t.Errorf("%s: not said within 2 s, but %v; %+v", story.Name, m.judge.Hear(m.at, nil).Fault, m.judge.Heard())
			}
			if d := m.play(back, content.None, speech(), nil); d < 0 {
				t.Errorf("%s: not taken back within %v; %+v", story.Name, back, m.judge.Heard())
			}
		}
	}
}

func TestSilentFromTheStart(t *testing.T) {
	m := newMicrophone(1)
	if d := m.play(2*time.Second, content.Silent, speech(), zeros); d < 0 {
		t.Error("digital silence since the device was opened is not said")
	}
	if d := m.play(time.Second, content.None, speech(), nil); d < 0 {
		t.Error("nor taken back")
	}
	m.judge.Reset()
	if d := m.play(2*time.Second, content.Silent, speech(), zeros); d < 0 {
		t.Error("a device opened anew that gives nothing is said to be muted")
	}
}

func TestTooQuiet(t *testing.T) {
	m := newMicrophone(1)
	if d := m.play(40*time.Second, content.TooQuiet, roomscene.Take{Noise: -82}, nil); d < 30*time.Second {
		t.Errorf("a converter without a microphone is said after %v", d)
	}
	if d := m.play(2*time.Second, content.None, speech(), nil); d < 0 {
		t.Error("not taken back by speech")
	}
	if d := m.play(2*time.Minute, content.TooQuiet, roomscene.Take{Noise: -72, Fan: -62}, nil); d >= 0 {
		t.Error("a quiet room at night is called too quiet")
	}
}

func TestSoundThatIsWell(t *testing.T) {
	for name, take := range map[string]roomscene.Take{
		"a running sequence":           {Noise: -70, Fan: -55, Gradient: -14},
		"a loud sequence over a voice": {Noise: -70, Gradient: -9, Voice: -26},
		"a magnet at rest":             {Noise: -70, Pump: -36, Fan: -50},
		"a fan":                        {Noise: -75, Fan: -35},
		"a loud voice":                 {Noise: -70, Voice: -12},
		"a voice over the hum of an installation": {Noise: -70, Voice: -26, Mains: -52},
		"hum that nobody hears":                   {Noise: -84, Mains: -60},
	} {
		for seed := uint64(1); seed <= 5; seed++ {
			m := newMicrophone(seed)
			m.play(20*time.Second, content.None, take, nil)
			if v := m.judge.Hear(m.at, nil); v.Fault != content.None {
				t.Errorf("%s: %v; %+v", name, v.Fault, m.judge.Heard())
			}
		}
	}
}

// The 30 s of TooQuiet apart, hours of it are `make content`.
func TestNoFalseAlarmOfSound(t *testing.T) {
	m, hour := newMicrophone(7), roomscene.NewHour(7)
	for at := 0.0; at < 600; at += packet.Seconds() {
		take, anew := hour.At(at)
		if anew {
			m.ear.Sequence()
		}
		m.play(packet, content.None, take, nil)
		if v := m.judge.Hear(m.at, nil); v.Fault != content.None {
			t.Fatalf("after %.0f s: %v; %+v, %+v", at, v.Fault, take, m.judge.Heard())
		}
	}
}

// Real words, spoken by espeak-ng where it is installed: in a quiet room, in noise, muted between two words, and overdriven.
func TestSpokenWords(t *testing.T) {
	words := speak(t, "Contrast in twenty seconds. Can you hear me? The patient is fine, please hold the injection.")
	for _, story := range []struct {
		name string
		take roomscene.Take
		gain float64
		want content.Fault
	}{
		{"in a quiet room", roomscene.Take{Noise: -72, Fan: -58}, 0.3, content.None},
		{"beside a running magnet", roomscene.Take{Noise: -70, Pump: -40, Gradient: -22}, 0.5, content.None},
		{"gain far too high", roomscene.Take{Noise: -70, Fan: -40}, 40, content.Clipping},
	} {
		m, said := newMicrophone(3), 0
		d := m.play(6*time.Second, story.want, story.take, func(pcm []int16) {
			for i := range pcm {
				v := float64(pcm[i]) + story.gain*float64(words[said%len(words)])
				pcm[i] = int16(math.Round(min(max(v, math.MinInt16), math.MaxInt16)))
				said++
			}
		})
		v := m.judge.Hear(m.at, nil)
		if d < 0 || story.want == content.None && v.Fault != content.None {
			t.Errorf("%s: %v (wanted after %v); %+v", story.name, v.Fault, d, m.judge.Heard())
		}
	}
}

// speak says words at 48 kHz.
func speak(t *testing.T, words string) []int16 {
	t.Helper()
	out, err := exec.Command("espeak-ng", "--stdout", words).Output()
	if err != nil {
		t.Skipf("espeak-ng does not speak here: %v", err)
	}
	_, out, ok := bytes.Cut(out, []byte("data"))
	if !ok || len(out) < 8 {
		t.Fatal("espeak-ng made no WAV file")
	}
	raw := make([]int16, (len(out)-4)/2)
	binary.Read(bytes.NewReader(out[4:]), binary.LittleEndian, raw)
	all := make([]int16, int(float64(len(raw))*48000/22050)) // espeak-ng speaks at 22.05 kHz
	for i := range all {
		at := float64(i) * 22050 / 48000
		k := min(int(at), len(raw)-2)
		all[i] = int16(float64(raw[k]) + (at-float64(k))*(float64(raw[k+1])-float64(raw[k])))
	}
	return all
}

func TestWords(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range content.Faults() {
		if f.Sentence() == "" || f.Wrong() == "" || f.Weight() == content.Well || seen[f.String()] {
			t.Errorf("fault %d: %q %q", f, f, f.Sentence())
		}
		seen[f.String()] = true
	}
	if content.None.Sentence() != "" || content.Fault(200).String() != content.Absent.String() {
		t.Error("None has a sentence, or a number of a newer box is taken for well")
	}
}

func BenchmarkSound(b *testing.B) {
	m := newMicrophone(1)
	m.ear.Read(m.pcm[:], speech())
	b.ReportAllocs()
	for b.Loop() { // one second
		for range 50 {
			m.at = m.at.Add(packet)
			m.judge.Hear(m.at, m.pcm[:])
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*100, "%core")
}
