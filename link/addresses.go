package link

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
)

// WatchAddresses calls f with the interface's addresses (link-local ones left out, sorted) now and at every change until ctx ends
// (then it returns nil). An interface that does not exist has none. It blocks, and f is called from it, never twice with the same.
func WatchAddresses(ctx context.Context, iface string, f func([]netip.Addr)) error {
	var last []netip.Addr
	known := false
	look := func() {
		now := addressesOf(iface)
		if !known || !slices.Equal(now, last) {
			last, known = now, true
			f(now)
		}
	}
	for {
		if err := watchAddressesOnce(ctx, look); err != nil {
			return fmt.Errorf("watch addresses of %s: %w", iface, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(resubscribePause):
		}
	}
}

// watchAddressesOnce looks after every message. It returns without an error when the kernel dropped some, as watchOnce.
func watchAddressesOnce(ctx context.Context, look func()) error {
	updates := make(chan netlink.AddrUpdate, 16)
	done := make(chan struct{})
	if err := netlink.AddrSubscribe(updates, done); err != nil {
		close(done)
		return err
	}
	defer func() {
		close(done)
		for range updates { // the library closes the channel when its reader has left
		}
	}()
	look() // after subscribing, so that no change in between is missed
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-updates:
			if !ok {
				return nil
			}
			look()
		}
	}
}

func addressesOf(iface string) []netip.Addr {
	ifc, err := net.InterfaceByName(iface)
	if err != nil {
		return nil
	}
	all, err := ifc.Addrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range all {
		ipn, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if ip, ok := netip.AddrFromSlice(ipn.IP); ok && !ip.IsLinkLocalUnicast() {
			out = append(out, ip.Unmap())
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}

// LocalAddrs are the addresses of this machine that the session's media leaves from now.
func (s *Session) LocalAddrs() []netip.Addr {
	halves := []*half{s.pub}
	if p := s.nowPlaying(); p != nil {
		halves = append(halves, p.half)
	}
	var out []netip.Addr
	for _, h := range halves {
		pair, err := h.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
		if err != nil || pair == nil {
			continue
		}
		text := pair.Local.Address
		if pair.Local.RelatedAddress != "" { // of what a STUN server or a relay sees: the socket's own
			text = pair.Local.RelatedAddress
		}
		if ip, err := netip.ParseAddr(text); err == nil && !slices.Contains(out, ip.Unmap()) {
			out = append(out, ip.Unmap())
		}
	}
	return out
}
