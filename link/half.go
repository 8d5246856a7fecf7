package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"scanside/media"
)

const (
	pathTimeout = 10 * time.Second // for ICE and DTLS after the answer
	// directTimeout is the same when the far end named relays that were not known before: the head start of TCP, and four
	// round trips of 200 ms. The next attempt tries all ways again, and the relays beside them.
	directTimeout = 1500 * time.Millisecond
)

// half is one of a session's two PeerConnections with its resource at the far end.
type half struct {
	*peer
	tcp      *tcpDialer
	relays   *relays
	path     Path // as chosen when the half came up
	resource string
	ice      iceSession
	echo     bool // the far end answers probes
	prober   atomic.Pointer[prober]
	sends    *sendWatch
	affirmed atomic.Int64          // Unix nanoseconds of the last check sent in doubt
	plain    atomic.Pointer[plain] // on a publish half whose far end does not answer probes
}

// answered books an answer to a probe, if packet is one.
func (h *half) answered(packet rtcp.Packet) {
	if p := h.prober.Load(); p != nil {
		p.heard(packet)
	}
}

// probe starts to probe this half's path, on the media's SSRC; ears may be nil; say makes the data of a probe that is not brief.
func (h *half) probe(ssrc uint32, every func() time.Duration, ears *ears, say func(number uint32) []byte, brief func() bool, tell func(Sample)) {
	p := newProber(every, ears, func(number uint32) error {
		if brief != nil && number%wordyEvery != 0 && brief() {
			return h.sendRTCP(app(nameProbe, ssrc, appendBrief(nil, number)))
		}
		return h.sendRTCP(app(nameProbe, ssrc, say(number)))
	}, tell)
	h.prober.Store(p)
	h.run(func() { p.run(h.done) })
}

// NoPathError is why a session with a far end that answered carries no media.
type NoPathError struct {
	Err    error
	Relays string // why each relay did not help, each with "; " before it; "": none was tried
}

func (e *NoPathError) Error() string {
	return "the far end answered, but no media path came up: " + e.Err.Error() + e.Relays
}

func (e *NoPathError) Unwrap() error { return e.Err }

// dialHalf makes a PeerConnection, offers it to endpoint and waits until it is connected. prepare adds the media and
// returns after which the offer is made; want is the direction that the answer must have. All ways are tried side by side,
// those that are not UDP straight to the far end after a head start. On error nothing is left.
func (s *Session) dialHalf(ctx context.Context, doing, endpoint, want string, prepare func(*half) error) (*half, error) {
	known := s.cfg.Memory.relays(time.Now())
	h, unknown, err := s.tryHalf(ctx, doing, endpoint, want, known, prepare)
	if err == nil || len(unknown) == 0 || ctx.Err() != nil {
		return h, err
	}
	// RFC 9725 4.6: the far end named relays; they can only be used from the start of a gathering.
	h, _, err = s.tryHalf(ctx, doing, endpoint, want, unknown, prepare)
	return h, err
}

// tryHalf is one attempt, with the configured relays and those that the far end named before. unknown are relays that the
// far end names now and that were not tried: they may help where a path was all that was missing.
func (s *Session) tryHalf(ctx context.Context, doing, endpoint, want string, named []Relay, prepare func(*half) error) (_ *half, unknown []Relay, err error) {
	h, err := s.newHalf(append(slices.Clone(s.cfg.Relays), named...))
	if err != nil {
		return nil, nil, err
	}
	made, err := s.offer(ctx, h, doing, endpoint, want, prepare)
	if err == nil {
		offered := s.vouched(made.relays)
		s.cfg.Memory.name(offered, time.Now())
		unknown = news(offered, named)
		if err = h.established(ctx, len(unknown) > 0); err == nil {
			h.settle(s)
			return h, nil, nil
		}
		err = fmt.Errorf("%s: %w", doing, &NoPathError{Err: err, Relays: h.relays.why()})
	}
	h.shut()
	if made != nil {
		s.unmake(made.resource)
	}
	return nil, unknown, err
}

// vouched has the authorities that vouch for the far end vouch for the relays that it names.
func (s *Session) vouched(relays []Relay) []Relay {
	for i := range relays {
		if s.cfg.TLS != nil && s.cfg.TLS.RootCAs != nil {
			relays[i].TLS = &tls.Config{RootCAs: s.cfg.TLS.RootCAs, MinVersion: tls.VersionTLS12}
		}
	}
	return relays
}

// newHalf makes what an attempt needs.
func (s *Session) newHalf(all []Relay) (*half, error) {
	h := &half{sends: s.sends}
	broken := func(err error) {
		select {
		case <-h.up: // before that, another way may still win
			h.end(err)
		default:
		}
	}
	last := s.cfg.Memory.best(time.Now())
	start := udpHeadStart
	if last.Kind == PathTCP {
		start = 0
	}
	h.tcp = newTCPDialer(s.sends, start, broken)
	h.relays = newRelays(s.sends, all, last, broken)
	e := engine{net: h.relays, relay: h.relays, loopback: s.cfg.Loopback, tcp: h.tcp, log: pionLog{s.log}}
	var err error
	if h.peer, err = newPeer(e, h.relays.servers(), nil, nil); err != nil {
		return nil, err
	}
	return h, nil
}

// established waits for the media path; less long when there is another way to try.
func (h *half) established(ctx context.Context, another bool) error {
	limit := pathTimeout
	if another {
		limit = directTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("nothing within %v; are the far end's UDP and TCP media ports open?", limit))
	defer cancel()
	return h.connected(ctx)
}

// settle notes the chosen path and ends the attempts at others.
func (h *half) settle(s *Session) {
	h.path = h.pathOf(s.sends)
	s.cfg.Memory.worked(h.path, time.Now())
	h.relays.settle(h.path)
	if h.path.Kind != PathTCP {
		h.tcp.settle()
	}
}

// offer does the exchange. A non-nil created is to be unmade by the caller on error.
func (s *Session) offer(ctx context.Context, h *half, doing, endpoint, want string, prepare func(*half) error) (*created, error) {
	if err := prepare(h); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	offer, err := h.pc.CreateOffer(nil)
	if err != nil {
		return nil, fmt.Errorf("%s: make an offer: %w", doing, err)
	}
	text, err := h.gathered(ctx, offer, h.relays.patience())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	text = finishOffer(text)
	made, err := s.signal.post(ctx, doing, endpoint, text)
	if err != nil {
		return nil, err
	}
	s.keep(made.resource)
	h.resource = made.resource
	answer, err := judgeAnswer(made.answer, want)
	if err != nil {
		return made, fmt.Errorf("%s: %w", doing, err)
	}
	h.echo = answer.echo
	if h.echo && s.ev.Ports != nil {
		s.ev.Ports(udpPorts(made.answer))
	}
	err = h.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: reachPassive(made.answer)})
	if err != nil {
		return made, fmt.Errorf("%s: the far end's answer is unusable: %w", doing, err)
	}
	h.ice.begin(made.etag, made.answer)
	h.trickle(s.signal, text)
	return made, nil
}

// shut closes the peer and then what it used.
func (h *half) shut() {
	h.relays.stop()
	late := time.AfterFunc(relayGoodbye, func() { _ = h.relays.Close() }) // a relay that does not answer holds nobody up
	_ = h.peer.Close()
	late.Stop()
	_ = h.relays.Close()
	_ = h.tcp.Close()
}

// dialPublish opens the WHIP half.
func (s *Session) dialPublish(ctx context.Context) (*half, error) {
	return s.dialHalf(ctx, "publish to "+hostOf(s.cfg.WHIP), s.endpoint(s.cfg.WHIP), "recvonly", func(h *half) error {
		for k := media.Kind(0); k < media.NumKinds; k++ {
			track, err := webrtc.NewTrackLocalStaticRTP(codec(k), k.String(), sdpToken(s.cfg.Run))
			if err != nil {
				return err
			}
			t, err := h.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
			if err != nil {
				return err
			}
			h.run(func() {
				h.readRTCP(t.Sender().Read, func(p rtcp.Packet) {
					h.answered(p)
					plain, repair := h.plain.Load(), s.ev.Repair
					if plain != nil {
						plain.report(p)
						repair = plain.repair(repair)
					}
					feedback(k, p, s.ev.KeyFrame, repair)
				})
			})
			s.legs[k] = &leg{peer: h.peer, track: track, sender: t.Sender(), sends: s.sends, kind: k}
		}
		return nil
	})
}

// player is the WHEP half.
type player struct {
	*half
	ssrcs [media.NumKinds]atomic.Uint32 // of the tracks; 0: not known yet
}

// dialPlay opens the WHEP half.
func (s *Session) dialPlay(ctx context.Context) (*player, error) {
	p := &player{}
	doing := "play from " + hostOf(s.cfg.WHEP)
	prepare := func(h *half) error {
		for k := media.Kind(0); k < media.NumKinds; k++ {
			_, err := h.pc.AddTransceiverFromKind(rtpKind(k), webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
			if err != nil {
				return err
			}
		}
		var once sync.Once
		h.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
			k := kindOf(track.Kind())
			p.ssrcs[k].Store(uint32(track.SSRC()))
			if h.echo { // on whichever track comes first; pion calls this for both at once
				once.Do(func() { s.probePlay(h, uint32(track.SSRC())) })
			}
			h.run(func() {
				h.readMedia(track, func(packet *rtp.Packet) {
					if k == media.Voice {
						s.ears.heard(time.Now())
					}
					if s.ev.Packet != nil {
						s.ev.Packet(k, packet)
					}
				})
			})
			h.run(func() {
				h.readRTCP(receiver.Read, h.answered)
			})
		})
		return nil
	}
	h, err := s.dialHalf(ctx, doing, s.endpoint(s.cfg.WHEP), "sendonly", prepare)
	if offer := (*counterOffer)(nil); errors.As(err, &offer) {
		h, err = s.answerCounter(ctx, doing, offer, prepare)
	}
	if err != nil {
		return nil, err
	}
	p.half = h
	return p, nil
}

func hostOf(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Host != "" {
		return u.Host
	}
	return "the far end"
}

// endpoint adds who we are to a URL's query, without touching what is there.
func (s *Session) endpoint(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || s.cfg.AsIs {
		return raw
	}
	q := u.Query()
	for _, kv := range [][2]string{{"uplink", s.cfg.Uplink}, {"box", s.cfg.Box}, {"run", s.cfg.Run}} {
		if kv[1] != "" && !q.Has(kv[0]) {
			q.Set(kv[0], kv[1])
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// nobodyThere reports that a play attempt failed for the normal reason: nobody sends yet (409, or 404 with some servers).
func nobodyThere(err error) bool {
	var p *Problem
	return errors.As(err, &p) && (p.Status == http.StatusConflict || p.Status == http.StatusNotFound)
}
