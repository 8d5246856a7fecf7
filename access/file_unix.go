//go:build unix

package access

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// likeFolder gives a file the owner of its folder. For anybody but root it does nothing.
func likeFolder(path, dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(path, int(st.Uid), int(st.Gid))
}

// alone runs work while nobody else changes the users in dir, another process included.
func alone(dir string, work func() error) error {
	folder, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	defer folder.Close() // lets go of the lock
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	return work()
}
