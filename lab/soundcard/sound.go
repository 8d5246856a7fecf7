package soundcard

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"scanside/lab/speech"
)

// format is what is played and recorded here, in the words of PulseAudio's tools.
var format = []string{"--raw", "--format=s16le", "--rate=48000", "--channels=1"}

// Say plays into a microphone and waits for the end of it.
func (s *Server) Say(ctx context.Context, microphone string, pcm []int16) error {
	raw, err := binary.Append(nil, binary.LittleEndian, pcm)
	if err != nil {
		return err
	}
	cmd := s.command(ctx, "pacat", append(format, "--playback", "--latency-msec=300", "--device="+mouth(microphone))...)
	cmd.Stdin = bytes.NewReader(raw)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("say something into %s: %w: %s", microphone, err, bytes.TrimSpace(out))
	}
	return nil
}

// Recording is what a card plays, or what is said into it, while it goes on.
type Recording struct {
	cmd  *exec.Cmd
	gone chan struct{} // the recorder ended, and was waited for

	mu   sync.Mutex
	tape *tape
}

// tape is what came.
type tape struct {
	raw   []byte
	first time.Time // the latest moment at which the first sample can have been played
	last  time.Time // the last piece came
}

// RecordSpeaker records what a loudspeaker plays, until Stop.
func (s *Server) RecordSpeaker(ctx context.Context, name string) (*Recording, error) {
	return s.record(ctx, monitor(name), &tape{})
}

// RecordMouth records what is said into a microphone, until Stop.
func (s *Server) RecordMouth(ctx context.Context, microphone string) (*Recording, error) {
	return s.record(ctx, monitor(mouth(microphone)), &tape{})
}

// record listens until ctx ends, the card is pulled out, or Stop; without a tape it forgets what it hears.
func (s *Server) record(ctx context.Context, source string, t *tape) (*Recording, error) {
	r := &Recording{gone: make(chan struct{}), tape: t}
	r.cmd = s.command(ctx, "parec", append(format, "--latency-msec=10", "--device="+source)...)
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("record %s (Debian package pulseaudio-utils): %w", source, err)
	}
	begun := make(chan struct{})
	go r.take(out, sync.OnceFunc(func() { close(begun) }))
	select {
	case <-begun:
		return r, nil
	case <-r.gone:
		return nil, fmt.Errorf("record %s: nothing came", source)
	case <-time.After(callWithin):
		r.end()
		return nil, fmt.Errorf("record %s: nothing came within %v", source, callWithin)
	}
}

// take keeps what comes. Each piece says that all before it was played by now; the earliest such word is the best one.
func (r *Recording) take(out io.Reader, begun func()) {
	defer close(r.gone)
	buf := make([]byte, 4096)
	for {
		n, err := out.Read(buf)
		if n > 0 {
			r.keep(buf[:n], time.Now())
			begun()
		}
		if err != nil {
			_ = r.cmd.Wait() // it was told to end, or its card is gone
			return
		}
	}
}

func (r *Recording) keep(raw []byte, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tape
	if t == nil {
		return
	}
	t.raw, t.last = append(t.raw, raw...), now
	if first := now.Add(-lasting(len(t.raw) / 2)); t.first.IsZero() || first.Before(t.first) {
		t.first = first
	}
}

func lasting(samples int) time.Duration { return time.Duration(samples) * time.Second / speech.Rate }

// mostLost is how much shorter a recording may be than the time it took.
const mostLost = 100 * time.Millisecond

// Stop ends the recording. It is an error if the server left some of it out, for then nobody knows what was heard when.
func (r *Recording) Stop() (speech.Sound, error) {
	r.end()
	t := r.tape
	s := speech.Sound{Begun: t.first, PCM: make([]int16, len(t.raw)/2)}
	for i := range s.PCM {
		s.PCM[i] = int16(binary.LittleEndian.Uint16(t.raw[2*i:]))
	}
	if short := t.last.Sub(t.first) - lasting(len(s.PCM)); short > mostLost {
		return s, fmt.Errorf("the sound server left %v out of a recording: the machine is too busy", short.Round(time.Millisecond))
	}
	return s, nil
}

func (r *Recording) end() {
	_ = r.cmd.Process.Signal(syscall.SIGTERM) // an error says that it is gone already
	<-r.gone
}

// Loud is the root mean square of the last d of what was recorded so far.
func (r *Recording) Loud(d time.Duration) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(2*int(d*speech.Rate/time.Second), len(r.tape.raw)) &^ 1
	return rms(r.tape.raw[len(r.tape.raw)&^1-n : len(r.tape.raw)&^1])
}

func rms(raw []byte) float64 {
	sum := 0.0
	for i := 0; i+2 <= len(raw); i += 2 {
		v := float64(int16(binary.LittleEndian.Uint16(raw[i:])))
		sum += v * v
	}
	return math.Sqrt(sum / float64(max(len(raw)/2, 1)))
}
