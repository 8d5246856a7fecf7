package netns

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// patience is how long a process may take to end after it was asked to, before it is killed.
const patience = 5 * time.Second

// process is a program that runs in a namespace, its output in a log file.
type process struct {
	name string
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{} // closed when it has ended
	err  error         // why; read after done
	once sync.Once
}

// Priorities of the lab's parts: real-time (SCHED_RR) where positive, a nice value else. What is measured must not wait for
// whatever else the machine is doing; on a busy one even the best nice value waits 100 ms for its turn. The emulator comes
// first, for a late packet is its mistake and nobody else's.
const (
	emulating = 20
	measured  = 10 // the programs, and those who count
	browsing  = 1  // a browser
)

// priority is the command in front that sets it.
func priority(p int) []string {
	if p > 0 {
		return []string{"chrt", "--rr", itoa(p)}
	}
	return []string{"nice", "-n", itoa(p)}
}

// start runs a program in a namespace, or outside of any when that is empty. It dies with the lab, also when the lab is killed.
func start(namespace, dir, name string, prio int, prepare func(*exec.Cmd), args ...string) (*process, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	args = append(priority(prio), args...)
	if namespace != "" { // both wrappers replace themselves by the program: the process id is the program's own
		args = append([]string{"ip", "netns", "exec", namespace}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true} // not ours: a Ctrl-C is for the lab alone
	if prepare != nil {
		prepare(cmd)
	}
	p := &process{name: name, cmd: cmd, log: log, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s in namespace %s: %w", name, namespace, err)
	}
	return p, nil
}

// run starts the process and waits for its end, on a thread of its own: what Pdeathsig waits for is the death of the thread
// that started the process (prctl(2)), and Go's threads come and go.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer p.log.Close()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the process to end and waits; one that does not is killed. Stopping twice is fine.
func (p *process) stop() {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(patience):
			_ = p.cmd.Process.Kill()
			<-p.done
		}
	})
}

// died is an error when the process has ended by itself, with the end of its log.
func (p *process) died() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended: %v\n%s", p.name, p.err, p.tail())
	default:
		return nil
	}
}

// tail is the end of the log.
func (p *process) tail() string {
	const enough = 2000
	text, err := os.ReadFile(p.log.Name())
	if err != nil {
		return ""
	}
	return string(text[max(0, len(text)-enough):])
}

// until asks again and again whether something has come true, until it has, ctx ends, time is up or one of the processes dies.
func until(ctx context.Context, limit, every time.Duration, what string, processes []*process, ask func() error) error {
	late := time.After(limit)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		for _, p := range processes {
			if died := p.died(); died != nil {
				return died
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return fmt.Errorf("%s: not within %v: %w", what, limit, err)
		case <-time.After(every):
		}
	}
}

// ip runs one `ip` command.
func ip(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %v: %w: %s", args, err, out)
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
