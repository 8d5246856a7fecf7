package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"

	"scanside/lab/observe"
	"scanside/link"
	"scanside/media"
	"scanside/media/synthetic"
)

// A viewer who takes the media over TCP and then reads nothing: the buffers on his way fill up, what does not fit is dropped,
// and nobody else notices; the gateway stops in time with him still there.
func TestViewerThatNeverReads(t *testing.T) {
	cfg, tokens := testConfig(t)
	cfg.Listen, cfg.TLS.Off = "127.0.0.1:0", true
	cfg.Ports = Ports{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0"}
	g := running(t, cfg)
	f := &fixture{g, "http://" + g.Addr().String(), tokens, nil}
	feed(t, f, synthetic.VideoConfig{Bitrate: 20_000_000})
	bob := f.signedInAs(t, "bob")
	bob.CheckRedirect = nil
	good, err := observe.Play(t.Context(), observe.Config{URL: f.url + "/rooms/north/whep", Client: bob, Loopback: true})
	must(t, err)
	defer good.Close()
	pipe := newStuckPipe(t)
	watchByTCP(t, f, f.signedInAs(t, "ada"), pipe)
	eventually(t, "media through the TCP viewer's pipe", func() bool { return pipe.passed.Load() > 100_000 })
	pipe.stuck.Store(true)
	// Four times what the kernel takes for one connection, and all that pion keeps: the rest is dropped, nothing waits.
	var stuck *viewer
	r := g.room("north")
	r.mu.Lock()
	for _, v := range r.viewers {
		if v.sess.user.Name == "ada" {
			stuck = v
		}
	}
	r.mu.Unlock()
	from, before := stuck.legs[media.Video].Stats().Bytes, good.Stats(media.Video).Packets
	eventually(t, "16 MB for the stuck viewer", func() bool {
		s := stuck.legs[media.Video].Stats()
		return s.Bytes-from+1200*s.Dropped > 16<<20
	})
	if n := good.Stats(media.Video).Packets - before; n < 7000 { // half of as much, whatever a busy machine loses on loopback
		t.Errorf("the good viewer was given %d packets meanwhile", n)
	}
}

// feed is a box on one uplink.
func feed(t *testing.T, f *fixture, v synthetic.VideoConfig) {
	t.Helper()
	n, err := link.BindAddress(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	must(t, err)
	video := synthetic.NewVideo(v)
	s, err := link.Dial(t.Context(), link.Config{
		Uplink: "wired", WHIP: f.url + "/whip/north", WHEP: f.url + "/whep/north", Token: f.tokens[0], Run: "run-1", Box: "box-1", Net: n, Loopback: true,
	}, link.Events{KeyFrame: video.RequestKeyFrame})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var gone sync.WaitGroup
	gone.Go(func() { video.Run(ctx, s.Leg(media.Video)) })
	t.Cleanup(func() { cancel(); gone.Wait(); s.Close() })
}

// watchByTCP plays the room over TCP alone, through the pipe.
func watchByTCP(t *testing.T, f *fixture, client *http.Client, pipe *stuckPipe) {
	t.Helper()
	var settings webrtc.SettingEngine
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	t.Cleanup(func() { pc.GracefulClose() })
	for _, k := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		_, err := pc.AddTransceiverFromKind(k, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		must(t, err)
	}
	offer, err := pc.CreateOffer(nil)
	must(t, err)
	gathered := webrtc.GatheringCompletePromise(pc)
	must(t, pc.SetLocalDescription(offer))
	<-gathered
	got := send(t, client, "POST", f.url+"/rooms/north/whep", "application/sdp", pc.LocalDescription().SDP)
	if got.status != http.StatusCreated {
		t.Fatalf("watching by TCP: %d %s", got.status, got.body)
	}
	// The gateway's TCP candidate is reached through the pipe.
	tcp := regexp.MustCompile(`(a=candidate:\S+ \d tcp \d+ )(\S+) (\d+)( .*)`).FindStringSubmatch(got.body)
	if tcp == nil {
		t.Fatalf("the answer offers no TCP: %s", got.body)
	}
	pipe.to.Store(net.JoinHostPort(tcp[2], tcp[3]))
	host, port, _ := net.SplitHostPort(pipe.l.Addr().String())
	must(t, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer,
		SDP: strings.ReplaceAll(got.body, " "+tcp[2]+" "+tcp[3]+" ", " "+host+" "+port+" ")}))
}

// stuckPipe passes TCP connections on until it is stuck; then it reads nothing more of what comes back.
type stuckPipe struct {
	l      net.Listener
	to     atomic.Value // string
	stuck  atomic.Bool
	passed atomic.Int64
}

func newStuckPipe(t *testing.T) *stuckPipe {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &stuckPipe{l: l}
	done := make(chan struct{})
	var gone sync.WaitGroup
	gone.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			gone.Go(func() { p.pass(near, done) })
		}
	})
	t.Cleanup(func() { close(done); l.Close(); gone.Wait() })
	return p
}

func (p *stuckPipe) pass(near net.Conn, done chan struct{}) {
	defer near.Close()
	far, err := net.Dial("tcp", p.to.Load().(string))
	if err != nil {
		return
	}
	defer far.Close()
	far.(*net.TCPConn).SetReadBuffer(16 << 10)
	go func() { // ends when either side is closed
		io.Copy(far, near)
		far.Close()
	}()
	buf := make([]byte, 16<<10)
	for {
		if p.stuck.Load() {
			<-done
			return
		}
		n, err := far.Read(buf)
		if err != nil {
			return
		}
		if _, err := near.Write(buf[:n]); err != nil {
			return
		}
		p.passed.Add(int64(n))
	}
}

// eventually waits for what must come, on a machine that may be busy.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	began := time.Now()
	defer func() { t.Logf("%s: %.1f s", what, time.Since(began).Seconds()) }()
	for deadline := began.Add(60 * time.Second); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
