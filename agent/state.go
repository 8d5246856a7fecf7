package agent

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// store is the state directory: what must survive a crash. With an empty directory nothing does, and nothing fails.
//
//	box-id                 who this box is, made at its first start
//	sessions/UPLINK        session URLs that are open at the far end, one a line
//	traces/                what the recorder wrote
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

// sessions are the URLs that the run before this left open over an uplink.
func (s store) sessions(uplink string) []string {
	if s.dir == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "sessions", uplink))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text))
}

// keepSessions remembers the URLs that are open over an uplink; none removes the file.
func (s store) keepSessions(uplink string, urls []string) error {
	if s.dir == "" {
		return nil
	}
	name := filepath.Join("sessions", uplink)
	if len(urls) == 0 {
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return s.write(name, strings.Join(urls, "\n")+"\n")
}

// write puts a file in place whole or not at all.
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
