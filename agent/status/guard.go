package status

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"scanside/access"
)

// visitor is who makes a request.
type visitor struct {
	access.Person
	SignedIn bool  // by a session
	Asleep   bool  // signed in, and unused for so long that acting asks for the password again
	err      error // a token that could be right cannot be compared
}

// may says whether a visitor is let through now.
func (v visitor) may(want access.Right) bool {
	return v.Role.May(want) && !(v.Asleep && want.Acts())
}

// pass is what a request carries that was let through.
type pass struct {
	visitor
	right access.Right
}

type passKey struct{}

// guard lets in who has the right that a route needs, and tells everybody else what is missing.
func (s *Server) guard(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who := s.visitor(r, rt.may.Acts() || wantsPage(r))
		switch {
		case who.may(rt.may):
			rt.serve(w, r.WithContext(context.WithValue(r.Context(), passKey{}, pass{who, rt.may})))
		case who.err != nil:
			problem(w, http.StatusServiceUnavailable, "token-unreadable", "The token cannot be compared: "+who.err.Error())
		case who.Role == access.Scraper || who.Role == access.Screen:
			s.notYours(w, r, fmt.Sprintf("This is the token of a %v alone; %v needs %s.", who.Role, rt.may, rt.may.Who()))
		case who.SignedIn && !who.Asleep:
			s.notYours(w, r, fmt.Sprintf("You are signed in as %s (%v); %v needs %s.", who.By(), who.Role, rt.may, rt.may.Who()))
		default:
			s.signInFirst(w, r, rt.may, who)
		}
	}
}

// still says whether whoever was let through would be let through now: a stream ends with its session.
func (s *Server) still(r *http.Request) bool {
	p := passOf(r)
	return s.visitor(r, false).may(p.right)
}

func passOf(r *http.Request) pass {
	p, _ := r.Context().Value(passKey{}).(pass)
	return p
}

// by is the name that a record of what a request does bears.
func by(r *http.Request) string { return passOf(r).By() }

// signInFirst tells a browser to sign in, and a program that it must.
func (s *Server) signInFirst(w http.ResponseWriter, r *http.Request, right access.Right, who visitor) {
	next := "/"
	if r.Method == http.MethodGet {
		next = r.URL.Path
	}
	where := "/signin?" + url.Values{"next": {next}, "for": {strconv.Itoa(int(right))}}.Encode()
	if wantsPage(r) {
		http.Redirect(w, r, where, http.StatusSeeOther)
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="scanside"`)
	problemWith(w, http.StatusUnauthorized, "signed-out", wanted(right, who), map[string]string{"sign_in": where})
}

// wanted is the sentence for somebody who is not signed in.
func wanted(right access.Right, who visitor) string {
	if who.Asleep {
		return fmt.Sprintf("%s has not acted for %d minutes: sign in again.", who.Name, int(access.ActFor.Minutes()))
	}
	words := right.String()
	return fmt.Sprintf("%s needs %s. Sign in first.", strings.ToUpper(words[:1])+words[1:], right.Who())
}

func (s *Server) notYours(w http.ResponseWriter, r *http.Request, sentence string) {
	if wantsPage(r) {
		s.draw(w, http.StatusForbidden, s.sign, "refused", signPage{Said: sentence})
		return
	}
	problem(w, http.StatusForbidden, "not-yours", sentence)
}

// wantsPage says whether a browser asks for something to show.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// visitor finds out who asks: by the session of the browser, by a token, or by where the request comes from. use counts it as a use of the session.
func (s *Server) visitor(r *http.Request, use bool) visitor {
	if s.cfg.person != nil {
		who := s.cfg.person(r)
		return visitor{Person: who, SignedIn: who.Name != ""}
	}
	if who, asleep, ok := s.cfg.Door.Session(cookie(r, sessionCookie), use, time.Now()); ok {
		return visitor{Person: who, SignedIn: true, Asleep: asleep}
	}
	stranger := visitor{Person: s.cfg.Door.Stranger(fromTheBox(r))}
	token := cookie(r, screenCookie)
	if _, password, ok := r.BasicAuth(); ok {
		token = password
	} else if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token = bearer
	}
	if token == "" {
		return stranger
	}
	who, err := s.cfg.Door.Token(token, r.Header.Get(asHeader))
	if who.Role == access.Nobody {
		stranger.err = err
		return stranger
	}
	return visitor{Person: who}
}

// asHeader names the account on whose behalf a command on the box speaks.
const asHeader = "Scanside-As"

// fromTheBox reports whether a request was made on this machine: over loopback, or from one of its addresses to the same.
func fromTheBox(r *http.Request) bool {
	from := address(r)
	if from.IsLoopback() {
		return true
	}
	here, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || !from.IsValid() {
		return false
	}
	to, err := netip.ParseAddrPort(here.String())
	return err == nil && to.Addr().Unmap().WithZone("") == from.WithZone("")
}

// address is where a request comes from; the zero address: not known.
func address(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap()
}
