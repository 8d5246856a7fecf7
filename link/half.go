package link

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"scanside/media"
)

const (
	pathTimeout   = 10 * time.Second        // for ICE and DTLS after the answer
	directTimeout = 2500 * time.Millisecond // the same when the far end named relays to try next
)

// half is one of a session's two PeerConnections with its resource at the far end.
type half struct {
	*peer
	tcp      *tcpDialer
	resource string
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

// probe starts to probe this half's path, on the media's SSRC; word, sent with each probe, may be nil.
func (h *half) probe(ssrc uint32, every func() time.Duration, word func() []StreamReport, tell func(Sample)) {
	p := newProber(ssrc, every, func(packet *rtcp.ApplicationDefined) error { return h.sendRTCP(packet) }, tell)
	p.word = word
	h.prober.Store(p)
	h.run(func() { p.run(h.done) })
}

// dialHalf makes a PeerConnection, offers it to endpoint and waits until it is connected. prepare adds the media and
// returns after which the offer is made; want is the direction that the answer must have. On error nothing is left.
func (s *Session) dialHalf(ctx context.Context, doing, endpoint, want string, servers []webrtc.ICEServer, prepare func(*half) error) (*half, error) {
	h := &half{sends: s.sends}
	h.tcp = newTCPDialer(s.sends, func(err error) {
		select {
		case <-h.up: // before that, UDP may still win
			h.end(err)
		default:
		}
	})
	var err error
	e := engine{net: s.sends, loopback: s.cfg.Loopback, tcp: h.tcp, log: pionLog{s.log}}
	if h.peer, err = newPeer(e, servers, nil, nil); err != nil {
		return nil, err
	}
	made, err := s.offer(ctx, h, doing, endpoint, want, prepare)
	if err == nil {
		if err = h.established(ctx, len(made.servers) > 0 && len(servers) == 0); err == nil {
			return h, nil
		}
		err = fmt.Errorf("%s: the far end answered, but no media path came up: %w", doing, err)
	}
	h.shut()
	if made != nil {
		s.unmake(made.resource)
		if len(made.servers) > 0 && len(servers) == 0 && ctx.Err() == nil {
			// RFC 9725 4.6: the far end named relays; they can only be used from the start of a gathering.
			return s.dialHalf(ctx, doing, endpoint, want, made.servers, prepare)
		}
	}
	return nil, err
}

// established waits for the media path; less long when there is another way to try.
func (h *half) established(ctx context.Context, relays bool) error {
	limit := pathTimeout
	if relays {
		limit = directTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("nothing within %v; are the far end's UDP and TCP media ports open?", limit))
	defer cancel()
	if err := h.connected(ctx); err != nil {
		return err
	}
	if h.overUDP() {
		h.tcp.settle()
	}
	return nil
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
	text, err := h.gathered(ctx, offer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	made, err := s.signal.post(ctx, doing, endpoint, finishOffer(text))
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
	err = h.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: reachPassive(made.answer)})
	if err != nil {
		return made, fmt.Errorf("%s: the far end's answer is unusable: %w", doing, err)
	}
	return made, nil
}

// overUDP reports whether the chosen path is UDP.
func (h *half) overUDP() bool {
	pair, err := h.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	return err == nil && pair != nil && pair.Local.Protocol == webrtc.ICEProtocolUDP
}

// shut closes the peer and then what it used.
func (h *half) shut() {
	_ = h.peer.Close()
	_ = h.tcp.Close()
}

// dialPublish opens the WHIP half.
func (s *Session) dialPublish(ctx context.Context) (*half, error) {
	return s.dialHalf(ctx, "publish to "+hostOf(s.cfg.WHIP), s.endpoint(s.cfg.WHIP), "recvonly", nil, func(h *half) error {
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
					if plain := h.plain.Load(); plain != nil {
						plain.report(p)
					}
					feedback(k, p, s.ev.KeyFrame, s.ev.Repair)
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
	h, err := s.dialHalf(ctx, "play from "+hostOf(s.cfg.WHEP), s.endpoint(s.cfg.WHEP), "sendonly", nil, func(h *half) error {
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
	})
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
	if err != nil {
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
