package link

import (
	"errors"
	"net/netip"

	"github.com/pion/transport/v5"
)

// BoundNet makes real sockets that are all bound to one uplink. Use BindInterface or BindAddress.
type BoundNet struct {
	Net // filled in below while this package is being written
	_   transport.Net
}

// BindInterface binds every socket to the named interface (SO_BINDTODEVICE), name look-ups too. The interface may be
// absent now; what is tried while it is absent fails and says so.
func BindInterface(name string) (*BoundNet, error) { return nil, errors.New("link: not built yet") }

// BindAddress binds every socket to a source address instead of an interface (demo, tests, an address per uplink).
func BindAddress(ip netip.Addr) (*BoundNet, error) { return nil, errors.New("link: not built yet") }

// SetNameservers gives the uplink its own name servers instead of the system's.
func (n *BoundNet) SetNameservers(servers ...netip.AddrPort) {}

// Cut black-holes the uplink for a drill: existing and new sockets, both directions, until Cut(false).
func (n *BoundNet) Cut(on bool) {}

// IsCut reports whether Cut(true) is in force.
func (n *BoundNet) IsCut() bool { return false }
