package status

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"scanside/access"
)

const (
	sessionCookie = "scanside_box"    // who is signed in
	screenCookie  = "scanside_screen" // the token of a room's screen on another machine, which outlasts restarts
	screenFor     = 400 * 24 * 3600   // seconds; the longest that browsers keep one
	maxForm       = 4 << 10           // bytes of a sign-in form
)

// cookieName is a cookie's name on this connection. The __Host- prefix (RFC 6265bis 4.1.3.2) keeps another host from setting it; browsers take it over
// TLS only.
func cookieName(r *http.Request, name string) string {
	if r.TLS != nil {
		return "__Host-" + name
	}
	return name
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(cookieName(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie keeps a secret in the browser, out of every script's reach, for as long as it runs or seconds; below 0: it is forgotten.
func setCookie(w http.ResponseWriter, r *http.Request, name, secret string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r, name), Value: secret, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
}

// signPage is what the sign-in pages show.
type signPage struct {
	Site   string
	First  bool   // the box has no users: make the first
	Shut   bool   // nobody can sign in
	For    string // what the browser was sent here for
	Said   string // what went wrong
	Name   string
	Next   string
	Right  int
	Screen bool // the token of a room's screen is taken too
}

// signInPage shows the form: to sign in, or in a box without users to make the first.
func (s *Server) signInPage(w http.ResponseWriter, r *http.Request) {
	p := signPage{Next: local(r.URL.Query().Get("next"))}
	if n, err := strconv.Atoi(r.URL.Query().Get("for")); err == nil && n > 0 && n < 256 {
		p.Right = n
		p.For = wanted(access.Right(n), s.visitor(r, false))
	}
	s.showSignIn(w, http.StatusOK, p)
}

func (s *Server) showSignIn(w http.ResponseWriter, code int, p signPage) {
	st, _ := s.box.Status()
	p.Site = st.Site
	empty, err := s.cfg.Door.Empty()
	p.First = empty
	if err != nil {
		p.Shut, p.Said = true, title(err.Error())+"."
	}
	if p.Next == "" {
		p.Next = "/"
	}
	s.draw(w, code, s.sign, "sign.html", p)
}

// signIn takes name and password.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	p, ok := s.signForm(w, r)
	if !ok {
		return
	}
	if p.Name == access.Screen.String() {
		if err := s.cfg.Door.SignInScreen(r.PostForm.Get("password"), address(r)); err != nil {
			s.notSignedIn(w, p, err)
			return
		}
		setCookie(w, r, screenCookie, strings.TrimSpace(r.PostForm.Get("password")), screenFor)
		http.Redirect(w, r, "/room", http.StatusSeeOther)
		return
	}
	secret, err := s.cfg.Door.SignIn(r.Context(), p.Name, r.PostForm.Get("password"), address(r))
	s.signedIn(w, r, p, secret, err)
}

// setUp makes the first site lead.
func (s *Server) setUp(w http.ResponseWriter, r *http.Request) {
	p, ok := s.signForm(w, r)
	if !ok {
		return
	}
	if r.PostForm.Get("password") != r.PostForm.Get("again") {
		s.notSignedIn(w, p, errors.New("the two passwords are not the same"))
		return
	}
	secret, err := s.cfg.Door.SetUp(r.Context(), r.PostForm.Get("code"), p.Name, r.PostForm.Get("password"), address(r))
	s.signedIn(w, r, p, secret, err)
}

func (s *Server) signForm(w http.ResponseWriter, r *http.Request) (signPage, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.showSignIn(w, http.StatusBadRequest, signPage{Said: "The form was not understood. Try again."})
		return signPage{}, false
	}
	return signPage{Name: strings.TrimSpace(r.PostForm.Get("name")), Next: local(r.PostForm.Get("next"))}, true
}

// signedIn gives the browser a session of its own, whatever it had before, and takes it back to where it was.
func (s *Server) signedIn(w http.ResponseWriter, r *http.Request, p signPage, secret string, err error) {
	if err != nil {
		s.notSignedIn(w, p, err)
		return
	}
	s.cfg.Door.SignOut(cookie(r, sessionCookie))
	setCookie(w, r, sessionCookie, secret, 0)
	http.Redirect(w, r, p.Next, http.StatusSeeOther)
}

func (s *Server) notSignedIn(w http.ResponseWriter, p signPage, err error) {
	code := http.StatusUnauthorized
	var locked *access.Locked
	switch {
	case errors.As(err, &locked):
		code = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(locked.Wait.Seconds())+1))
	case errors.Is(err, access.ErrBusy):
		code = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
	}
	p.Said = title(err.Error()) + "."
	s.showSignIn(w, code, p)
}

// signOut ends the session.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	s.cfg.Door.SignOut(cookie(r, sessionCookie))
	setCookie(w, r, sessionCookie, "", -1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// local is a path of this box to go to; "/" where a link would lead elsewhere.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return (&url.URL{Path: u.Path, Fragment: u.Fragment}).String()
}
