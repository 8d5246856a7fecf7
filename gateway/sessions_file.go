package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// sessionsFile keeps who is signed in over a restart of the gateway, so that a supervisor in the middle of an observation is
// not asked for a password because a server was updated. It holds hashes of the cookies' secrets, never the secrets.
const sessionsFile = "sessions.json"

// keepEvery is how often the file is written while only the times of use change.
const keepEvery = time.Minute

type keptSession struct {
	Key   string    `json:"key"` // SHA-256 of the secret, hex
	ID    string    `json:"id"`
	User  string    `json:"user"`
	Began time.Time `json:"began"`
	Seen  time.Time `json:"seen"`
}

// restore reads what an earlier run kept. Sessions of users who are gone from the configuration are forgotten; what a
// person may do is what the configuration says now.
func (ss *sessions) restore(path string, user func(string) (User, bool), now time.Time) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var kept []keptSession
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return fmt.Errorf("read who was signed in: %w", err)
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, k := range kept {
		key, err := hex.DecodeString(k.Key)
		u, known := user(k.User)
		s := &session{id: k.ID, user: u, began: k.Began, seen: k.Seen, done: make(chan struct{})}
		if err == nil && len(key) == sha256.Size && known && !s.expiredAt(now, ss.idle) {
			ss.all[[sha256.Size]byte(key)] = s
		}
	}
	return nil
}

// keep writes the file if somebody signed in or out since the last time, or a minute has passed.
func (ss *sessions) keep(path string, now time.Time) error {
	ss.mu.Lock()
	if !ss.changed && now.Sub(ss.kept) < keepEvery {
		ss.mu.Unlock()
		return nil
	}
	ss.changed, ss.kept = false, now
	all := []keptSession{}
	for key, s := range ss.all {
		s.mu.Lock()
		all = append(all, keptSession{hex.EncodeToString(key[:]), s.id, s.user.Name, s.began, s.seen})
		s.mu.Unlock()
	}
	ss.mu.Unlock()
	text, err := json.Marshal(all)
	if err == nil {
		err = replaceFile(path, text)
	}
	if err != nil {
		return fmt.Errorf("keep who is signed in: %w", err)
	}
	return nil
}

// replaceFile writes beside and renames: a power cut leaves the old file or the new one.
func replaceFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
