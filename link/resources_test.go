package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"

	"scanside/media"
)

type request struct {
	method, path, token, contentType, match, body string
}

// ask sends one request into a handler and returns what came out, problem JSON read.
func ask(h http.Handler, r request) (*httptest.ResponseRecorder, problemJSON) {
	req := httptest.NewRequest(r.method, "https://far.example"+r.path, strings.NewReader(r.body))
	for key, value := range map[string]string{"Content-Type": r.contentType, "If-Match": r.match, "Authorization": r.token} {
		if value != "" {
			req.Header.Set(key, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	var p problemJSON
	if w.Header().Get("Content-Type") == "application/problem+json" {
		_ = json.Unmarshal(w.Body.Bytes(), &p)
	}
	return w, p
}

// endpoint is a far end's HTTP side over a real API.
func endpoint(api *API, limit int) (http.Handler, *Resources) {
	r := NewResources(ResourcesConfig{Limit: limit, Principal: func(r *http.Request) string { return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") }})
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/whip":
			r.Create(w, req, "/session", "box", func(offer string) (Peer, string, error) {
				return asPeer(api.AcceptPublish(offer, PublishEvents{}))
			})
		case "/broken":
			r.Create(w, req, "/session", "box", func(string) (Peer, string, error) { return nil, "", errors.New("secret inner words") })
		case "/taken":
			r.Create(w, req, "/session", "box", func(string) (Peer, string, error) {
				return nil, "", &Problem{Status: 409, Title: "site ward-3 is served by another box", Detail: "box-7 was heard 1 s ago", After: 2500 * time.Millisecond}
			})
		default:
			r.ServeHTTP(w, req)
		}
	}), r
}

func asPeer(in *Inbound, answer string, err error) (Peer, string, error) {
	if err != nil {
		return nil, "", err
	}
	return in, answer, nil
}

func TestResources(t *testing.T) {
	offer := offerFile(t, "chromium-publish.sdp")
	ufrag, pwd := credentials(offer)
	trickle := fmt.Sprintf("a=ice-ufrag:%s\r\na=ice-pwd:%s\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 2130706431 192.0.2.9 4444 typ host\r\na=end-of-candidates\r\n", ufrag, pwd)
	alone(t, func(t *testing.T, api *API) {
		h, r := endpoint(api, 0)
		created, _ := ask(h, request{"POST", "/whip", "", typeSDP, "", offer})
		url, etag := created.Header().Get("Location"), created.Header().Get("ETag")
		if created.Code != 201 || !strings.HasPrefix(url, "/session/") || len(url) < 30 || !strings.HasPrefix(etag, `"`) ||
			created.Header().Get("Accept-Patch") != typeSDPFrag || created.Header().Get("Content-Type") != typeSDP {
			t.Fatalf("201 with everything: %d %v", created.Code, created.Header())
		}
		if body := created.Body.String(); !strings.Contains(body, "a=candidate:") || !strings.Contains(body, "a=end-of-candidates") {
			t.Error("the answer lacks candidates (RFC 9725 4.3.2: all of them are in the answer)")
		}
		big := strings.Repeat("x", maxSDP+1)
		for _, c := range []struct {
			name   string
			ask    request
			status int
			word   string
		}{
			{"options of the endpoint", request{"OPTIONS", "/whip", "", "", "", ""}, 204, ""},
			{"options of a session", request{"OPTIONS", url, "", "", "", ""}, 204, ""},
			{"GET of the endpoint", request{"GET", "/whip", "", "", "", ""}, 405, "POST"},
			{"PUT of the endpoint", request{"PUT", "/whip", "", typeSDP, "", offer}, 405, "POST"},
			{"wrong type", request{"POST", "/whip", "", "text/plain", "", offer}, 415, typeSDP},
			{"no type", request{"POST", "/whip", "", "", "", offer}, 415, typeSDP},
			{"type with a parameter", request{"POST", "/whip", "", "application/sdp; charset=utf-8", "", "v=0"}, 400, "not SDP"},
			{"empty", request{"POST", "/whip", "", typeSDP, "", ""}, 400, "application/sdp"},
			{"too large", request{"POST", "/whip", "", typeSDP, "", big}, 413, "65536"},
			{"garbage", request{"POST", "/whip", "", typeSDP, "", "hello"}, 400, "not SDP"},
			{"inner error", request{"POST", "/broken", "", typeSDP, "", offer}, 500, "log"},
			{"taken", request{"POST", "/taken", "", typeSDP, "", offer}, 409, "box-7"},
			{"unknown session", request{"DELETE", "/session/nope", "Bearer box", "", "", ""}, 404, "ended"},
			{"session root", request{"DELETE", "/session/", "Bearer box", "", "", ""}, 404, "ended"},
			{"nobody", request{"DELETE", url, "", "", "", ""}, 401, "token"},
			{"somebody else", request{"DELETE", url, "Bearer other", "", "", ""}, 404, "ended"},
			{"GET of a session", request{"GET", url, "Bearer box", "", "", ""}, 405, "PATCH"},
			{"POST to a session", request{"POST", url, "Bearer box", typeSDP, "", offer}, 405, "PATCH"},
			{"patch of wrong type", request{"PATCH", url, "Bearer box", typeSDP, etag, trickle}, 415, typeSDPFrag},
			{"patch without If-Match", request{"PATCH", url, "Bearer box", typeSDPFrag, "", trickle}, 428, "ETag"},
			{"patch of another session", request{"PATCH", url, "Bearer box", typeSDPFrag, `"old"`, trickle}, 412, "newest"},
			{"patch with garbage", request{"PATCH", url, "Bearer box", typeSDPFrag, etag, "garbage"}, 400, "x=value"},
			{"patch too large", request{"PATCH", url, "Bearer box", typeSDPFrag, etag, big}, 413, "65536"},
			{"patch without credentials", request{"PATCH", url, "Bearer box", typeSDPFrag, etag, "a=candidate:1 1 udp 1 192.0.2.9 4444 typ host\r\n"}, 400, "ice-ufrag"},
			{"patch with other credentials", request{"PATCH", url, "Bearer box", typeSDPFrag, etag, strings.Replace(trickle, ufrag, "abcd", 1)}, 412, "If-Match: *"},
			{"trickle", request{"PATCH", url, "Bearer box", typeSDPFrag, etag, trickle}, 204, ""},
			{"trickle of what cannot be used", request{"PATCH", url, "Bearer box", typeSDPFrag, etag, strings.Replace(trickle, "192.0.2.9", "x.local", 1)}, 204, ""},
			{"restart that restarts nothing", request{"PATCH", url, "Bearer box", typeSDPFrag, "*", trickle}, 400, "current ones"},
		} {
			w, p := ask(h, c.ask)
			if w.Code != c.status || !strings.Contains(p.Detail, c.word) {
				t.Errorf("%s: %d %+v; want %d with %q", c.name, w.Code, p, c.status, c.word)
			}
			if w.Code >= 400 && (p.Status != w.Code || p.Title == "") {
				t.Errorf("%s: no problem JSON: %q", c.name, w.Body)
			}
			if w.Code == 204 && (w.Body.Len() != 0 || w.Header().Get("ETag") != "") {
				t.Errorf("%s: 204 with a body or an ETag", c.name)
			}
			if w.Code == 405 && w.Header().Get("Allow") == "" {
				t.Errorf("%s: 405 without Allow", c.name)
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("%s: inner words got out", c.name)
			}
		}
		if w, _ := ask(h, request{"POST", "/taken", "", typeSDP, "", offer}); w.Header().Get("Retry-After") != "3" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
		if w, _ := ask(h, request{"DELETE", url, "Bearer box", "", `"whatever"`, ""}); w.Code != 200 {
			t.Errorf("DELETE: %d", w.Code)
		}
		if w, _ := ask(h, request{"DELETE", url, "Bearer box", "", "", ""}); w.Code != 404 {
			t.Errorf("DELETE again: %d", w.Code)
		}
		if r.Len() != 0 || api.Len() != 0 {
			t.Errorf("%d resources, %d peers left", r.Len(), api.Len())
		}
	})
}

// The limit counts what lives: a session that ended by itself gives its place back.
func TestSessionLimit(t *testing.T) {
	offer := offerFile(t, "chromium-publish.sdp")
	alone(t, func(t *testing.T, api *API) {
		h, r := endpoint(api, 2)
		post := request{"POST", "/whip", "", typeSDP, "", offer}
		for i, want := range []int{201, 201, 503, 503} {
			if w, p := ask(h, post); w.Code != want || (want == 503 && (w.Header().Get("Retry-After") == "" || !strings.Contains(p.Detail, "2 places"))) {
				t.Errorf("request %d: %d %v", i, w.Code, p)
			}
		}
		time.Sleep(joinTimeout + time.Second) // they never connected
		if w, _ := ask(h, post); w.Code != 201 || r.Len() != 1 {
			t.Errorf("after the others ended: %d, %d live", w.Code, r.Len())
		}
		must(t, r.Close())
		if w, _ := ask(h, post); w.Code != 503 || api.Len() != 0 {
			t.Errorf("after Close: %d, %d peers", w.Code, api.Len())
		}
	})
}

// asker is the other side of an offer: a plain pion peer, as a foreign client would be.
type asker struct {
	t  *testing.T
	pc *webrtc.PeerConnection
	up chan struct{}
}

func newAsker(t *testing.T, n *vnet.Net) *asker {
	api, err := engine{net: n, foreign: true, log: quietPion()}.api()
	must(t, err)
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	a := &asker{t: t, pc: pc, up: make(chan struct{}, 8)}
	pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) {
		if s == webrtc.ICEConnectionStateConnected {
			a.up <- struct{}{}
		}
	})
	return a
}

func (a *asker) describe(options *webrtc.OfferOptions, wait bool) string {
	offer, err := a.pc.CreateOffer(options)
	must(a.t, err)
	complete := webrtc.GatheringCompletePromise(a.pc)
	must(a.t, a.pc.SetLocalDescription(offer))
	if wait {
		<-complete
		return a.pc.LocalDescription().SDP
	}
	return offer.SDP
}

// A foreign client trickles, then moves to a new ICE session; media goes on over the new one.
func TestTrickleAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		a := newAsker(t, w.nets["2"])
		track, err := webrtc.NewTrackLocalStaticRTP(codec(media.Voice), "voice", "stream")
		must(t, err)
		_, err = a.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		must(t, err)

		bare := a.describe(nil, false)
		send := func(method, url, kind, match, body string) (*http.Response, string) {
			req, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
			must(t, err)
			req.Header.Set("Authorization", "Bearer secret-token")
			req.Header.Set("Content-Type", kind)
			if match != "" {
				req.Header.Set("If-Match", match)
			}
			rec := httptest.NewRecorder()
			w.far.ServeHTTP(rec, req)
			answer, _ := io.ReadAll(rec.Result().Body)
			return rec.Result(), string(answer)
		}
		created, answer := send("POST", "/whip/room?uplink=u2", typeSDP, "", bare)
		if created.StatusCode != 201 {
			t.Fatalf("%d %s", created.StatusCode, answer)
		}
		url, etag := created.Header.Get("Location"), created.Header.Get("ETag")
		must(t, a.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
		time.Sleep(100 * time.Millisecond)
		full := a.pc.LocalDescription().SDP
		ufrag, pwd := credentials(full)
		fragment := "a=ice-ufrag:" + ufrag + "\r\na=ice-pwd:" + pwd + "\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
		for line := range strings.Lines(full) {
			if strings.HasPrefix(line, "a=candidate:") {
				fragment += line
			}
		}
		if resp, body := send("PATCH", url, typeSDPFrag, etag, fragment); resp.StatusCode != 204 {
			t.Fatalf("trickle: %d %s", resp.StatusCode, body)
		}
		<-a.up
		stream(track, media.Voice, 1, 20, 20*time.Millisecond)
		time.Sleep(100 * time.Millisecond)
		if got := w.far.count("u2", media.Voice).packets; got < 15 {
			t.Errorf("%d packets of 20 before the restart", got)
		}

		restart := a.describe(&webrtc.OfferOptions{ICERestart: true}, true)
		ufrag, pwd = credentials(restart)
		fragment = "a=ice-ufrag:" + ufrag + "\r\na=ice-pwd:" + pwd + "\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
		for line := range strings.Lines(restart) {
			if strings.HasPrefix(line, "a=candidate:") {
				fragment += line
			}
		}
		resp, body := send("PATCH", url, typeSDPFrag, "*", fragment)
		if resp.StatusCode != 200 || resp.Header.Get("ETag") == etag || resp.Header.Get("Content-Type") != typeSDPFrag || !strings.Contains(body, "a=candidate:") {
			t.Fatalf("restart: %d %v %s", resp.StatusCode, resp.Header, body)
		}
		newUfrag, newPwd := credentials(body)
		moved := editLines(answer, func(line string) []string {
			switch {
			case strings.HasPrefix(line, "a=ice-ufrag:"):
				return []string{"a=ice-ufrag:" + newUfrag}
			case strings.HasPrefix(line, "a=ice-pwd:"):
				return []string{"a=ice-pwd:" + newPwd}
			}
			return []string{line}
		})
		must(t, a.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: moved}))
		<-a.up
		before := w.far.count("u2", media.Voice).packets
		stream(track, media.Voice, 100, 20, 20*time.Millisecond)
		time.Sleep(100 * time.Millisecond)
		if got := w.far.count("u2", media.Voice).packets - before; got != 20 {
			t.Errorf("%d packets of 20 after the restart", got)
		}
		if resp, _ := send("PATCH", url, typeSDPFrag, etag, fragment); resp.StatusCode != 412 {
			t.Errorf("trickle with the old ETag: %d", resp.StatusCode)
		}
		must(t, a.pc.GracefulClose())
	})
}
