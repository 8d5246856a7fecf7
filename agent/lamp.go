package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// lampAgain is how often the light is set anew: somebody else may have written there, or the lamp was plugged in again.
const lampAgain = 5 * time.Second

// lamp is the light that burns while somebody may watch the room: a file that takes a brightness, such as
// /sys/class/leds/NAME/brightness. Nothing is run, only written.
type lamp struct {
	file    string
	on      atomic.Bool
	turned  chan struct{}          // has room for one
	trouble atomic.Pointer[string] // nil: the last write worked
}

func newLamp(file string) *lamp { return &lamp{file: file, turned: make(chan struct{}, 1)} }

// set never blocks.
func (l *lamp) set(on bool) {
	if l.on.Swap(on) == on {
		return
	}
	select {
	case l.turned <- struct{}{}:
	default:
	}
}

// Run keeps the light as it was set until ctx ends, and then puts it out: nothing leaves the room any more.
func (l *lamp) Run(ctx context.Context) {
	if l.file == "" {
		return
	}
	tick := time.NewTicker(lampAgain)
	defer tick.Stop()
	for ctx.Err() == nil {
		l.write(l.on.Load())
		select {
		case <-ctx.Done():
		case <-l.turned:
		case <-tick.C:
		}
	}
	l.write(false)
}

func (l *lamp) write(on bool) {
	value := "0\n"
	if on {
		value = l.brightest() + "\n"
	}
	// Nothing is made that is not there, and a pipe that nobody reads is an error, not a wait.
	f, err := os.OpenFile(l.file, os.O_WRONLY|os.O_TRUNC|syscall.O_NONBLOCK, 0)
	if err == nil {
		_, err = f.WriteString(value)
		if closed := f.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		text := fmt.Sprintf("The light that says that somebody watches cannot be set: %v.", err)
		l.trouble.Store(&text)
		return
	}
	l.trouble.Store(nil)
}

// brightest is what the kernel says a light takes; 1 where it does not say.
func (l *lamp) brightest() string {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(l.file), "max_brightness"))
	if n, bad := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && bad == nil && n > 0 {
		return strconv.Itoa(n)
	}
	return "1"
}
