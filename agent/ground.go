package agent

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"scanside/link"
)

// watchCarrier posts what the interface says of its carrier. Where it cannot be known, probes alone decide.
func (a *Agent) watchCarrier(ctx context.Context, u *uplink) {
	if u.cfg.Interface == "" || !a.real {
		return
	}
	err := link.WatchCarrier(ctx, u.cfg.Interface, func(up bool) {
		a.loop.post(event{kind: carrier, link: u.index, on: up})
	})
	if err != nil && ctx.Err() == nil {
		a.log.Warn("carrier cannot be watched; probes alone decide", "link", u.cfg.Name, "err", err)
	}
}

// watchAddresses tells the uplink what addresses its interface has. Where it cannot be known, probes alone decide.
func (a *Agent) watchAddresses(ctx context.Context, u *uplink) {
	if u.cfg.Interface == "" || !a.real {
		return
	}
	if err := link.WatchAddresses(ctx, u.cfg.Interface, u.addressed); err != nil && ctx.Err() == nil {
		a.log.Warn("addresses cannot be watched; probes alone decide", "link", u.cfg.Name, "err", err)
	}
}

// addressed notes what addresses the interface has now. Any goroutine may call it.
func (u *uplink) addressed(now []netip.Addr) {
	u.here.Store(&now)
	select {
	case u.moved <- struct{}{}:
	default:
	}
}

// astray is an error when the address that c sends from is not the interface's any more: a lease that ended, another network behind
// the same cable. Its sockets are dead then, though the carrier is up. A new session is dialled rather than ICE restarted in the
// old one: that would save two round trips of seven (DTLS), works with some far ends only, and the other uplink carries meanwhile.
func (u *uplink) astray(c *conn) error {
	here := u.here.Load()
	if here == nil {
		return nil
	}
	for _, at := range c.session.LocalAddrs() {
		if !slices.Contains(*here, at) {
			now := "it has none now"
			if len(*here) > 0 {
				now = "it is " + (*here)[0].String() + " now"
			}
			return fmt.Errorf("%s is not the address of %s any more, %s", at, u.cfg.Interface, now)
		}
	}
	return nil
}

// absent reports whether the uplink's interface does not exist now.
func (u *uplink) absent() bool {
	if !u.real || u.cfg.Interface == "" {
		return false
	}
	_, err := net.InterfaceByName(u.cfg.Interface)
	return err != nil
}
