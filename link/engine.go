package link

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/logging"
	"github.com/pion/sdp/v3"
	"github.com/pion/transport/v5"
	"github.com/pion/webrtc/v4"

	"scanside/media"
)

const (
	// ICE decides nothing while a link lives. It gives a silent one up after consent's 30 s (RFC 7675 5.1), so that an
	// uplink that was away for 25 s needs no new session.
	iceDisconnected = 5 * time.Second
	iceFailed       = 25 * time.Second // after disconnected
	// browserKeepAlive is pion's own pace; a slower one is ignored. Links need none: their probes keep the path open.
	browserKeepAlive = 2 * time.Second
	// dtlsFlight is the wait before a DTLS flight is sent again; pion's second would be the whole budget of a dial.
	dtlsFlight = 150 * time.Millisecond
	// iceRequests is how many unanswered checks condemn a pair, 200 ms apart; pion's 7 would give up on TCP, which starts late.
	iceRequests = 50
	// relayWait prefers a direct path that takes this much longer.
	relayWait = 500 * time.Millisecond
	// stunWait bounds gathering when a far end named STUN or TURN servers.
	stunWait = time.Second
	// replayWindow is for SRTP and SRTCP; pion's 64 packets are 0.2 s of video, fewer than one replay to a new leg.
	replayWindow = 1024
)

// The codecs of every stream (RFC 6184 constrained baseline 3.1, RFC 7587). Payload types are proposals: each side sends
// with what was negotiated.
const (
	h264Fmtp = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
	opusFmtp = "minptime=10;useinbandfec=1"

	opusType webrtc.PayloadType = 111
	h264Type webrtc.PayloadType = 102
)

// codec is the capability of a kind.
func codec(k media.Kind) webrtc.RTPCodecCapability {
	if k == media.Video {
		return webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: h264Fmtp,
			RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}, {Type: "goog-remb"}}}
	}
	return webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: opusFmtp,
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}}}
}

// rtpKind is pion's word for a kind.
func rtpKind(k media.Kind) webrtc.RTPCodecType {
	if k == media.Video {
		return webrtc.RTPCodecTypeVideo
	}
	return webrtc.RTPCodecTypeAudio
}

// kindOf is our word for pion's.
func kindOf(t webrtc.RTPCodecType) media.Kind {
	if t == webrtc.RTPCodecTypeVideo {
		return media.Video
	}
	return media.Voice
}

// engine is what peers of one sort are made with.
type engine struct {
	net      transport.Net // nil: the host's
	loopback bool
	relay    *relays    // nil: no relays
	udp      ice.UDPMux // nil: a socket per peer
	tcp      ice.TCPMux // nil: no ICE over TCP
	public   []netip.Addr
	// foreign peers (browsers, other servers) get what they need of RTCP: reports for lip sync and for their congestion
	// control. Links measure with probes and save the bytes.
	foreign bool
	log     logging.LoggerFactory
}

// api builds pion's factory for one peer. It is cheap, and interceptors must not be shared (pion/webrtc interceptor.go).
func (e engine) api() (*webrtc.API, error) {
	codecs := &webrtc.MediaEngine{}
	types := [media.NumKinds]webrtc.PayloadType{media.Voice: opusType, media.Video: h264Type}
	for k := media.Kind(0); k < media.NumKinds; k++ {
		parameters := webrtc.RTPCodecParameters{RTPCodecCapability: codec(k), PayloadType: types[k]}
		if err := codecs.RegisterCodec(parameters, rtpKind(k)); err != nil {
			return nil, fmt.Errorf("register codec of %v: %w", k, err)
		}
	}
	registry := &interceptor.Registry{}
	if e.foreign {
		if err := foreignRTCP(codecs, registry); err != nil {
			return nil, err
		}
	}
	settings, err := e.settings()
	if err != nil {
		return nil, err
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(codecs), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings)), nil
}

// foreignRTCP sets up sender reports (a browser's lip sync), receiver reports and transport-wide feedback (a browser's
// rate), and the header extension that tells streams apart when the offer names no SSRC. No NACK generator and no
// responder: what is missing on one leg may have come on another, only the Merger knows.
func foreignRTCP(codecs *webrtc.MediaEngine, registry *interceptor.Registry) error {
	if err := webrtc.ConfigureTWCCSender(codecs, registry); err != nil {
		return fmt.Errorf("set up transport feedback: %w", err)
	}
	for _, t := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		if err := codecs.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: sdp.SDESMidURI}, t); err != nil {
			return fmt.Errorf("register header extension: %w", err)
		}
	}
	receiver, err := report.NewReceiverInterceptor()
	if err != nil {
		return fmt.Errorf("set up receiver reports: %w", err)
	}
	sender, err := report.NewSenderInterceptor()
	if err != nil {
		return fmt.Errorf("set up sender reports: %w", err)
	}
	registry.Add(receiver)
	registry.Add(sender)
	return nil
}

func (e engine) settings() (webrtc.SettingEngine, error) {
	s := webrtc.SettingEngine{LoggerFactory: e.log}
	if e.net != nil {
		s.SetNet(e.net)
	}
	keepAlive := time.Duration(0)
	if e.foreign {
		keepAlive = browserKeepAlive
	}
	s.SetICETimeouts(iceDisconnected, iceFailed, keepAlive)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetIncludeLoopbackCandidate(e.loopback)
	s.SetHostAcceptanceMinWait(0)
	s.SetPrflxAcceptanceMinWait(0)
	s.SetSrflxAcceptanceMinWait(0)
	s.SetRelayAcceptanceMinWait(relayWait)
	if e.relay != nil {
		s.SetICEProxyDialer(e.relay)
		s.SetRelayAcceptanceMinWait(e.relay.acceptAfter())
	}
	s.SetSTUNGatherTimeout(stunWait)
	s.SetICEMaxBindingRequests(iceRequests)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6})
	s.DisableActiveTCP(true) // pion's dials past the Net (ice active_tcp.go); ours is in tcp.go
	s.SetDTLSRetransmissionInterval(dtlsFlight)
	s.SetDTLSInsecureSkipHelloVerify(true) // ICE has verified the address already: one round trip less
	s.SetSRTPReplayProtectionWindow(replayWindow)
	s.SetSRTCPReplayProtectionWindow(replayWindow)
	s.SetFireOnTrackBeforeFirstRTP(true)
	if e.udp != nil {
		s.SetICEUDPMux(e.udp)
	}
	if e.tcp != nil {
		s.SetICETCPMux(e.tcp)
	}
	if len(e.public) > 0 {
		var ips []string
		for _, a := range e.public {
			ips = append(ips, a.String())
		}
		err := s.SetICEAddressRewriteRules(webrtc.ICEAddressRewriteRule{External: ips, AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteReplace})
		if err != nil {
			return s, fmt.Errorf("advertise %v: %w", e.public, err)
		}
	}
	return s, nil
}
