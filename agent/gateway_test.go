package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"scanside/agent/status"
	"scanside/failover"
	"scanside/gateway"
	"scanside/lab/observe"
	"scanside/link"
	"scanside/media"
	"scanside/supervision"
)

// far is a real gateway in the world, and a physician who uses it.
type far struct {
	w    *world
	gate *gateway.Gateway
	http *http.Client
	stop func()
}

// gateway starts a gateway; every one that a world starts knows the same site token.
func (w *world) gateway() *far {
	w.t.Helper()
	socket, err := w.hosts["far"].ListenPacket("udp4", "10.0.0.100:3478")
	if err != nil {
		w.t.Fatal(err)
	}
	api, err := link.NewAPI(link.APIConfig{UDP: socket, Net: w.hosts["far"]})
	if err != nil {
		w.t.Fatal(err)
	}
	g, err := gateway.New(gateway.Config{
		Media: api, Hosts: []string{"far"},
		Sites: []gateway.Site{{ID: "mri-2", Name: "MRI 2", TokenHash: w.hash}},
		Users: []gateway.User{{Name: "ada", DisplayName: "Dr Ada Example", Role: gateway.Supervisor}},
	}, logger(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var gone sync.WaitGroup
	gone.Go(func() { g.Run(ctx) })
	off := w.serve(g.Handler())
	jar := &pocket{}
	transport := &http.Transport{DialContext: w.hosts["page"].DialContext}
	f := &far{w: w, gate: g, http: &http.Client{Transport: transport, Jar: jar}}
	f.stop = sync.OnceFunc(func() { transport.CloseIdleConnections(); off(); cancel(); gone.Wait(); api.Close() })
	return f
}

// physician signs in, looks and talks, and says so as the console does, until leave.
func (f *far) physician() (leave func()) {
	f.w.t.Helper()
	ctx := context.Background()
	code, err := f.gate.SignInCode("ada")
	if err == nil {
		err = observe.SignIn(ctx, f.http, "http://far", code)
	}
	if err != nil {
		f.w.t.Fatal(err)
	}
	base := "http://far/rooms/mri-2/"
	doc, err := observe.Talk(ctx, observe.Config{URL: base + "whip", Client: f.http, Net: f.w.hosts["page"]})
	if err != nil {
		f.w.t.Fatal(err)
	}
	view, err := observe.Play(ctx, observe.Config{URL: base + "whep", Client: f.http, Net: f.w.hosts["page"]})
	if err != nil {
		f.w.t.Fatal(err)
	}
	beats, quiet := context.WithCancel(ctx)
	var gone sync.WaitGroup
	gone.Go(func() {
		for beats.Err() == nil {
			resp, err := f.http.Post(base+"presence", "application/json", strings.NewReader(`{"desk":"desk-1","sees":true,"hears":true}`))
			if err == nil {
				if resp.StatusCode >= 300 {
					f.w.t.Errorf("heartbeat: %s", resp.Status)
				}
				resp.Body.Close()
			}
			pause(beats, time.Second)
		}
	})
	return func() { quiet(); gone.Wait(); view.Close(); doc.Close() }
}

func connected(n int) func(*Snapshot) bool {
	return func(s *Snapshot) bool {
		for _, u := range s.Status.Uplinks {
			if u.Connected {
				n--
			}
		}
		return n <= 0
	}
}

func jsonOf(v any) string {
	text, _ := json.Marshal(v) // of plain structs: cannot fail
	return string(text)
}

func verdicts(want ...string) func(*Snapshot) bool {
	return func(s *Snapshot) bool {
		for i, u := range s.Status.Uplinks {
			if u.Verdict != want[i] {
				return false
			}
		}
		return true
	}
}

// The product's promise, seen from inside: a cut uplink is a sentence on a page.
func TestCutBecomesAStory(t *testing.T) {
	for _, c := range []struct {
		name  string
		cut   string
		video failover.Protection
		says  string
	}{
		{"the preferred one, one copy of the picture until doubt", "primary", failover.OnDoubt, `^\d\d:\d\d:\d\d voice and picture moved from primary to cellular because primary no longer answers; noticed in (\d+) ms, nothing was lost at the far end, where the longest pause was \d+ ms in voice and \d+ ms in the picture\.$`},
		{"the preferred one", "primary", failover.Always, `^\d\d:\d\d:\d\d voice and picture moved from primary to cellular because primary no longer answers; noticed in (\d+) ms, nothing was lost at the far end, where the longest pause was \d+ ms in voice and \d+ ms in the picture\.$`},
		{"the spare", "cellular", failover.Always, `^\d\d:\d\d:\d\d voice and picture no longer went over cellular because cellular no longer answers; noticed in (\d+) ms, nothing was lost at the far end, where the longest pause was \d+ ms in voice and \d+ ms in the picture\.$`},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := w.gateway()
				defer f.stop()
				defer f.physician()()
				cfg := w.config()
				cfg.Protection.Video = c.video
				defer func() { checkJournal(t, w.dir, "supervision", "switchover", "trace", "viewer") }()
				a, stop := w.start(cfg)
				defer stop()
				until(t, a, 15*time.Second, "both up", verdicts("up", "up"))
				time.Sleep(5 * time.Second) // the copies that proved the links have ended
				s := until(t, a, 5*time.Second, "engaged", func(s *Snapshot) bool { return s.Supervision.State == supervision.Engaged })
				if v := s.Status.Verdict; !v.Qualifying || v.Level != "ok" || v.Redundancy != "full" || v.Words != "CONNECTED: Dr Ada Example" {
					t.Errorf("the verdict is %+v", v)
				}
				before := s.Status.Return
				w.cut(c.cut, true)
				s = until(t, a, 3*time.Second, "one down", func(s *Snapshot) bool { return s.Status.Verdict.Redundancy == "last-link" })
				if v := s.Status.Verdict; !v.Qualifying || v.Level != "warning" || !strings.Contains(v.Reason, "is the last way out") {
					t.Errorf("after the cut the verdict is %+v", v)
				}
				if p := s.Status.Problem; len(p) != 1 || p[0].ID != "uplink-down:"+c.cut || p[0].Hint == "" {
					t.Errorf("problems %+v", p)
				}
				s = until(t, a, 10*time.Second, "the story is told and recorded", func(s *Snapshot) bool {
					w := s.Status.Switchovers
					return len(w) > 0 && w[0].Settled && !w[0].Routine && w[0].Trace != ""
				})
				story := s.Status.Switchovers[0]
				if !regexp.MustCompile(c.says).MatchString(story.Sentence) {
					t.Errorf("the story is %q", story.Sentence)
				}
				if story.Lost.Voice+story.Lost.Video != 0 || !story.Lost.Known || story.Switch == nil || *story.Switch > 1000 || *story.Detect > 400 {
					t.Errorf("the story is %+v", story)
				}
				if again := c.video == failover.OnDoubt; (story.Replayed > 0) != again || (story.ReplayedBytes > 0) != again ||
					strings.Contains(story.Evidence, "were sent again") != again {
					t.Errorf("%d packets, %d bytes were sent again on the leg that took over: %s", story.Replayed, story.ReplayedBytes, story.Evidence)
				}
				if !regexp.MustCompile(`^In doubt when [^;]+ (?:[5-9]\d|1\d\d) ms[^;]*; given up when \d+ probes in a row brought no answer, and the last answer was [89]\d\d ms old[.;]`).MatchString(story.Evidence) {
					t.Errorf("the evidence is %q", story.Evidence)
				}
				for what, gap := range map[string]*float64{"voice": story.Gap.Voice, "video": story.Gap.Video, "voice back": story.ReturnGap.Voice, "video back": story.ReturnGap.Video} {
					if gap == nil || *gap < 15 || *gap > 500 {
						t.Errorf("the longest pause of %s is not measured or wrong: %s", what, jsonOf(story))
					}
				}
				for i, r := range s.Status.Return {
					if r.Packets <= before[i].Packets || r.Lost != 0 || len(r.Via) != 1 {
						t.Errorf("the way back: %+v, before %+v", r, before[i])
					}
				}
				text, err := os.Open(filepath.Join(w.dir, "traces", story.Trace))
				if err != nil {
					t.Fatal(err)
				}
				defer text.Close()
				trace, err := failover.ReadTrace(text)
				if err != nil {
					t.Fatal(err)
				}
				if again, err := trace.Replay(); err != nil || !again.OK() || !strings.Contains(again.Decisions, c.cut+" up -> down") {
					t.Errorf("the trace replays to %v %v\n%s", err, again.Breaches, again.Decisions)
				}
				var kept status.Switchover
				if record, err := os.ReadFile(filepath.Join(w.dir, "traces", recordOf(story.Trace))); err != nil || json.Unmarshal(record, &kept) != nil || jsonOf(kept) != jsonOf(story) {
					t.Errorf("the record (%v)\n   says %s\nthe page %s", err, jsonOf(kept), jsonOf(story))
				}
				w.cut(c.cut, false)
				s = until(t, a, 40*time.Second, "both up again", verdicts("up", "up"))
				if u := s.Status.Uplinks[a.uplink(c.cut)]; !strings.Contains(u.LastOutage, "no longer answers") {
					t.Errorf("the outage is told as %q", u.LastOutage)
				}
				if s.breaches != [invariants]uint64{} {
					t.Errorf("invariants broken: %v", s.breaches)
				}
			})
		})
	}
}

// A far end that restarts is found again within two seconds of being back, and its new numbering is no loss (G12).
func TestFarEndRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		leave := f.physician()
		cfg := w.config()
		a, stop := w.start(cfg)
		defer stop()
		until(t, a, 15*time.Second, "engaged", func(s *Snapshot) bool { return s.Supervision.State == supervision.Engaged && connected(2)(s) })
		leave()
		f.stop()
		s := until(t, a, 8*time.Second, "lost", func(s *Snapshot) bool { return s.Supervision.State == supervision.Lost })
		if s.Status.Verdict.Qualifying || s.Status.Verdict.Level != "bad" {
			t.Errorf("the verdict is %+v", s.Status.Verdict)
		}
		f = w.gateway()
		defer f.stop()
		back := time.Now()
		until(t, a, 10*time.Second, "connected again", connected(2))
		t.Logf("both connected %v after the far end was back (aim: 2 s)", time.Since(back))
		lost := a.Snapshot().Status.Return[0].Lost
		defer f.physician()()
		s = until(t, a, 10*time.Second, "engaged again", func(s *Snapshot) bool { return s.Supervision.State == supervision.Engaged })
		if now := s.Status.Return[0]; now.Lost > lost || now.Packets == 0 || len(now.Via) == 0 {
			t.Errorf("the way back after the restart: %+v; lost before: %d", now, lost)
		}
	})
}

// A restart of the agent keeps who it is and is let in at once; a second box is refused and told why.
func TestTwoBoxesAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		defer f.stop()
		cfg := w.config()
		first, stop := w.start(cfg)
		until(t, first, 5*time.Second, "the first is in", connected(2))

		other := cfg
		other.StateDir = t.TempDir()
		second, stopSecond := w.start(other)
		s := until(t, second, 5*time.Second, "the second is told why", func(s *Snapshot) bool {
			return len(s.Status.Problem) > 0 && strings.Contains(s.Status.Problem[0].Text, "another box is serving this site")
		})
		if connected(1)(s) || !connected(2)(first.Snapshot()) {
			t.Error("the second box got in the way of the first")
		}
		stopSecond()

		stop()
		again, stopAgain := w.start(cfg)
		defer stopAgain()
		was := first.Snapshot().Status
		s = until(t, again, 3*time.Second, "the same box is let in again", connected(2))
		if s.Status.Box != was.Box || s.Status.Run == was.Run {
			t.Errorf("box %s run %s, before the restart %s %s", s.Status.Box, s.Status.Run, was.Box, was.Run)
		}
	})
}

// An operator's pin moves everything and is told; letting go is told too. A pin on a dying link does not hold it up.
func TestPin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		defer f.stop()
		cfg := w.config()
		cfg.Protection.Video = failover.Never
		a, stop := w.start(cfg)
		defer stop()
		until(t, a, 15*time.Second, "both up", verdicts("up", "up"))
		page := boxed{a}
		if err := page.Pin(t.Context(), "ada", "satellite"); err == nil {
			t.Error("an unknown uplink was pinned")
		}
		page.Pin(t.Context(), "ada", "cellular")
		on := func(route string) func(*Snapshot) bool {
			return func(s *Snapshot) bool { return strings.Join(s.Status.Streams[1].Route, " ") == route }
		}
		s := until(t, a, 3*time.Second, "the picture on cellular", on("cellular"))
		if s.Status.Pinned != "cellular" || !strings.Contains(s.Status.Uplinks[1].Why, "operator") {
			t.Errorf("pinned %q; %q", s.Status.Pinned, s.Status.Uplinks[1].Why)
		}
		w.cut("cellular", true)
		until(t, a, 3*time.Second, "the picture on primary, for the pinned link died", on("primary"))
		w.cut("cellular", false)
		page.Pin(t.Context(), "ada", "")
		s = until(t, a, 30*time.Second, "both up, nothing pinned", func(s *Snapshot) bool { return verdicts("up", "up")(s) && s.Status.Pinned == "" })
		if !on("primary")(s) {
			t.Errorf("the picture is on %v", s.Status.Streams[1].Route)
		}
	})
}

// The mergers of the way back: first copies only, whatever the far end's numbering does.
func TestReturnPathGenerations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReturnPath()
		var got []uint16
		for k := range r.out {
			leg := r.out[k].AddLeg("screen", media.SinkFunc(func(p *rtp.Packet) error { got = append(got, p.SequenceNumber); return nil }))
			leg.Select(true)
			defer r.out[k].Close()
		}
		send := func(a *arrivals, from, n int) {
			for i := range n {
				a.take(media.Voice, &rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(from + i), Timestamp: uint32(i * 960)}, Payload: []byte{1}})
				time.Sleep(20 * time.Millisecond)
			}
		}
		one, two := r.link(0, "primary"), r.link(1, "cellular")
		one.open(nil)
		two.open(nil)
		send(one, 100, 50)
		send(two, 140, 20) // ten copies, ten new ones
		one.close()
		two.close()
		time.Sleep(time.Second)
		three := r.link(0, "primary") // the far end restarted and numbers anew, far below
		three.open(nil)
		send(three, 5, 50)
		four := r.link(1, "cellular") // dialled again while the other brings packets: the same far end
		four.open(nil)
		send(three, 55, 5)
		send(four, 55, 10) // five copies, five new ones
		synctest.Wait()
		s := r.stats(media.Voice)
		if s.Received != 60+60 || s.Duplicate != 10+5 || s.Lost != 0 {
			t.Errorf("counted %+v", s)
		}
		for i := 1; i < len(got); i++ {
			if got[i] != got[i-1]+1 {
				t.Errorf("the screen's numbers jump from %d to %d", got[i-1], got[i])
			}
		}
		if len(got) != 120 {
			t.Errorf("the screen got %d packets", len(got))
		}
		three.close()
		four.close()
		if r.last(0, media.Voice) != (time.Time{}) {
			t.Error("a closed link still brings")
		}
	})
}

// Screens come and go with their page; what is no offer is refused; nothing is left behind.
func TestScreens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.gateway()
		defer f.stop()
		defer f.physician()()
		cfg := w.config()
		a, stop := w.start(cfg)
		defer stop()
		until(t, a, 15*time.Second, "engaged", func(s *Snapshot) bool { return s.Supervision.State == supervision.Engaged })
		box := w.page(atConsole(a))
		for _, c := range []struct {
			kind, body string
			code       int
		}{{"text/plain", "v=0", 415}, {"application/sdp", "garbage", 400}, {"application/sdp", strings.Repeat("x", 1<<20), 413}} {
			resp, err := box.Post("http://127.0.0.1/room/whep", c.kind, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != c.code {
				t.Errorf("%s %.10q: %d, want %d", c.kind, c.body, resp.StatusCode, c.code)
			}
		}
		tv, err := observe.Play(t.Context(), observe.Config{URL: "http://127.0.0.1/room/whep", Client: box, Net: w.hosts["page"]})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if !tv.Receiving() || a.screens.open.Len() != 1 {
			t.Errorf("receiving %v on %d screens", tv.Receiving(), a.screens.open.Len())
		}
		if err := tv.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if n := a.screens.open.Len(); n != 0 {
			t.Errorf("%d screens are left", n)
		}
	})
}

// pocket keeps every cookie, secure ones too: pipes have no TLS.
type pocket struct{ kept []*http.Cookie }

func (p *pocket) SetCookies(_ *url.URL, c []*http.Cookie) { p.kept = append(p.kept, c...) }
func (p *pocket) Cookies(*url.URL) []*http.Cookie         { return p.kept }

// page is a browser whose requests go straight to a handler.
func (w *world) page(h http.Handler) *http.Client {
	return &http.Client{Transport: straight{h}}
}

type straight struct{ h http.Handler }

func (s straight) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	r = r.Clone(r.Context())
	r.RequestURI, r.Host = r.URL.RequestURI(), r.URL.Host
	s.h.ServeHTTP(rec, r)
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}
