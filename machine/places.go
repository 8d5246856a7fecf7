package machine

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"scanside/doctor"
)

// Place looks at a file or folder, as this process may use it.
func Place(what, path string, kind doctor.Kind) doctor.Place {
	p := doctor.Place{What: what, Path: path, Kind: kind}
	info, err := os.Stat(path)
	if err != nil {
		p.Exists = !errors.Is(err, os.ErrNotExist)
		return p
	}
	p.Exists, p.Mode = true, uint32(info.Mode().Perm())
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		p.Owner, p.Group = userName(st.Uid), groupName(st.Gid)
	}
	p.MayRead = unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK, unix.AT_EACCESS) == nil
	p.MayWrite = unix.Faccessat(unix.AT_FDCWD, path, unix.W_OK, unix.AT_EACCESS) == nil
	return p
}

// Devices looks at the files of the cameras and sound devices that are there: one answer a kind, the worst. Of a kind that is not
// there, nothing can be said.
func Devices(camera, microphone, loudspeaker bool) []doctor.Place {
	return devices("/", camera, microphone, loudspeaker)
}

func devices(root string, camera, microphone, loudspeaker bool) []doctor.Place {
	var all []doctor.Place
	for _, kind := range []struct {
		wanted        bool
		what, pattern string
	}{{camera, "camera", "dev/video*"}, {microphone, "microphone", "dev/snd/pcmC*D*c"}, {loudspeaker, "loudspeaker", "dev/snd/pcmC*D*p"}} {
		if !kind.wanted {
			continue
		}
		var worst doctor.Place
		files, _ := filepath.Glob(filepath.Join(root, kind.pattern))
		for _, f := range files {
			if p := Place(kind.what, f, doctor.DeviceFile); !worst.Exists || worst.MayRead && worst.MayWrite {
				worst = p
			}
		}
		if worst.Exists {
			all = append(all, worst)
		}
	}
	return all
}

// User names who this process is.
func User() string { return userName(uint32(os.Geteuid())) }

func userName(id uint32) string {
	if u, err := user.LookupId(strconv.Itoa(int(id))); err == nil {
		return u.Username
	}
	return "user " + strconv.Itoa(int(id))
}

func groupName(id uint32) string {
	if g, err := user.LookupGroupId(strconv.Itoa(int(id))); err == nil {
		return g.Name
	}
	return strconv.Itoa(int(id))
}

// Bind tries to bind a socket to an interface, sends nothing, and closes it.
func Bind(iface string) doctor.Bind {
	b := doctor.Bind{Interface: iface}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Done, b.Why = doctor.No, err.Error()
		return b
	}
	defer unix.Close(fd)
	switch err := unix.BindToDevice(fd, iface); {
	case err == nil:
		b.Done = doctor.Yes
	case errors.Is(err, unix.ENODEV):
	default:
		b.Done, b.Why = doctor.No, strings.TrimSpace(err.Error())
	}
	return b
}
