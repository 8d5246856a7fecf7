package results

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Taken is how a source's figures were taken; it is kept beside what the command printed.
type Taken struct {
	Make    string    `json:"make"`
	When    time.Time `json:"when"`
	Seconds float64   `json:"seconds"`
	Load    string    `json:"load"`            // of the machine before it, over a minute (proc(5), loadavg)
	Ended   string    `json:"ended,omitempty"` // what was wrong; "": nothing
}

// Run takes the figures of the given sources into the folder, those in virtual time two at a time and the others one by one. A command
// that fails or takes too long is a row that says so, and the others go on; the error is ctx's, or that the folder cannot be written.
func Run(ctx context.Context, folder string, all []Source, long bool, say io.Writer) error {
	var errs []error
	for len(all) > 0 && ctx.Err() == nil {
		n := slices.IndexFunc(all, func(s Source) bool { return s.Virtual != all[0].Virtual })
		if n < 0 {
			n = len(all)
		}
		atOnce := 1
		if all[0].Virtual {
			atOnce = 2
		}
		errs, all = append(errs, together(all[:n], atOnce, func(s Source) error { return s.run(ctx, folder, s.of(long), say) })), all[n:]
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// together does something with each, so many at a time.
func together(all []Source, atOnce int, do func(Source) error) error {
	failed := make([]error, len(all))
	room := make(chan struct{}, atOnce)
	var gone sync.WaitGroup
	for i, s := range all {
		room <- struct{}{}
		gone.Go(func() {
			failed[i] = do(s)
			<-room
		})
	}
	gone.Wait()
	return errors.Join(failed...)
}

// run runs a command and keeps what it prints. Where it stops by itself with an error it has still printed what it measured: an
// expectation that did not hold is a result too.
func (s Source) run(ctx context.Context, folder string, c Command, say io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil // Run says so
	}
	args := slices.Clone(c.Args)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "{lab}", self)
	}
	out, err1 := os.Create(s.file(folder, "out"))
	log, err2 := os.Create(s.file(folder, "log"))
	defer out.Close()
	defer log.Close()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	t := Taken{Make: c.Make, When: time.Now().UTC().Truncate(time.Second), Load: load()}
	began := time.Now()
	failed := command(ctx, c.Limit, args, out, log)
	t.Seconds = time.Since(began).Truncate(100 * time.Millisecond).Seconds()
	if failed != nil {
		t.Ended = why(failed, log.Name())
	}
	outcome := "done"
	if t.Ended != "" {
		outcome = t.Ended
	}
	fmt.Fprintf(say, "%s  %4.0f s  %-60s %s\n", time.Now().Format(time.TimeOnly), t.Seconds, c.Make, outcome)
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return os.WriteFile(s.file(folder, "json"), append(text, '\n'), 0o644)
}

// command runs for no longer than the limit. It is asked to end, so that namespaces are taken down, and then it and everything it
// started is killed.
func command(ctx context.Context, limit time.Duration, args []string, out, log io.Writer) error {
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = out, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = takeDown
	err := cmd.Start()
	if err != nil {
		return err
	}
	err = cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left behind
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("ended after %v, its limit", limit)
	}
	return err
}

// takeDown is how long a command may take to end when it is asked to.
const takeDown = 20 * time.Second

// why says what was wrong in the command's own last words, where it had any.
func why(failed error, log string) string {
	var exit *exec.ExitError
	text, err := os.ReadFile(log)
	if !errors.As(failed, &exit) || err != nil {
		return failed.Error()
	}
	lines := strings.Split(string(bytes.TrimSpace(text)), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if said, ok := strings.CutPrefix(lines[i], "lab: "); ok {
			return said
		}
	}
	return fmt.Sprintf("%v: %s", failed, lines[len(lines)-1])
}

func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	one, _, _ := strings.Cut(string(text), " ")
	return one
}

func (s Source) file(folder, kind string) string { return filepath.Join(folder, s.Name+"."+kind) }
