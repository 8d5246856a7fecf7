package netns

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// reply is a helper's answer to one line: one line of JSON.
type reply struct {
	Error string          `json:"error,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

// helper is a part of the lab that runs in a namespace. Any goroutine may ask; questions wait for each other.
type helper struct {
	*process
	mu  sync.Mutex
	in  io.WriteCloser
	out *bufio.Reader
}

// startHelper runs one of this program's own helper commands in a namespace.
func startHelper(namespace, dir, name string, prio int, args ...string) (*helper, error) {
	h := &helper{}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := []string{self, "helper"}
	h.process, err = start(namespace, dir, name, prio, func(cmd *exec.Cmd) {
		cmd.Stdout = nil
		in, err1 := cmd.StdinPipe()
		out, err2 := cmd.StdoutPipe()
		if err1 == nil && err2 == nil { // else Start fails as well
			h.in, h.out = in, bufio.NewReader(out)
		}
	}, append(command, args...)...)
	if err != nil {
		return nil, err
	}
	return h, nil
}

// ask sends a line and takes the answer. An error names the line's first word alone: what follows may be a sign-in code.
func (h *helper) ask(line string, into any) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	what, _, _ := strings.Cut(line, " ")
	if _, err := io.WriteString(h.in, line+"\n"); err != nil {
		return fmt.Errorf("tell %s %q: %w", h.name, what, errors.Join(err, h.died()))
	}
	text, err := h.out.ReadBytes('\n')
	if err != nil {
		<-h.done
		return fmt.Errorf("%s did not answer %q: %w", h.name, what, errors.Join(err, h.died()))
	}
	var r reply
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("%s answered %q with %q: %w", h.name, what, text, err)
	}
	if r.Error != "" {
		return fmt.Errorf("%s: %s: %s", h.name, what, r.Error)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(r.Value, into)
}

// stop closes the helper's input, which ends it.
func (h *helper) stop() {
	_ = h.in.Close()
	h.process.stop()
}

// Serve is the helper's side: it answers line by line until the input ends.
func Serve(in io.Reader, out io.Writer, answer func(words []string) (any, error)) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var r reply
		value, err := answer(strings.Fields(lines.Text()))
		if err == nil && value != nil {
			r.Value, err = json.Marshal(value)
		}
		if err != nil {
			r.Error = err.Error()
		}
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := out.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	return lines.Err()
}
