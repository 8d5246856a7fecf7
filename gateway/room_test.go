package gateway

import (
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v5/vnet"

	"scanside/lab/observe"
	"scanside/link"
	"scanside/media"
	"scanside/media/content"
)

// bubble runs a story on the in-memory network.
func bubble(t *testing.T, hosts []string, story func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hosts...)
		defer w.stop()
		story(t, w)
	})
}

// RFC 7198: duplicated over two paths, merged at the far end; one path dies and nothing is missing.
func TestLosingAnUplinkLosesNothing(t *testing.T) {
	bubble(t, []string{"2", "3", "50"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2", "3")
		v := w.watch("ada", "50")
		time.Sleep(2 * time.Second)
		v.Mark()
		time.Sleep(2 * time.Second)
		asked := b.video.KeyFrameRequests() // the observer asks once when a measurement begins
		w.cut("3")
		time.Sleep(5 * time.Second)
		v.End()
		time.Sleep(time.Second)
		voice, video := v.Stats(media.Voice), v.Stats(media.Video)
		if voice.Lost != 0 || voice.Sent < 340 || voice.Duplicates != 0 || voice.LongestGap > 25*time.Millisecond {
			t.Errorf("voice %+v", voice)
		}
		if video.FramesLost != 0 || video.Frames < 200 || video.LongestFreeze > 70*time.Millisecond {
			t.Errorf("video %+v", video)
		}
		if n := b.video.KeyFrameRequests(); n != asked {
			t.Errorf("the cut caused %d key frame requests", n-asked)
		}
		room := w.north()
		if room.State != Live || !strings.Contains(room.Sentence, "last link, u2") {
			t.Errorf("%s: %s", room.State, room.Sentence)
		}
		if room.Voice.Lost != 0 || room.Voice.Duplicate == 0 || len(room.Uplinks) != 2 {
			t.Errorf("room %+v", room)
		}
		if room.Voice.MinuteGap < 19 || room.Voice.MinuteGap > 25 || room.Voice.LongestGap < room.Voice.MinuteGap {
			t.Errorf("voice's gaps %d and %d ms", room.Voice.MinuteGap, room.Voice.LongestGap)
		}
		for _, u := range room.Uplinks {
			if alive := u.Name == "u2"; u.Voice.Carries != alive || u.Video.Carries != alive || u.Voice.First+u.Voice.Duplicate != u.Voice.Received {
				t.Errorf("uplink %+v", u)
			}
		}
		// The box learns over the living uplink what became of the dead one.
		far := *b.reports.Load()
		if len(far) != 2 || far[0].Lost != 0 || uint64(far[0].Received) < voice.Sent || len(far[0].Legs) != 2 || far[0].Legs[1].Received >= far[0].Legs[0].Received {
			t.Errorf("report %+v", far)
		}
	})
}

// What both uplinks lose is asked for again; what one of them brings is not.
func TestRepair(t *testing.T) {
	bubble(t, []string{"2", "3", "50"}, func(t *testing.T, w *world) {
		w.newBox("box-1", "run-1", "2", "3")
		v := w.watch("ada", "50")
		time.Sleep(2 * time.Second)
		v.Mark()
		type copyOf struct {
			from string
			seq  uint16
		}
		lost := map[copyOf]bool{}
		w.dropIf(func(c vnet.Chunk) bool {
			// Each 40th packet of video is lost on both uplinks, each 40th of others on one; the viewer's own way is clean.
			data := c.UserData()
			if of(c, "50") || len(data) < 300 {
				return false
			}
			one := copyOf{c.SourceAddr().String(), binary.BigEndian.Uint16(data[2:])}
			if again := lost[one]; again || one.seq%40 != 7 && !(of(c, "2") && one.seq%40 == 20) {
				return false
			}
			lost[one] = true
			return true
		})
		time.Sleep(10 * time.Second)
		w.cut()
		v.End()
		time.Sleep(time.Second)
		room := w.north()
		if video := v.Stats(media.Video); video.Lost != 0 || room.Video.Lost != 0 || room.Video.Repaired < 40 || room.Video.Repaired > 100 {
			t.Errorf("viewer %+v\nroom %+v", video, room.Video)
		}
	})
}

// A new viewer's picture is whole, and comes at once though the next key frame of its own would be long in coming.
func TestNewViewerSeesAtOnce(t *testing.T) {
	bubble(t, []string{"2", "50", "51", "52"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2")
		time.Sleep(1100 * time.Millisecond)
		for _, host := range []string{"50", "51", "52"} {
			v := w.watch("ada", host) // connected
			began := time.Now()
			for !v.Receiving() {
				if time.Since(began) > 2*time.Second {
					t.Fatalf("viewer %s has no picture", host)
				}
				time.Sleep(5 * time.Millisecond)
			}
			// A request up, a frame down, and at most half a second of the gate.
			if d := time.Since(began); d > 700*time.Millisecond {
				t.Errorf("viewer %s waited %v", host, d)
			}
			if s := v.Stats(media.Video); s.FramesComplete > s.FramesShown {
				t.Errorf("viewer %s was sent %d frames that cannot be shown", host, s.FramesComplete-s.FramesShown)
			}
			time.Sleep(1300 * time.Millisecond)
		}
		if n := b.video.KeyFrameRequests(); n > 8 {
			t.Errorf("three viewers cost %d key frame requests", n)
		}
	})
}

// The request for a newcomer's first picture gets lost, and its browser, which has got nothing yet, does not ask.
func TestLostKeyFrameRequestIsRepeated(t *testing.T) {
	bubble(t, []string{"2", "50"}, func(t *testing.T, w *world) {
		w.newBox("box-1", "run-1", "2")
		time.Sleep(2 * time.Second)
		var requests atomic.Int32
		w.dropIf(func(c vnet.Chunk) bool {
			if b := c.UserData(); len(b) < 2 || b[0]>>6 != 2 || b[1] != 206 { // RTCP's payload-specific feedback (RFC 4585 6.1)
				return false
			}
			return of(c, "50") || requests.Add(1) == 1
		})
		start, v := time.Now(), w.watch("ada", "50")
		for !v.Receiving() && time.Since(start) < 5*time.Second {
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(start); took > 2*time.Second || requests.Load() != 2 {
			t.Errorf("the first picture came after %v, with %d requests; want two of them and 2 s at most", took, requests.Load())
		}
	})
}

// Many viewers who ask all the time cost two key frames a second.
func TestKeyFrameRequestsAreCoalesced(t *testing.T) {
	bubble(t, []string{"2"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2")
		time.Sleep(time.Second)
		before := b.video.KeyFrameRequests()
		for range 500 {
			w.room("north").askKeyFrame(time.Now())
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		if n := b.video.KeyFrameRequests() - before; n < 10 || n > 11 {
			t.Errorf("%d requests in 5 s", n)
		}
	})
}

func TestAgentRestart(t *testing.T) {
	for _, how := range []string{"told to stop", "killed"} {
		t.Run(how, func(t *testing.T) {
			bubble(t, []string{"2", "3", "50"}, func(t *testing.T, w *world) {
				old := w.newBox("box-1", "run-1", "2", "3")
				v := w.watch("ada", "50")
				time.Sleep(2 * time.Second)
				before := v.Stats(media.Video)
				if how == "killed" {
					old.kill()
				} else {
					old.stop()
				}
				time.Sleep(700 * time.Millisecond) // a process starts
				w.newBox("box-1", "run-2", "2", "3")
				came := time.Now()
				for shown := v.Stats(media.Video).FramesShown; v.Stats(media.Video).FramesShown < shown+10; time.Sleep(10 * time.Millisecond) {
					if time.Since(came) > 5*time.Second {
						t.Fatalf("no picture after the restart: %+v", v.Stats(media.Video))
					}
				}
				if d := time.Since(came); d > time.Second {
					t.Errorf("the picture came back after %v", d)
				}
				time.Sleep(2 * time.Second)
				// One stream for the viewer: the numbers went on, nothing is missing between the runs.
				after := v.Stats(media.Video)
				if after.Lost != before.Lost || after.FramesShown < before.FramesShown+50 {
					t.Errorf("before %+v\nafter %+v", before, after)
				}
				room := w.north()
				if room.Run != "run-2" || room.State != Live || len(w.room("north").viewers) != 1 {
					t.Errorf("room %+v", room)
				}
				// The replaced run cannot come back and push the new one out.
				if p := refusedWith(old.dial("2")); p == nil || p.Status != http.StatusConflict || !strings.HasSuffix(p.Type, "old-run") {
					t.Errorf("the old run got in: %+v", p)
				}
				if w.north().Run != "run-2" {
					t.Error("the old run took the room")
				}
			})
		})
	}
}

// The same agent dials one uplink again: counts go on, the other uplink is not touched.
func TestUplinkDialledAgain(t *testing.T) {
	bubble(t, []string{"2", "3", "50"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2", "3")
		v := w.watch("ada", "50")
		time.Sleep(2 * time.Second)
		v.Mark()
		before := w.north()
		must(t, b.dial("2"))
		time.Sleep(2 * time.Second)
		after := w.north()
		if s := v.Stats(media.Voice); s.Lost != 0 || s.LongestGap > 25*time.Millisecond {
			t.Errorf("voice %+v", s)
		}
		if len(after.Uplinks) != 2 || after.Run != "run-1" || after.Uplinks[0].Voice.Received <= before.Uplinks[0].Voice.Received {
			t.Errorf("before %+v\nafter %+v", before.Uplinks, after.Uplinks)
		}
		if n := w.resources.Len(); n != 5 { // two uplinks with two sessions each, one viewer
			t.Errorf("%d sessions", n)
		}
	})
}

// A WHIP client that knows nothing of runs: each of its sessions is one, and it may play on the same uplink.
func TestPlainClient(t *testing.T) {
	bubble(t, []string{"2", "50", "60"}, func(t *testing.T, w *world) {
		plain := func() *box { return w.newBox("", "", "2") }
		first := plain()
		v := w.watch("ada", "50")
		time.Sleep(time.Second)
		run := w.north().Run
		first.stop()
		second := plain()
		_, err := w.talkAs("bob", "60", "")
		must(t, err)
		time.Sleep(2 * time.Second)
		room := w.north()
		if room.Run == run || room.State != Live || len(room.Uplinks) != 1 || !v.Receiving() || second.back["2"][media.Voice].Load() < 50 {
			t.Errorf("run %q then %+v", run, room)
		}
	})
}

// A slate flows as a picture does. What the box says of it is what people are told, in their words, within a second.
func TestSlateIsNotLive(t *testing.T) {
	bubble(t, []string{"2", "3"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2", "3")
		time.Sleep(time.Second)
		if v := w.north(); v.State != Live || v.Video.Fault != "" || !v.Video.Serves {
			t.Fatalf("all well: %s: %s; %+v", v.State, v.Sentence, v.Video)
		}
		for _, story := range []struct {
			voice, video content.Fault
			state        RoomState
			words        string
		}{
			{content.None, content.Frozen, Partial, "Sound only: the room's camera hangs. This is a notice from the box, not the room"},
			{content.None, content.Absent, Partial, "not the room"},
			{content.None, content.Private, Partial, "Sound only: the room has switched its camera off"},
			{content.None, content.Black, Partial, "Sound only: the picture is black"},
			{content.Muted, content.None, Partial, "Picture only: the room's microphone is muted"},
			{content.Silent, content.Frozen, Silent, "neither seen nor heard"},
			{content.Hum, content.None, Live, "mains hum"},
			{content.None, content.Fault(99), Partial, "not the room"}, // of a box that is newer
			{content.None, content.None, Live, "Picture and sound arrive"},
		} {
			b.faults.Store(&link.Faults{media.Voice: story.voice, media.Video: story.video})
			time.Sleep(time.Second)
			if v := w.north(); v.State != story.state || !strings.Contains(v.Sentence, story.words) {
				t.Errorf("%v and %v: %s: %s", story.voice, story.video, v.State, v.Sentence)
			}
		}
		w.cut("2", "3")
		time.Sleep(saidHolds + time.Second)
		if v := w.north(); v.Video.Fault != "unknown" || v.Video.Serves {
			t.Errorf("a box that fell silent: %+v", v.Video)
		}
	})
}

func TestSecondBoxIsRefused(t *testing.T) {
	bubble(t, []string{"2", "3", "50"}, func(t *testing.T, w *world) {
		first := w.newBox("box-1", "run-1", "2")
		v := w.watch("ada", "50")
		time.Sleep(time.Second)
		second := &box{w: w, name: "box-2", run: "run-9", video: first.video, merged: first.merged, mergers: first.mergers, fans: first.fans,
			sessions: first.sessions, legs: first.legs, back: first.back, bytes: first.bytes}
		v.Mark()
		p := refusedWith(second.dial("3"))
		if p == nil || p.Status != http.StatusConflict || p.After == 0 || !strings.Contains(p.Error(), `box "box-1" was heard`) || !strings.Contains(p.Error(), "Stop one of them") {
			t.Fatalf("the second box: %v", p)
		}
		time.Sleep(time.Second)
		if s := v.Stats(media.Voice); s.Lost != 0 || s.LongestGap > 25*time.Millisecond || w.north().Box != "box-1" {
			t.Errorf("the first box was disturbed: %+v", s)
		}
		// Once the first is silent for three seconds the second may have the room; when that is gone, the first may come back.
		first.kill()
		w.cut("2")
		time.Sleep(2 * time.Second)
		if refusedWith(second.dial("3")) == nil {
			t.Error("let in after two seconds")
		}
		time.Sleep(1100 * time.Millisecond)
		must(t, second.dial("3"))
		if w.north().Box != "box-2" {
			t.Errorf("the room is %q's", w.north().Box)
		}
		w.cut("3")
		time.Sleep(3100 * time.Millisecond)
		w.cut()
		must(t, first.dial("2"))
		if r := w.north(); r.Box != "box-1" || r.Run != "run-1" {
			t.Errorf("the room is %q's", r.Box)
		}
	})
}

// R3: the way back takes exactly the uplinks that bring the same kind, and all when none does.
func TestMirrorRule(t *testing.T) {
	bubble(t, []string{"2", "3", "60"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2", "3")
		_, err := w.talkAs("ada", "60", "")
		must(t, err)
		time.Sleep(2 * time.Second)
		moved := func(what string, d time.Duration, want map[string][media.NumKinds]bool) {
			t.Helper()
			time.Sleep(400 * time.Millisecond) // the window and a round trip
			var from [2][media.NumKinds]int64
			for i, u := range []string{"2", "3"} {
				for k, c := range b.back[u] {
					from[i][k] = c.Load()
				}
			}
			time.Sleep(d)
			for i, u := range []string{"2", "3"} {
				for k, c := range b.back[u] {
					if got := c.Load() > from[i][k]; got != want[u][k] {
						t.Errorf("%s: %v on uplink %s: %v", what, media.Kind(k), u, got)
					}
				}
			}
		}
		both := [media.NumKinds]bool{true, true}
		moved("both carry both", time.Second, map[string][media.NumKinds]bool{"2": both, "3": both})
		b.legs["3"][media.Video].Select(false)
		moved("3 carries voice alone", time.Second, map[string][media.NumKinds]bool{"2": both, "3": {media.Voice: true}})
		b.legs["3"][media.Voice].Select(false)
		moved("3 stands by", time.Second, map[string][media.NumKinds]bool{"2": both, "3": {}})
		for k := range b.legs["2"] {
			b.legs["2"][k].Select(false)
		}
		moved("none carries anything", time.Second, map[string][media.NumKinds]bool{"2": both, "3": both})
		// G6: the way back follows within a one-way delay of the first packet.
		b.legs["2"][media.Voice].Select(true)
		time.Sleep(500 * time.Millisecond)
		n := b.back["3"][media.Voice].Load()
		b.legs["3"][media.Voice].Select(true)
		b.legs["3"][media.Voice].Replay(uint16(b.fans[media.Voice].Stats().Highest) - 3) // as an agent does
		time.Sleep(2*oneWay + 25*time.Millisecond)                                       // there and back, a packet of voice
		if b.back["3"][media.Voice].Load() == n {
			t.Error("the way back did not follow at once")
		}
	})
}

// Cutting an uplink costs the room nothing of the physician either.
func TestReturnSurvivesACut(t *testing.T) {
	bubble(t, []string{"2", "3", "60"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2", "3")
		_, err := w.talkAs("ada", "60", "")
		must(t, err)
		time.Sleep(2 * time.Second)
		for _, c := range b.merged {
			c.Mark()
		}
		w.cut("2")
		time.Sleep(5 * time.Second)
		for _, c := range b.merged {
			c.End()
		}
		time.Sleep(time.Second)
		voice, video := b.merged[media.Voice].Stats(), b.merged[media.Video].Stats()
		if voice.Lost != 0 || voice.Packets < 240 || voice.LongestGap > 25*time.Millisecond || video.FramesLost != 0 || video.Frames < 140 {
			t.Errorf("voice %+v\nvideo %+v", voice, video)
		}
	})
}

func TestOneTalker(t *testing.T) {
	bubble(t, []string{"2", "60", "61", "62"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2")
		ada, err := w.talkAs("ada", "60", "?desk=first")
		must(t, err)
		time.Sleep(time.Second)
		if talk := w.north().Talk; talk == nil || talk.Name != "Dr Ada Example" || talk.Desk != "first" || !talk.Voice || !talk.Video {
			t.Fatalf("talk %+v", talk)
		}
		_, err = w.talkAs("bob", "61", "")
		var no *observe.Refused
		if !errors.As(err, &no) || no.Status != http.StatusConflict || !strings.Contains(no.Text, "Dr Ada Example is talking in this room.") {
			t.Fatalf("the second talker: %v", err)
		}
		before := b.merged[media.Voice].Stats()
		_, err = w.talkAs("bob", "62", "?takeover=1&desk=second")
		must(t, err)
		time.Sleep(time.Second)
		if talk := w.north().Talk; talk == nil || talk.Name != "Dr Bob Example" {
			t.Fatalf("talk %+v", talk)
		}
		// R5: nothing of the first talker reaches the room any more; the stream goes on in one numbering.
		after := b.merged[media.Voice].Stats()
		if after.Lost > before.Lost || after.Packets < before.Packets+40 {
			t.Errorf("before %+v\nafter %+v", before, after)
		}
		if n := w.resources.Len(); n != 3 { // the box's two, the talker's one
			t.Errorf("%d sessions: the first talker's is left", n)
		}
		ada.Close()
		time.Sleep(time.Second)
		if talk := w.north().Talk; talk == nil || talk.Name != "Dr Bob Example" {
			t.Errorf("the first talker's end ended the second: %+v", talk)
		}
	})
}

// A talker whose connection dies keeps nobody from talking, and does not come back by himself.
func TestTalkerGone(t *testing.T) {
	bubble(t, []string{"2", "60", "61"}, func(t *testing.T, w *world) {
		w.newBox("box-1", "run-1", "2")
		_, err := w.talkAs("ada", "60", "")
		must(t, err)
		time.Sleep(time.Second)
		w.cut("60")
		time.Sleep(talkAlive + 500*time.Millisecond)
		_, err = w.talkAs("bob", "61", "") // without takeover
		must(t, err)
		w.cut()
		time.Sleep(2 * time.Second)
		if talk := w.north().Talk; talk == nil || talk.Name != "Dr Bob Example" {
			t.Errorf("talk %+v", talk)
		}
	})
}

// R5: who talks to a box that is away for long is not on air again by himself when it is back; a short absence changes nothing.
func TestBoxAwayEndsTalk(t *testing.T) {
	bubble(t, []string{"2", "60"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2")
		_, err := w.talkAs("ada", "60", "")
		must(t, err)
		time.Sleep(time.Second)
		b.stop()
		time.Sleep(talkKept - 2*time.Second)
		b = w.newBox("box-1", "run-2", "2")
		time.Sleep(2 * time.Second)
		if talk, n := w.north().Talk, b.merged[media.Voice].Stats().Packets; talk == nil || n == 0 {
			t.Fatalf("after a short absence: talk %+v, %d packets", talk, n)
		}
		b.stop()
		time.Sleep(talkKept + time.Second)
		if talk := w.north().Talk; talk != nil {
			t.Errorf("talk %+v", talk)
		}
		if n := w.resources.Len(); n != 0 {
			t.Errorf("%d sessions: the talker's is left", n)
		}
		b = w.newBox("box-1", "run-3", "2")
		time.Sleep(2 * time.Second)
		if n := b.merged[media.Voice].Stats().Packets; n != 0 {
			t.Errorf("%d packets of voice reached the room", n)
		}
	})
}

// Two consoles see the same room; signing one person out ends what he had open at once, and nobody else's.
func TestTwoConsolesAndSignOut(t *testing.T) {
	bubble(t, []string{"2", "50", "51", "60"}, func(t *testing.T, w *world) {
		w.newBox("box-1", "run-1", "2")
		bob := w.watch("bob", "51")
		ada := w.client("ada")
		v, err := observe.Play(t.Context(), observe.Config{URL: "http://" + farHTTP + "/rooms/north/whep", Client: ada, Net: w.hosts["50"]})
		must(t, err)
		w.stops = append(w.stops, func() { v.Close() })
		p, err := observe.Talk(t.Context(), observe.Config{URL: "http://" + farHTTP + "/rooms/north/whip", Client: ada, Net: w.hosts["60"]})
		must(t, err)
		w.stops = append(w.stops, func() { p.Close() })
		time.Sleep(2 * time.Second)
		room := w.north()
		if len(room.Watchers) != 2 || !v.Receiving() || !bob.Receiving() || room.Talk == nil {
			t.Fatalf("room %+v", room)
		}
		res, err := ada.Post("http://"+farHTTP+"/signout", "", nil)
		must(t, err)
		res.Body.Close()
		time.Sleep(200 * time.Millisecond)
		room = w.north()
		if len(room.Watchers) != 1 || room.Watchers[0].Name != "Dr Bob Example" || room.Talk != nil || room.Present {
			t.Errorf("after signing out: %+v", room)
		}
		n := v.Stats(media.Voice).Packets
		other := bob.Stats(media.Voice).Packets
		time.Sleep(time.Second)
		if v.Stats(media.Voice).Packets > n || bob.Stats(media.Voice).Packets < other+45 {
			t.Error("signing out did not end the right viewer")
		}
	})
}

// R2: a viewer whose network swallows everything harms nobody.
func TestViewerWhoseNetworkDies(t *testing.T) {
	bubble(t, []string{"2", "50", "51"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2")
		good := w.watch("ada", "50")
		w.watch("bob", "51")
		time.Sleep(2 * time.Second)
		good.Mark()
		time.Sleep(time.Second)
		asked := b.video.KeyFrameRequests()
		w.cut("51")
		time.Sleep(40 * time.Second)
		if s := good.Stats(media.Video); s.FramesLost != 0 || s.LongestFreeze > 70*time.Millisecond {
			t.Errorf("the other viewer: %+v", s)
		}
		if n := b.video.KeyFrameRequests(); n != asked {
			t.Errorf("%d key frames were asked for", n-asked)
		}
		if room := w.north(); len(room.Watchers) != 1 {
			t.Errorf("the dead viewer still counts after 40 s: %+v", room.Watchers)
		}
	})
}
