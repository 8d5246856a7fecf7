package link

import (
	"math"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
	"github.com/pion/transport/v5"
	"github.com/pion/webrtc/v4"
)

// affirmEvery is between two checks that are sent in doubt.
const affirmEvery = 200 * time.Millisecond

// affirm sends an ICE connectivity check with nomination (RFC 8445 7.2.4) over the path in use. A link sends none in peace, its
// probes keep the path open for less; but a NAT that forgot the path, or an uplink behind another address of its provider, shows
// the far end a sender it does not know, whose packets it drops. A check is what introduces that sender: the far end takes it for a
// peer-reflexive candidate, checks it in turn, and sends there from then on. The far end's response is of no interest: an
// answered probe says more.
//
// Best effort, and nothing on a path over TCP or a relay, which keep their own associations.
func (h *half) affirm(now time.Time) {
	if last := h.affirmed.Load(); now.UnixNano()-last < int64(affirmEvery) || !h.affirmed.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	w, ok := h.way()
	if !ok {
		return
	}
	check, err := stun.Build(stun.BindingRequest, stun.TransactionID, stun.NewUsername(w.user),
		ice.UseCandidate(),
		ice.AttrControlling(uint64(now.UnixNano())), // offerers control; the number matters in a conflict only
		ice.PriorityAttr(math.MaxInt32),             // above the path that it replaces (RFC 8445 5.1.2: 2^31 - 1 at most)
		stun.NewShortTermIntegrity(w.key), stun.Fingerprint)
	if err == nil {
		_, _ = w.socket.WriteTo(check.Raw, w.to)
	}
}

// way is the path in use, as a check of our own needs it.
type way struct {
	socket   transport.UDPConn
	to       *net.UDPAddr
	user     string // what a check is called (RFC 8445 7.2.2): the far end's ufrag and ours
	key      string // the far end's password, by which check and response are authenticated
	priority uint32
}

// way is the path in use; false: there is none now, or it is over TCP or a relay.
func (h *half) way() (way, bool) {
	ice := h.pc.SCTP().Transport().ICETransport()
	pair, err := ice.GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Local.Protocol != webrtc.ICEProtocolUDP || pair.Local.Typ == webrtc.ICECandidateTypeRelay {
		return way{}, false
	}
	socket := h.sends.socket(net.JoinHostPort(pair.Local.Address, strconv.Itoa(int(pair.Local.Port))))
	to, err := netip.ParseAddr(pair.Remote.Address)
	if socket == nil || err != nil {
		return way{}, false
	}
	ours, err1 := ice.GetLocalParameters()
	theirs, err2 := ice.GetRemoteParameters()
	if err1 != nil || err2 != nil {
		return way{}, false
	}
	return way{socket: socket, to: net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, pair.Remote.Port)),
		user: theirs.UsernameFragment + ":" + ours.UsernameFragment, key: theirs.Password, priority: pair.Local.Priority}, true
}
