package link

import (
	"fmt"
	"net"

	"github.com/pion/transport/v5"
)

// Interfaces implements transport.Net: this uplink's interface with this uplink's addresses and nothing else, so that
// ICE gathers no candidate that would leave by another way.
func (n *BoundNet) Interfaces() ([]*transport.Interface, error) {
	if n.iface != "" {
		ifc, err := net.InterfaceByName(n.iface)
		if err != nil {
			return nil, fmt.Errorf("interface %s is not there; is it plugged in and spelled right? `ip link` lists what is", n.iface)
		}
		return n.describe(*ifc, nil)
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	if !n.addr.IsValid() {
		return n.describeAll(all)
	}
	for _, ifc := range all {
		addrs, err := ifc.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			ipn, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			// All of 127.0.0.0/8 belongs to the loopback interface though it lists only 127.0.0.1.
			loopback := n.addr.IsLoopback() && ifc.Flags&net.FlagLoopback != 0 && ipn.Contains(n.addr.AsSlice())
			if loopback || ipn.IP.Equal(n.addr.AsSlice()) {
				return n.describe(ifc, &net.IPNet{IP: n.addr.AsSlice(), Mask: ipn.Mask})
			}
		}
	}
	return nil, fmt.Errorf("no interface has the address %v now; `ip address` lists them", n.addr)
}

// describeAll lists a host's interfaces.
func (n *BoundNet) describeAll(all []net.Interface) (out []*transport.Interface, _ error) {
	for _, ifc := range all {
		if one, err := n.describe(ifc, nil); err == nil {
			out = append(out, one...)
		}
	}
	return out, nil
}

// describe lists one interface with the given address, or with all of its own.
func (n *BoundNet) describe(ifc net.Interface, only *net.IPNet) ([]*transport.Interface, error) {
	out := transport.NewInterface(ifc)
	if only != nil {
		out.AddAddress(only)
		return []*transport.Interface{out}, nil
	}
	addrs, err := ifc.Addrs()
	if err != nil {
		return nil, fmt.Errorf("addresses of interface %s: %w", ifc.Name, err)
	}
	for _, a := range addrs {
		// A link-local address reaches no far end behind a router.
		if ipn, ok := a.(*net.IPNet); ok && !ipn.IP.IsLinkLocalUnicast() {
			out.AddAddress(a)
		}
	}
	return []*transport.Interface{out}, nil
}

// InterfaceByIndex implements transport.Net.
func (n *BoundNet) InterfaceByIndex(index int) (*transport.Interface, error) {
	return n.find(func(i *transport.Interface) bool { return i.Index == index })
}

// InterfaceByName implements transport.Net.
func (n *BoundNet) InterfaceByName(name string) (*transport.Interface, error) {
	return n.find(func(i *transport.Interface) bool { return i.Name == name })
}

func (n *BoundNet) find(is func(*transport.Interface) bool) (*transport.Interface, error) {
	all, err := n.Interfaces()
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		if is(i) {
			return i, nil
		}
	}
	return nil, transport.ErrInterfaceNotFound
}

// usable says in words why a session over net cannot start now, or nil: an interface that is absent, down, or has no
// address yet is the commonest fault of an uplink, and ICE would only say "no candidates" after its own time-out.
func usable(n Net, loopback bool) error {
	all, err := n.Interfaces()
	if err != nil {
		return err
	}
	var why error
	for _, i := range all {
		addrs, err := i.Addrs()
		switch {
		case i.Flags&net.FlagUp == 0:
			why = fmt.Errorf("interface %s is down", i.Name)
		case err != nil || len(addrs) == 0:
			why = fmt.Errorf("interface %s has no address yet; is there DHCP, or a SIM with data?", i.Name)
		case i.Flags&net.FlagLoopback != 0 && !loopback:
			why = fmt.Errorf("interface %s is the loopback and Loopback is not set", i.Name)
		default:
			return nil
		}
	}
	if why == nil {
		why = fmt.Errorf("the uplink has no interface")
	}
	return why
}
