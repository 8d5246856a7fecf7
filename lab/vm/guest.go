package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// jsonLine is a line protocol of qemu's: a JSON object each way. The guest agent and QMP both speak it.
type jsonLine struct {
	conn net.Conn
	in   *json.Decoder
}

// jsonReply is an answer of either protocol, or an event of QMP's.
type jsonReply struct {
	Return json.RawMessage
	Event  string
	Error  *struct{ Class, Desc string }
}

// answerWithin bounds one answer. A busy emulated processor can take long.
const answerWithin = 2 * time.Minute

func dialJSONLine(socket string) (*jsonLine, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	return &jsonLine{conn: conn, in: json.NewDecoder(conn)}, nil
}

// call sends one command and reads its answer into reply, if that is not nil.
func (j *jsonLine) call(command string, arguments, reply any, within time.Duration) error {
	if err := j.send(command, arguments, within); err != nil {
		return err
	}
	return j.answer(command, reply)
}

// send sends one command. It and its answer have to be through within the given time.
func (j *jsonLine) send(command string, arguments any, within time.Duration) error {
	request := map[string]any{"execute": command}
	if arguments != nil {
		request["arguments"] = arguments
	}
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if err := j.conn.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := j.conn.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

// answer reads the next answer, past any events.
func (j *jsonLine) answer(command string, reply any) error {
	for {
		var r jsonReply
		if err := j.in.Decode(&r); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		switch {
		case r.Event != "":
			continue
		case r.Error != nil:
			return fmt.Errorf("%s: %s: %s", command, r.Error.Class, r.Error.Desc)
		case reply == nil || r.Return == nil:
			return nil
		}
		return json.Unmarshal(r.Return, reply)
	}
}

// Guest runs commands in the virtual machine through qemu's guest agent, over a serial line. One goroutine at a time.
type Guest struct {
	socket string
	line   *jsonLine
	sync   int
}

// ExitError says that a command in the guest ran and failed.
type ExitError struct {
	Command string
	Code    int
	Stderr  string
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("in the guest: %s: exit %d: %s", e.Command, e.Code, lastLines(e.Stderr, 5))
}

// Hello asks whether the guest answers. Call it until it does.
func (g *Guest) Hello() error {
	if g.line != nil {
		g.line.conn.Close()
	}
	line, err := dialJSONLine(g.socket)
	if err != nil {
		return err
	}
	g.line = line
	g.sync++
	if err := g.line.send("guest-sync", map[string]int{"id": g.sync}, time.Second); err != nil {
		return err
	}
	// Greetings that nobody waited for any more may be answered now; ours is the last one.
	for number := 0; number != g.sync; {
		if err := g.line.answer("guest-sync", &number); err != nil {
			return err
		}
	}
	return nil
}

// Close hangs up. The guest runs on.
func (g *Guest) Close() {
	if g.line != nil {
		g.line.conn.Close()
	}
}

// Shell runs a shell command line to its end and returns what it printed. A non-zero exit is an *ExitError.
func (g *Guest) Shell(ctx context.Context, command string) (string, error) {
	var started struct{ PID int }
	err := g.line.call("guest-exec", map[string]any{
		"path": "/bin/sh", "arg": []string{"-c", command}, "capture-output": true,
		"env": []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"},
	}, &started, answerWithin)
	if err != nil {
		return "", fmt.Errorf("starting %q in the guest: %w", command, err)
	}
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for {
		var status struct {
			Exited   bool
			ExitCode int
			Signal   int
			OutData  []byte `json:"out-data"`
			ErrData  []byte `json:"err-data"`
		}
		if err := g.line.call("guest-exec-status", map[string]int{"pid": started.PID}, &status, answerWithin); err != nil {
			return "", fmt.Errorf("waiting for %q in the guest: %w", command, err)
		}
		if status.Exited {
			code := status.ExitCode
			if status.Signal != 0 {
				code = 128 + status.Signal // as a shell says it
			}
			if code != 0 {
				return string(status.OutData), &ExitError{Command: command, Code: code, Stderr: string(status.ErrData)}
			}
			return string(status.OutData), nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for %q in the guest: %w", command, ctx.Err())
		case <-pause.C:
		}
	}
}

// Start runs a command as a transient unit of the guest's systemd, so that it has a journal and can be stopped by name.
// properties are systemd's, such as "SupplementaryGroups=video audio".
func (g *Guest) Start(ctx context.Context, unit string, properties []string, command string) error {
	args := []string{"systemd-run", "--quiet", "--collect", "--unit=" + unit}
	for _, p := range properties {
		args = append(args, "-p", shellQuote(p))
	}
	_, err := g.Shell(ctx, strings.Join(append(args, "--", command), " "))
	return err
}

// Stop ends a unit. One that is not there is fine.
func (g *Guest) Stop(ctx context.Context, unit string) error {
	_, err := g.Shell(ctx, "systemctl stop "+unit)
	if exit, ok := errors.AsType[*ExitError](err); ok && strings.Contains(exit.Stderr, "not loaded") {
		return nil
	}
	return err
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
