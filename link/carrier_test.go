package link

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// inNamespace runs f on a thread of its own in the network namespace fd, or in a new one if fd is nil. The thread is not
// used again. It returns when f does.
func inNamespace(fd *os.File, f func(fd *os.File) error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		done <- func() error {
			if fd != nil {
				if err := unix.Setns(int(fd.Fd()), unix.CLONE_NEWNET); err != nil {
					return err
				}
				return f(fd)
			}
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return err
			}
			own, err := os.Open("/proc/thread-self/ns/net")
			if err != nil {
				return err
			}
			defer own.Close()
			return f(own)
		}()
	}()
	return <-done
}

// A cable's life as the kernel tells it: absent, plugged, pulled, plugged, gone.
func TestWatchCarrier(t *testing.T) {
	leaks(t)
	err := inNamespace(nil, func(ns *os.File) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		states := make(chan bool, 16)
		watched := make(chan error, 1)
		go func() {
			watched <- inNamespace(ns, func(*os.File) error {
				return WatchCarrier(ctx, "up0", func(up bool) { states <- up })
			})
		}()
		expect := func(step string, want bool) {
			t.Helper()
			select {
			case got := <-states:
				if got != want {
					t.Errorf("%s: up is %v", step, got)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%s: never told", step)
			}
		}
		expect("absent", false)
		pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "up0"}, PeerName: "far0"}
		if err := netlink.LinkAdd(pair); err != nil {
			return err
		}
		far, err := netlink.LinkByName("far0")
		if err != nil {
			return err
		}
		for _, s := range []struct {
			name string
			do   func() error
			up   bool
		}{
			{"switched on and plugged", func() error { return errors.Join(netlink.LinkSetUp(pair), netlink.LinkSetUp(far)) }, true},
			{"pulled", func() error { return netlink.LinkSetDown(far) }, false},
			{"plugged again", func() error { return netlink.LinkSetUp(far) }, true},
			{"switched off", func() error { return netlink.LinkSetDown(pair) }, false},
			{"switched on", func() error { return netlink.LinkSetUp(pair) }, true},
			{"unplugged from the bus", func() error { return netlink.LinkDel(pair) }, false},
		} {
			if err := s.do(); err != nil {
				return err
			}
			expect(s.name, s.up)
		}
		cancel()
		return <-watched
	})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EOPNOTSUPP) {
		t.Skipf("this machine does not allow a network namespace with a veth pair: %v", err)
	}
	must(t, err)
}

// A DHCP client's work as the kernel tells it: an address comes, is replaced while the carrier stays, and goes.
func TestWatchAddresses(t *testing.T) {
	leaks(t)
	err := inNamespace(nil, func(ns *os.File) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		told := make(chan []netip.Addr, 16)
		watched := make(chan error, 1)
		go func() {
			watched <- inNamespace(ns, func(*os.File) error {
				return WatchAddresses(ctx, "up0", func(now []netip.Addr) { told <- now })
			})
		}()
		expect := func(step string, want ...string) {
			t.Helper()
			select {
			case got := <-told:
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s: %v, want %v", step, got, want)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%s: never told", step)
			}
		}
		expect("absent")
		pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "up0"}, PeerName: "far0"}
		if err := errors.Join(netlink.LinkAdd(pair), netlink.LinkSetUp(pair)); err != nil {
			return err
		}
		for _, s := range []struct {
			name string
			do   func(netlink.Link, *netlink.Addr) error
			addr string
			want []string
		}{
			{"a lease", netlink.AddrAdd, "192.0.2.7/24", []string{"192.0.2.7"}},
			{"the next one", netlink.AddrAdd, "192.0.2.9/24", []string{"192.0.2.7", "192.0.2.9"}},
			{"one of them ends", netlink.AddrDel, "192.0.2.9/24", []string{"192.0.2.7"}},
			{"version 6", netlink.AddrAdd, "2001:db8::7/64", []string{"192.0.2.7", "2001:db8::7"}},
		} {
			a, err := netlink.ParseAddr(s.addr)
			if err == nil {
				err = s.do(pair, a)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			expect(s.name, s.want...)
		}
		if err := netlink.LinkDel(pair); err != nil {
			return err
		}
		for got := <-told; len(got) > 0; got = <-told { // they go one by one
		}
		cancel()
		return <-watched
	})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EOPNOTSUPP) {
		t.Skipf("this machine does not allow a network namespace with a veth pair: %v", err)
	}
	must(t, err)
}
