package link

import (
	"context"
	"net"

	"github.com/pion/transport/v5"
)

// Net is all networking of one uplink: what pion uses for ICE, TURN and name look-ups, and one dial for signalling.
// Implementations: *BoundNet (real sockets), the lab's emulator and in-memory world. Safe for concurrent use.
type Net interface {
	transport.Net
	// DialContext connects to addr ("host:port"; the host may be a name) over this uplink, for HTTP signalling.
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

var _ Net = (*BoundNet)(nil)
