package status

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

//go:embed assets
var assets embed.FS

// Box is what the pages need from the agent. All methods may be called from any goroutine.
type Box interface {
	// Status is the newest truth, and a channel that is closed when there is a newer one.
	Status() (*Status, <-chan struct{})
	// Pin holds everything on one uplink; "" lets go.
	Pin(ctx context.Context, uplink string) error
	// MoveTo wants the room at another far end, by its name; it goes there when that one answers.
	MoveTo(ctx context.Context, farEnd string) error
	// Procedure opens or closes a procedure. It returns when that would survive a restart, or says why it would not.
	Procedure(ctx context.Context, open bool) error
	// Mute closes "camera" or "microphone", or lets it be opened again. It returns when that would survive a restart, or says
	// why it would not. Closing takes effect even so; opening does not.
	Mute(ctx context.Context, device string, on bool) error
	// Volume changes the loudspeaker's volume by so many percent; Tone plays a sound to try it.
	Volume(step int) error
	Tone() error
	// StartSelfTest begins a self-test of the devices; SelfTest is what the newest has found.
	StartSelfTest() error
	SelfTest() SelfTest
	// Examine has an uplink looked at, layer by layer, as soon as may be.
	Examine(uplink string) error
	// Impair spoils an emulated uplink (demo only): cut, loss, delay, thin, restore.
	Impair(uplink, what string) error
}

// ErrUnknown is returned by a Box for an uplink that does not exist, ErrNoFarEnd and ErrNoDevice likewise, ErrOpen
// when a procedure forbids it, ErrNotDemo where nothing can be impaired.
var (
	ErrUnknown       = errors.New("no such uplink")
	ErrNoFarEnd      = errors.New("no such far end")
	ErrTesting       = errors.New("a self-test is running; wait for its end")
	ErrNoLoudspeaker = errors.New("the box plays no voice: the configuration names no loudspeaker")
	ErrNoDevice      = errors.New("only camera and microphone can be muted")
	ErrOpen          = errors.New("a procedure is open: the room stays where its supervisor is; close the procedure first")
	ErrNotDemo       = errors.New("not a demo: real uplinks are cut at the cable")
)

// Config is what a Server needs besides its Box.
type Config struct {
	Token   func() (string, error) // the sign-in token; nil: everybody who reaches the listener may (loopback)
	Names   []string               // host names by which a browser may call the box, besides addresses and localhost
	Room    http.Handler           // the physician's picture: POST /room/whep, /room/session/{id}; nil: none
	Metrics http.Handler           // nil: none
	Log     *slog.Logger
}

// Server serves the technician's page, the room's page and the API.
type Server struct {
	cfg     Config
	box     Box
	handler http.Handler
	status  *page
	room    *page
	streams atomic.Int64
	dropped atomic.Uint64
}

// New builds a server; it has no goroutines of its own and needs no closing.
func New(box Box, cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, box: box}
	var err error
	if s.status, err = parsePage("status.html"); err != nil {
		return nil, err
	}
	if s.room, err = parsePage("room.html"); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page(s.status))
	mux.HandleFunc("GET /room", s.page(s.room))
	mux.HandleFunc("GET /events/status", s.events(s.status.event))
	mux.HandleFunc("GET /events/room", s.events(s.room.event))
	mux.HandleFunc("GET /assets/{file}", s.asset)
	mux.HandleFunc("GET /api/v1/status", s.getStatus)
	mux.HandleFunc("GET /api/v1/events", s.events(jsonEvent))
	mux.HandleFunc("POST /api/v1/pin", s.pin)
	mux.HandleFunc("POST /api/v1/far-end", s.moveTo)
	mux.HandleFunc("POST /api/v1/procedure", s.procedure)
	mux.HandleFunc("POST /api/v1/mute", s.mute)
	mux.HandleFunc("POST /api/v1/loudspeaker/{what}", s.loudspeaker)
	mux.HandleFunc("POST /api/v1/selftest", s.startSelfTest)
	mux.HandleFunc("GET /api/v1/selftest", s.selfTest)
	mux.HandleFunc("POST /api/v1/examine", s.examine)
	mux.HandleFunc("POST /api/v1/demo/{uplink}/{what}", s.impair)
	if cfg.Metrics != nil {
		mux.Handle("GET /metrics", cfg.Metrics)
	}
	if cfg.Room != nil {
		mux.Handle("/room/whep", cfg.Room)
		mux.Handle("/room/session/", cfg.Room)
	}
	open := http.NewServeMux()
	open.HandleFunc("GET /healthz", s.health)
	open.Handle("/", s.signedIn(http.NewCrossOriginProtection().Handler(mux)))
	s.handler = inTime(s.ownHost(headers(open)))
	return s, nil
}

// Streams is how many event streams are open now; Dropped how many clients were too slow and were let go.
func (s *Server) Streams() int64  { return s.streams.Load() }
func (s *Server) Dropped() uint64 { return s.dropped.Load() }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

const (
	bodyPatience   = 10 * time.Second // for a request's whole body; the largest is an offer
	answerPatience = 40 * time.Second // for a whole answer; an event stream renews it at each write
)

// inTime keeps a client that announces a body and sends none, or that reads no answer, from holding a connection for ever.
// The server takes both deadlines off before the next request.
func inTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, now := http.NewResponseController(w), time.Now() // a writer without deadlines is a test's
		if r.ContentLength != 0 {
			conn.SetReadDeadline(now.Add(bodyPatience))
		}
		conn.SetWriteDeadline(now.Add(answerPatience))
		next.ServeHTTP(w, r)
	})
}

// headers sets what every answer carries. The policy allows nothing inline: all script and style come from /assets.
func headers(next http.Handler) http.Handler {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// ownHost refuses names that the box does not go by: a page elsewhere could make its own name point here (DNS rebinding)
// and read everything. Addresses cannot be rebound.
func (s *Server) ownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.ToLower(strings.Trim(host, "[]"))
		_, err := netip.ParseAddr(host)
		if err != nil && host != "localhost" && !slices.Contains(s.cfg.Names, host) {
			http.Error(w, "This box does not go by that name. Use its address, or add the name to status.names.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// signedIn asks for the token (HTTP Basic, any user name) where one is configured. A token that cannot be read lets nobody
// in.
func (s *Server) signedIn(next http.Handler) http.Handler {
	if s.cfg.Token == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want, err := s.cfg.Token()
		if err != nil {
			http.Error(w, "The sign-in token cannot be read: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, got, _ := r.BasicAuth()
		a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
		if subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="scanside", charset="UTF-8"`)
			http.Error(w, "Sign in with any name and the token of status.token_file.", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) page(p *page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := p.whole(s.current())
		if err != nil {
			s.cfg.Log.Error("draw page", "page", p.name, "err", err)
			http.Error(w, "The page could not be drawn; /api/v1/status still answers.", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(text)
	}
}

func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if strings.HasSuffix(name, ".html") {
		http.NotFound(w, r) // templates are not documents
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, assets, "assets/"+name)
}

func (s *Server) getStatus(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.Encode(s.current())
}

// staleAfter is how old the newest snapshot may be before the loop that makes it is taken for dead: it makes one at least
// every second.
const staleAfter = 3 * time.Second

// stale reports whether nothing in a snapshot may be believed any more.
func stale(st *Status) bool { return time.Since(st.At) > staleAfter }

// current is the newest snapshot; when the loop is stuck, with a verdict that says so instead of the last good one.
func (s *Server) current() *Status {
	st, _ := s.box.Status()
	if !stale(st) {
		return st
	}
	old := *st
	old.Verdict = Verdict{
		State: "UNKNOWN", Words: "NO DATA FROM BOX", Level: Bad, Sentence: "Treat supervision as lost.", Redundancy: "unknown",
		Reason: "The box answers, but its own work has stood still since " + st.At.Local().Format("15:04:05") + ". Everything below is old. It is restarted by its watchdog.",
	}
	return &old
}

// health says whether the process works, not whether the network does; it names nothing that is secret.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	st, _ := s.box.Status()
	w.Header().Set("Content-Type", "application/json")
	if stale(st) {
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write([]byte(`{"status":"stuck"}` + "\n"))
		return
	}
	w.Write([]byte(`{"status":"ok"}` + "\n"))
}

func (s *Server) pin(w http.ResponseWriter, r *http.Request) {
	uplink, ok := field(w, r, "uplink")
	if !ok {
		return
	}
	s.done(w, r, s.box.Pin(r.Context(), uplink))
}

func (s *Server) moveTo(w http.ResponseWriter, r *http.Request) {
	name, ok := field(w, r, "far_end")
	if !ok {
		return
	}
	s.done(w, r, s.box.MoveTo(r.Context(), name))
}

func (s *Server) procedure(w http.ResponseWriter, r *http.Request) {
	open, ok := field(w, r, "open")
	if !ok {
		return
	}
	if open != "true" && open != "false" {
		problem(w, http.StatusBadRequest, "bad-request", "Say whether a procedure is open: send {\"open\": true} or {\"open\": false}, or a form with the field open.")
		return
	}
	s.done(w, r, s.box.Procedure(r.Context(), open == "true"))
}

func (s *Server) examine(w http.ResponseWriter, r *http.Request) {
	uplink, ok := field(w, r, "uplink")
	if !ok {
		return
	}
	s.done(w, r, s.box.Examine(uplink))
}

func (s *Server) startSelfTest(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.box.StartSelfTest())
}

func (s *Server) selfTest(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s.box.SelfTest())
}

// loudspeaker makes it louder, quieter, or try itself.
func (s *Server) loudspeaker(w http.ResponseWriter, r *http.Request) {
	const step = 10 // percent
	switch r.PathValue("what") {
	case "louder":
		s.done(w, r, s.box.Volume(step))
	case "quieter":
		s.done(w, r, s.box.Volume(-step))
	case "tone":
		s.done(w, r, s.box.Tone())
	default:
		problem(w, http.StatusNotFound, "unknown-action", "There is louder, quieter and tone.")
	}
}

func (s *Server) impair(w http.ResponseWriter, r *http.Request) {
	what := r.PathValue("what")
	if !slices.Contains([]string{"cut", "loss", "delay", "thin", "restore"}, what) {
		problem(w, http.StatusNotFound, "unknown-impairment", "There is cut, loss, delay, thin and restore.")
		return
	}
	s.done(w, r, s.box.Impair(r.PathValue("uplink"), what))
}

// field reads one value from a form or from a JSON object.
func field(w http.ResponseWriter, r *http.Request, name string) (string, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var m map[string]any
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			problem(w, http.StatusBadRequest, "bad-request", "Send a JSON object with the field "+name+".")
			return "", false
		}
		switch v := m[name].(type) {
		case string:
			return v, true
		case bool:
			return strconv.FormatBool(v), true
		}
		return "", true
	}
	if err := r.ParseForm(); err != nil {
		problem(w, http.StatusBadRequest, "bad-request", "Send a form with the field "+name+".")
		return "", false
	}
	return r.PostForm.Get(name), true
}

// done answers an action: programs get a status, a browser without script is sent back to the page.
func (s *Server) done(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrNotDemo):
		problem(w, http.StatusNotFound, "unknown-uplink", err.Error())
	case errors.Is(err, ErrNoFarEnd):
		problem(w, http.StatusNotFound, "unknown-far-end", err.Error())
	case errors.Is(err, ErrNoDevice):
		problem(w, http.StatusNotFound, "unknown-device", err.Error())
	case errors.Is(err, ErrTesting):
		problem(w, http.StatusConflict, "self-test-running", err.Error())
	case errors.Is(err, ErrNoLoudspeaker):
		problem(w, http.StatusNotFound, "no-loudspeaker", err.Error())
	case errors.Is(err, ErrOpen):
		problem(w, http.StatusConflict, "procedure-open", err.Error())
	case err != nil:
		problem(w, http.StatusInternalServerError, "failed", err.Error())
	case strings.Contains(r.Header.Get("Accept"), "text/html"):
		http.Redirect(w, r, "/", http.StatusSeeOther)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// problem answers as RFC 9457 says.
func problem(w http.ResponseWriter, code int, kind, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]any{
		"type": "urn:scanside:problem:" + kind, "title": http.StatusText(code), "status": code, "detail": detail,
	})
}
