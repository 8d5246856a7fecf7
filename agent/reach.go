package agent

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	go_qr "github.com/piglig/go-qr"

	"scanside/agent/status"
	"scanside/doctor"
	"scanside/machine"
)

const (
	reachEvery = 10 * time.Second // addresses change when somebody plugs something in
	qrScale    = 4                // units of a module in the drawing
	qrQuiet    = 4                // modules of margin (ISO/IEC 18004: at least four)

	// avahiSocket is there while Debian's mDNS answers to the machine's name.
	avahiSocket = "/run/avahi-daemon/socket"
)

// watchReach keeps it known where the page can be opened, and how the clock is kept, until ctx ends.
func (a *Agent) watchReach(ctx context.Context) {
	select {
	case <-a.ready: // where it listens is not known before
	case <-ctx.Done():
	}
	for ctx.Err() == nil {
		r := a.reachNow()
		a.reach.Store(&r)
		c := viewClock(machine.Clock().Judge(time.Now()))
		a.clock.Store(&c)
		pause(ctx, reachEvery)
	}
}

func (a *Agent) viewReach() status.Reach {
	if r := a.reach.Load(); r != nil {
		return *r
	}
	return status.Reach{URLs: []string{}}
}

func (a *Agent) viewClock() status.Clock {
	if c := a.clock.Load(); c != nil {
		return *c
	}
	return status.Clock{Level: status.Unknown, Sentence: "The clock has not been looked at yet."}
}

func viewClock(c doctor.Check) status.Clock {
	level := map[doctor.Result]status.Level{doctor.Passed: status.OK, doctor.Failed: status.Warning}[c.Result]
	return status.Clock{Level: cmp.Or(level, status.Unknown), Sentence: c.Sentence, Do: c.Do}
}

// reachNow says where the page listens, in addresses that a browser takes.
func (a *Agent) reachNow() status.Reach {
	r := status.Reach{URLs: []string{}}
	local, scheme, here := "", "https", a.SecureAddr()
	if here == nil {
		scheme, here = "http", a.StatusAddr()
	}
	if here == nil {
		return r
	}
	addr, err := netip.ParseAddrPort(here.String())
	if err != nil {
		return r
	}
	names := slices.Clone(a.cfg.Status.Names)
	switch {
	case addr.Addr().IsLoopback():
		local = pageURL(scheme, addr.String())
	case addr.Addr().IsUnspecified():
		for _, ip := range pageAddresses() {
			r.URLs = append(r.URLs, pageURL(scheme, netip.AddrPortFrom(ip, addr.Port()).String()))
		}
	default:
		r.URLs = append(r.URLs, pageURL(scheme, addr.String()))
	}
	if local == "" {
		for _, name := range names {
			r.URLs = append(r.URLs, pageURL(scheme, net.JoinHostPort(name, here.String()[strings.LastIndex(here.String(), ":")+1:])))
		}
	}
	r.LocalName = localName(names)
	return tellReach(r, local)
}

// tellReach says it in words and draws the first address.
func tellReach(r status.Reach, local string) status.Reach {
	if len(r.URLs) == 0 {
		r.Sentence = "This page opens on the box itself alone"
		if local != "" {
			r.Sentence += ", at " + local
		}
		r.Sentence += "."
		return r
	}
	r.Sentence = "Another phone in the same network opens this page at " + r.URLs[0] + ". It needs no internet."
	if code, err := go_qr.EncodeText(r.URLs[0], go_qr.Medium); err == nil {
		r.QR, _ = code.ToSVGBytes(go_qr.NewQrCodeImgConfig(qrScale, qrQuiet, go_qr.WithOptimalSVG()))
	}
	return r
}

func pageURL(scheme, host string) string { return scheme + "://" + host + "/" }

// localName says whether the box answers to a name of its own without a name server (mDNS, RFC 6762).
func localName(names []string) string {
	host, err := os.Hostname()
	if err != nil {
		return ""
	}
	name := strings.ToLower(host) + ".local"
	_, err = os.Stat(avahiSocket)
	switch {
	case err != nil:
		return "It has no .local name: avahi-daemon does not run on this box."
	case slices.Contains(names, name):
		return "It also answers to " + name + "."
	}
	return "avahi-daemon answers to " + name + "; add it to status.names, and the page will too."
}

// pageAddresses are those by which other machines may reach this one, private ones first, IPv4 first.
func pageAddresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var ips []netip.Addr
	for _, one := range all {
		prefix, err := netip.ParsePrefix(one.String())
		if err != nil {
			continue
		}
		if ip := prefix.Addr(); !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			ips = append(ips, ip)
		}
	}
	rank := func(ip netip.Addr) int {
		n := 0
		if !ip.Is4() {
			n++
		}
		if !ip.IsPrivate() {
			n += 2
		}
		return n
	}
	slices.SortStableFunc(ips, func(x, y netip.Addr) int { return cmp.Or(cmp.Compare(rank(x), rank(y)), x.Compare(y)) })
	return ips
}
