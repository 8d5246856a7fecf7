package link

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// PathKind is what carries a session's media. The order is that of preference.
type PathKind uint8

const (
	PathUnknown  PathKind = iota
	PathUDP               // straight to the far end
	PathTCP               // straight to the far end by ICE over TCP (RFC 6544)
	PathRelayUDP          // to a relay by UDP, from there by UDP
	PathRelayTCP          // to a relay by TCP
	PathRelayTLS          // to a relay by TLS over TCP
)

// PathKinds are all of them but PathUnknown.
func PathKinds() []PathKind {
	return []PathKind{PathUDP, PathTCP, PathRelayUDP, PathRelayTCP, PathRelayTLS}
}

func (k PathKind) String() string {
	return [...]string{"unknown", "udp", "tcp", "relay-udp", "relay-tcp", "relay-tls"}[k]
}

// overTCP reports whether the uplink's part of the path is TCP.
func (k PathKind) overTCP() bool { return k == PathTCP || k == PathRelayTCP || k == PathRelayTLS }

// Path is how a session's media goes.
type Path struct {
	Kind  PathKind
	Relay string // host:port of the relay; "" when there is none on the way
	Proxy string // host:port of the proxy that carries the TCP; "" when there is none on the way
}

// Path is how the publish half's media goes.
func (s *Session) Path() Path { return s.pub.path }

// pathOf asks ICE what it chose.
func (h *half) pathOf(n Net) Path {
	pair, err := h.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return Path{}
	}
	p := Path{Kind: PathUDP}
	switch {
	case pair.Local.Typ == webrtc.ICECandidateTypeRelay:
		p.Kind, p.Relay = h.relays.through(pair.Local.RelatedPort)
	case pair.Local.Protocol == webrtc.ICEProtocolTCP:
		p.Kind = PathTCP
	}
	if by, ok := n.(interface{ ProxyAddr() string }); ok && p.Kind.overTCP() {
		p.Proxy = by.ProxyAddr()
	}
	return p
}

// memoryLasts is how long what worked is worth starting with: networks are rebuilt overnight, not every hour.
const memoryLasts = 24 * time.Hour

// unstampedLasts is how long a relay's credentials that do not say when they end are used again.
const unstampedLasts = 10 * time.Minute

// Memory is what one uplink knows from its earlier sessions: the path that worked is tried from the start of the next
// session, beside the better ones and not after them, and the relays that the far end named are known before it is asked.
// The zero value remembers nothing. Safe for concurrent use.
type Memory struct {
	mu    sync.Mutex
	path  Path
	at    time.Time
	named []Relay
	until time.Time
}

// worked notes the path of a session that is up.
func (m *Memory) worked(p Path, now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.path, m.at = p, now
}

// best is the path that worked last; PathUnknown when that is long ago.
func (m *Memory) best(now time.Time) Path {
	if m == nil {
		return Path{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.at) > memoryLasts {
		return Path{}
	}
	return m.path
}

// name notes the relays that a far end named.
func (m *Memory) name(relays []Relay, now time.Time) {
	if m == nil || len(relays) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.named, m.until = slices.Clone(relays), now.Add(unstampedLasts)
	if end := expiry(relays); !end.IsZero() {
		m.until = end
	}
}

// relays are those a far end named, while their credentials last.
func (m *Memory) relays(now time.Time) []Relay {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !now.Before(m.until) {
		return nil
	}
	return slices.Clone(m.named)
}

// expiry is when the first of the credentials ends, by the convention that a short-lived user name begins with the Unix
// time of its end and a colon (draft-uberti-behave-turn-rest-00 section 2.2); zero when one does not say.
func expiry(relays []Relay) time.Time {
	var first time.Time
	for _, r := range relays {
		stamp, _, _ := strings.Cut(r.Username, ":")
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || seconds < 1e9 {
			return time.Time{}
		}
		if end := time.Unix(seconds, 0); first.IsZero() || end.Before(first) {
			first = end
		}
	}
	return first
}

// named are the relays among the servers that a far end named. STUN servers say nothing that a relay or the far end's own
// checks do not.
func named(servers []webrtc.ICEServer) []Relay {
	var out []Relay
	for _, s := range servers {
		r := Relay{URL: s.URLs[0], Username: s.Username}
		r.Credential, _ = s.Credential.(string)
		if _, err := parseRelay(r.URL); err == nil {
			out = append(out, r)
		}
	}
	return out
}

// news are those of got that are not among had, user included.
func news(got, had []Relay) []Relay {
	return slices.DeleteFunc(slices.Clone(got), func(r Relay) bool {
		return slices.ContainsFunc(had, func(o Relay) bool { return o.URL == r.URL && o.Username == r.Username })
	})
}

// relayAddress is a TURN URL taken apart.
type relayAddress struct {
	kind PathKind
	host string
	port string
}

func (a relayAddress) String() string { return joinHostPort(a.host, a.port) }

func joinHostPort(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + port
}

// CheckRelayURL says what is wrong with a relay's URL, or returns nil.
func CheckRelayURL(raw string) error {
	_, err := parseRelay(raw)
	return err
}

// parseRelay reads a TURN URI (RFC 7065).
func parseRelay(raw string) (relayAddress, error) {
	scheme, rest, _ := strings.Cut(raw, ":")
	scheme = strings.ToLower(scheme)
	if scheme != "turn" && scheme != "turns" {
		return relayAddress{}, errors.New("is not a relay's address; write turn:host:3478?transport=udp, turn:host:3478?transport=tcp or turns:host:443")
	}
	where, query, _ := strings.Cut(rest, "?")
	u, err := url.Parse("//" + where)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Path != "" {
		return relayAddress{}, errors.New("names no host; write turn:host:port, without slashes and without a user")
	}
	a := relayAddress{host: u.Hostname(), port: u.Port(), kind: PathRelayUDP}
	if a.port == "" { // RFC 7065 section 3
		a.port = map[string]string{"turn": "3478", "turns": "5349"}[scheme]
	}
	if n, err := strconv.Atoi(a.port); err != nil || n < 1 || n > 65535 {
		return relayAddress{}, errors.New("has no usable port; use 1 to 65535")
	}
	transport, known := strings.CutPrefix(query, "transport=")
	switch {
	case query != "" && !known, transport != "" && transport != "udp" && transport != "tcp":
		return relayAddress{}, errors.New("has an unknown ending; write ?transport=udp or ?transport=tcp")
	case scheme == "turns" && transport == "udp":
		return relayAddress{}, errors.New("asks for DTLS, which is not supported; use turns: (TLS over TCP), or turn: with ?transport=udp, for media is encrypted anyway")
	case scheme == "turns":
		a.kind = PathRelayTLS
	case transport == "tcp":
		a.kind = PathRelayTCP
	}
	return a, nil
}
