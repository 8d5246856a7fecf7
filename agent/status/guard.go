package status

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"

	"scanside/access"
)

// guard lets in who has the right that a route needs, and tells everybody else what is missing.
func (s *Server) guard(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if rt.may == access.Open {
			rt.serve(w, r)
			return
		}
		who, err := s.person(r)
		switch {
		case err != nil:
			http.Error(w, "The sign-in token cannot be read: "+err.Error(), http.StatusServiceUnavailable)
		case who.Role.May(rt.may):
			rt.serve(w, r.WithContext(context.WithValue(r.Context(), personKey{}, who)))
		case who.Role == access.Nobody:
			w.Header().Set("WWW-Authenticate", `Basic realm="scanside", charset="UTF-8"`)
			http.Error(w, "Sign in with any name and the token of status.token_file.", http.StatusUnauthorized)
		default:
			problem(w, http.StatusForbidden, "not-yours", fmt.Sprintf("You are signed in as %s (%v); %v needs %s.", who.By(), who.Role, rt.may, rt.may.Who()))
		}
	}
}

type personKey struct{}

// by is the name that a record of what a request does bears.
func by(r *http.Request) string {
	who, _ := r.Context().Value(personKey{}).(access.Person)
	return who.By()
}

// person says who asks: whoever has the token (HTTP Basic, any user name) where one is configured, else whoever reaches the listener.
// A token that cannot be read lets nobody in.
func (s *Server) person(r *http.Request) (access.Person, error) {
	if s.cfg.person != nil {
		return s.cfg.person(r), nil
	}
	if s.cfg.Token == nil {
		return access.Person{Name: "room", Role: access.SiteLead}, nil
	}
	want, err := s.cfg.Token()
	if err != nil {
		return access.Person{}, err
	}
	_, got, _ := r.BasicAuth()
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	if subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
		return access.Person{}, nil
	}
	return access.Person{Name: "token", Role: access.SiteLead}, nil
}
