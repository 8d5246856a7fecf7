package link

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"

	"scanside/media"
)

// stranger is a WHIP server of another make in front of the world's media: its media are pion's, its HTTP is as its source
// says. patch decides what a PATCH gets; nil: 405.
type stranger struct {
	*notebook
	t        *testing.T
	far      *farEnd
	peer     Peer
	location string // of the session, as sent
	etag     func(ufrag string) string
	patch    func(f *stranger, rw http.ResponseWriter, s seen)
	deleted  int
	goodbye  string // body of the answer to DELETE
}

func (f *stranger) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	s := f.note(r)
	if s.token != "Bearer secret-token" {
		rw.WriteHeader(401)
		return
	}
	switch s.method {
	case "POST":
		if s.contentType != typeSDP { // LiveKit compares the whole string
			rw.WriteHeader(415)
			return
		}
		offer := strings.ReplaceAll(s.body, "a="+echoAttribute+":1\r\n", "")
		peer, answer, err := f.far.publish("u2", offer)
		must(f.t, err)
		f.peer = peer
		rw.Header().Set("Content-Type", typeSDP)
		rw.Header().Set("Location", f.location)
		f.tag(rw)
		rw.WriteHeader(201)
		_, _ = io.WriteString(rw, answer)
	case "PATCH":
		if f.patch == nil {
			rw.WriteHeader(405)
			return
		}
		f.patch(f, rw, s)
	case "DELETE":
		f.deleted++
		_ = f.peer.Close()
		_, _ = io.WriteString(rw, f.goodbye)
	default:
		rw.WriteHeader(405)
	}
}

func (f *stranger) tag(rw http.ResponseWriter) {
	if f.etag != nil {
		rw.Header().Set("ETag", f.etag(strings.Trim(f.peer.ETag(), `"`)))
	}
}

// restarts answers a restart; bare leaves the candidates out.
func restarts(f *stranger, rw http.ResponseWriter, s seen, bare bool) {
	answer, err := f.peer.Restart(s.body)
	if err != nil {
		rw.WriteHeader(400)
		return
	}
	if bare {
		var kept []string
		for line := range strings.Lines(answer) {
			if strings.HasPrefix(line, "a=ice-") {
				kept = append(kept, line)
			}
		}
		answer = strings.Join(kept, "")
	}
	f.tag(rw)
	rw.Header().Set("Content-Type", typeSDPFrag)
	_, _ = io.WriteString(rw, answer)
}

// What servers of other makes are known to do (read in their sources): each is published to; then the path breaks while the
// server stays within reach, so that a restart of ICE mends it where the server takes one, and else the session ends in
// time for a new one; and the session is ended by DELETE where the server said that it is.
func TestForeignServers(t *testing.T) {
	quoted := func(ufrag string) string { return `"` + ufrag + `"` }
	standard := func(f *stranger, rw http.ResponseWriter, s seen) {
		switch s.match {
		case "*":
			restarts(f, rw, s, false)
		case "":
			rw.WriteHeader(428)
		default:
			rw.WriteHeader(204)
		}
	}
	for _, c := range []struct {
		name     string
		server   stranger
		resource string   // where PATCH and DELETE must go
		mended   bool     // by a restart
		matches  []string // of the PATCHes
	}{
		{"MediaMTX: ETag is a bare *, the Location has the query", stranger{location: "/room/whip/7?jwt=x", etag: func(string) string { return "*" }, goodbye: `{"status":"ok"}`, patch: standard},
			"/room/whip/7?jwt=x", true, []string{"*"}},
		{"LiveKit: ETag is the bare ufrag", stranger{location: "/whip/room/7", etag: func(u string) string { return u }, patch: standard},
			"/whip/room/7", true, []string{"*"}},
		{"Galene: all by the standard", stranger{location: "/group/x/.whip/7", etag: quoted, patch: standard},
			"/group/x/.whip/7", true, []string{"*"}},
		{"simple-whip-server: the restart's answer has no candidates", stranger{location: "/whip/resource/7", etag: quoted,
			patch: func(f *stranger, rw http.ResponseWriter, s seen) { restarts(f, rw, s, true) }}, "/whip/resource/7", true, []string{"*"}},
		{"simple-whip-server, strict: a restart is \"*\" with quotes", stranger{location: "/whip/resource/7", etag: quoted,
			patch: func(f *stranger, rw http.ResponseWriter, s seen) {
				if s.match != `"*"` {
					rw.WriteHeader(412)
					return
				}
				restarts(f, rw, s, true)
			}}, "/whip/resource/7", true, []string{"*", `"*"`}},
		{"a server that takes * for candidates", stranger{location: "/whip/7", etag: quoted,
			patch: func(_ *stranger, rw http.ResponseWriter, _ seen) { rw.WriteHeader(204) }}, "/whip/7", false, []string{"*", `"*"`}},
		{"go2rtc: neither ETag nor PATCH, a relative Location", stranger{location: "webrtc?id=7"}, "/whip/webrtc?id=7", false, nil},
		{"LiveKit ingress: an ETag, and 405 for PATCH", stranger{location: "/w/7", etag: quoted}, "/w/7", false, []string{"*"}},
		{"Cloudflare: a PATCH is never answered", stranger{location: "/w/7", etag: quoted,
			patch: func(*stranger, http.ResponseWriter, seen) { time.Sleep(time.Minute) }}, "/w/7", false, []string{"*"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 10*time.Millisecond, "2")
				defer w.close()
				f := &c.server
				f.t, f.far, f.notebook = t, w.far, &notebook{}
				w.serve(f.ServeHTTP)
				cfg := w.config("2")
				cfg.WHEP = ""
				s, _ := dial(t, cfg)
				go stream(s.Leg(media.Voice), media.Voice, 1, 2000, 20*time.Millisecond)
				time.Sleep(5 * time.Second)
				before := w.far.count("u2", media.Voice).packets
				if before < 240 {
					t.Fatalf("%d packets of voice arrived in 5 s", before)
				}
				way, _ := s.pub.way()
				old := way.socket.LocalAddr().(*net.UDPAddr).Port
				broken := func(chunk vnet.Chunk) bool {
					at := fmt.Sprint(":", old)
					return strings.HasSuffix(chunk.SourceAddr().String(), at) || strings.HasSuffix(chunk.DestinationAddr().String(), at)
				}
				w.drop.Store(&broken)
				time.Sleep(15 * time.Second)
				if c.mended {
					if got := w.far.count("u2", media.Voice).packets - before; s.Err() != nil || got < 400 {
						t.Errorf("%d packets of voice in the 15 s of which the path was broken for the first; %v", got, s.Err())
					}
				} else if err := s.Err(); err != ErrPathBroken {
					t.Errorf("the session ended with %v", err)
				}
				must(t, s.Close())
				var matches []string
				for _, p := range f.with("PATCH") {
					matches = append(matches, p.match)
					if p.contentType != typeSDPFrag || at(p) != c.resource {
						t.Errorf("PATCH %+v", p)
					}
				}
				if fmt.Sprint(matches) != fmt.Sprint(c.matches) {
					t.Errorf("PATCHes with If-Match %q, want %q", matches, c.matches)
				}
				if d := f.with("DELETE"); f.deleted != 1 || at(d[0]) != c.resource || d[0].match != "" {
					t.Errorf("DELETEs %+v", d)
				}
				_ = f.peer.Close()
				time.Sleep(time.Minute) // the server that never answers
			})
		})
	}
}

func at(s seen) string {
	if s.query == "" {
		return s.path
	}
	// What we add to the endpoint's query is not the session's.
	return s.path + "?" + s.query
}

// A WHEP server may refuse with an offer of its own; it is answered by PATCH (draft-ietf-wish-whep section 4.2).
func TestCounterOffer(t *testing.T) {
	for _, refused := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 10*time.Millisecond, "2")
			defer w.close()
			var book notebook
			e := w.far.api.engine
			e.net = w.farNet
			var theirs *peer
			w.serve(func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/whep/room" && r.URL.Path != "/whep/session" {
					w.far.ServeHTTP(rw, r)
					return
				}
				s := book.note(r)
				switch {
				case s.method == "POST":
					p, err := newPeer(e, nil, nil, nil)
					must(t, err)
					theirs = p
					track, err := webrtc.NewTrackLocalStaticRTP(codec(media.Voice), "voice", "return")
					must(t, err)
					_, err = p.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
					must(t, err)
					offer, err := p.pc.CreateOffer(nil)
					must(t, err)
					text, err := p.gathered(r.Context(), offer, 0)
					must(t, err)
					rw.Header().Set("Content-Type", typeSDP)
					rw.Header().Set("Location", "/whep/session")
					rw.Header().Set("ETag", `"one"`)
					rw.WriteHeader(406)
					_, _ = io.WriteString(rw, text)
				case s.method == "PATCH" && refused:
					rw.WriteHeader(410)
				case s.method == "PATCH":
					must(t, theirs.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: s.body}))
					rw.WriteHeader(204)
				}
			})
			cfg := w.config("2")
			if refused {
				if _, err := Dial(t.Context(), cfg, Events{}); err == nil || !strings.Contains(err.Error(), "410") {
					t.Errorf("%v", err)
				}
			} else {
				s, _ := dial(t, cfg)
				if !s.Playing() {
					t.Error("not playing")
				}
				must(t, s.Close())
			}
			patches, deletes := book.with("PATCH"), book.with("DELETE")
			if patches[0].contentType != typeSDP || patches[0].match != `"one"` || patches[0].token == "" || !strings.Contains(patches[0].body, "a=recvonly") {
				t.Errorf("PATCH %+v", patches[0])
			}
			if len(deletes) == 0 || deletes[0].path != "/whep/session" {
				t.Errorf("DELETE %+v", deletes)
			}
			must(t, theirs.Close())
		})
	}
}
