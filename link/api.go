package link

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v5"
	"github.com/pion/webrtc/v4"
)

const (
	answerTimeout = 5 * time.Second  // for gathering; with muxes it takes no time
	joinTimeout   = 15 * time.Second // for a peer that posted an offer to connect
	// tcpWriteBuffer bounds what waits for a viewer that does not read, per connection: half a second of video.
	tcpWriteBuffer = 256 << 10
)

// APIConfig is what the server half needs. The zero value works: every peer then gathers its own sockets.
type APIConfig struct {
	UDP             net.PacketConn // one socket for all peers; nil: a socket per peer
	TCP             net.Listener   // one listener for all peers' ICE over TCP; nil: none
	Net             transport.Net  // nil: the host's
	PublicAddresses []netip.Addr   // advertised instead of the local addresses (1:1 NAT); empty: the local ones
	Loopback        bool           // advertise loopback addresses too (demo, tests)
	Log             *slog.Logger   // nil: silent
}

// API answers offers. Safe for concurrent use.
type API struct {
	engine engine
	udp    *ice.UDPMuxDefault
	tcp    *ice.TCPMuxDefault

	mu     sync.Mutex
	closed bool
	peers  map[*accepted]struct{}
}

// NewAPI takes over UDP and TCP: Close closes them.
func NewAPI(cfg APIConfig) (*API, error) {
	for _, a := range cfg.PublicAddresses {
		if !a.IsValid() || a.IsUnspecified() {
			return nil, fmt.Errorf("media API: public address %v is not an address of one machine", a)
		}
	}
	logs := pionLog{orSilent(cfg.Log)}
	a := &API{peers: map[*accepted]struct{}{}}
	a.engine = engine{net: cfg.Net, loopback: cfg.Loopback, public: cfg.PublicAddresses, log: logs}
	if cfg.UDP != nil {
		if _, ok := cfg.UDP.LocalAddr().(*net.UDPAddr); !ok {
			return nil, fmt.Errorf("media API: UDP socket has the address %v, not a UDP address", cfg.UDP.LocalAddr())
		}
		widen(cfg.UDP)
		conn, err := sourced(cfg.UDP)
		if err != nil {
			return nil, fmt.Errorf("media API: %w", err)
		}
		plain := &bindings{conn: conn}
		a.udp = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Net: cfg.Net, Logger: logs.NewLogger("udp mux"), OnUnhandledPacket: plain.unhandled})
		a.engine.udp = a.udp
	}
	if cfg.TCP != nil {
		a.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
			Listener: cfg.TCP, Logger: logs.NewLogger("tcp mux"), ReadBufferSize: 64, WriteBufferSize: tcpWriteBuffer,
			FirstStunBindTimeout: joinTimeout, AliveDurationForConnFromStun: joinTimeout,
		})
		a.engine.tcp = a.tcp
	}
	return a, nil
}

// Close ends every peer that is still there, then the sockets, and waits. Idempotent.
func (a *API) Close() error {
	a.mu.Lock()
	again := a.closed
	a.closed = true
	var left []*accepted
	for p := range a.peers {
		left = append(left, p)
	}
	a.mu.Unlock()
	var down sync.WaitGroup
	for _, p := range left {
		down.Go(func() { _ = p.Close() })
	}
	down.Wait()
	if again {
		return nil
	}
	if a.udp != nil {
		_ = a.udp.Close()
	}
	if a.tcp != nil {
		_ = a.tcp.Close()
	}
	return nil
}

// Len is the number of peers that are not over.
func (a *API) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.peers)
}

// accepted is what Inbound and Outbound share: a peer that an offer made.
type accepted struct {
	*peer
	api     *API
	offered *description
	offer   string // the latest, for an ICE restart

	negotiating sync.Mutex // one exchange at a time
	etag        string
	ufrag, pwd  string // the other side's, of the current ICE session
}

// accept makes a peer and answers offer with it. prepare adds the media before.
func (a *API) accept(offer string, offered *description, onUp func(), onOver func(error), prepare func(*accepted) error) (*accepted, string, error) {
	e := a.engine
	e.foreign = !offered.echo
	acc := &accepted{api: a, offered: offered, offer: offer}
	p, err := newPeer(e, nil, onUp, func(err error) {
		a.mu.Lock()
		delete(a.peers, acc)
		a.mu.Unlock()
		if onOver != nil {
			onOver(err)
		}
	})
	if err != nil {
		return nil, "", err
	}
	acc.peer = p
	p.ready = make(chan struct{})
	a.mu.Lock()
	closed := a.closed
	if !closed {
		a.peers[acc] = struct{}{}
	}
	a.mu.Unlock()
	if closed {
		acc.discard()
		return nil, "", &Problem{Status: http.StatusServiceUnavailable, Title: "the far end is shutting down", After: 2 * time.Second}
	}
	if err = prepare(acc); err == nil {
		var answer string
		if answer, err = acc.negotiate(offer); err == nil {
			acc.settle()
			acc.run(acc.awaitJoin)
			return acc, finishAnswer(answer, offered.echo), nil
		}
	}
	acc.discard()
	return nil, "", err
}

// settle closes ready when pion's queue of operations has run empty, which only "negotiation needed" tells; the transceiver
// that needs it is in no answer. What pion v4.2.26 queues last is the start of its reader of undeclared RTCP. SRTP that is
// started before, by whoever reads or writes first, can block Close for ever: it holds the DTLS transport's lock and waits
// for a first RTCP packet, that waits for the reader, whose start wants the lock.
func (acc *accepted) settle() {
	acc.pc.OnNegotiationNeeded(sync.OnceFunc(func() { close(acc.ready) }))
	_, _ = acc.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio) // fails on a closed pc only
}

// discard ends a peer that never became one: its owner hears nothing of it.
func (acc *accepted) discard() {
	acc.mu.Lock()
	acc.onUp = nil
	acc.onOver = func(error) {
		acc.api.mu.Lock()
		delete(acc.api.peers, acc)
		acc.api.mu.Unlock()
	}
	acc.mu.Unlock()
	_ = acc.Close()
}

// negotiate takes an offer in and returns the answer with every candidate.
func (acc *accepted) negotiate(offer string) (string, error) {
	acc.negotiating.Lock()
	defer acc.negotiating.Unlock()
	err := acc.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
	if err != nil {
		return "", &Problem{Status: http.StatusBadRequest, Title: "the offer is malformed", Detail: clip(err.Error())}
	}
	answer, err := acc.pc.CreateAnswer(nil)
	if err != nil {
		return "", &Problem{Status: http.StatusNotAcceptable, Title: "the offer cannot be accepted", Detail: clip(err.Error())}
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), answerTimeout, fmt.Errorf("not done within %v", answerTimeout))
	defer cancel()
	text, err := acc.gathered(ctx, answer, 0)
	if err != nil {
		return "", &Problem{Status: http.StatusInternalServerError, Title: "the answer could not be made", Detail: clip(err.Error()), After: time.Second}
	}
	d, sections, err := parseSDP(text)
	if err != nil {
		return "", fmt.Errorf("our own answer: %w", err)
	}
	for i, s := range sections {
		if s.port == 0 { // RFC 9725 4.4.3: no partial success
			return "", &Problem{Status: http.StatusNotAcceptable, Title: "the offer cannot be accepted",
				Detail: fmt.Sprintf("no codec in common for the %s section: Opus and H.264 (packetization-mode=1, profile-level-id=42e01f) are taken", d.MediaDescriptions[i].MediaName.Media)}
		}
	}
	acc.offer = offer
	acc.etag = `"` + attribute(d, d.MediaDescriptions[0], "ice-ufrag") + `"`
	acc.ufrag, acc.pwd = credentials(offer)
	return text, nil
}

// awaitJoin ends a peer that does not connect, so that abandoned offers do not pile up.
func (acc *accepted) awaitJoin() {
	select {
	case <-acc.up:
	case <-acc.done:
	case <-time.After(joinTimeout):
		acc.end(fmt.Errorf("no media path came up within %v; are this server's UDP and TCP media ports open?", joinTimeout))
	}
}

// ETag names the current ICE session, quotes included (RFC 9110 8.8.3).
func (acc *accepted) ETag() string {
	acc.negotiating.Lock()
	defer acc.negotiating.Unlock()
	return acc.etag
}
