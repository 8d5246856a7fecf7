package link

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

const (
	// bindingsPerSecond is how many questions the media port answers: a fleet's boxes ask only while an uplink of theirs is
	// in trouble, three times within a second at most.
	bindingsPerSecond = 100
	// bindingUser is the user name of such a question: a request without one never leaves the mux, and one with another belongs
	// to a peer. It also keeps strangers who scan for STUN servers from finding one.
	bindingUser = "scanside:where"
	// bindingQuestion is how long a question must be (RFC 8489: 20 bytes of header, then attributes), so that no answer is
	// longer than its question and nobody can use the port to multiply traffic: an answer with an IPv6 address and a
	// fingerprint has 52.
	bindingQuestion = 52
)

// bindings answers STUN binding requests (RFC 8489 section 3) of boxes that look for a fault, on the media port: so a box can
// tell a firewall that blocks UDP from everything else, without a session. An answer says from which address the question
// came and nothing else; requests with credentials are ICE's and are never answered here. What is over the bound is dropped.
type bindings struct {
	conn net.PacketConn

	mu     sync.Mutex
	second time.Time // when left was filled
	left   int
}

// unhandled takes a datagram that belongs to no peer. The mux calls it from the goroutine that reads the socket.
func (b *bindings) unhandled(data []byte, from netip.AddrPort) {
	if answer := bindingAnswer(data, from); answer != nil && b.may(time.Now()) {
		_, _ = b.conn.WriteTo(answer, net.UDPAddrFromAddrPort(from)) // whoever asked asks again
	}
}

// may takes one of the answers of the present second.
func (b *bindings) may(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.second) >= time.Second {
		b.second, b.left = now, bindingsPerSecond
	}
	if b.left == 0 {
		return false
	}
	b.left--
	return true
}

// bindingAnswer is what such a question is answered with; nil: it is none.
func bindingAnswer(data []byte, from netip.AddrPort) []byte {
	if len(data) < bindingQuestion || !stun.IsMessage(data) {
		return nil
	}
	q := &stun.Message{Raw: append([]byte(nil), data...)}
	var user stun.Username
	if q.Decode() != nil || q.Type != stun.BindingRequest || user.GetFrom(q) != nil || string(user) != bindingUser || q.Contains(stun.AttrMessageIntegrity) {
		return nil
	}
	from = plainAddrPort(from)
	a, err := stun.Build(q, stun.BindingSuccess, &stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}, stun.Fingerprint)
	if err != nil || len(a.Raw) > len(data) {
		return nil
	}
	return a.Raw
}

// BindingQuestion is what a far end of our make answers on its media port without a session, and its transaction.
func BindingQuestion() (text []byte, id [stun.TransactionIDSize]byte, err error) {
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(bindingUser), stun.NewSoftware("where is the fault?"), stun.Fingerprint)
	if err != nil {
		return nil, id, err
	}
	return m.Raw, m.TransactionID, nil
}

// BindingAnswer reads the answer to a question: the address that the far end saw us come from.
func BindingAnswer(data []byte, id [stun.TransactionIDSize]byte) (netip.AddrPort, bool) {
	if !stun.IsMessage(data) {
		return netip.AddrPort{}, false
	}
	a := &stun.Message{Raw: append([]byte(nil), data...)}
	var mapped stun.XORMappedAddress
	if a.Decode() != nil || a.Type != stun.BindingSuccess || a.TransactionID != id || mapped.GetFrom(a) != nil {
		return netip.AddrPort{}, false
	}
	ip, ok := netip.AddrFromSlice(mapped.IP)
	return netip.AddrPortFrom(ip.Unmap(), uint16(mapped.Port)), ok
}
