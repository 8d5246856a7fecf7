package browser

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// callPage calls itself: a drawn picture and a tone over a real pair of peer connections in one page. window.hold() stops
// the drawing for a while.
const callPage = `<!doctype html><title>call</title><canvas id=c width=320 height=180></canvas><video id=v autoplay></video>
<script type=module>
const c = document.getElementById("c").getContext("2d");
let held = false;
let n = 0;
setInterval(() => { if (held) return; n++; c.fillStyle = "#fff"; c.fillRect(0, 0, 320, 180); c.fillStyle = "#000"; c.fillRect(n % 300, 0, 100, 180); }, 40);
window.hold = (ms) => new Promise((done) => { held = true; setTimeout(() => { held = false; done(true); }, ms); });
const audio = new AudioContext();
const tone = new OscillatorNode(audio, { frequency: 440 });
const to = new MediaStreamAudioDestinationNode(audio);
tone.connect(to); tone.start();
const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
a.onicecandidate = (e) => b.addIceCandidate(e.candidate ?? undefined);
b.onicecandidate = (e) => a.addIceCandidate(e.candidate ?? undefined);
const stream = new MediaStream([...document.getElementById("c").captureStream(25).getTracks(), ...to.stream.getTracks()]);
stream.getTracks().forEach((t) => a.addTrack(t, stream));
b.ontrack = (e) => { document.getElementById("v").srcObject = e.streams[0]; };
await a.setLocalDescription(); await b.setRemoteDescription(a.localDescription);
await b.setLocalDescription(); await a.setRemoteDescription(b.localDescription);
</script>`

// A real call is seen, heard and counted, and a picture that stands still for a second is a freeze of about a second.
func TestWatch(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte(callPage))
	}))
	defer srv.Close()
	b, err := Start(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Open(srv.URL + "/?code=secret"); err != nil {
		t.Fatal(err)
	}
	first := until(t, b, "the first frames", func(s Seen) bool { return s.Shown >= 5 && s.Energy > 0 })
	if first.Codec == "" || first.Width != 320 || first.Height != 180 {
		t.Errorf("the call is %q %dx%d, want some codec at 320x180", first.Codec, first.Width, first.Height)
	}
	if p, err := b.Picture(); err != nil || p.Spread < 50 {
		t.Errorf("picture %+v, %v; black bars on white spread by more than 50", p, err)
	}
	if err := b.Mark(); err != nil {
		t.Fatal(err)
	}
	if _, err := Eval[bool](b, "hold(400)"); err != nil {
		t.Fatal(err)
	}
	until(t, b, "the picture to move before the blow", func(s Seen) bool { return s.Shown >= 5 })
	if err := b.Struck(); err != nil {
		t.Fatal(err)
	}
	if _, err := Eval[bool](b, "hold(1000)"); err != nil {
		t.Fatal(err)
	}
	after := until(t, b, "the picture to move again", func(s Seen) bool { return s.Shown >= 15 })
	if after.FreezeMS < 900 || after.AfterMS != after.FreezeMS {
		t.Errorf("longest freeze %.0f ms, after the blow %.0f ms; the picture stood for 1000 ms after it", after.FreezeMS, after.AfterMS)
	}
	if after.BeforeMS < 300 || after.BeforeMS >= after.AfterMS {
		t.Errorf("longest freeze before the blow %.0f ms; the picture stood for 400 ms", after.BeforeMS)
	}
	if since := after.Minus(first); since.Decoded <= 0 || since.VoicePackets <= 0 || since.Energy <= 0 || since.VoiceSeconds <= 0 {
		t.Errorf("since the first look: %+v", since)
	}
	shot := filepath.Join(t.TempDir(), "new", "shot.png")
	if err := b.Screenshot(shot); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(shot); err != nil || info.Size() < 1000 {
		t.Errorf("screenshot: %v, %v", info, err)
	}
}

// until looks again and again until the page has come so far.
func until(t *testing.T, b *Browser, what string, ready func(Seen) bool) Seen {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for look := time.Tick(100 * time.Millisecond); ; {
		s, err := b.Watch()
		if err != nil {
			t.Fatal(err)
		}
		if ready(s) {
			return s
		}
		select {
		case <-look:
		case <-ctx.Done():
			t.Fatalf("waiting for %s: after 30 s there is only %+v", what, s)
		}
	}
}

func TestNothingListensThere(t *testing.T) {
	b, err := Start(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	err = b.Open("http://127.0.0.1:1/?code=secret")
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v; want one without the one-time code", err)
	}
}
