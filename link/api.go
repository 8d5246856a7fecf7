package link

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/transport/v5"

	"scanside/media"
)

// APIConfig is what the server half needs. The zero value works: every peer then gathers its own sockets.
type APIConfig struct {
	UDP             net.PacketConn // one socket for all peers; nil: a socket per peer
	TCP             net.Listener   // one listener for all peers' ICE-TCP; nil: none
	Net             transport.Net  // nil: the host's
	PublicAddresses []netip.Addr   // advertised instead of the local addresses (1:1 NAT); empty: the local ones
	Loopback        bool           // advertise loopback addresses too (demo, tests)
	Log             *slog.Logger   // nil: silent
}

// API answers offers. Safe for concurrent use.
type API struct{}

// NewAPI takes over UDP and TCP: Close closes them.
func NewAPI(cfg APIConfig) (*API, error) { return nil, errors.New("link: not built yet") }

// Close ends every peer that is still there and waits.
func (a *API) Close() error { return nil }

// PublishEvents are called from the peer's goroutines and must only post. Any may be nil.
type PublishEvents struct {
	Packet    func(k media.Kind, p *rtp.Packet) // p is frozen, has no header extensions, and may be retained
	Report    func() []StreamReport             // asked for each probe's answer; what is known across all legs
	Connected func()                            // once, when media can flow
	Closed    func(err error)                   // once, at the end; nil after Close
}

// PlayEvents are called from the peer's goroutines and must only post. Any may be nil.
type PlayEvents struct {
	KeyFrame  func()
	Repair    func(k media.Kind, seqs []uint16)
	Connected func()
	Closed    func(err error)
}

// AcceptPublish answers a WHIP offer with a recvonly answer (RFC 9725 4.2). A refusal is a *Problem.
func (a *API) AcceptPublish(offer string, ev PublishEvents) (*Inbound, string, error) {
	return nil, "", errors.New("link: not built yet")
}

// AcceptPlay answers a WHEP offer with a sendonly answer whose tracks belong to the stream streamID. A refusal is a
// *Problem.
func (a *API) AcceptPlay(offer, streamID string, ev PlayEvents) (*Outbound, string, error) {
	return nil, "", errors.New("link: not built yet")
}

// Inbound is one publisher's peer.
type Inbound struct{ peerMethods }

// StreamID is the offer's MediaStream id (msid): for an agent its run.
func (in *Inbound) StreamID() string { return "" }

// AskRepair asks the publisher to send these packets again (RTCP NACK).
func (in *Inbound) AskRepair(k media.Kind, seqs []uint16) {}

// AskKeyFrame asks the publisher for a key frame (RTCP PLI). Coalescing is the caller's.
func (in *Inbound) AskKeyFrame() {}

// LastHeard is when the last packet or probe came; the zero time: never.
func (in *Inbound) LastHeard() time.Time { return time.Time{} }

// Outbound is one player's peer.
type Outbound struct{ peerMethods }

// Leg takes one kind's packets for this player; packets of a kind the player did not ask for are dropped.
func (o *Outbound) Leg(k media.Kind) media.Sink { return nil }

// LastHeard is when the last RTCP or probe came from the player; the zero time: never.
func (o *Outbound) LastHeard() time.Time { return time.Time{} }

type peerMethods struct{}

// Done is closed when the peer is over.
func (peerMethods) Done() <-chan struct{} { return nil }

// Close ends the peer and waits for its goroutines. Idempotent.
func (peerMethods) Close() error { return nil }

// Trickle adds the candidates of an SDP fragment (RFC 8840).
func (peerMethods) Trickle(fragment string) error { return nil }

// Restart begins a new ICE session with the fragment's credentials and returns the answering fragment.
func (peerMethods) Restart(fragment string) (string, error) { return "", nil }

// ETag names the current ICE session, quotes included (RFC 9110 8.8.3).
func (peerMethods) ETag() string { return "" }
