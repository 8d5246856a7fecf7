package link

import (
	"context"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// resubscribePause keeps a broken netlink socket from being reopened in a tight loop.
const resubscribePause = 100 * time.Millisecond

// WatchCarrier calls f with the interface's state now and at every change until ctx ends (then it returns nil): up means
// that the interface exists, is switched on and has carrier (IFF_UP and IFF_RUNNING, netdevice(7)). It blocks, and f is
// called from it, never twice with the same state.
func WatchCarrier(ctx context.Context, iface string, f func(up bool)) error {
	state, known := false, false
	tell := func(up bool) {
		if !known || up != state {
			state, known = up, true
			f(up)
		}
	}
	for {
		// It returns without an error when the kernel dropped messages because the reader was slow (ENOBUFS, netlink(7)):
		// subscribing again lists the present state.
		if err := watchOnce(ctx, iface, tell); err != nil {
			return fmt.Errorf("watch carrier of %s: %w", iface, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(resubscribePause):
		}
	}
}

func watchOnce(ctx context.Context, iface string, tell func(up bool)) error {
	updates := make(chan netlink.LinkUpdate, 16)
	done := make(chan struct{})
	err := netlink.LinkSubscribe(updates, done)
	if err != nil {
		close(done)
		return err
	}
	defer func() {
		close(done)
		for range updates { // the library closes the channel when its reader has left
		}
	}()
	tell(hasCarrier(iface)) // after subscribing, so that no change in between is missed
	for {
		select {
		case <-ctx.Done():
			return nil
		case u, ok := <-updates:
			if !ok {
				return nil
			}
			if u.Link.Attrs().Name == iface {
				tell(u.Header.Type != unix.RTM_DELLINK && running(u.IfInfomsg.Flags))
			}
		}
	}
}

func hasCarrier(iface string) bool {
	l, err := netlink.LinkByName(iface)
	return err == nil && running(l.Attrs().RawFlags)
}

func running(flags uint32) bool {
	const both = unix.IFF_UP | unix.IFF_RUNNING
	return flags&both == both
}
