package audit

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is the log's size and root, signed. The zero value: there is none yet.
type Checkpoint struct {
	Size int64     // records it vouches for
	Root tlog.Hash // of the Merkle tree over them
	Text string    // the signed note: to be handed to somebody else
}

// signer makes checkpoints and keeps them.
type signer struct {
	origin string
	public string
	key    note.Signer
	file   *os.File // checkpoints
	end    int64    // its bytes that are whole checkpoints
	size   int64    // of the newest
	newest Checkpoint
}

// openSigner reads the key in dir, or makes one, and reads the checkpoints. What stands behind the last whole one was being
// written at a crash; it is cut off.
func openSigner(dir, origin string) (*signer, error) {
	s := &signer{origin: origin}
	secret, err := os.ReadFile(filepath.Join(dir, "key"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, signed := os.Stat(filepath.Join(dir, "checkpoints")); signed == nil {
			return nil, errors.New("the signing key is gone while checkpoints made with it are there: restore the file key, or move the whole folder aside to begin a new log")
		}
		secret, err = newKey(dir, origin)
	}
	if err != nil {
		return nil, err
	}
	if s.key, err = note.NewSigner(strings.TrimSpace(string(secret))); err != nil {
		return nil, fmt.Errorf("the signing key in %s: %w", filepath.Join(dir, "key"), err) // names no part of the key
	}
	public, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		return nil, err
	}
	s.public = strings.TrimSpace(string(public))
	verifier, err := note.NewVerifier(s.public)
	if err != nil {
		return nil, fmt.Errorf("the public key in %s: %w", filepath.Join(dir, "key.pub"), err)
	}
	if s.file, err = os.OpenFile(filepath.Join(dir, "checkpoints"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(s.file.Name())
	if err != nil {
		return nil, err
	}
	for len(text) > 0 {
		c, length, err := nextCheckpoint(text, verifier)
		if length == 0 {
			break
		}
		s.end, text = s.end+int64(length), text[length:]
		if err == nil { // one that does not verify stays where it is, for Verify to find
			s.newest, s.size = c, c.Size
		}
	}
	return s, s.file.Truncate(s.end)
}

func newKey(dir, origin string) ([]byte, error) {
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	if err := replace(dir, "key.pub", []byte(public+"\n"), 0o644); err != nil { // first: without its key it is made again
		return nil, err
	}
	return []byte(secret), replace(dir, "key", []byte(secret+"\n"), 0o600)
}

// sign appends a checkpoint of size records.
func (s *signer) sign(size int64, root tlog.Hash) error {
	text, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", s.origin, size, root)}, s.key)
	if err != nil {
		return fmt.Errorf("sign a checkpoint: %w", err)
	}
	whole := append(text, '\n')
	if _, err = s.file.WriteAt(whole, s.end); err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("keep a checkpoint: %w", errors.Join(err, s.file.Truncate(s.end)))
	}
	s.end += int64(len(whole))
	s.size, s.newest = size, Checkpoint{size, root, string(text)}
	return nil
}

// nextCheckpoint reads the first of the checkpoints in text, and how many bytes it takes; none: it was not written to its end.
func nextCheckpoint(text []byte, verifier note.Verifier) (Checkpoint, int, error) {
	const between = "\n\n"
	signatures := bytes.Index(text, []byte(between))
	if signatures < 0 {
		return Checkpoint{}, 0, errors.New("a checkpoint without a signature")
	}
	end := bytes.Index(text[signatures+len(between):], []byte(between))
	if end < 0 {
		return Checkpoint{}, 0, errors.New("a checkpoint that ends too early")
	}
	length := signatures + len(between) + end + len(between)
	c, err := ParseCheckpoint(string(text[:length-1]), verifier)
	return c, length, err
}

// ParseCheckpoint reads a signed note and checks its signature and that its origin is the key's name.
func ParseCheckpoint(text string, verifier note.Verifier) (Checkpoint, error) {
	n, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("a checkpoint's signature: %w", err)
	}
	lines := strings.Split(strings.TrimSuffix(n.Text, "\n"), "\n")
	if len(lines) != 3 || lines[0] != verifier.Name() {
		return Checkpoint{}, errors.New("a checkpoint that is not of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Checkpoint{}, fmt.Errorf("a checkpoint of %q records", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("a checkpoint's root: %w", err)
	}
	return Checkpoint{size, root, text}, nil
}
