package audit

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Options are a log's limits. The zero value of each is replaced by the one named.
type Options struct {
	Origin     string        // names the box in its checkpoints and its key: no spaces, no plus; "scanside"
	Segment    int64         // bytes after which a new file begins; 4 MiB
	Keep       int64         // bytes of records above which exported ones are deleted; 64 MiB
	SignEvery  int64         // records after which a checkpoint is signed; 64
	SignWithin time.Duration // and the time after which the next Append signs one; 1 minute
}

func (o Options) orDefault() Options {
	if o.Origin == "" {
		o.Origin = "scanside"
	}
	if o.Segment <= 0 {
		o.Segment = 4 << 20
	}
	if o.Keep <= 0 {
		o.Keep = 64 << 20
	}
	if o.SignEvery <= 0 {
		o.SignEvery = 64
	}
	if o.SignWithin <= 0 {
		o.SignWithin = time.Minute
	}
	return o
}

// Log appends to a folder. Its methods may be called concurrently.
type Log struct {
	dir  string
	opt  Options
	lock *os.File

	mu       sync.Mutex
	begun    time.Time
	file     *os.File // the newest records file
	first    int64    // number of its first record
	size     int64    // its bytes that are whole records
	next     int64    // number of the next record
	prev     tlog.Hash
	last     string // kind of the last record; "": there is none
	tree     *tree
	signer   *signer
	signedAt time.Time
	dirty    bool  // bytes behind size could not be cut off: they are, before the next record
	unsigned error // why the last checkpoint could not be made
}

// Open opens the log in dir, which it makes where it is missing, and mends what a crash left: see Torn and Damaged, which it
// appends. One Log at a time may be open on a folder, in all processes; another is refused with an error.
func Open(dir string, opt Options) (*Log, error) {
	l := &Log{dir: dir, opt: opt.orDefault(), begun: time.Now(), signedAt: time.Now()}
	if err := l.open(); err != nil {
		l.release()
		return nil, fmt.Errorf("open the audit log in %s: %w", dir, err)
	}
	return l, nil
}

func (l *Log) open() error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(l.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	l.lock = lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.New("another process has it open; stop that one first")
	}
	if l.signer, err = openSigner(l.dir, l.opt.Origin); err != nil {
		return err
	}
	found, err := l.recover()
	if err != nil {
		return err
	}
	if len(found) > 0 {
		_, err = l.append(found)
	}
	return err
}

// Append writes one record for each entry, in order and at once, and returns when they are on disk. After an error none of
// them is in the log: the disk is full, say; the next Append tries anew. A record of more than 64 KiB is refused.
func (l *Log) Append(entries ...Entry) ([]Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	records, err := l.append(entries)
	if err != nil {
		return nil, fmt.Errorf("write to the audit log in %s: %w", l.dir, err)
	}
	return records, nil
}

func (l *Log) append(entries []Entry) ([]Record, error) {
	if l.file == nil {
		return nil, os.ErrClosed
	}
	if err := l.cut(); err != nil {
		return nil, err
	}
	if l.size >= l.opt.Segment {
		if err := l.rotate(); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	records := make([]Record, 0, len(entries))
	var text []byte
	prev := l.prev
	for i, e := range entries {
		r := Record{Number: l.next + int64(i), At: now.UTC().Truncate(time.Millisecond), Up: now.Sub(l.begun).Milliseconds(),
			Kind: e.kind(), Prev: hex.EncodeToString(prev[:]), Entry: e}
		line, err := r.line()
		if err != nil {
			return nil, err
		}
		text = append(append(text, line...), '\n')
		prev = r.Hash
		records = append(records, r)
	}
	if err := l.write(text); err != nil {
		return nil, err
	}
	l.prev, l.next = prev, l.next+int64(len(records))
	if len(records) > 0 {
		l.last = records[len(records)-1].Kind
	}
	for _, r := range records {
		l.tree.add(r.Hash)
	}
	if l.next-l.signer.size >= l.opt.SignEvery || now.Sub(l.signedAt) >= l.opt.SignWithin {
		l.unsigned = l.sign()
	}
	return records, nil
}

// write puts text behind the last record and on disk, or leaves nothing of it.
func (l *Log) write(text []byte) error {
	_, err := l.file.WriteAt(text, l.size)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		l.dirty = true
		return errors.Join(err, l.cut())
	}
	l.size += int64(len(text))
	return nil
}

// cut takes away what a failed write left.
func (l *Log) cut() error {
	if !l.dirty {
		return nil
	}
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	l.dirty = false
	return nil
}

// rotate begins a new file. The old one is closed by a checkpoint.
func (l *Log) rotate() error {
	if err := l.sign(); err != nil {
		return err
	}
	f, err := create(l.dir, segmentName(l.next))
	if err != nil {
		return err
	}
	_ = l.file.Close() // on disk already
	l.file, l.first, l.size = f, l.next, 0
	return nil
}

// Sign makes a checkpoint of all there is now, and returns the newest.
func (l *Log) Sign() (Checkpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return Checkpoint{}, os.ErrClosed
	}
	l.unsigned = l.sign()
	return l.signer.newest, l.unsigned
}

func (l *Log) sign() error {
	if l.next == l.signer.size {
		return nil
	}
	l.signedAt = time.Now() // also when it fails: the next attempt is not at the next record
	root, err := l.tree.root()
	if err != nil {
		return fmt.Errorf("sign a checkpoint: %w", err)
	}
	return l.signer.sign(l.next, root)
}

// Status is what the page and the metrics tell of the log.
type Status struct {
	Records    int64      // ever written
	Last       string     // hash of the last, hex
	Checkpoint Checkpoint // the newest
	Unsigned   error      // why there is no newer one; nil: all is well
}

// Status returns what is true now.
func (l *Log) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Status{Records: l.next, Last: hex.EncodeToString(l.prev[:]), Checkpoint: l.signer.newest, Unsigned: l.unsigned}
}

// Clean reports whether the last record is Stopped, or there is none: asked before Started is written, whether the run
// before ended in order.
func (l *Log) Clean() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last == "" || l.last == Stopped{}.kind()
}

// PublicKey is what others verify with, in the text form of signed notes.
func (l *Log) PublicKey() string { return l.signer.public }

// Close signs a last checkpoint and closes the files.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.sign()
	l.release()
	return err
}

func (l *Log) release() {
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
	if l.tree != nil {
		_ = l.tree.file.Close()
	}
	if l.signer != nil {
		_ = l.signer.file.Close()
	}
	if l.lock != nil {
		_ = l.lock.Close() // unlocks
	}
}
