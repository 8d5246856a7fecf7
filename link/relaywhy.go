package link

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/pion/stun/v4"
)

// failed notes why a relay could not be used.
func (r *relays) failed(to relayTarget, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost[to.String()] = clip(err.Error())
}

func (t relayTarget) String() string {
	by := map[PathKind]string{PathRelayUDP: " by UDP", PathRelayTCP: " by TCP", PathRelayTLS: " by TLS"}[t.kind]
	return "the relay " + t.host + by
}

// heard looks at what a relay says for the reason of a refusal (RFC 8656 section 7.4). A first 401 is how a relay asks who
// we are; one to a request that said so is a refusal.
func (r *relays) heard(to relayTarget, asked *atomic.Int32, b []byte) {
	if len(b) < 20 || b[0] != 0x01 || b[1] != 0x13 { // Allocate error response
		return
	}
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	var code stun.ErrorCodeAttribute
	if m.Decode() != nil || code.GetFrom(m) != nil {
		return
	}
	switch {
	case code.Code == stun.CodeUnauthorized && asked.Add(1) < 2, code.Code == stun.CodeStaleNonce:
	case code.Code == stun.CodeUnauthorized:
		r.failed(to, errors.New("it refuses this user and credential (401)"))
	case code.Code == stun.CodeAllocQuotaReached:
		r.failed(to, errors.New("this user has too many allocations there already (486)"))
	default:
		r.failed(to, fmt.Errorf("it refuses (%d)", code.Code))
	}
}

// why lists why relays could not be used, in a sentence part that begins with a semicolon; "" when nothing is known.
func (r *relays) why() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, w := range r.known {
		t := relayTarget{w.kind, w.String()}
		if text, ok := r.lost[t.String()]; ok {
			all = append(all, t.String()+": "+text)
		} else {
			all = append(all, t.String()+": nothing came through it")
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "; " + strings.Join(sorted(all), "; ")
}
