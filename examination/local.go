package examination

import (
	"errors"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"scanside/diagnosis"
)

// local looks at what this machine itself knows: device, carrier, address. False: it goes no further.
func (e *examination) local() bool {
	if e.cfg.Interface == "" {
		return e.bound()
	}
	e.found.IsInterface = true
	name := e.cfg.Interface
	for _, l := range []diagnosis.Layer{diagnosis.Device, diagnosis.Carrier, diagnosis.Address} {
		e.found.Layers[l].Subject = name
	}
	dev, err := netlink.LinkByName(name)
	var absent netlink.LinkNotFoundError
	switch {
	case errors.As(err, &absent):
		e.failed(diagnosis.Device, diagnosis.Absent, "there is no such interface")
		return false
	case err != nil: // the kernel may not be asked here: the rest still can be tried
		e.unseen(diagnosis.Device, "the kernel does not say: "+err.Error())
		return true
	}
	attrs := dev.Attrs()
	e.ok(diagnosis.Device, "it is there")
	switch flags := attrs.RawFlags; {
	case flags&unix.IFF_UP == 0:
		e.failed(diagnosis.Carrier, diagnosis.SwitchedOff, "it is switched off")
		return false
	case flags&unix.IFF_RUNNING == 0:
		e.failed(diagnosis.Carrier, diagnosis.NoSignal, "no signal")
		return false
	}
	e.ok(diagnosis.Carrier, "there is a signal")
	addrs, err := netlink.AddrList(dev, netlink.FAMILY_ALL)
	if err != nil {
		e.unseen(diagnosis.Address, "the kernel does not say: "+err.Error())
		return true
	}
	if !e.address(addrs) {
		return false
	}
	return e.nextHop(attrs, addrs)
}

// bound is local for an uplink that is an address: whether the machine has it.
func (e *examination) bound() bool {
	all, err := e.cfg.Net.Interfaces()
	if err != nil {
		e.failed(diagnosis.Address, diagnosis.NoLease, err.Error())
		return true // it may be emulated in a way that has no interfaces
	}
	for _, i := range all {
		if addrs, err := i.Addrs(); err == nil && len(addrs) > 0 {
			e.found.Layers[diagnosis.Address].Subject = i.Name
			e.ok(diagnosis.Address, addrs[0].String())
			return true
		}
	}
	return true
}

func (e *examination) address(addrs []netlink.Addr) bool {
	var made string
	for _, a := range addrs {
		ip, _ := netip.AddrFromSlice(a.IP)
		ip = ip.Unmap()
		switch {
		case ip.IsLinkLocalUnicast():
			if ip.Is4() {
				made = ip.String()
			}
		case ip.IsValid():
			e.ok(diagnosis.Address, ip.String())
			return true
		}
	}
	if made != "" {
		e.failed(diagnosis.Address, diagnosis.SelfAssigned, made)
		return false
	}
	e.failed(diagnosis.Address, diagnosis.NoLease, "it has none")
	return false
}

// nextHop finds where packets to the far end go by this interface, in all routing tables: an uplink may have one of its own.
// False: nowhere.
func (e *examination) nextHop(attrs *netlink.LinkAttrs, addrs []netlink.Addr) bool {
	const direct = unix.IFF_POINTOPOINT | unix.IFF_NOARP | unix.IFF_LOOPBACK
	filter := &netlink.Route{LinkIndex: attrs.Index, Table: unix.RT_TABLE_UNSPEC}
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, filter, netlink.RT_FILTER_OIF|netlink.RT_FILTER_TABLE)
	if err != nil {
		e.unseen(diagnosis.Router, "the kernel does not say: "+err.Error())
		return true
	}
	router, direction := choose(routes, e.cfg.Addresses)
	e.router = router
	f := &e.found.Layers[diagnosis.Router]
	switch {
	case direction == nowhere:
		e.failed(diagnosis.Router, diagnosis.NoRoute, "no route by "+attrs.Name)
		return false
	case !router.IsValid() && attrs.RawFlags&direct != 0:
		e.unseen(diagnosis.Router, "this kind of line has no router of its own")
	case !router.IsValid():
		e.unseen(diagnosis.Router, "the far end is on the uplink's own network")
	default:
		f.Subject = router.String()
		e.router = router
		if router.IsLinkLocalUnicast() {
			e.router = router.WithZone(attrs.Name)
		}
	}
	e.onLink(addrs)
	return true
}

// onLink remembers which name servers are no proof of a line behind the router.
func (e *examination) onLink(addrs []netlink.Addr) {
	for _, a := range addrs {
		if ip, ok := netip.AddrFromSlice(a.IP); ok {
			ones, _ := a.Mask.Size()
			e.near = append(e.near, netip.PrefixFrom(ip.Unmap(), ones))
		}
	}
}

// isNear reports whether an address is the router, this machine or on the uplink's own network.
func (e *examination) isNear(ip netip.Addr) bool {
	return ip.IsLoopback() || ip == e.router || slices.ContainsFunc(e.near, func(p netip.Prefix) bool { return p.Contains(ip) })
}

type direction uint8

const (
	nowhere direction = iota
	out
)

// choose picks the most specific route to one of the far end's addresses, or a default route when none is known, and says
// through which router it goes; invalid: none, the destination is a neighbour.
func choose(routes []netlink.Route, far []netip.Addr) (router netip.Addr, to direction) {
	best := -1
	for _, r := range routes {
		if r.Type != unix.RTN_UNICAST && r.Type != 0 {
			continue
		}
		bits, leads := leadsTo(r.Dst, far)
		if !leads || bits < best || bits == best && router.IsValid() {
			continue
		}
		best, to = bits, out
		router = gateway(r)
	}
	return router, to
}

// leadsTo reports whether a destination holds one of far, and how specific it is.
func leadsTo(dst *net.IPNet, far []netip.Addr) (bits int, ok bool) {
	if dst != nil {
		bits, _ = dst.Mask.Size()
	}
	if len(far) == 0 {
		return bits, bits == 0
	}
	for _, ip := range far {
		if dst == nil || dst.Contains(ip.AsSlice()) || bits == 0 && (dst.IP.To4() != nil) == ip.Is4() {
			return bits, true
		}
	}
	return 0, false
}

func gateway(r netlink.Route) netip.Addr {
	gw := r.Gw
	if via, ok := r.Via.(*netlink.Via); ok && len(gw) == 0 {
		gw = via.Addr
	}
	ip, _ := netip.AddrFromSlice(gw)
	return ip.Unmap()
}
