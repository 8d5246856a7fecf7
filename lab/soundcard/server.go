package soundcard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Server is a private PulseAudio. Its methods may be called from any goroutine.
type Server struct {
	dir   string
	run   *exec.Cmd
	ended chan struct{}
	life  context.Context // of all that is started here

	mu      sync.Mutex
	modules map[string][]string // numbers of each card's modules, in the order they were loaded
}

const (
	startWithin = 20 * time.Second
	callWithin  = 10 * time.Second
	endWithin   = 5 * time.Second
)

// Start starts a server that keeps its files in dir, whose path must be short (a socket's has at most 107 characters). It ends with ctx; Close
// waits for it.
func Start(ctx context.Context, dir string) (*Server, error) {
	s := &Server{dir: dir, life: ctx, ended: make(chan struct{}), modules: map[string][]string{}}
	setup := "load-module module-native-protocol-unix auth-anonymous=1 socket=" + s.socket() + "\nload-module module-cli-protocol-unix socket=" + s.console() + "\n"
	file := filepath.Join(dir, "setup.pa")
	if err := os.WriteFile(file, []byte(setup), 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "pulseaudio.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.run = exec.CommandContext(ctx, "pulseaudio", "-n", "-F", file, "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes")
	s.run.Env, s.run.Stderr = append(os.Environ(), s.Env()...), log
	s.run.Cancel = func() error { return s.run.Process.Signal(syscall.SIGTERM) }
	s.run.WaitDelay = endWithin
	if err := s.run.Start(); err != nil {
		return nil, fmt.Errorf("start a sound server (Debian package pulseaudio): %w", err)
	}
	go func() {
		_ = s.run.Wait() // it was told to end
		close(s.ended)
	}()
	for begun := time.Now(); ; {
		_, err := s.ask(ctx, "info")
		if err == nil {
			return s, nil
		}
		select {
		case <-s.ended:
			return nil, fmt.Errorf("the sound server ended: see %s", log.Name())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(begun) > startWithin {
			return nil, errors.Join(fmt.Errorf("the sound server does not answer: %w", err), s.Close())
		}
	}
}

func (s *Server) socket() string  { return filepath.Join(s.dir, "native") }
func (s *Server) console() string { return filepath.Join(s.dir, "console") }

// Env is what a program must have in its environment to use the server.
func (s *Server) Env() []string {
	return []string{"PULSE_SERVER=unix:" + s.socket(), "PULSE_COOKIE=" + filepath.Join(s.dir, "cookie"), "XDG_RUNTIME_DIR=" + s.dir}
}

// Close ends the server and waits for it.
func (s *Server) Close() error {
	_ = s.run.Process.Signal(syscall.SIGTERM) // an error says that it is gone already
	select {
	case <-s.ended:
		return nil
	case <-time.After(endWithin):
		return s.run.Process.Kill()
	}
}

// PCM is a card's name for ALSA, as a configuration of ours has it.
func PCM(name string) string { return "pcm:pulse:DEVICE=" + name }

// PlugSpeaker plugs a loudspeaker in.
func (s *Server) PlugSpeaker(ctx context.Context, name string) error {
	return s.plug(ctx, name, name)
}

// plug loads a card that plays, and has it play at the pace of one: what nobody wants soon, the server plays two seconds ahead.
func (s *Server) plug(ctx context.Context, name, sink string) error {
	if err := s.load(ctx, name, "module-null-sink", "sink_name="+sink, "channels=1", "rate=48000"); err != nil {
		return err
	}
	_, err := s.record(s.life, monitor(sink), nil)
	return err
}

// PlugMicrophone plugs a microphone in. What is played on mouth(name) is heard by it.
func (s *Server) PlugMicrophone(ctx context.Context, name string) error {
	if err := s.plug(ctx, name, mouth(name)); err != nil {
		return err
	}
	return s.load(ctx, name, "module-remap-source", "source_name="+name, "master="+monitor(mouth(name)), "channels=1", "rate=48000")
}

// Room lets a microphone hear a loudspeaker, as it does in a room.
func (s *Server) Room(ctx context.Context, speaker, microphone string) error {
	return s.load(ctx, microphone, "module-loopback", "source="+monitor(speaker), "sink="+mouth(microphone), "latency_msec=60")
}

func mouth(microphone string) string { return microphone + ".mouth" }
func monitor(speaker string) string  { return speaker + ".monitor" }

func (s *Server) load(ctx context.Context, name string, module ...string) error {
	number, err := s.ask(ctx, append([]string{"load-module"}, module...)...)
	if err != nil {
		return fmt.Errorf("plug %s in: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.modules[name] = append(s.modules[name], strings.TrimSpace(number))
	return nil
}

// Pull pulls a card out, whoever uses it. What is played on it ends; left to itself the server would move it to another card.
func (s *Server) Pull(ctx context.Context, name string) error {
	s.mu.Lock()
	modules := s.modules[name]
	delete(s.modules, name)
	s.mu.Unlock()
	var orders strings.Builder
	for _, way := range []struct{ cards, streams, kill string }{
		{"sinks", "sink-inputs", "kill-sink-input"}, {"sources", "source-outputs", "kill-source-output"},
	} {
		streams, err := s.streams(ctx, name, way.cards, way.streams)
		if err != nil {
			return fmt.Errorf("pull %s out: %w", name, err)
		}
		for _, number := range streams {
			fmt.Fprintf(&orders, "%s %s\n", way.kill, number)
		}
	}
	for _, number := range slices.Backward(modules) {
		fmt.Fprintf(&orders, "unload-module %s\n", number)
	}
	return s.order(orders.String())
}

// streams are the numbers of the streams to or from the card of this name.
func (s *Server) streams(ctx context.Context, name, cards, streams string) (numbers []string, err error) {
	there, err1 := s.ask(ctx, "list", "short", cards)
	all, err2 := s.ask(ctx, "list", "short", streams)
	for card := range strings.Lines(there) {
		for stream := range strings.Lines(all) {
			if s, c := strings.Fields(stream), strings.Fields(card); len(s) > 1 && len(c) > 1 && c[1] == name && s[1] == c[0] {
				numbers = append(numbers, s[0])
			}
		}
	}
	return numbers, errors.Join(err1, err2)
}

// order gives the server orders that its tool has no words for, one a line, and waits until they were carried out.
func (s *Server) order(orders string) error {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: s.console(), Net: "unix"})
	if err != nil {
		return fmt.Errorf("order the sound server: %w", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(callWithin))
	if _, err := io.WriteString(conn, orders); err != nil {
		return fmt.Errorf("order the sound server: %w", err)
	}
	err = conn.CloseWrite()
	if _, end := io.Copy(io.Discard, conn); errors.Join(err, end) != nil { // it hangs up when it has read all
		return fmt.Errorf("order the sound server: %w", errors.Join(err, end))
	}
	return nil
}

// Prefer makes cards those that a program gets that names none; "" leaves a choice as it is.
func (s *Server) Prefer(ctx context.Context, speaker, microphone string) error {
	var errs []error
	if speaker != "" {
		_, err := s.ask(ctx, "set-default-sink", speaker)
		errs = append(errs, err)
	}
	if microphone != "" {
		_, err := s.ask(ctx, "set-default-source", microphone)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// ask has the server's own tool do something.
func (s *Server) ask(ctx context.Context, words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	var said strings.Builder
	cmd := s.command(ctx, "pactl", words...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("pactl %s: %w: %s", strings.Join(words, " "), err, strings.TrimSpace(said.String()))
	}
	return string(out), nil
}

func (s *Server) command(ctx context.Context, name string, words ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, words...)
	cmd.Env = append(os.Environ(), s.Env()...)
	return cmd
}
