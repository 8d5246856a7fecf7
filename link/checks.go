package link

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

// checks probes a far end that knows nothing of our probes. Every ICE agent answers an authenticated Binding request on the
// path in use (RFC 8445 7.3; RFC 7675 5.1 has them for consent), whatever it is made by: so an outage is noticed as soon as
// with a gateway. They leave by the media's own socket, and their answers are taken out before pion reads.
type checks struct {
	half   *half
	prober *prober
	key    atomic.Pointer[string] // what the newest check was authenticated by
	tag    [8]byte                // begins our transaction ids; the probe's number ends them
	tie    uint64
}

var errNoPath = errors.New("no path is chosen now")

// check starts to probe this half's path by checks; false: it is not a direct one over UDP, and they cannot be sent.
func (h *half) check(w *sendWatch, every func() time.Duration, tell func(Sample)) bool {
	c := &checks{half: h}
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	copy(c.tag[:], random[:8])
	c.tie = binary.BigEndian.Uint64(random[8:])
	if _, ok := h.way(); !ok {
		return false
	}
	c.prober = newProber(every, nil, c.send, tell)
	h.prober.Store(c.prober)
	w.checks.Store(c)
	h.run(func() { c.prober.run(h.done) })
	return true
}

// send sends one check.
func (c *checks) send(number uint32) error {
	w, ok := c.half.way()
	if !ok {
		return errNoPath
	}
	c.key.Store(&w.key)
	var id [stun.TransactionIDSize]byte
	copy(id[:], c.tag[:])
	binary.BigEndian.PutUint32(id[len(c.tag):], number)
	m, err := stun.Build(stun.NewTransactionIDSetter(id), stun.BindingRequest, stun.NewUsername(w.user),
		ice.AttrControlling(c.tie), ice.PriorityAttr(w.priority), stun.NewShortTermIntegrity(w.key), stun.Fingerprint)
	if err != nil {
		return err
	}
	_, err = w.socket.WriteTo(m.Raw, w.to)
	return err
}

// take takes an answer to a check in, and reports whether packet is one. A nil checks has sent none.
func (c *checks) take(packet []byte) bool {
	const success = 0x0101 // RFC 8489 section 5: a Binding success response
	if c == nil || len(packet) < 20 || binary.BigEndian.Uint16(packet) != success || [8]byte(packet[8:16]) != c.tag {
		return false
	}
	number := binary.BigEndian.Uint32(packet[16:])
	m := &stun.Message{Raw: append([]byte(nil), packet...)}
	key := c.key.Load()
	if key != nil && m.Decode() == nil && stun.NewShortTermIntegrity(*key).Check(m) == nil {
		c.half.heard.Store(time.Now().UnixNano())
		c.prober.answered(number, nil, nil)
	}
	return true
}
