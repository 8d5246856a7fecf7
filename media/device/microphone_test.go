package device

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

// soundServer is a private PulseAudio with two sources: "tone", into which a sine of 440 Hz is played, and "mute", digital
// silence. ALSA's pulse plugin makes PCMs of them, so the whole way from libasound on is the real one. It skips if the
// machine has none.
type soundServer struct {
	dir            string
	server, player *exec.Cmd
}

func newSoundServer(t *testing.T) *soundServer {
	t.Helper()
	for _, program := range []string{"pulseaudio", "pacat"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("this machine has no PulseAudio to stand in for a microphone (Debian packages pulseaudio, pulseaudio-utils)")
		}
	}
	if found, _ := filepath.Glob("/usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so"); len(found) == 0 {
		t.Skip("this machine has no ALSA plugin for PulseAudio (Debian package libasound2-plugins)")
	}
	s := &soundServer{dir: t.TempDir()}
	script := fmt.Sprintf(`load-module module-native-protocol-unix auth-anonymous=1 socket=%s
load-module module-null-sink sink_name=played rate=48000 channels=1
load-module module-remap-source source_name=tone master=played.monitor
load-module module-null-sink sink_name=nothing rate=48000 channels=1
load-module module-remap-source source_name=mute master=nothing.monitor
`, s.socket())
	if err := os.WriteFile(filepath.Join(s.dir, "script.pa"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PULSE_SERVER", "unix:"+s.socket())
	t.Setenv("HOME", s.dir)
	s.start(t)
	t.Cleanup(s.stop)
	return s
}

func (s *soundServer) socket() string { return filepath.Join(s.dir, "socket") }

func (s *soundServer) start(t *testing.T) {
	t.Helper()
	s.server = exec.Command("pulseaudio", "-n", "-F", filepath.Join(s.dir, "script.pa"), "--daemonize=no",
		"--exit-idle-time=-1", "--use-pid-file=no", "--log-target=stderr", "--log-level=error")
	s.server.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+s.dir)
	if err := s.server.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "PulseAudio answers", func() bool { _, err := os.Stat(s.socket()); return err == nil })
	s.player = exec.Command("pacat", "--playback", "--device=played", "--raw", "--format=s16le", "--rate=48000", "--channels=1", "--latency-msec=500")
	s.player.Stdin = &sine{}
	if err := s.player.Start(); err != nil {
		t.Fatal(err)
	}
}

// sine is an endless tone of 440 Hz as bytes; whoever plays it sets the pace.
type sine struct{ n int }

func (s *sine) Read(b []byte) (int, error) {
	pcm := tone(440, s.n, len(b)/2)
	s.n += len(pcm)
	for i, v := range pcm {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(v))
	}
	return 2 * len(pcm), nil
}

// stop kills the server: what a microphone pulled out looks like from libasound.
func (s *soundServer) stop() {
	for _, cmd := range []*exec.Cmd{s.server, s.player} {
		if cmd != nil && cmd.Process != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	s.server, s.player = nil, nil
	_ = os.Remove(s.socket())
}

// eventually waits until something is so, and gives up long after it should be.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("after 30 s it was still not so: %s", what)
		case <-tick.C:
		}
	}
}

// safeTape is a tape for sources that run beside the test.
type safeTape struct {
	mu sync.Mutex
	tape
}

func (s *safeTape) WriteRTP(p *rtp.Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tape.WriteRTP(p)
}

func (s *safeTape) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.packets)
}

func microphone(t *testing.T, device string) *Microphone {
	t.Helper()
	m, err := NewMicrophone(MicrophoneConfig{Devices: []string{device}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMicrophoneThroughALSA(t *testing.T) {
	newSoundServer(t)
	src, out := microphone(t, "pcm:pulse:DEVICE=tone"), &safeTape{}
	stop := run(t, src, out)
	eventually(t, "three seconds of voice came", func() bool { return out.count() >= 150 })
	h := src.Health()
	stop()
	if !h.OK || h.Opens != 1 || h.Device != "ALSA pulse:DEVICE=tone" {
		t.Errorf("health %+v", h)
	}
	if best := bestShare(decode(t, &out.tape), 440); best < 0.9 {
		t.Errorf("at best %.0f %% of half a second is the tone that went in", 100*best)
	}
	for i := 1; i < len(out.packets); i++ {
		if step := out.packets[i].Timestamp - out.packets[i-1].Timestamp; step != voiceFrame {
			t.Logf("packet %d: timestamp moved by %d (%d samples dropped in all)", i, step, h.Dropped)
		}
	}
}

// bestShare is the highest share of a tone in any half second: a busy machine may spoil some, a wrong sample format or
// rate spoils all.
func bestShare(pcm []int16, hertz float64) (best float64) {
	for half := range slices.Chunk(pcm, voiceClock/2) {
		best = max(best, share(half, hertz))
	}
	return best
}

// The microphone goes away and comes back: it says so, sends nothing meanwhile, and goes on where the clock is.
func TestMicrophonePulledOutAndPluggedIn(t *testing.T) {
	server := newSoundServer(t)
	src, out := microphone(t, "pcm:pulse:DEVICE=tone"), &safeTape{}
	stop := run(t, src, out)
	defer stop()
	eventually(t, "voice came", func() bool { return out.count() >= 25 })
	server.stop()
	eventually(t, "it says that the microphone is gone", func() bool { h := src.Health(); return !h.OK && h.Reason != "" })
	t.Logf("said: %s", src.Health().Reason)
	silent := out.count()
	server.start(t)
	eventually(t, "voice came again", func() bool { return src.Health().OK && out.count() > silent+25 })
	out.mu.Lock()
	defer out.mu.Unlock()
	gap := out.packets[silent].Timestamp - out.packets[silent-1].Timestamp
	passed := ticks(out.at[silent].Sub(out.at[silent-1]), voiceClock)
	t.Logf("timestamp moved by %d, the clock by %d", gap, passed)
	if gap <= voiceFrame {
		t.Errorf("timestamp moved by %d over the gap, the clock by %d", gap, passed)
	}
	if n := out.packets[silent].SequenceNumber - out.packets[silent-1].SequenceNumber; n != 1 {
		t.Errorf("%d packets are missing in the numbering", n-1)
	}
}

// Digital silence is sent as it is, and said.
func TestMutedMicrophoneIsSaid(t *testing.T) {
	newSoundServer(t)
	src, out := microphone(t, "pcm:pulse:DEVICE=mute"), &safeTape{}
	stop := run(t, src, out)
	defer stop()
	eventually(t, "it says that the microphone is muted", func() bool { return strings.Contains(src.Health().Reason, "digital silence") })
	n := out.count()
	eventually(t, "packets keep coming", func() bool { return out.count() > n })
}

func TestAbsentMicrophoneSendsNothing(t *testing.T) {
	src, out := microphone(t, "NoSuchCard"), &safeTape{}
	stop := run(t, src, out)
	eventually(t, "it says so", func() bool { return strings.Contains(src.Health().Reason, "NoSuchCard is not plugged in") })
	stop()
	if n := out.count(); n != 0 {
		t.Errorf("%d packets of a voice that nobody spoke", n)
	}
}

// Samples that the machine was too slow for are a gap in time, not a shift of all that follows.
func TestLostSamplesMoveTheClock(t *testing.T) {
	m, out := microphone(t, ""), &tape{}
	if err := m.open(); err != nil {
		t.Fatal(err)
	}
	r := newRing(2*voiceFrame, m.wake)
	m.last = r
	r.write(make([]byte, 2*3*voiceFrame)) // three packets into room for two
	m.drain(m.ears[0], r, true, make([]int16, voiceFrame), out)
	if len(out.packets) != 2 || out.packets[0].Timestamp != voiceFrame || m.Health().Dropped != voiceFrame {
		t.Errorf("%d packets, the first at %d, %d samples dropped; want 2, %d, %d",
			len(out.packets), out.packets[0].Timestamp, m.Health().Dropped, voiceFrame, voiceFrame)
	}
}

var _ = []interface {
	media.Source
	media.HealthReporter
}{(*Camera)(nil), (*Microphone)(nil), (*TestPicture)(nil), (*TestVoice)(nil)}
