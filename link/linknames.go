package link

import (
	"bufio"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// linkServers are the name servers that the network behind one interface gave to this machine, as whoever set the interface up keeps
// them below root ("/"); none: nobody says. The files are small and read at each look-up, so a lease that changes needs no telling.
// The places are tried in this order and the first that names a server counts:
//
//	run/systemd/resolve/netif/INDEX    what NetworkManager, or `resolvectl dns`, told systemd-resolved: SERVERS=
//	run/systemd/netif/links/INDEX      systemd-networkd's own word, static and by lease: DNS=
//	run/systemd/netif/leases/INDEX     its lease of DHCP: DNS=
//	run/dhcpcd/hook-state/resolv.conf/NAME.*, run/resolvconf/interface{,s}/NAME.*, run/resolvconf/keys/NAME.*    as resolv.conf(5)
//	var/lib/dhcp/dhclient.NAME.leases, var/lib/dhcp/dhclient.leases    dhclient.leases(5), the last lease of the interface
func linkServers(root, name string, index int) []netip.AddrPort {
	number := strconv.Itoa(index)
	for _, at := range []struct{ file, key string }{
		{"run/systemd/resolve/netif/" + number, "SERVERS="},
		{"run/systemd/netif/links/" + number, "DNS="},
		{"run/systemd/netif/leases/" + number, "DNS="},
	} {
		if all := parseKept(readSmall(filepath.Join(root, at.file)), at.key); len(all) > 0 {
			return all
		}
	}
	for _, dir := range []string{"run/dhcpcd/hook-state/resolv.conf", "run/resolvconf/interface", "run/resolvconf/interfaces", "run/resolvconf/keys"} {
		var all []netip.AddrPort
		entries, _ := os.ReadDir(filepath.Join(root, dir)) // sorted; none where there is no such folder
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), name+".") {
				all = append(all, parseResolvConf(bufio.NewScanner(strings.NewReader(readSmall(filepath.Join(root, dir, e.Name())))))...)
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	for _, file := range []string{"dhclient." + name + ".leases", "dhclient.leases"} {
		if all := parseLeases(readSmall(filepath.Join(root, "var/lib/dhcp", file)), name); len(all) > 0 {
			return all
		}
	}
	return nil
}

// keptMost bounds what is read of such a file; dhclient appends to its own for years.
const keptMost = 256 << 10

// readSmall returns a file's last keptMost bytes; "" where there is none.
func readSmall(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text[max(0, len(text)-keptMost):])
}

// parseKept reads systemd's lists: KEY= and servers with a space between, each an address with perhaps a port, an interface and a name for
// TLS: 192.0.2.1, 192.0.2.1:5353, [2001:db8::1]:53%eth0#dns.example.
func parseKept(text, key string) (out []netip.AddrPort) {
	for line := range strings.Lines(text) {
		list, ok := strings.CutPrefix(strings.TrimSpace(line), key)
		if !ok {
			continue
		}
		for _, word := range strings.Fields(list) {
			word, _, _ = strings.Cut(word, "#")
			if !strings.HasPrefix(word, "fe80:") {
				word, _, _ = strings.Cut(word, "%")
			}
			if server, ok := ParseNameserver(word); ok && !server.Addr().IsLoopback() {
				out = append(out, server)
			}
		}
	}
	return out
}

// ParseNameserver reads a name server's address, with or without a port; 53 without.
func ParseNameserver(text string) (netip.AddrPort, bool) {
	if ip, err := netip.ParseAddr(text); err == nil && !ip.IsUnspecified() {
		return netip.AddrPortFrom(ip.Unmap(), 53), true
	}
	server, err := netip.ParseAddrPort(text)
	return server, err == nil && server.Port() != 0 && !server.Addr().IsUnspecified()
}

// parseLeases returns the name servers of the last lease of an interface.
func parseLeases(text, name string) (out []netip.AddrPort) {
	var ours bool
	var servers []netip.AddrPort
	for line := range strings.Lines(text) {
		words := strings.Fields(strings.NewReplacer(",", " ", ";", " ", `"`, " ").Replace(line))
		switch {
		case len(words) == 0:
		case words[0] == "lease" || words[0] == "lease6":
			ours, servers = false, nil
		case words[0] == "interface" && len(words) == 2:
			ours = words[1] == name
		case len(words) > 2 && words[0] == "option" && (words[1] == "domain-name-servers" || words[1] == "dhcp6.name-servers"):
			for _, word := range words[2:] {
				if server, ok := ParseNameserver(word); ok {
					servers = append(servers, server)
				}
			}
		case strings.HasPrefix(line, "}") && ours: // inner blocks of an IPv6 lease are indented
			out = slices.Clone(servers)
		}
	}
	return out
}

// given are the name servers of the network behind n, where n leaves by one interface.
func (n *BoundNet) given() []netip.AddrPort {
	if n.iface == "" && !n.addr.IsValid() {
		return nil
	}
	all, err := n.Interfaces()
	if err != nil || len(all) == 0 {
		return nil
	}
	root := n.names.root
	if root == "" {
		root = "/"
	}
	return linkServers(root, all[0].Name, all[0].Index)
}
