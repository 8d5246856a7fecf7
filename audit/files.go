package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func segmentName(first int64) string { return fmt.Sprintf("records-%012d.jsonl", first) }

// segment is a file of records.
type segment struct {
	name  string
	first int64
	size  int64
}

// segments lists the files of records in dir, oldest first.
func segments(dir fs.FS) ([]segment, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, err
	}
	var all []segment
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), "records-")
		if !ok {
			continue
		}
		number, ok = strings.CutSuffix(number, ".jsonl")
		first, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil || first < 0 {
			return nil, fmt.Errorf("%s is not named like a file of records", e.Name())
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		all = append(all, segment{e.Name(), first, info.Size()})
	}
	slices.SortFunc(all, func(a, b segment) int { return int(a.first - b.first) })
	return all, nil
}

// create makes a file that is not there yet, on disk with its name.
func create(dir, name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syncFolder(dir); err != nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
		return nil, err
	}
	return f, nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// replace writes a whole file so that either the old or the new one is there, whatever happens.
func replace(dir, name string, text []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(dir, "."+name+"-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncFolder(dir)
}
