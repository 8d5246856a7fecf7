package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// MarkExported notes in a log's folder that records before until were copied elsewhere. It never goes back.
func MarkExported(dir string, until int64) error {
	before, err := exported(dir)
	if err != nil || until <= before {
		return err
	}
	return replace(dir, "exported", []byte(strconv.FormatInt(until, 10)+"\n"), 0o600)
}

func exported(dir string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(dir, "exported"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	until, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || until < 0 {
		return 0, fmt.Errorf("%s does not hold a record's number: export the log once more", filepath.Join(dir, "exported"))
	}
	return until, nil
}

// Room is how much of the log there is against what may be kept.
type Room struct {
	Bytes    int64 // of records
	Exported int64 // records before this number were copied elsewhere
	Over     bool  // more than Options.Keep, and what is too much was not exported: somebody should export it
}

// Prune deletes the oldest files of records while the log is larger than Options.Keep, as far as they were exported and a
// checkpoint vouches for them, and says so in a record. Their hashes stay, so that all checkpoints can be verified on.
func (l *Log) Prune() (Room, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return Room{}, os.ErrClosed
	}
	room, err := l.prune()
	if err != nil {
		err = fmt.Errorf("make room in the audit log in %s: %w", l.dir, err)
	}
	return room, err
}

func (l *Log) prune() (Room, error) {
	all, err := segments(os.DirFS(l.dir))
	if err != nil {
		return Room{}, err
	}
	var room Room
	for _, s := range all {
		room.Bytes += s.size
	}
	if room.Exported, err = exported(l.dir); err != nil {
		return room, err
	}
	from, until := all[0].first, all[0].first
	free := room.Bytes
	for i := 0; i+1 < len(all) && free > l.opt.Keep && all[i+1].first <= min(room.Exported, l.signer.size); i++ {
		until = all[i+1].first
		free -= all[i].size
	}
	room.Over = free > l.opt.Keep
	if until == from {
		return room, nil
	}
	if _, err := l.append([]Entry{Deleted{From: from, Until: until}}); err != nil { // said first: the word is true either way
		return room, err
	}
	for _, s := range all {
		if s.first < until {
			if err := os.Remove(filepath.Join(l.dir, s.name)); err != nil {
				return room, err
			}
			room.Bytes -= s.size
		}
	}
	return room, syncFolder(l.dir)
}
