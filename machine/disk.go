package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"scanside/doctor"
)

const (
	probeSize    = 4 << 10         // a block: what an audit record takes
	probePattern = ".doctor-*"     // gone again at once; what a kill leaves is removed at the next look
	probeWithin  = 2 * time.Second // a disk that takes longer may take for ever
)

// Disk looks at the file system of the state directory, and writes to it.
func Disk(folder string) doctor.Disk {
	d := doctor.Disk{Folder: folder}
	if folder == "" {
		return d
	}
	var s unix.Statfs_t
	if unix.Statfs(existing(folder), &s) == nil {
		d.Known, d.Free, d.Total = true, s.Bavail*uint64(s.Bsize), s.Blocks*uint64(s.Bsize)
	}
	done := make(chan doctor.Disk, 1)
	go func() { // a disk that hangs keeps this goroutine, and nobody else
		took, err := write(folder)
		done <- written(took, err)
	}()
	select {
	case w := <-done:
		d.Written, d.Took, d.Why, d.Absent = w.Written, w.Took, w.Why, w.Absent
	case <-time.After(probeWithin):
		d.Written, d.Took = doctor.Yes, probeWithin
	}
	return d
}

func written(took time.Duration, err error) doctor.Disk {
	switch {
	case err == nil:
		return doctor.Disk{Written: doctor.Yes, Took: took}
	case errors.Is(err, fs.ErrNotExist):
		return doctor.Disk{Absent: true}
	case errors.Is(err, fs.ErrPermission):
		return doctor.Disk{Why: "this user may not"}
	}
	return doctor.Disk{Written: doctor.No, Why: err.Error()}
}

// existing is the folder, or the nearest one above it that is there: the same disk, unless somebody mounts another meanwhile.
func existing(folder string) string {
	for {
		if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) || folder == filepath.Dir(folder) {
			return folder
		}
		folder = filepath.Dir(folder)
	}
}

// write makes one small file last, and removes it.
func write(folder string) (time.Duration, error) {
	left, err := filepath.Glob(filepath.Join(folder, probePattern))
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		return 0, err
	}
	f, err := os.CreateTemp(folder, probePattern)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	_, err = f.Write(make([]byte, probeSize))
	err = errors.Join(err, f.Sync())
	took := time.Since(begun)
	if err = errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return 0, fmt.Errorf("write a small file: %w", err)
	}
	return took, nil
}
