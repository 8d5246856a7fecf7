package link

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An uplink with one family of addresses is not tried with the other: Linux would send with an address of another interface, which
// nobody answers, and a name server of that family would cost a second for each look-up.
func TestOneFamily(t *testing.T) {
	leaks(t)
	err := inNamespace(nil, func(*os.File) error {
		for name, cidr := range map[string]string{"four0": "192.0.2.7/24", "six0": "2001:db8::7/64"} {
			pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: name + "far"}
			if err := errors.Join(netlink.LinkAdd(pair), netlink.LinkSetUp(pair)); err != nil {
				return err
			}
			a, err := netlink.ParseAddr(cidr)
			if err == nil {
				a.Flags = unix.IFA_F_NODAD
				err = netlink.AddrAdd(pair, a)
			}
			if err != nil {
				return err
			}
		}
		for _, c := range []struct {
			iface, to string
			refused   bool
		}{
			{"four0", "192.0.2.1:443", false}, {"four0", "[2001:db8::1]:443", true},
			{"six0", "192.0.2.1:443", true}, {"six0", "[2001:db8::1]:443", false}, {"six0", "[::ffff:192.0.2.1]:443", true},
		} {
			n, err := BindInterface(c.iface)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			for _, network := range []string{"tcp", "udp"} {
				conn, err := n.dialAddr(ctx, network, nil, netip.MustParseAddrPort(c.to))
				if got := errors.Is(err, unix.EADDRNOTAVAIL); got != c.refused {
					t.Errorf("%s to %s over %s: %v", network, c.to, c.iface, err)
				}
				if conn != nil {
					_ = conn.Close()
				}
			}
			cancel()
		}
		return nil
	})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EOPNOTSUPP) {
		t.Skipf("this machine does not allow a network namespace with a veth pair: %v", err)
	}
	must(t, err)
}
