package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"scanside/link"
)

// bearer is the token of a request, "" if it has none.
func bearer(req *http.Request) string {
	scheme, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// siteOf is the site whose token this is. Every site is compared, so that the time tells nothing.
func (g *Gateway) siteOf(token string) *room {
	if token == "" {
		return nil
	}
	var found *room
	for _, r := range g.rooms {
		if sameToken(token, r.token) {
			found = r
		}
	}
	return found
}

// boxRoom is the room a box may serve, or why not.
func (g *Gateway) boxRoom(req *http.Request) (*room, *link.Problem) {
	own := g.siteOf(bearer(req))
	if own == nil {
		return nil, problem(http.StatusUnauthorized, "token", "The site token is missing or wrong.",
			"give the token that belongs to the site (Authorization: Bearer …)")
	}
	switch asked := g.room(req.PathValue("site")); asked {
	case nil:
		return nil, problem(http.StatusNotFound, "unknown-site", "This gateway does not know the site.",
			"compare the site's id in the box's and in the gateway's configuration")
	case own:
		return own, nil
	default:
		return nil, problem(http.StatusForbidden, "other-site", "The token belongs to another site.",
			"the token is that of site "+own.site.ID+"; give the box the token or the id of its own site")
	}
}

// principal names who owns what is made over a request: link.Resources lets nobody else touch it.
func (g *Gateway) principal(req *http.Request) string {
	if r := g.siteOf(bearer(req)); r != nil {
		return "site:" + r.site.ID
	}
	if s := g.door.session(req); s != nil {
		return "session:" + s.id
	}
	return ""
}

// knownHost keeps a page elsewhere from reaching the console under a name of its own that it lets point here (DNS rebinding):
// addresses cannot be rebound, names must be ours.
func knownHost(names []string) func(*http.Request) bool {
	return func(req *http.Request) bool {
		host := req.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.TrimSuffix(strings.ToLower(host), ".")
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
			return true
		}
		return host == "localhost" || slices.ContainsFunc(names, func(n string) bool {
			suffix, wild := strings.CutPrefix(n, "*.")
			first, rest, _ := strings.Cut(host, ".")
			return strings.EqualFold(n, host) || wild && first != "" && strings.EqualFold(suffix, rest)
		})
	}
}

func hostOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return "unknown"
	}
	return host
}
