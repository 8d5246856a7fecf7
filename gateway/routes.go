package gateway

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"scanside/gateway/console"
	"scanside/link"
)

// access is who may use a route.
type access uint8

const (
	anybody access = iota // no sign-in; shows nothing of any room
	signedIn
	supervisors
	boxes   // the site's bearer token
	holders // whoever made the session named in the path (link.Resources asks principal)
)

// route is one line of the table of everything the gateway answers to. The tests walk it signed in and signed out.
type route struct {
	pattern string // of http.ServeMux
	who     access
	open    http.HandlerFunc                                           // anybody, holders
	person  func(w http.ResponseWriter, req *http.Request, s *session) // signedIn, supervisors
	box     func(w http.ResponseWriter, req *http.Request, r *room)    // boxes
}

func (g *Gateway) routes() []route {
	return []route{
		{pattern: "GET /healthz", who: anybody, open: g.health},
		{pattern: "GET /assets/{file}", who: anybody, open: console.Assets().ServeHTTP},
		{pattern: "GET /signin", who: anybody, open: g.door.signInPage},
		{pattern: "POST /signin", who: anybody, open: g.door.signIn},
		{pattern: "GET /signin/once", who: anybody, open: g.door.oncePage},
		{pattern: "POST /signin/once", who: anybody, open: g.door.once},

		{pattern: "GET /{$}", who: signedIn, person: g.page},
		{pattern: "POST /signout", who: signedIn, person: g.signOut},
		{pattern: "GET /api/v1/rooms", who: signedIn, person: g.listRooms},
		{pattern: "GET /api/v1/relays", who: signedIn, person: g.relayList},
		{pattern: "GET /api/v1/events", who: signedIn, person: g.events},
		{pattern: "POST /rooms/{site}/presence", who: signedIn, person: g.heartbeat},
		{pattern: "/rooms/{site}/whep", who: signedIn, person: g.watch},
		{pattern: "/rooms/{site}/whip", who: supervisors, person: g.speak},

		{pattern: "/whip/{site}", who: boxes, box: g.publish},
		{pattern: "/whep/{site}", who: boxes, box: g.play},
		{pattern: "GET /api/v1/sites/{site}/presence", who: boxes, box: g.presence},

		{pattern: "/session/{id}", who: holders, open: g.resources.ServeHTTP},
	}
}

// bodyPatience is how long a request's body may take; the largest is an SDP of 64 KB.
const bodyPatience = 10 * time.Second

// Handler is the whole HTTP side: console, API, WHIP and WHEP. Run must be running for the rooms to live.
func (g *Gateway) Handler() http.Handler { return g.handler }

func (g *Gateway) buildHandler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range g.routes() {
		mux.HandleFunc(rt.pattern, g.guard(rt))
	}
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		console.Harden(w.Header())
		if req.ContentLength != 0 {
			// Who announces a body and sends a byte a minute of it does not keep a connection, whatever the method. Not every ResponseWriter has deadlines.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyPatience))
		}
		guarded.ServeHTTP(w, req)
	})
}

// guard lets in who may come in.
func (g *Gateway) guard(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		forBox := rt.who == boxes || rt.who == holders && bearer(req) != "" // no browser, no cookie: nothing to rebind
		if !forBox && !g.knownHost(req) {
			link.WriteProblem(w, problem(http.StatusMisdirectedRequest, "host", "This gateway does not answer to that name.",
				"use its address, or add the name to hosts in its configuration"))
			return
		}
		switch rt.who {
		case anybody, holders:
			rt.open(w, req)
		case boxes:
			r, p := g.boxRoom(req)
			if p != nil {
				g.refused(p)
				if p.Status == http.StatusUnauthorized {
					w.Header().Set("WWW-Authenticate", `Bearer realm="scanside"`)
				}
				link.WriteProblem(w, p)
				return
			}
			rt.box(w, req, r)
		default:
			g.guardPerson(w, req, rt)
		}
	}
}

func (g *Gateway) guardPerson(w http.ResponseWriter, req *http.Request, rt route) {
	s := g.door.session(req)
	if s == nil {
		if req.Method == http.MethodGet && req.URL.Path == "/" {
			http.Redirect(w, req, "/signin", http.StatusSeeOther)
			return
		}
		link.WriteProblem(w, problem(http.StatusUnauthorized, "signed-out", "You are not signed in.", "sign in at /signin"))
		return
	}
	if rt.who == supervisors && s.user.Role != Supervisor {
		link.WriteProblem(w, problem(http.StatusForbidden, "role", "Your account may watch but not talk.",
			"only accounts with the role supervisor talk in a room"))
		return
	}
	s.touch(time.Now())
	rt.person(w, req, s)
}

func (g *Gateway) health(w http.ResponseWriter, req *http.Request) {
	writeJSON(w, map[string]string{"status": "ok"})
}

func (g *Gateway) page(w http.ResponseWriter, req *http.Request, s *session) { console.Page(w, req) }

// publish, play: a box's sessions.
func (g *Gateway) publish(w http.ResponseWriter, req *http.Request, r *room) {
	g.create(w, req, func(offer string) (link.Peer, string, error) {
		c, p := callerOf(req)
		if p != nil {
			return nil, "", p
		}
		return r.publish(g.media, c, offer)
	})
}

func (g *Gateway) play(w http.ResponseWriter, req *http.Request, r *room) {
	g.create(w, req, func(offer string) (link.Peer, string, error) {
		c, p := callerOf(req)
		if p != nil {
			return nil, "", p
		}
		return r.play(g.media, c, offer)
	})
}

// watch, speak: a person's.
func (g *Gateway) watch(w http.ResponseWriter, req *http.Request, s *session) {
	r, desk := g.personRoom(w, req)
	if r == nil {
		return
	}
	g.create(w, req, func(offer string) (link.Peer, string, error) { return r.watch(g.media, s, desk, offer) })
}

func (g *Gateway) speak(w http.ResponseWriter, req *http.Request, s *session) {
	r, desk := g.personRoom(w, req)
	if r == nil {
		return
	}
	takeover := req.URL.Query().Get("takeover") == "1"
	g.create(w, req, func(offer string) (link.Peer, string, error) { return r.speak(g.media, s, desk, offer, takeover) })
}

func (g *Gateway) create(w http.ResponseWriter, req *http.Request, open func(offer string) (link.Peer, string, error)) {
	g.resources.Create(w, req, "/session", g.principal(req), func(offer string) (link.Peer, string, error) {
		peer, answer, err := open(offer)
		if err != nil {
			g.refused(err)
		}
		return peer, answer, err
	})
}

// personRoom is the room of a person's request and the window it comes from; nil: it has been answered.
func (g *Gateway) personRoom(w http.ResponseWriter, req *http.Request) (r *room, desk string) {
	r = g.room(req.PathValue("site"))
	if r == nil {
		link.WriteProblem(w, problem(http.StatusNotFound, "unknown-site", "There is no such room.", "go back to the list of rooms"))
		return nil, ""
	}
	desk = req.URL.Query().Get("desk")
	if len(desk) > maxWord || strings.ContainsFunc(desk, func(c rune) bool { return c <= ' ' || c > '~' }) {
		link.WriteProblem(w, problem(http.StatusBadRequest, "bad-request", "The window's name is not understood.", "reload the page"))
		return nil, ""
	}
	return r, desk
}

// beat is what an open console says every two seconds.
type beat struct {
	Sees    bool `json:"sees"`
	Hears   bool `json:"hears"`
	Leaving bool `json:"leaving"`
}

func (g *Gateway) heartbeat(w http.ResponseWriter, req *http.Request, s *session) {
	r, desk := g.personRoom(w, req)
	if r == nil {
		return
	}
	var b beat
	if p := readJSON(w, req, &b); p != nil {
		link.WriteProblem(w, p)
		return
	}
	now := time.Now()
	if b.Leaving {
		r.depart(s, desk, now)
	} else if !r.attend(s, desk, b.Sees, b.Hears, now) {
		link.WriteProblem(w, problem(http.StatusServiceUnavailable, "full", "The room has too many consoles.", "close a console that nobody looks at"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// maxWait is the longest a presence request may hang; below what proxies on the way cut off.
const maxWait = 25 * time.Second

func (g *Gateway) presence(w http.ResponseWriter, req *http.Request, r *room) {
	q := req.URL.Query()
	var after uint64
	var wait time.Duration
	if v := q.Get("after"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			link.WriteProblem(w, problem(http.StatusBadRequest, "bad-request", "after must be a version.", "use the version of the last answer"))
			return
		}
		after = n
		secs, _ := strconv.Atoi(q.Get("wait"))
		wait = min(max(time.Duration(secs)*time.Second, 0), maxWait)
	}
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	stop := context.AfterFunc(g.closing, cancel)
	defer stop()
	writeJSON(w, r.await(ctx, after, wait))
}

// readJSON reads a small JSON body.
func readJSON(w http.ResponseWriter, req *http.Request, into any) *link.Problem {
	if kind, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type")); kind != "application/json" {
		return problem(http.StatusUnsupportedMediaType, "type", "The body must be application/json.", "")
	}
	d := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxForm))
	if err := d.Decode(into); err != nil {
		return problem(http.StatusBadRequest, "bad-request", "The body is not understood.", "")
	}
	return nil
}

func writeJSON(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		link.WriteProblem(w, problem(http.StatusInternalServerError, "internal", "The answer could not be written.", ""))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(append(text, '\n'))
}

func problem(status int, kind, title, detail string) *link.Problem {
	return &link.Problem{Status: status, Type: "urn:scanside:problem:" + kind, Title: title, Detail: detail}
}

func itoa(n int) string { return strconv.Itoa(n) }

// sentence makes an error's text a sentence.
func sentence(err error) string {
	s := err.Error()
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
