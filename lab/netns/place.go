package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"scanside/lab/emu/tun"
	"scanside/lab/scenario"
)

// prefix of every namespace's name; then the lab's process id.
const prefix = "scanside-"

// Addresses. The far end's own is on an interface of its own, reached over either uplink.
const farAddress = "10.99.0.1"

func roomAddress(i int) string { return fmt.Sprintf("10.77.%d.1", i+1) }
func farPeer(i int) string     { return fmt.Sprintf("10.77.%d.2", i+1) }

// place is the two namespaces with their addresses and routes.
type place struct {
	room, far string
	uplinks   []string
}

// newPlace makes the namespaces; devices come with the emulator.
func newPlace() (*place, error) {
	p := &place{room: prefix + itoa(os.Getpid()) + "-room", far: prefix + itoa(os.Getpid()) + "-far"}
	err := errors.Join(
		ip("netns", "add", p.room), ip("netns", "add", p.far),
		ip("-n", p.room, "link", "set", "lo", "up"), ip("-n", p.far, "link", "set", "lo", "up"),
		// The far end's address is on a pair of virtual cables' one end, for programs do not offer a loopback's address.
		ip("-n", p.far, "link", "add", "wan0", "type", "veth", "peer", "name", "wan1"),
		ip("-n", p.far, "addr", "add", farAddress+"/24", "dev", "wan0"),
		ip("-n", p.far, "link", "set", "wan0", "up"), ip("-n", p.far, "link", "set", "wan1", "up"),
	)
	if err != nil {
		p.remove()
		return nil, fmt.Errorf("make the namespaces: %w", err)
	}
	return p, nil
}

// address gives the emulator's devices addresses and routes. An uplink's device has its name at both ends.
func (p *place) address(uplinks []scenario.Uplink) error {
	var errs []error
	for i, u := range uplinks {
		p.uplinks = append(p.uplinks, u.Name)
		errs = append(errs,
			ip("-n", p.room, "addr", "add", roomAddress(i)+"/24", "dev", u.Name),
			ip("-n", p.far, "addr", "add", farPeer(i)+"/24", "dev", u.Name),
			ip("-n", p.far, "link", "set", u.Name, "up"),
			p.ifUp(u.Name),
		)
	}
	return errors.Join(errs...)
}

// ifUp brings an interface of the room up and adds its route to the far end, as a DHCP client would.
func (p *place) ifUp(uplink string) error {
	metric := 100
	for i, name := range p.uplinks {
		if name == uplink {
			metric += i
		}
	}
	return errors.Join(
		ip("-n", p.room, "link", "set", uplink, "up"),
		ip("-n", p.room, "route", "replace", farAddress, "dev", uplink, "metric", itoa(metric)),
	)
}

// ownRoutes gives each uplink a routing table, so that what is sent from its address leaves by it. Our own programs bind
// their sockets to the device and need none; others do.
func (p *place) ownRoutes() error {
	var errs []error
	for i, name := range p.uplinks {
		table := itoa(100 + i)
		errs = append(errs,
			ip("-n", p.room, "route", "add", "default", "dev", name, "table", table),
			ip("-n", p.room, "rule", "add", "from", roomAddress(i), "lookup", table),
		)
	}
	return errors.Join(errs...)
}

// ifDown takes an interface of the room down; the kernel takes its routes away.
func (p *place) ifDown(uplink string) error { return ip("-n", p.room, "link", "set", uplink, "down") }

// fullSockets is how many datagrams found a full socket in a namespace (RFC 4113 udpInErrors; Linux' RcvbufErrors).
func fullSockets(namespace string) (n uint64, err error) {
	err = tun.Within(namespace, func() error {
		text, err := os.ReadFile("/proc/thread-self/net/snmp")
		if err != nil {
			return err
		}
		var names []string
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) == 0 || fields[0] != "Udp:" {
				continue
			}
			if names == nil {
				names = fields
				continue
			}
			n, err = strconv.ParseUint(fields[slices.Index(names, "RcvbufErrors")], 10, 64)
			return err
		}
		return errors.New("/proc/net/snmp has no line for UDP")
	})
	return n, err
}

// remove takes the namespaces away with everything in them.
func (p *place) remove() {
	for _, ns := range []string{p.room, p.far} {
		_ = exec.Command("ip", "netns", "del", ns).Run() // one that was never made is no matter
	}
}

// sweep removes the namespaces of labs that are no more.
func sweep() {
	entries, err := os.ReadDir("/run/netns")
	if err != nil {
		return // nobody ever made one
	}
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), prefix)
		pid, _, named := strings.Cut(rest, "-")
		if !ours || !named {
			continue
		}
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, os.ErrNotExist) {
			_ = exec.Command("ip", "netns", "del", e.Name()).Run()
		}
	}
}
