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
	"sync"
	"time"
)

const (
	// codeLife is long enough to carry a link from a terminal to a browser and short enough to be forgotten on a screen.
	codeLife = 10 * time.Minute
	// codesDir holds the codes that another process made, one file each, named by the code's hash.
	codesDir = "sign-in-codes"
	maxCodes = 1000
)

// errCode is the one answer to every code that does not work: unknown, used, too old.
var errCode = errors.New("this sign-in link does not work: it was used already or is older than 10 minutes; ask for a new one")

type waitingCode struct {
	User    string    `json:"user"`
	Expires time.Time `json:"expires"`
}

// codes are one-time sign-in codes: made by this process and kept in memory, or made by the command line and found in the
// state folder. Only hashes are kept. Safe for concurrent use.
type codes struct {
	dir string // "": no state folder

	mu  sync.Mutex
	own map[string]waitingCode // by hash
}

func newCodes(stateDir string) *codes {
	c := &codes{own: map[string]waitingCode{}}
	if stateDir != "" {
		c.dir = filepath.Join(stateDir, codesDir)
	}
	return c
}

func codeKey(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

func (c *codes) make(user string, now time.Time) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, w := range c.own {
		if now.After(w.Expires) {
			delete(c.own, key)
		}
	}
	if len(c.own) >= maxCodes {
		return "", errors.New("make sign-in code: too many unused codes; wait 10 minutes")
	}
	code := newSecret()
	c.own[codeKey(code)] = waitingCode{user, now.Add(codeLife)}
	return code, nil
}

// redeem uses a code up and returns whose it was.
func (c *codes) redeem(code string, now time.Time) (user string, err error) {
	if code == "" || len(code) > 64 {
		return "", errCode
	}
	key := codeKey(code)
	c.mu.Lock()
	defer c.mu.Unlock()
	w, ok := c.own[key]
	delete(c.own, key)
	if !ok {
		if w, err = c.take(key); err != nil {
			return "", err
		}
	}
	if now.After(w.Expires) {
		return "", errCode
	}
	return w.User, nil
}

// take reads a code's file and removes it first: who removes it has it, even with two gateways on one folder.
func (c *codes) take(key string) (w waitingCode, err error) {
	if c.dir == "" {
		return w, errCode
	}
	path := filepath.Join(c.dir, key)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return w, errCode
	}
	if err != nil {
		return w, fmt.Errorf("read sign-in code: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return w, fmt.Errorf("use up sign-in code: %w", err)
	}
	if err := json.Unmarshal(text, &w); err != nil {
		return w, errCode
	}
	return w, nil
}

// sweep removes files of codes that nobody used.
func (c *codes) sweep(now time.Time) {
	if c.dir == "" {
		return
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return // no folder: nobody made a code
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > 2*codeLife {
			os.Remove(filepath.Join(c.dir, e.Name()))
		}
	}
}

// WriteSignInCode makes a single-use code, good for ten minutes, for a running gateway that has the same state folder.
// Whoever can write there can sign in as anybody, so the folder belongs to the gateway alone (mode 0700).
func WriteSignInCode(stateDir, user string) (code string, err error) {
	dir := filepath.Join(stateDir, codesDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("write sign-in code: %w", err)
	}
	if err := likeParent(dir, stateDir); err != nil {
		return "", fmt.Errorf("write sign-in code: %w", err)
	}
	code = newSecret()
	text, err := json.Marshal(waitingCode{user, time.Now().Add(codeLife)})
	if err != nil {
		return "", fmt.Errorf("write sign-in code: %w", err)
	}
	path := filepath.Join(dir, codeKey(code))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return "", fmt.Errorf("write sign-in code: %w", err)
	}
	if err := likeParent(path, stateDir); err != nil {
		return "", fmt.Errorf("write sign-in code: %w", err)
	}
	return code, nil
}
