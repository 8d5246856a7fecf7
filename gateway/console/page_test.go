//go:build dynamic

package console_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"

	"scanside/gateway"
	"scanside/lab/browser"
	"scanside/link"
	"scanside/media"
	"scanside/media/content"
	"scanside/media/device"
)

// stage is a gateway on loopback with real ports and a box with a real H.264 picture and Opus voice on two uplinks.
type stage struct {
	t     *testing.T
	g     *gateway.Gateway
	base  string
	token string
	stop  func()

	fans  [media.NumKinds]*media.Fanout
	video media.Source
	nets  map[string]*link.BoundNet
	back  [media.NumKinds]atomic.Int64  // packets that reached the room
	wrong [media.NumKinds]atomic.Uint32 // what the box says of its sources
}

// newStage serves plain HTTP, or TLS with a certificate of the gateway's own.
func newStage(t *testing.T, overTLS bool) *stage {
	t.Helper()
	s := &stage{t: t, nets: map[string]*link.BoundNet{}}
	token, hash := gateway.NewSiteToken()
	_, other := gateway.NewSiteToken()
	s.token = token
	g, err := gateway.New(gateway.Config{
		Listen: "127.0.0.1:0", TLS: gateway.TLSConfig{Off: !overTLS}, StateDir: t.TempDir(), Ports: gateway.Ports{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0"},
		Sites: []gateway.Site{{ID: "mri-2", Name: "Northgate Imaging · MRI 2", TokenHash: hash}, {ID: "ct-1", Name: "Riverside Clinic · CT 1", TokenHash: other}},
		Users: []gateway.User{
			{Name: "ada", DisplayName: "Dr Ada Example", Role: gateway.Supervisor},
			{Name: "bob", DisplayName: "Dr Bob Example", Role: gateway.Supervisor},
			{Name: "eve", DisplayName: "Eve Example", Role: gateway.Observer},
		},
	}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	must(t, err)
	s.g = g
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	s.stop = sync.OnceFunc(func() { cancel(); must(t, <-done) })
	t.Cleanup(s.stop)
	<-g.Ready()
	s.base = "http://" + g.Addr().String()
	if overTLS {
		s.base = "https://" + g.Addr().String()
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// enter brings a box in: its agent's run over two uplinks. The returned function takes it away.
func (s *stage) enter(run string) (leave func()) {
	s.t.Helper()
	s.video = device.NewTestPicture(device.VideoConfig{})
	voice := device.NewTestVoice(0)
	var all []interface{ Close() error }
	for k := range s.fans {
		s.fans[k] = media.NewFanout(media.FanoutConfig{Kind: media.Kind(k)})
	}
	for i, uplink := range []string{"wired", "cellular"} {
		n, err := link.BindAddress(netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)}))
		must(s.t, err)
		s.nets[uplink] = n
		var legs atomic.Pointer[[media.NumKinds]*media.Leg]
		session, err := link.Dial(s.t.Context(), link.Config{
			Uplink: uplink, WHIP: s.base + "/whip/mri-2", WHEP: s.base + "/whep/mri-2", Token: s.token, Run: run, Box: "box-7", Net: n, Loopback: true,
			Faults: func() (f link.Faults) {
				for k := range f {
					f[k] = content.Fault(s.wrong[k].Load())
				}
				return f
			},
			TLS: &tls.Config{InsecureSkipVerify: true}, // the certificate is not what these tests are about
		}, link.Events{
			KeyFrame: s.video.RequestKeyFrame,
			Repair: func(k media.Kind, seqs []uint16) {
				if l := legs.Load(); l != nil {
					l[k].Resend(seqs)
				}
			},
			Packet: func(k media.Kind, p *rtp.Packet) { s.back[k].Add(1) },
		})
		must(s.t, err)
		own := &[media.NumKinds]*media.Leg{}
		for k := range own {
			own[k] = s.fans[k].AddLeg(uplink, session.Leg(media.Kind(k)))
			own[k].Select(true)
			all = append(all, legCloser{own[k]})
		}
		legs.Store(own)
		all = append(all, session)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var gone sync.WaitGroup
	for _, src := range []media.Source{s.video, voice} {
		gone.Go(func() { must(s.t, src.Run(ctx, s.fans[src.Kind()])) })
	}
	leave = sync.OnceFunc(func() {
		cancel()
		gone.Wait()
		for i := len(all) - 1; i >= 0; i-- {
			all[i].Close()
		}
	})
	s.t.Cleanup(leave)
	return leave
}

type legCloser struct{ l *media.Leg }

func (l legCloser) Close() error { l.l.Close(); return nil }

// open is a browser whose user has just followed a one-time sign-in link.
func (s *stage) open(user string, cfg browser.Config) *browser.Browser {
	s.t.Helper()
	b, err := browser.Start(s.t.Context(), cfg)
	must(s.t, err)
	s.t.Cleanup(b.Close)
	code, err := s.g.SignInCode(user)
	must(s.t, err)
	must(s.t, b.Open(s.base+"/signin/once?code="+code))
	until(s.t, b, "the list of rooms", `document.querySelectorAll("#rooms li").length === 2`)
	return b
}

// patience is for a shared machine; an idle one takes a second.
const patience = time.Minute

// until waits until an expression is true in the page.
func until(t *testing.T, b *browser.Browser, what, expression string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, err := browser.Eval[bool](b, "(async () => Boolean(await ("+expression+")))()")
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			text, _ := browser.Eval[string](b, "document.body.innerText")
			t.Fatalf("waited in vain for %s (%s, %v); the page says:\n%s", what, expression, err, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func text(id string) string { return fmt.Sprintf("document.getElementById(%q).textContent", id) }

// shot keeps a picture of the page in the folder that SCREENSHOTS names; without it nothing is kept.
func shot(t *testing.T, b *browser.Browser, name string) {
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		time.Sleep(1500 * time.Millisecond) // what moves has come to rest, for people's eyes alone
		must(t, b.Screenshot(filepath.Join(dir, name+".png")))
	}
}

const live = `document.getElementById("stage").dataset.picture === "live"`

func TestConsole(t *testing.T) {
	s := newStage(t, false)
	leave := s.enter("run-1")
	ada := s.open("ada", browser.Config{Devices: true, Width: 1440, Height: 900})
	shot(t, ada, "rooms")
	must(t, ada.Click(`a[href="#/room/mri-2"]`))
	until(t, ada, "a live picture", live)
	until(t, ada, "sound", `Number(document.getElementById("level").getAttribute("aria-valuenow")) > 0`)
	until(t, ada, "the verdict", text("verdict")+` === "Live picture and sound."`)
	until(t, ada, "both uplinks", `document.querySelectorAll('#links li[data-state="live"]').length === 3`)
	shot(t, ada, "room")

	t.Log("Talk")
	must(t, ada.Click("#talk"))
	until(t, ada, "the words on air", text("on-air-words")+` === "You are seen and heard in the room"`)
	until(t, ada, "the own picture", `document.getElementById("preview").videoWidth > 0`)
	for k := range s.back {
		for deadline := time.Now().Add(patience); s.back[k].Load() == 0; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("no %v reached the room", media.Kind(k))
			}
		}
	}
	shot(t, ada, "talking")
	must(t, ada.Click("#talk-mute"))
	until(t, ada, "the words of a muted microphone", text("on-air-words")+`.includes("your microphone is muted")`)
	shot(t, ada, "muted")
	must(t, ada.Click("#talk-mute"))

	t.Log("a second supervisor, on a phone")
	bob := s.open("bob", browser.Config{Devices: true, Phone: true, Width: 390, Height: 844})
	shot(t, bob, "phone-rooms")
	must(t, bob.Click(`a[href="#/room/mri-2"]`))
	until(t, bob, "a live picture", live)
	until(t, bob, "who talks", text("talk-hint")+`.includes("Dr Ada Example is talking")`)
	until(t, bob, "sound", `Number(document.getElementById("level").getAttribute("aria-valuenow")) > 0`)
	shot(t, bob, "phone-room")
	must(t, bob.Click("#talk"))
	until(t, bob, "the question", `document.getElementById("ask").open`)
	shot(t, bob, "phone-ask")
	must(t, bob.Click("#ask-yes"))
	until(t, bob, "the words on air", text("on-air-words")+` === "You are seen and heard in the room"`)
	shot(t, bob, "phone-talking")

	t.Log("the first talker is told, and does not come back by himself")
	until(t, ada, "the end of the talk", text("talk-hint")+`.includes("Dr Bob Example has taken over. You are no longer seen or heard")`)
	if on, err := browser.Eval[bool](ada, `document.getElementById("preview").srcObject !== null`); err != nil || on {
		t.Errorf("camera and microphone are still held (%v)", err)
	}
	shot(t, ada, "overtaken")
	must(t, bob.Click("#talk"))
	until(t, bob, "no talk", `document.getElementById("on-air").hidden`)

	t.Log("what arrives is no room, by the box's own word")
	s.wrong[media.Video].Store(uint32(content.Frozen))
	until(t, ada, "the words over a slate", text("live-word")+` === "NOT THE ROOM" && `+text("veil-words")+`.startsWith("The room's camera hangs.")`)
	until(t, ada, "the verdict", text("verdict")+`.includes("The room is not seen.")`)
	shot(t, ada, "slate")
	s.wrong[media.Video].Store(uint32(content.Black))
	s.wrong[media.Voice].Store(uint32(content.Muted))
	until(t, ada, "the words over a black picture", text("live-word")+` === "ROOM NOT VISIBLE" && `+text("sound-words")+` === "The room is not heard"`)
	shot(t, ada, "black")
	for k := range s.wrong {
		s.wrong[k].Store(0)
	}
	until(t, ada, "the room again", live+` && `+text("live-word")+` === "LIVE"`)

	t.Log("the picture stands still")
	leave()
	until(t, ada, "the warning", `document.getElementById("stage").dataset.picture === "stale"`)
	until(t, ada, "the age", text("veil-words")+`.match(/No picture for ([3-9]|[0-9]{2,}) s/)`)
	shot(t, ada, "stale")
	until(t, ada, "the picture's end", `document.getElementById("stage").dataset.picture === "gone"`)
	until(t, ada, "the verdict", text("verdict")+`.includes("No live picture")`)
	shot(t, ada, "gone")
	shot(t, bob, "phone-gone")
	before, err := browser.Eval[int](ada, `performance.getEntriesByType("resource").filter((e) => e.name.includes("/whep")).length`)
	must(t, err)
	s.enter("run-2")
	until(t, ada, "the picture again", live)
	after, err := browser.Eval[int](ada, `performance.getEntriesByType("resource").filter((e) => e.name.includes("/whep")).length`)
	must(t, err)
	if after != before {
		t.Errorf("the page made %d new connections over the box's restart", after-before)
	}
	if on, err := browser.Eval[bool](ada, `document.getElementById("on-air").hidden && document.getElementById("preview").srcObject === null`); err != nil || !on {
		t.Errorf("talk began by itself (%v)", err)
	}
}

// A stranger signs in; sound waits for a person's hand where the browser wants that; the gateway's end is said and ends Talk.
func TestSignInSoundAndTheEnd(t *testing.T) {
	s := newStage(t, true)
	s.enter("run-1")
	b, err := browser.Start(t.Context(), browser.Config{Devices: true, Width: 1440, Height: 1000, Arguments: []string{"autoplay-policy=user-gesture-required"}})
	must(t, err)
	t.Cleanup(b.Close)
	must(t, b.Open(s.base+"/"))
	until(t, b, "the sign-in form", `document.querySelector("form[action='/signin'] input[type=password]")`)
	shot(t, b, "signin")
	_, err = browser.Eval[bool](b, `(document.getElementById("name").value = "ada", document.getElementById("password").value = "a wrong password", true)`)
	must(t, err)
	must(t, b.Click("button[type=submit]"))
	until(t, b, "the refusal", `document.querySelector("[role=alert]")?.textContent === "Name or password is wrong."`)
	shot(t, b, "signin-refused")
	code, err := s.g.SignInCode("ada")
	must(t, err)
	must(t, b.Open(s.base+"/signin/once?code="+code))
	until(t, b, "the list of rooms", `document.querySelectorAll("#rooms li").length === 2`)
	if where, err := browser.Eval[string](b, "location.href + document.referrer"); err != nil || where != s.base+"/"+s.base+"/signin/once" && where != s.base+"/" {
		t.Errorf("the code is left in %q (%v)", where, err)
	}
	must(t, b.Open(s.base+"/#/room/mri-2")) // no hand has touched this page
	_, err = browser.Eval[bool](b, "(location.reload(), true)")
	must(t, err)
	until(t, b, "a live picture", live)
	until(t, b, "the offer of sound", `!document.getElementById("unblock").hidden && document.getElementById("picture").muted`)
	shot(t, b, "blocked")
	must(t, b.Click("#unblock"))
	until(t, b, "sound", `!document.getElementById("picture").muted && document.getElementById("unblock").hidden`)
	must(t, b.Click("#numbers summary"))
	until(t, b, "the numbers", `document.querySelectorAll("#streams tr").length === 2`)
	must(t, b.Click("#talk"))
	until(t, b, "the words on air", text("on-air-words")+` === "You are seen and heard in the room"`)
	shot(t, b, "numbers")
	presence := func() (sees, hears bool) {
		r, err := browser.Eval[[]bool](b, `fetch("/api/v1/rooms").then((r) => r.json()).then((r) => [r.rooms[0].supervisors[0].sees, r.rooms[0].supervisors[0].hears])`)
		must(t, err)
		return r[0], r[1]
	}
	until(t, b, "the gateway's word that she sees and hears", `fetch("/api/v1/rooms").then((r) => r.json()).then((r) => r.rooms[0].supervisors[0].sees && r.rooms[0].supervisors[0].hears)`)
	must(t, b.Click("#sound"))
	until(t, b, "the gateway's word that she does not hear", `fetch("/api/v1/rooms").then((r) => r.json()).then((r) => !r.rooms[0].supervisors[0].hears)`)
	if sees, hears := presence(); !sees || hears {
		t.Errorf("presence: sees %v, hears %v", sees, hears)
	}
	s.stop()
	until(t, b, "the warning", `!document.getElementById("trouble").hidden`)
	until(t, b, "the end of the talk", `document.getElementById("preview").srcObject === null && document.getElementById("on-air").hidden`)
	until(t, b, "no room shown as live", `[...document.querySelectorAll("#rooms a")].every((a) => a.dataset.state === "unknown")`)
	until(t, b, "the next try", text("veil-more")+`.includes("Next try in")`)
	until(t, b, "no link shown as live", `[...document.querySelectorAll("#links li")].every((l) => l.dataset.state === "unknown")`)
	shot(t, b, "gateway-gone")
}
