package link

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

const (
	// attemptPause is between two attempts of one dial at different addresses (RFC 8305 section 5).
	attemptPause = 250 * time.Millisecond
	// againAfter is between two attempts at the same address. The kernel sends a lost SYN again after 1, 3 and 7 s: on an
	// uplink that comes back in the middle that alone would be longer than G12 allows a whole recovery.
	againAfter = 500 * time.Millisecond
)

var errNoAddress = errors.New("the name has no address")

// race connects to the first of addrs that answers. It begins with the first and goes on to the next when that one failed, or
// while it is silent; silent addresses get one more
// attempt every half second. Every other attempt is undone.
func race(ctx context.Context, addrs []netip.AddrPort, dial func(context.Context, netip.AddrPort) (net.Conn, error)) (net.Conn, netip.AddrPort, error) {
	ctx, cancel := context.WithCancel(ctx)
	type outcome struct {
		conn net.Conn
		to   int
		err  error
	}
	outcomes := make(chan outcome)
	flying := 0
	defer func() { // an attempt that wins too late is hung up on
		cancel()
		for ; flying > 0; flying-- {
			if o := <-outcomes; o.conn != nil {
				_ = o.conn.Close()
			}
		}
	}()
	failed := make([]error, len(addrs))
	left := len(addrs)
	next := 0
	pause := max(attemptPause, againAfter/time.Duration(max(len(addrs), 1)))
	if len(addrs) == 1 {
		pause = againAfter
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for left > 0 {
		select {
		case <-timer.C:
			for failed[next%len(addrs)] != nil {
				next++
			}
			i := next % len(addrs)
			next++
			flying++
			go func() {
				c, err := dial(ctx, addrs[i])
				outcomes <- outcome{c, i, err}
			}()
			timer.Reset(pause)
		case o := <-outcomes:
			flying--
			if o.err == nil {
				return o.conn, addrs[o.to], nil
			}
			if failed[o.to] == nil && ctx.Err() == nil {
				failed[o.to] = o.err
				left--
				timer.Reset(0)
			}
		case <-ctx.Done():
			return nil, netip.AddrPort{}, context.Cause(ctx)
		}
	}
	if len(addrs) == 0 {
		return nil, netip.AddrPort{}, errNoAddress
	}
	return nil, netip.AddrPort{}, telling(failed)
}

// telling is the first error that is about more than an uplink without that family of addresses.
func telling(all []error) error {
	for _, err := range all {
		if !errors.Is(err, syscall.ENETUNREACH) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
			return err
		}
	}
	return all[0]
}
