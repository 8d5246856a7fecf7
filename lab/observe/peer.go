package observe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/transport/v5"
	"github.com/pion/webrtc/v4"
)

// Config is what an observer needs to reach its far end.
type Config struct {
	URL      string        // WHEP or WHIP endpoint
	Client   *http.Client  // signed in where that is asked for; required
	Net      transport.Net // nil: the host's
	Loopback bool          // gather loopback addresses too
}

const (
	signalling = 10 * time.Second // for one HTTP exchange
	connecting = 15 * time.Second // from the answer to connected
	leaving    = 2 * time.Second  // for the DELETE
	answerMax  = 64 << 10         // bytes of an SDP answer or of a refusal

	// replayWindow is Chromium's for SRTP. With pion's own of 64 packets, what was repaired would be thrown away on arrival.
	replayWindow = 1024
)

// peer is one PeerConnection and the HTTP resource behind it.
type peer struct {
	pc       *webrtc.PeerConnection
	client   *http.Client
	resource string
}

// newPeer makes a connection with a browser's codecs and nothing that asks for repairs: what is lost stays lost and is seen.
func newPeer(cfg Config) (*peer, error) {
	var settings webrtc.SettingEngine
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetIncludeLoopbackCandidate(cfg.Loopback)
	settings.SetSRTPReplayProtectionWindow(replayWindow)
	settings.SetSRTCPReplayProtectionWindow(replayWindow)
	if cfg.Net != nil {
		settings.SetNet(cfg.Net)
	}
	media := &webrtc.MediaEngine{}
	registry := &interceptor.Registry{}
	if err := errors.Join(registerCodecs(media), webrtc.ConfigureRTCPReports(registry)); err != nil {
		return nil, err
	}
	api := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry))
	pc, err := api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	if err != nil {
		return nil, err
	}
	return &peer{pc: pc, client: cfg.Client}, nil
}

func opus() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}
}

func h264() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000,
		SDPFmtpLine:  "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "goog-remb"}}}
}

// registerCodecs offers what Chromium does, as far as it matters: another codec first, and types nobody may take for granted.
func registerCodecs(m *webrtc.MediaEngine) error {
	vp8 := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: h264().RTCPFeedback}
	return errors.Join(
		m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus(), PayloadType: 111}, webrtc.RTPCodecTypeAudio),
		m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: vp8, PayloadType: 96}, webrtc.RTPCodecTypeVideo),
		m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: h264(), PayloadType: 108}, webrtc.RTPCodecTypeVideo),
	)
}

// negotiate offers, sends the offer, takes the answer and waits until media can flow.
func (p *peer) negotiate(ctx context.Context, endpoint string) error {
	connected, failed := make(chan struct{}), make(chan struct{})
	p.pc.OnConnectionStateChange(onceEach(connected, failed))
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return ctx.Err()
	}
	answer, err := p.post(ctx, endpoint, p.pc.LocalDescription().SDP)
	if err != nil {
		return err
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return fmt.Errorf("the answer of %s: %w", endpoint, err)
	}
	late := time.NewTimer(connecting)
	defer late.Stop()
	select {
	case <-connected:
		return nil
	case <-failed:
		return fmt.Errorf("connecting to %s failed; look at the gateway's log", endpoint)
	case <-late.C:
		return fmt.Errorf("no connection to %s within %v; is its media port reachable?", endpoint, connecting)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func onceEach(connected, failed chan struct{}) func(webrtc.PeerConnectionState) {
	up, down := sync.OnceFunc(func() { close(connected) }), sync.OnceFunc(func() { close(failed) })
	return func(s webrtc.PeerConnectionState) { // pion calls this from a goroutine of its own each time
		switch s {
		case webrtc.PeerConnectionStateConnected:
			up()
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			down()
		}
	}
}

// Refused is a far end's no.
type Refused struct {
	Status int
	Text   string
}

func (r *Refused) Error() string { return fmt.Sprintf("refused with status %d: %s", r.Status, r.Text) }

func (p *peer) post(ctx context.Context, endpoint, offer string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, signalling)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader([]byte(offer)))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/sdp")
	res, err := p.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, answerMax))
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("POST %s: %w", endpoint, &Refused{res.StatusCode, string(body)})
	}
	where, err := url.Parse(res.Header.Get("Location"))
	if err != nil || where.String() == "" {
		return "", fmt.Errorf("POST %s: 201 without a usable Location %q", endpoint, res.Header.Get("Location"))
	}
	p.resource = res.Request.URL.ResolveReference(where).String()
	return string(body), nil
}

// close ends the session at the far end, as far as that can be done in time, and then here.
func (p *peer) close() error {
	if p.resource != "" {
		ctx, cancel := context.WithTimeout(context.Background(), leaving)
		defer cancel()
		if req, err := http.NewRequestWithContext(ctx, http.MethodDelete, p.resource, nil); err == nil {
			if res, err := p.client.Do(req); err == nil {
				_ = res.Body.Close()
			}
		}
	}
	return p.pc.GracefulClose()
}
