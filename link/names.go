package link

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// resolvedServers is where systemd-resolved lists the uplinks' own name servers (systemd-resolved(8)); the system's
// resolv.conf then names only its stub on the loopback, which a socket bound to an interface cannot reach.
const resolvedServers = "/run/systemd/resolve/resolv.conf"

// knownWait is how long a far end whose address worked before waits for the name servers.
const knownWait = time.Second

// names looks names up over one uplink. The zero value asks the name servers that the uplink's network gave, else the system's.
type names struct {
	next  atomic.Uint32 // which server the next attempt asks
	meter atomic.Pointer[Meter]
	root  string // below which the system keeps what networks gave; "": /

	mu      sync.Mutex
	servers []netip.AddrPort
	last    map[string]netip.Addr // the address of each host that worked last; a handful of far ends
}

// SetNameservers gives the uplink name servers instead of those that its network gave, or the system has. None: these again.
func (n *BoundNet) SetNameservers(servers ...netip.AddrPort) {
	n.names.mu.Lock()
	defer n.names.mu.Unlock()
	n.names.servers = slices.Clone(servers)
}

func (m *names) worked(host string, ip netip.Addr) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last == nil {
		m.last = map[string]netip.Addr{}
	}
	m.last[host] = ip
}

// lookup returns the host's addresses of the uplink's families, the one that worked last if the name servers fail.
func (n *BoundNet) lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	family := "ip"
	if strings.HasSuffix(network, "4") || n.addr.Is4() {
		family = "ip4"
	} else if strings.HasSuffix(network, "6") || n.addr.Is6() {
		family = "ip6"
	}
	n.names.mu.Lock()
	last, known := n.names.last[host]
	n.names.mu.Unlock()
	lookupCtx := ctx
	if known {
		var cancel context.CancelFunc
		lookupCtx, cancel = context.WithTimeout(ctx, knownWait)
		defer cancel()
	}
	resolver := net.Resolver{PreferGo: true, Dial: n.dialNameserver}
	ips, err := resolver.LookupNetIP(lookupCtx, family, host)
	if err == nil && len(ips) > 0 {
		for i := range ips {
			ips[i] = ips[i].Unmap()
		}
		return ips, nil
	}
	if known && ctx.Err() == nil {
		return []netip.Addr{last}, nil
	}
	return nil, fmt.Errorf("look up %s: %w", host, err)
}

// dialNameserver is called by the resolver with the system's server; it connects to this uplink's instead.
func (n *BoundNet) dialNameserver(ctx context.Context, network, address string) (net.Conn, error) {
	n.names.mu.Lock()
	servers := n.names.servers
	n.names.mu.Unlock()
	if len(servers) == 0 {
		servers = n.given()
	}
	if len(servers) == 0 {
		system, err := netip.ParseAddrPort(address)
		if err != nil {
			return nil, fmt.Errorf("name server %q: %w", address, err)
		}
		servers = n.systemServers(system)
		if len(servers) == 0 {
			return nil, fmt.Errorf("the system's name server %v is on this machine and cannot be asked over %v; "+
				"give the uplink its own name servers", system, n)
		}
	}
	server := servers[int(n.names.next.Add(1)-1)%len(servers)]
	c, err := n.dialAddr(ctx, network, nil, server)
	if m := n.names.meter.Load(); m != nil {
		return m.conn(network, c, err)
	}
	return c, err
}

// systemServers replaces a stub on the loopback by the servers behind it.
func (n *BoundNet) systemServers(system netip.AddrPort) []netip.AddrPort {
	if !system.Addr().IsLoopback() {
		return []netip.AddrPort{system}
	}
	f, err := os.Open(resolvedServers)
	if err == nil {
		defer f.Close()
		if real := parseResolvConf(bufio.NewScanner(f)); len(real) > 0 {
			return real
		}
	}
	if n.iface == "" { // from an address the loopback can be reached
		return []netip.AddrPort{system}
	}
	return nil
}

// systemResolv names the system's own name servers (resolv.conf(5)).
const systemResolv = "/etc/resolv.conf"

// Nameservers are the name servers that look-ups over n ask, in their order; none: they are not known, or n has no name
// servers of its own.
func Nameservers(n Net) []netip.AddrPort {
	b := boundOf(n)
	if b == nil {
		return nil
	}
	b.names.mu.Lock()
	own := slices.Clone(b.names.servers)
	b.names.mu.Unlock()
	if len(own) > 0 {
		return own
	}
	if given := b.given(); len(given) > 0 {
		return given
	}
	f, err := os.Open(systemResolv)
	if err != nil {
		return nil
	}
	defer f.Close()
	if system := parseResolvConf(bufio.NewScanner(f)); len(system) > 0 {
		return system
	}
	return b.systemServers(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 53}), 53)) // systemd-resolved(8)
}

// Remembered is the address of host that worked last over n.
func Remembered(n Net, host string) (ip netip.Addr, ok bool) {
	b := boundOf(n)
	if b == nil {
		return netip.Addr{}, false
	}
	b.names.mu.Lock()
	defer b.names.mu.Unlock()
	ip, ok = b.names.last[host]
	return ip, ok
}

func boundOf(n Net) *BoundNet {
	n, _ = Direct(n)
	if m, ok := n.(*metered); ok {
		n = m.Net
	}
	b, _ := n.(*BoundNet)
	return b
}

// parseResolvConf returns the servers that are not on this machine (resolv.conf(5)).
func parseResolvConf(lines *bufio.Scanner) []netip.AddrPort {
	var out []netip.AddrPort
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if ip, err := netip.ParseAddr(fields[1]); err == nil && !ip.IsLoopback() {
			out = append(out, netip.AddrPortFrom(ip, 53))
		}
	}
	return out
}

// ResolveIPAddr implements transport.Net.
func (n *BoundNet) ResolveIPAddr(network, address string) (*net.IPAddr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	ip, err := n.resolve(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &net.IPAddr{IP: ip.AsSlice(), Zone: ip.Zone()}, nil
}

// ResolveUDPAddr implements transport.Net.
func (n *BoundNet) ResolveUDPAddr(network, address string) (*net.UDPAddr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	return n.ResolveUDP(ctx, network, address)
}

// ResolveUDP is ResolveUDPAddr with a context.
func (n *BoundNet) ResolveUDP(ctx context.Context, network, address string) (*net.UDPAddr, error) {
	ap, err := n.resolvePort(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return net.UDPAddrFromAddrPort(ap), nil
}

// ResolveTCPAddr implements transport.Net.
func (n *BoundNet) ResolveTCPAddr(network, address string) (*net.TCPAddr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	ap, err := n.resolvePort(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return net.TCPAddrFromAddrPort(ap), nil
}

func (n *BoundNet) resolvePort(ctx context.Context, network, address string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	number, err := net.LookupPort(network, port)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ip, err := n.resolve(ctx, network, host)
	return netip.AddrPortFrom(ip, uint16(number)), err
}

func (n *BoundNet) resolve(ctx context.Context, network, host string) (netip.Addr, error) {
	ips, err := n.lookup(ctx, network, host)
	if err != nil {
		return netip.Addr{}, err
	}
	return ips[0], nil
}

// resolveUDP looks up over any Net, giving up with ctx where the Net can.
func resolveUDP(ctx context.Context, n Net, network, address string) (*net.UDPAddr, error) {
	if able, ok := n.(interface {
		ResolveUDP(ctx context.Context, network, address string) (*net.UDPAddr, error)
	}); ok {
		return able.ResolveUDP(ctx, network, address)
	}
	return n.ResolveUDPAddr(network, address)
}
