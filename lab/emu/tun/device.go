package tun

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// mtu is the largest packet a device gives us: Ethernet's, which `ip link` shows unless told otherwise.
const mtu = 1500

// Open makes a TUN device in a network namespace (a name that `ip netns` knows). It is down and has no address yet. The
// file reads and writes one IP packet at a time; Close ends a waiting Read and removes the device.
func Open(namespace, device string) (*os.File, error) {
	var f *os.File
	err := Within(namespace, func() (err error) {
		f, err = open(device)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open TUN device %s in namespace %s: %w", device, namespace, err)
	}
	return f, nil
}

func open(device string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("%w (is the tun driver there, and are we root?)", err)
	}
	req, err := unix.NewIfreq(device)
	if err == nil {
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), device), nil
}

// Within calls do on a thread that is in the namespace. Sockets and devices that do opens stay there; goroutines it starts
// do not.
func Within(namespace string, do func() error) error {
	result := make(chan error, 1)
	go func() {
		// Never unlocked: the thread is thrown away, which is simpler and safer than leading it back.
		runtime.LockOSThread()
		result <- func() error {
			ns, err := os.Open("/run/netns/" + namespace)
			if err != nil {
				return err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("enter the namespace: %w", err)
			}
			return do()
		}()
	}()
	return <-result
}
