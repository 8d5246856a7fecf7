package machine

import (
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"scanside/doctor"
)

// timeError is adjtimex(2)'s word for a clock that nothing keeps right.
const timeError = 5

// timesyncMark is put there by systemd-timesyncd when it has set the clock in this boot.
const timesyncMark = "run/systemd/timesync/synchronized"

// Clock asks the kernel whether the clock is kept right.
func Clock() doctor.Clock {
	var t unix.Timex // Modes 0: nothing is set
	state, err := unix.Adjtimex(&t)
	return clock(state, t, err, "/")
}

func clock(state int, t unix.Timex, err error, root string) doctor.Clock {
	var c doctor.Clock
	_, mark := os.Stat(filepath.Join(root, timesyncMark))
	switch {
	case err == nil && state != timeError && t.Status&unix.STA_UNSYNC == 0:
		c.Synced, c.Error = doctor.Yes, time.Duration(t.Maxerror)*time.Microsecond
	case err == nil:
		c.Synced = doctor.No
	case mark == nil:
		c.Synced = doctor.Yes
	}
	return c
}
