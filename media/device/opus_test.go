package device

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hraban/opus"

	"scanside/media"
)

// level is the sound's strength in dB of full scale.
func level(pcm []int16) float64 {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return 10 * math.Log10(max(sum/float64(len(pcm)), 1e-3)/(32768*32768))
}

// tone returns n samples of a sine at half of full scale.
func tone(hertz float64, from, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(16384 * math.Sin(2*math.Pi*hertz*float64(from+i)/voiceClock))
	}
	return pcm
}

// share is how much of the sound's power lies at one frequency, 0 to 1 (Goertzel's algorithm).
func share(pcm []int16, hertz float64) float64 {
	coefficient := 2 * math.Cos(2*math.Pi*hertz/voiceClock)
	var s1, s2, all float64
	for _, v := range pcm {
		s1, s2 = float64(v)+coefficient*s1-s2, s1
		all += float64(v) * float64(v)
	}
	power := s1*s1 + s2*s2 - coefficient*s1*s2
	return 2 * power / (float64(len(pcm)) * max(all, 1))
}

// decode plays packets as a browser does: stereo, 48 kHz. It returns the left side.
func decode(t testing.TB, out *tape) []int16 {
	t.Helper()
	d, err := opus.NewDecoder(voiceClock, 2)
	if err != nil {
		t.Fatal(err)
	}
	var left []int16
	pcm := make([]int16, 2*voiceFrame)
	for i, p := range out.packets {
		n, err := d.Decode(p.Payload, pcm)
		if err != nil || n != voiceFrame {
			t.Fatalf("packet %d decodes to %d samples (%v), want %d", i, n, err, voiceFrame)
		}
		for j := range n {
			left = append(left, pcm[2*j])
		}
	}
	return left
}

func voice(t testing.TB, bps int) *voiceStream {
	t.Helper()
	v := &voiceStream{}
	v.SetRate(bps)
	if err := v.open(); err != nil {
		t.Fatal(err)
	}
	return v
}

func speak(t testing.TB, v *voiceStream, pcm []int16, out *tape) {
	t.Helper()
	for ; len(pcm) >= voiceFrame; pcm = pcm[voiceFrame:] {
		if err := v.put(pcm[:voiceFrame], out); err != nil {
			t.Fatal(err)
		}
	}
}

func TestToneComesThrough(t *testing.T) {
	v, out := voice(t, defaultVoiceBitrate), &tape{}
	speak(t, v, tone(1000, 0, 2*voiceClock), out)
	heard := decode(t, out)[voiceClock:]
	if l, s := level(heard), share(heard, 1000); l < -13 || l > -6 || s < 0.8 {
		t.Errorf("a tone of -9 dB came out at %.1f dB with %.0f %% at its frequency", l, 100*s)
	}
	for i, p := range out.packets {
		if p.Timestamp != uint32(i*voiceFrame) || p.SequenceNumber != uint16(i+1) || p.Marker || len(p.Payload) > maxPayload {
			t.Fatalf("packet %d: %+v, %d bytes", i, p.Header, len(p.Payload))
		}
	}
}

func TestVoiceRate(t *testing.T) {
	for _, bps := range []int{16_000, 32_000, 64_000} {
		v, out := voice(t, bps), &tape{}
		pcm := make([]int16, voiceFrame)
		var sound media.Tone
		for range 500 {
			sound.Read(pcm)
			speak(t, v, pcm, out)
		}
		got := out.bytes() * 8 / 10
		t.Logf("target %d bit/s: %d", bps, got)
		if got < bps/2 || got > bps*5/4 {
			t.Errorf("10 s at %d bit/s came to %d", bps, got)
		}
	}
}

// RFC 6716 2.1.7: with in-band FEC the next packet brings a coarse copy of a lost one.
func TestLostVoiceIsInTheNextPacket(t *testing.T) {
	for _, bps := range []int{minVoiceBitrate * 4 / 3, defaultVoiceBitrate} {
		v, out := voice(t, bps), &tape{}
		speak(t, v, tone(300, 0, voiceClock), out)
		speak(t, v, tone(600, 0, 3*voiceFrame), out) // the tone changes, so that guessing from before cannot help
		d, err := opus.NewDecoder(voiceClock, 1)
		if err != nil {
			t.Fatal(err)
		}
		pcm := make([]int16, voiceFrame)
		lost := len(out.packets) - 2
		for _, p := range out.packets[:lost] {
			if _, err := d.Decode(p.Payload, pcm); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.DecodeFEC(out.packets[lost+1].Payload, pcm); err != nil {
			t.Fatal(err)
		}
		if s := share(pcm, 600); s < 0.5 {
			t.Errorf("at %d bit/s the copy of a lost packet has %.0f %% at its tone's frequency", bps, 100*s)
		}
	}
}

// Detection lives on packets: silence has them too.
func TestSilenceHasPacketsToo(t *testing.T) {
	v, out := voice(t, defaultVoiceBitrate), &tape{}
	speak(t, v, make([]int16, 5*voiceClock), out)
	for i, p := range out.packets {
		if len(p.Payload) < 3 { // DTX packets have one byte, or two (RFC 7587 3.1.3)
			t.Fatalf("packet %d of silence has %d bytes", i, len(p.Payload))
		}
	}
	if len(out.packets) != 250 {
		t.Errorf("5 s of silence are %d packets, want 250", len(out.packets))
	}
}

func TestTestVoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, out := NewTestVoice(0), &tape{}
		stop := run(t, src, out)
		time.Sleep(10*time.Second - time.Millisecond)
		h := src.Health()
		stop()
		if len(out.packets) != 500 || !h.OK || h.Frames != 500 || math.Abs(h.FPS-50) > 2 {
			t.Errorf("10 s gave %d packets, health %+v", len(out.packets), h)
		}
		if l := level(decode(t, out)); l < -40 {
			t.Errorf("the test voice has %.1f dB, which can be taken for silence", l)
		}
	})
}

func BenchmarkOpus(b *testing.B) {
	v, sink := voice(b, defaultVoiceBitrate), &tape{}
	pcm := tone(440, 0, voiceFrame)
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		sink.packets, sink.at = sink.packets[:0], sink.at[:0]
		if err := v.put(pcm, sink); err != nil {
			b.Fatal(err)
		}
	}
}
