package link

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v5/vnet"

	"scanside/media"
)

func offerFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	return string(b)
}

// alone runs f with an API in a bubble whose network has nobody else in it.
func alone(t *testing.T, f func(t *testing.T, api *API)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: quietPion()})
		must(t, err)
		n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{"10.0.0.1"}})
		must(t, err)
		must(t, router.AddNet(n))
		must(t, router.Start())
		udp, err := n.ListenPacket("udp4", "10.0.0.1:7000")
		must(t, err)
		api, err := NewAPI(APIConfig{UDP: udp, Net: n})
		must(t, err)
		f(t, api)
		must(t, api.Close())
		must(t, router.Stop())
	})
}

// settled returns the lines of an answer that say what was agreed on.
func settled(answer string) []string {
	var out []string
	for line := range strings.Lines(answer) {
		line = strings.TrimSpace(line)
		for _, prefix := range []string{"a=rtpmap:", "a=fmtp:", "a=recvonly", "a=sendonly", "a=sendrecv", "a=extmap:"} {
			if strings.HasPrefix(line, prefix) {
				out = append(out, line)
			}
		}
	}
	return out
}

// A browser's offer is answered with its own payload types, in the one direction that the standard allows.
func TestBrowserOffers(t *testing.T) {
	alone(t, func(t *testing.T, api *API) {
		in, answer, err := api.AcceptPublish(offerFile(t, "chromium-publish.sdp"), PublishEvents{})
		must(t, err)
		want := []string{
			"a=recvonly", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1",
			"a=recvonly", "a=rtpmap:108 H264/90000", "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		}
		got := settled(answer)
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("answer lacks %q", w)
			}
		}
		t.Logf("%q", got)
		if in.StreamID() != "b053dd21-e05b-4c6a-bc9c-4ba1a2b2c822" || strings.Contains(answer, echoAttribute) {
			t.Errorf("stream %q", in.StreamID())
		}
		must(t, in.Close())

		out, answer, err := api.AcceptPlay(offerFile(t, "chromium-play.sdp"), "room", PlayEvents{})
		must(t, err)
		got = settled(answer)
		if n := strings.Count(answer, "a=sendonly"); n != 2 || !slices.Contains(got, "a=rtpmap:108 H264/90000") || !strings.Contains(answer, "a=msid:room ") {
			t.Errorf("%d sections send; %q", n, got)
		}
		must(t, out.Close())
	})
}

// What cannot be served is refused with a status and a reason, and leaves nothing behind.
func TestBadOffers(t *testing.T) {
	publish, play := offerFile(t, "chromium-publish.sdp"), offerFile(t, "chromium-play.sdp")
	cut := func(s, from, to string) string { return strings.ReplaceAll(s, from, to) }
	noH264 := cut(cut(publish, "H264/90000", "H265/90000"), "packetization-mode", "x")
	cases := []struct {
		name   string
		play   bool
		offer  string
		status int
		word   string
	}{
		{"empty", false, "", 400, "no m="},
		{"garbage", false, "\x00\xff garbage\n\n", 400, "not SDP"},
		{"html", false, "<html><body>sign in</body></html>", 400, "not SDP"},
		{"no media", false, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", 400, "no m="},
		{"torn in the middle", false, publish[:900], 0, ""},
		{"publisher that only receives", false, play, 406, "recvonly"},
		{"publisher that does nothing", false, cut(publish, "a=sendonly", "a=inactive"), 406, "inactive"},
		{"player that only sends", true, publish, 406, "sendonly"},
		{"two audio sections", false, cut(publish, "m=video", "m=audio"), 406, "more than one audio"},
		{"data channel", false, cut(publish, "m=video", "m=application"), 406, "only audio and video"},
		{"no codec of ours", false, noH264, 406, "no codec of ours"},
		{"passive", false, cut(publish, "actpass", "passive"), 422, "actpass"},
		{"no fingerprint", false, cut(publish, "a=fingerprint:", "a=x:"), 400, "fingerprint"},
		{"no credentials", false, cut(publish, "a=ice-ufrag:", "a=x:"), 400, "ice-ufrag"},
		{"broken fingerprint", false, cut(publish, "sha-256 82:", "sha-256 zz:"), 0, ""},
		{"many candidates", false, cut(publish, "a=setup", strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", 70)+"a=setup"), 400, "candidates"},
		{"too long", false, publish + strings.Repeat("a=x:yyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", 3000), 400, "longer"},
	}
	alone(t, func(t *testing.T, api *API) {
		for _, c := range cases {
			var p *Problem
			var err error
			var peer Peer
			closed := false
			if c.play {
				peer, _, err = api.AcceptPlay(c.offer, "x", PlayEvents{})
			} else {
				peer, _, err = api.AcceptPublish(c.offer, PublishEvents{Closed: func(error) { closed = true }})
			}
			switch {
			case c.status == 0 && err == nil: // pion may take it; then it must be ended like any other
				_ = peer.Close()
			case c.status == 0:
			case closed:
				t.Errorf("%s: Closed was told of a peer that never was", c.name)
			case !errors.As(err, &p) || p.Status != c.status || !strings.Contains(p.Detail, c.word):
				t.Errorf("%s: %v; want status %d with %q", c.name, err, c.status, c.word)
			}
		}
		if api.Len() != 0 {
			t.Errorf("%d peers left", api.Len())
		}
	})
}

// A peer that never connects is ended, and says so once.
func TestNeverConnects(t *testing.T) {
	alone(t, func(t *testing.T, api *API) {
		told := make(chan error, 2)
		start := time.Now()
		in, _, err := api.AcceptPublish(offerFile(t, "chromium-publish.sdp"), PublishEvents{Closed: func(err error) { told <- err }})
		must(t, err)
		err = <-told
		t.Logf("ended after %v: %v", time.Since(start), err)
		<-in.Done()
		if err == nil || time.Since(start) > joinTimeout+time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		must(t, in.Close())
		if len(told) != 0 || api.Len() != 0 {
			t.Error("told twice, or a peer is left")
		}
		in.AskRepair(media.Video, []uint16{1})
		in.AskKeyFrame()
	})
}

func FuzzAcceptOffer(f *testing.F) {
	f.Add(offerFile(f, "chromium-publish.sdp"))
	f.Add(offerFile(f, "chromium-play.sdp"))
	f.Add("v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n")
	f.Fuzz(func(t *testing.T, offer string) {
		_, _ = judgeOffer(offer, "recvonly")
		_, _ = judgeAnswer(offer, "recvonly")
		_ = finishOffer(offer)
		_ = reachPassive(offer)
		_ = finishAnswer(offer, true)
		if fragment, problem := parseFragment(offer); problem == nil {
			_ = restartOffer(offer, fragment)
		}
		_ = sdpFragment(offer, "")
	})
}
