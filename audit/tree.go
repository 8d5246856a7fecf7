package audit

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// tree is RFC 6962's Merkle tree over the records' lines; its inner hashes are in a file, in the order of tlog's stored hashes.
// What is not on disk yet is in memory. What is on disk is trusted up to the newest checkpoint alone.
type tree struct {
	file    *os.File
	size    int64       // leaves on disk
	pending []tlog.Hash // leaves behind them: at most as many as are written between two checkpoints
}

func openTree(dir string, trusted int64) (*tree, error) {
	f, err := os.OpenFile(filepath.Join(dir, "hashes"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	t := &tree{file: f}
	info, err := f.Stat()
	if err == nil && info.Size() >= tlog.StoredHashCount(trusted)*tlog.HashSize {
		t.size = trusted
	}
	if err == nil {
		err = f.Truncate(tlog.StoredHashCount(t.size) * tlog.HashSize)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return t, nil
}

func (t *tree) leaves() int64 { return t.size + int64(len(t.pending)) }

func (t *tree) add(leaf tlog.Hash) { t.pending = append(t.pending, leaf) }

// flush puts the pending leaves on disk.
func (t *tree) flush() error {
	for len(t.pending) > 0 {
		hashes, err := tlog.StoredHashesForRecordHash(t.size, t.pending[0], t)
		if err != nil {
			return err
		}
		var bytes []byte
		for _, h := range hashes {
			bytes = append(bytes, h[:]...)
		}
		if _, err := t.file.WriteAt(bytes, tlog.StoredHashCount(t.size)*tlog.HashSize); err != nil {
			return err
		}
		t.size, t.pending = t.size+1, t.pending[1:]
	}
	t.pending = nil
	return t.file.Sync()
}

// root is the hash of the whole tree, whose hashes are on disk then.
func (t *tree) root() (tlog.Hash, error) {
	if err := t.flush(); err != nil {
		return tlog.Hash{}, err
	}
	return tlog.TreeHash(t.size, t)
}

// ReadHashes implements tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return readHashes(t.file, indexes)
}

func readHashes(r io.ReaderAt, indexes []int64) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if _, err := r.ReadAt(all[i][:], at*tlog.HashSize); err != nil {
			return nil, fmt.Errorf("the file of hashes ends before hash %d: %w", at, err)
		}
	}
	return all, nil
}
