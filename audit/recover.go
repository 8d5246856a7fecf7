package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// recover finds out where the log ends, and returns what must be said of it. The newest file is read whole, older ones only
// where their hashes are not vouched for by a checkpoint.
func (l *Log) recover() ([]Entry, error) {
	all, err := segments(os.DirFS(l.dir))
	if err != nil {
		return nil, err
	}
	if l.tree, err = openTree(l.dir, l.signer.size); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		if l.signer.size > 0 {
			return nil, fmt.Errorf("a checkpoint vouches for %d records, and there is none: restore the files records-…, or move the whole folder aside to begin a new log", l.signer.size)
		}
		l.file, err = create(l.dir, segmentName(0))
		return nil, err
	}
	for i, s := range all[:len(all)-1] {
		if all[i+1].first <= l.tree.leaves() {
			continue // a checkpoint vouches for all of it
		}
		if _, err := l.read(s); err != nil {
			return nil, err
		}
	}
	found, err := l.resume(all[len(all)-1])
	if err == nil && l.tree.leaves() != l.next {
		err = fmt.Errorf("the log has %d records and hashes of %d: restore the files records-… and hashes, or move the whole folder aside to begin a new log", l.next, l.tree.leaves())
	}
	return found, err
}

// tail is what a file of records ends in.
type tail struct {
	prev    tlog.Hash // of the last line
	kind    string    // of its record
	lines   int64
	whole   int64 // bytes up to the last good line
	rest    []byte
	damaged int // 1-based line that is no record although records follow; 0: none
}

// read reads a file of records into the tree.
func (l *Log) read(s segment) (tail, error) {
	text, err := os.ReadFile(filepath.Join(l.dir, s.name))
	if err != nil {
		return tail{}, err
	}
	var t tail
	last := -1 // where the last good line ends; sought when the first bad one is met
	prev, known := tlog.Hash{}, false
	for rest := text; ; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			break
		}
		r, err := parse(rest[:end])
		if err == nil && known {
			err = r.follows(prev, s.first+t.lines)
		}
		if err != nil || r.Number != s.first+t.lines {
			if last < 0 {
				last = lastRecord(text)
			}
			if last <= int(t.whole) {
				break
			}
			if t.damaged == 0 {
				t.damaged = int(t.lines) + 1
			}
		}
		prev, known, t.kind = tlog.RecordHash(rest[:end]), true, r.Kind
		if s.first+t.lines >= l.tree.leaves() {
			l.tree.add(prev)
		}
		t.lines++
		t.whole += int64(end) + 1
		rest = rest[end+1:]
	}
	t.prev, t.rest = prev, text[t.whole:]
	return t, nil
}

// lastRecord is where the last line of text that is a record ends, whichever its number; 0: there is none.
func lastRecord(text []byte) int {
	for end := bytes.LastIndexByte(text, '\n'); end >= 0; {
		begin := bytes.LastIndexByte(text[:end], '\n') + 1
		if _, err := parse(text[begin:end]); err == nil {
			return end + 1
		}
		end = begin - 1
	}
	return 0
}

// resume goes on behind the records of the newest file, or in a new one if it is damaged.
func (l *Log) resume(s segment) ([]Entry, error) {
	t, err := l.read(s)
	if err != nil {
		return nil, err
	}
	l.next, l.prev, l.last = s.first+t.lines, t.prev, t.kind
	if t.lines == 0 && s.first > 0 {
		l.last = "unknown" // a file was begun, and there is always a record to follow
		if l.prev, err = l.lastBefore(s.first); err != nil {
			return nil, err
		}
	}
	var found []Entry
	if len(t.rest) > 0 {
		if err := l.keepTorn(t.rest); err != nil {
			return nil, err
		}
		if err := os.Truncate(filepath.Join(l.dir, s.name), t.whole); err != nil {
			return nil, err
		}
		sum := sha256.Sum256(t.rest)
		found = append(found, Torn{Bytes: len(t.rest), Sum: hex.EncodeToString(sum[:]), Acknowledged: l.next < l.signer.size})
	}
	if t.damaged > 0 {
		found = append(found, Damaged{File: s.name, Line: t.damaged})
	}
	if l.next < l.signer.size { // records that a checkpoint vouches for are gone: their numbers are not used again
		l.next = l.signer.size
	}
	if t.damaged > 0 || l.next != s.first+t.lines {
		l.first = l.next
		l.file, err = create(l.dir, segmentName(l.next))
		return found, err
	}
	l.first, l.size = s.first, t.whole
	if l.file, err = os.OpenFile(filepath.Join(l.dir, s.name), os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	return found, l.file.Sync()
}

// lastBefore is the hash of the last line of the file before the one that begins at number: that one was just begun.
func (l *Log) lastBefore(number int64) (tlog.Hash, error) {
	hashes, err := l.tree.ReadHashes([]int64{tlog.StoredHashIndex(0, number-1)})
	if err != nil {
		return tlog.Hash{}, err
	}
	return hashes[0], nil
}

// keepTorn puts bytes that are no record aside.
func (l *Log) keepTorn(bytes []byte) error {
	return replace(l.dir, fmt.Sprintf("torn-%012d", l.next), bytes, 0o600)
}
