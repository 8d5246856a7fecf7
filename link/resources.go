package link

import (
	"log/slog"
	"net/http"
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
	Limit     int // live sessions at once, all principals together; 0: 512
	Log       *slog.Logger
}

// Resources is the HTTP half of WHIP and WHEP. Safe for concurrent use.
type Resources struct{}

// NewResources returns an empty set.
func NewResources(cfg ResourcesConfig) *Resources { return &Resources{} }

// Create serves the endpoint URL after the caller has authenticated principal: POST makes a peer by open and answers 201
// with Location base/{id}; OPTIONS says what can be posted; anything else is 405. open's *Problem is answered as it is.
func (r *Resources) Create(w http.ResponseWriter, req *http.Request, base, principal string, open func(offer string) (Peer, string, error)) {
}

// ServeHTTP serves session URLs: PATCH (trickle, ICE restart), DELETE, OPTIONS. The id is the path's last segment.
func (r *Resources) ServeHTTP(w http.ResponseWriter, req *http.Request) {}

// Len is the number of live sessions.
func (r *Resources) Len() int { return 0 }

// Close ends every session.
func (r *Resources) Close() error { return nil }

// WriteProblem answers with p as application/problem+json (RFC 9457), Retry-After included.
func WriteProblem(w http.ResponseWriter, p *Problem) {}
