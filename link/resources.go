package link

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Peer is what stands behind a WHIP or WHEP resource. *Inbound and *Outbound are Peers.
type Peer interface {
	Done() <-chan struct{}
	Close() error
	Trickle(fragment string) error
	Restart(fragment string) (string, error)
	ETag() string
}

// ResourcesConfig says who may touch what.
type ResourcesConfig struct {
	// Principal names who a request on a session URL comes from ("" = nobody). Only the principal that created a
	// session may change or end it; for anybody else it does not exist (404), for nobody 401.
	Principal func(*http.Request) string
	// Relays are named to whoever has made a session, in Link headers (RFC 9725 4.6); nil: none.
	Relays func(principal string) []Relay
	Limit  int // live sessions at once, all principals together; 0: 512
	Log    *slog.Logger
}

// Resources is the HTTP half of WHIP and WHEP. Safe for concurrent use.
type Resources struct {
	cfg ResourcesConfig

	mu      sync.Mutex
	closed  bool
	opening int // creations under way, counted against the limit
	byID    map[string]resource
}

type resource struct {
	principal string
	peer      Peer
}

const defaultSessionLimit = 512

// NewResources returns an empty set.
func NewResources(cfg ResourcesConfig) *Resources {
	if cfg.Limit <= 0 {
		cfg.Limit = defaultSessionLimit
	}
	cfg.Log = orSilent(cfg.Log)
	return &Resources{cfg: cfg, byID: map[string]resource{}}
}

// Create serves the endpoint URL after the caller has authenticated principal: POST makes a peer by open and answers 201
// with Location base/{id}; OPTIONS says what can be posted; anything else is 405. open's *Problem is answered as it is.
func (r *Resources) Create(w http.ResponseWriter, req *http.Request, base, principal string, open func(offer string) (Peer, string, error)) {
	switch req.Method {
	case http.MethodPost:
	case http.MethodOptions:
		w.Header().Set("Allow", "POST, OPTIONS")
		w.Header().Set("Accept-Post", typeSDP) // RFC 9725 4.2
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		notAllowed(w, "POST, OPTIONS", "this URL takes an offer by POST")
		return
	}
	offer, problem := readBody(w, req, typeSDP)
	if problem != nil {
		WriteProblem(w, problem)
		return
	}
	if problem := r.reserve(); problem != nil {
		WriteProblem(w, problem)
		return
	}
	peer, answer, err := open(offer)
	if err != nil {
		r.release()
		WriteProblem(w, r.problemOf(err))
		return
	}
	id := rand.Text() // 128 bits: a session URL cannot be guessed (RFC 9725 section 5)
	if !r.enter(id, resource{principal, peer}) {
		_ = peer.Close()
		WriteProblem(w, shuttingDown())
		return
	}
	w.Header().Set("Content-Type", typeSDP)
	w.Header().Set("Location", strings.TrimSuffix(base, "/")+"/"+id)
	w.Header().Set("ETag", peer.ETag())
	w.Header().Set("Accept-Patch", typeSDPFrag)
	w.Header().Set("Cache-Control", "no-store")
	if r.cfg.Relays != nil {
		for _, one := range r.cfg.Relays(principal) {
			w.Header().Add("Link", relayLink(one))
		}
	}
	w.WriteHeader(http.StatusCreated)
	if _, err := io.WriteString(w, answer); err != nil {
		// The asker never learnt the URL, so nobody can end the session.
		r.remove(id)
		_ = peer.Close()
	}
}

// ServeHTTP serves session URLs: PATCH (trickle, ICE restart), DELETE, OPTIONS. The id is the path's last segment.
func (r *Resources) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	const allow = "PATCH, DELETE, OPTIONS"
	if req.Method == http.MethodOptions {
		w.Header().Set("Allow", allow)
		w.Header().Set("Accept-Patch", typeSDPFrag)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	principal := ""
	if r.cfg.Principal != nil {
		principal = r.cfg.Principal(req)
	}
	if principal == "" {
		w.Header().Set("WWW-Authenticate", "Bearer")
		WriteProblem(w, &Problem{Status: http.StatusUnauthorized, Title: "not signed in", Detail: "send the token, or the cookie, that the session was created with"})
		return
	}
	id := req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]
	found, ok := r.find(id)
	if !ok || found.principal != principal {
		WriteProblem(w, &Problem{Status: http.StatusNotFound, Title: "no such session", Detail: "it ended, or this server was restarted; make a new one"})
		return
	}
	switch req.Method {
	case http.MethodDelete: // any If-Match is ignored (RFC 9725 4.3.1)
		r.remove(id)
		_ = found.peer.Close()
		w.WriteHeader(http.StatusOK)
	case http.MethodPatch:
		r.patch(w, req, found.peer)
	default:
		notAllowed(w, allow, "this URL takes PATCH and DELETE (RFC 9725 section 4.2)")
	}
}

// patch is trickle ICE when If-Match names the ICE session and an ICE restart when it is * (RFC 9725 4.3).
func (r *Resources) patch(w http.ResponseWriter, req *http.Request, peer Peer) {
	body, problem := readBody(w, req, typeSDPFrag)
	if problem != nil {
		WriteProblem(w, problem)
		return
	}
	match := req.Header.Get("If-Match")
	switch {
	case strings.TrimSpace(match) == "":
		WriteProblem(w, &Problem{Status: http.StatusPreconditionRequired, Title: "If-Match is missing",
			Detail: "send the ETag of the session to add candidates, or * to restart ICE"})
	case matches(match, "*"): // some clients quote it
		answer, err := peer.Restart(body)
		if err != nil {
			WriteProblem(w, r.problemOf(err))
			return
		}
		w.Header().Set("Content-Type", typeSDPFrag)
		w.Header().Set("ETag", peer.ETag())
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, answer)
	case matches(match, strings.Trim(peer.ETag(), `"`)):
		if err := peer.Trickle(body); err != nil {
			WriteProblem(w, r.problemOf(err))
			return
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		WriteProblem(w, &Problem{Status: http.StatusPreconditionFailed, Title: "If-Match names another ICE session",
			Detail: "ICE was restarted meanwhile; use the newest ETag"})
	}
}

// matches reports whether If-Match names the tag: one of a list (RFC 9110 13.1.1), with the quotes that belong there or, as some
// clients send it, without.
func matches(match, tag string) bool {
	for one := range strings.SplitSeq(match, ",") {
		if strings.Trim(strings.TrimPrefix(strings.TrimSpace(one), "W/"), `"`) == tag {
			return true
		}
	}
	return false
}

// readBody reads a body of the wanted type, or says what is wrong.
func readBody(w http.ResponseWriter, req *http.Request, want string) (string, *Problem) {
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || kind != want {
		return "", &Problem{Status: http.StatusUnsupportedMediaType, Title: "wrong content type",
			Detail: fmt.Sprintf("send Content-Type: %s, not %q", want, clip(req.Header.Get("Content-Type")))}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxSDP))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return "", &Problem{Status: http.StatusRequestEntityTooLarge, Title: "the body is too large", Detail: fmt.Sprintf("at most %d bytes are read", maxSDP)}
	case err != nil:
		return "", &Problem{Status: http.StatusBadRequest, Title: "the body could not be read", Detail: "the connection broke in the middle of it"}
	case len(body) == 0:
		return "", &Problem{Status: http.StatusBadRequest, Title: "the body is empty", Detail: "send " + want}
	}
	return string(body), nil
}

// problemOf keeps an unexpected error's words out of the answer and in the log.
func (r *Resources) problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	r.cfg.Log.Error("session could not be served", "error", err)
	return &Problem{Status: http.StatusInternalServerError, Title: "the server could not do that", Detail: "its log says why", After: time.Second}
}

func notAllowed(w http.ResponseWriter, allow, detail string) {
	w.Header().Set("Allow", allow)
	WriteProblem(w, &Problem{Status: http.StatusMethodNotAllowed, Title: "method not allowed", Detail: detail})
}

func shuttingDown() *Problem {
	return &Problem{Status: http.StatusServiceUnavailable, Title: "the server is shutting down", After: 2 * time.Second}
}

// reserve takes one place under the limit; sessions that ended by themselves give theirs back first.
func (r *Resources) reserve() *Problem {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return shuttingDown()
	}
	r.prune()
	if len(r.byID)+r.opening >= r.cfg.Limit {
		return &Problem{Status: http.StatusServiceUnavailable, Title: "too many sessions", Detail: fmt.Sprintf("all %d places are taken; try again when one has ended", r.cfg.Limit), After: 5 * time.Second}
	}
	r.opening++
	return nil
}

func (r *Resources) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opening--
}

// enter turns a reserved place into a session; false after Close.
func (r *Resources) enter(id string, res resource) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opening--
	if r.closed {
		return false
	}
	r.byID[id] = res
	return true
}

// prune forgets sessions whose peer is over. The caller holds mu.
func (r *Resources) prune() {
	for id, res := range r.byID {
		select {
		case <-res.peer.Done():
			delete(r.byID, id)
		default:
		}
	}
}

func (r *Resources) find(id string) (resource, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	res, ok := r.byID[id]
	if !ok {
		return resource{}, false
	}
	select {
	case <-res.peer.Done():
		delete(r.byID, id)
		return resource{}, false
	default:
		return res, true
	}
}

func (r *Resources) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byID, id)
}

// Len is the number of live sessions.
func (r *Resources) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prune()
	return len(r.byID)
}

// Close ends every session and takes no more.
func (r *Resources) Close() error {
	r.mu.Lock()
	r.closed = true
	var peers []Peer
	for _, res := range r.byID {
		peers = append(peers, res.peer)
	}
	clear(r.byID)
	r.mu.Unlock()
	var down sync.WaitGroup
	for _, p := range peers {
		down.Go(func() { _ = p.Close() })
	}
	down.Wait()
	return nil
}
