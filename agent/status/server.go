package status

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"scanside/access"
	"scanside/support"
)

//go:embed assets
var assets embed.FS

// Box is what the pages need from the agent. All methods may be called from any goroutine. by is the name that the record of an act bears.
type Box interface {
	Examined
	Drilled
	Installed
	// Status is the newest truth, and a channel that is closed when there is a newer one.
	Status() (*Status, <-chan struct{})
	// Pin holds everything on one uplink; "" lets go.
	Pin(ctx context.Context, by, uplink string) error
	// MoveTo wants the room at another far end, by its name; it goes there when that one answers.
	MoveTo(ctx context.Context, by, farEnd string) error
	// Procedure opens or closes a procedure. It returns when that would survive a restart, or says why it would not.
	Procedure(ctx context.Context, by string, open bool) error
	// Mute closes "camera" or "microphone", or lets it be opened again. It returns when that would survive a restart, or says
	// why it would not. Closing takes effect even so; opening does not.
	Mute(ctx context.Context, by, device string, on bool) error
	// Volume changes the loudspeaker's volume by so many percent; Tone plays a sound to try it.
	Volume(step int) error
	Tone() error
	// StartSelfTest begins a self-test of the devices; SelfTest is what the newest has found.
	StartSelfTest() error
	SelfTest() SelfTest
	// Levels is how loud microphone and loudspeaker are now.
	Levels() Levels
	// SupportBundle collects what whoever helps needs to see, without secrets.
	SupportBundle(ctx context.Context) (*support.Bundle, error)
	// History is the last day by minutes; nobody changes it any more.
	History() *History
	// Preview serves WHEP below /api/v1/preview: the picture that leaves the room, to somebody who is named to the room.
	Preview(w http.ResponseWriter, r *http.Request, by string)
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
	ErrNoQuestion    = errors.New("the installation has no such question")
	ErrNoDevice      = errors.New("only camera and microphone can be muted")
	ErrOpen          = errors.New("a procedure is open: the room stays where its supervisor is; close the procedure first")
	ErrNotDemo       = errors.New("not a demo: real uplinks are cut at the cable")
)

// Config is what a Server needs besides its Box.
type Config struct {
	Door    *access.Door // who comes in; nil: whoever is on this machine may look
	Names   []string     // host names by which a browser may call the box, besides addresses and localhost
	HSTS    bool         // the certificate is one that browsers know: they shall never ask by plain HTTP again
	Room    http.Handler // the physician's picture: POST /room/whep, /room/session/{id}; nil: none
	Metrics http.Handler // nil: none
	Log     *slog.Logger

	person func(*http.Request) access.Person // tests: who asks
}

// Server serves the technician's page, the room's page and the API.
type Server struct {
	cfg     Config
	box     Box
	handler http.Handler
	status  *page
	room    *page
	sign    *page
	install *page
	report  *page
	streams atomic.Int64
	dropped atomic.Uint64
	support bundles
}

// New builds a server; it has no goroutines of its own and needs no closing.
func New(box Box, cfg Config) (*Server, error) {
	if cfg.Door == nil {
		cfg.Door = access.NewDoor(access.Config{})
	}
	s := &Server{cfg: cfg, box: box}
	var err error
	if s.status, err = parsePage("status.html"); err != nil {
		return nil, err
	}
	if s.room, err = parsePage("room.html"); err != nil {
		return nil, err
	}
	if s.support.page, err = parsePage("support.html"); err != nil {
		return nil, err
	}
	if s.sign, err = parsePage("sign.html"); err != nil {
		return nil, err
	}
	if s.install, err = parsePage("installation.html"); err != nil {
		return nil, err
	}
	if s.report, err = parsePage("report.html"); err != nil {
		return nil, err
	}
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusForbidden, "another-site", "This came from another site than the box's own page, so nothing was done. Open the box's page and press there.")
	}))
	s.handler = inTime(s.ownHost(s.headers(own.Handler(s.mux(s.routes())))))
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
func (s *Server) headers(next http.Handler) http.Handler {
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
		if s.cfg.HSTS && r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
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

func (s *Server) page(p *page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.draw(w, http.StatusOK, p, p.name, looked{s.current(), passOf(r).visitor})
	}
}

// looked is what somebody sees: the truth, and who he is.
type looked struct {
	*Status
	Me visitor
}

// draw answers with a page.
func (s *Server) draw(w http.ResponseWriter, code int, p *page, part string, data any) {
	text, err := p.draw(part, data)
	if err != nil {
		s.cfg.Log.Error("draw page", "page", part, "err", err)
		http.Error(w, "The page could not be drawn; /api/v1/status still answers.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	w.Write(text)
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
