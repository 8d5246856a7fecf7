//go:build unix

package gateway

import (
	"os"
	"syscall"
)

// likeParent gives path the owner of the folder parent, so that root at a terminal can leave a code for a gateway that runs
// as somebody else. For anybody but root it does nothing.
func likeParent(path, parent string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(parent)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(path, int(st.Uid), int(st.Gid))
}
