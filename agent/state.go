package agent

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// store is the state directory: what must survive a crash. With an empty directory nothing does, and nothing fails.
//
//	box-id                 who this box is, made at its first start
//	sessions/UPLINK        session URLs that are open at a far end, one a line, each with its far end's URL behind it
//	far-end                URL of the far end where the room is, when it is not the first
//	traces/                what the recorder wrote
//	audit/                 what the journal wrote (package audit)
//	history.jsonl          the last day by minutes (package history)
//	budget.json            what each uplink used, by billing months
//	installation.json      what people answered while the box was installed
//	drill.json             the last drill's result, and who began the one under way
//	procedure              there while a procedure is open: since when
//	users.json, setup-code, users-recorded.json   who may sign in (package access)
//	console-key            by which commands on this machine speak to the agent
//	certificate.pem        the status page's own, with its key
//	camera-muted, microphone-muted   there while one is muted: since when
type store struct{ dir string }

func (s store) open() error {
	if s.dir == "" {
		return nil
	}
	for _, d := range []string{s.dir, filepath.Join(s.dir, "sessions"), filepath.Join(s.dir, "traces")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("make the state directory: %w", err)
		}
	}
	return nil
}

// boxID reads this box's id, and makes it at the first start. The id is good for this run even when there is an error.
func (s store) boxID() (string, error) {
	fresh := newID(8)
	if s.dir == "" {
		return fresh, nil
	}
	path := filepath.Join(s.dir, "box-id")
	text, err := os.ReadFile(path)
	switch id := strings.TrimSpace(string(text)); {
	case err == nil && len(id) == 16 && strings.Trim(id, "0123456789abcdef") == "":
		return id, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fresh, fmt.Errorf("read the box's id: %w", err)
	}
	return fresh, s.write("box-id", fresh+"\n")
}

// sessions are those that the run before this left open over an uplink. What is open at a far end that is configured no
// more cannot be ended: its token is gone.
func (s store) sessions(uplink string, fars []place) []session {
	if s.dir == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "sessions", uplink))
	if err != nil {
		return nil
	}
	var all []session
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		for i, f := range fars {
			if len(words) == 1 || words[1] == f.base() { // without one: written when there was only one
				all = append(all, session{i, words[0]})
				break
			}
		}
	}
	return all
}

// keepSessions remembers what is open over an uplink; nothing removes the file.
func (s store) keepSessions(uplink string, all []session, fars []place) error {
	if s.dir == "" {
		return nil
	}
	name := filepath.Join("sessions", uplink)
	if len(all) == 0 {
		return s.remove(name)
	}
	var text strings.Builder
	for _, one := range all {
		fmt.Fprintf(&text, "%s %s\n", one.url, fars[one.far].base())
	}
	return s.write(name, text.String())
}

// farEnd is where the room was when the run before this ended; 0, the first, when that is not known.
func (s store) farEnd(fars []place) int {
	if s.dir == "" {
		return 0
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "far-end"))
	if err != nil {
		return 0
	}
	at := strings.TrimSpace(string(text))
	return max(slices.IndexFunc(fars, func(f place) bool { return f.base() == at }), 0)
}

// keepFarEnd remembers where the room is: a restart of the box takes nobody back to a far end that its supervisor has left.
func (s store) keepFarEnd(fars []place, at int) error {
	switch {
	case s.dir == "":
		return nil
	case at == 0:
		return s.remove("far-end")
	}
	return s.write("far-end", fars[at].base()+"\n")
}

// remove returns when the file would be gone after a power cut.
func (s store) remove(name string) error {
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return s.sync(name)
}

// write puts a file in place whole or not at all; it returns when it would be there after a power cut.
func (s store) write(name, text string) error {
	path := filepath.Join(s.dir, name)
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = tmp.WriteString(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("write %s: %w", name, err)
	}
	return s.sync(name)
}

// sync makes the name of a file last: its folder is a file of its own.
func (s store) sync(name string) error {
	folder, err := os.Open(filepath.Dir(filepath.Join(s.dir, name)))
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	return nil
}

// newID returns n random bytes in hex.
func newID(n int) string {
	raw := make([]byte, n)
	rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// readToken reads a secret from its file: the first word, without a typed "Bearer".
func readToken(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(string(text)), "Bearer "))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s holds no token: one word on one line is expected", path)
	}
	return token, nil
}
