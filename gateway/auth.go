package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"scanside/argon"
	"scanside/gateway/console"
)

// Cookie names. The __Host- prefix (RFC 6265bis 4.1.3.2) keeps another host of the same domain from setting it; browsers
// accept it over TLS only.
const (
	plainCookie  = "scanside_session"
	secureCookie = "__Host-scanside_session"
)

const (
	// hashersAtOnce bounds what sign-ins may take of the server: 64 MiB and one core each.
	hashersAtOnce = 2
	// hasherWait is how long a sign-in waits for its turn.
	hasherWait = 5 * time.Second
	// maxForm is a sign-in form's most bytes.
	maxForm = 4 << 10
)

// door decides who comes in: people by password or one-time code, then by cookie; boxes by their site's token.
type door struct {
	users    []User
	hashes   map[string]argon.Hash
	nobody   argon.Hash // compared with when a name is unknown, so that the answer takes as long
	sessions *sessions
	codes    *codes
	limiter  *limiter
	hashers  chan struct{}
	count    func(result string) // a sign-in's result, for the metrics
	log      *slog.Logger
}

func newDoor(cfg Config, log *slog.Logger) (*door, error) {
	d := &door{
		users: cfg.Users, hashes: map[string]argon.Hash{}, sessions: newSessions(cfg.IdleTimeout), codes: newCodes(cfg.StateDir),
		limiter: newLimiter(), hashers: make(chan struct{}, hashersAtOnce), count: func(string) {}, log: log,
	}
	like := passwordCost()
	for _, u := range cfg.Users {
		if u.PasswordHash == "" {
			continue
		}
		p, err := parsePassword(u.PasswordHash)
		if err != nil {
			return nil, err
		}
		d.hashes[u.Name] = p
		like = p.Cost
	}
	d.nobody = argon.Blank(like)
	return d, nil
}

func (d *door) user(name string) (User, bool) {
	i := slices.IndexFunc(d.users, func(u User) bool { return u.Name == name })
	if i < 0 {
		return User{}, false
	}
	return d.users[i], true
}

// session is the living session of a request's cookie, or nil.
func (d *door) session(req *http.Request) *session {
	name := plainCookie
	if req.TLS != nil {
		name = secureCookie
	}
	c, err := req.Cookie(name)
	if err != nil {
		return nil
	}
	return d.sessions.find(c.Value, time.Now())
}

func (d *door) letIn(w http.ResponseWriter, req *http.Request, u User, how string) {
	d.endOld(req)
	secret, s := d.sessions.begin(u, time.Now())
	c := &http.Cookie{Name: plainCookie, Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}
	if req.TLS != nil {
		c.Name, c.Secure = secureCookie, true
	}
	http.SetCookie(w, c)
	d.log.Info("signed in", "user", u.Name, "how", how, "session", s.id, "source", hostOf(req.RemoteAddr))
	http.Redirect(w, req, "/", http.StatusSeeOther)
}

// endOld ends the session that a browser had before it signed in again.
func (d *door) endOld(req *http.Request) {
	for _, name := range []string{plainCookie, secureCookie} {
		if c, err := req.Cookie(name); err == nil {
			d.sessions.finish(c.Value)
		}
	}
}

func (d *door) signInPage(w http.ResponseWriter, req *http.Request) {
	if d.session(req) != nil {
		http.Redirect(w, req, "/", http.StatusSeeOther)
		return
	}
	console.SignIn(w, http.StatusOK, "")
}

func (d *door) signIn(w http.ResponseWriter, req *http.Request) {
	name, password, ok := d.form(w, req, "name", "password")
	if !ok {
		return
	}
	try := newAttempt(req.RemoteAddr, name)
	if wait := d.limiter.wait(try, time.Now()); wait > 0 {
		d.tooMany(w, wait)
		return
	}
	right, answered := d.passwordOf(req.Context(), name, password)
	user, known := d.user(name)
	switch {
	case !answered:
		d.count("busy")
		w.Header().Set("Retry-After", "5")
		console.SignIn(w, http.StatusServiceUnavailable, "Too many people are signing in at this moment. Try again in a few seconds.")
	case !right || !known:
		d.count("refused")
		// Unknown names are not logged: people type passwords into the wrong field.
		d.log.Warn("sign-in refused", "user", map[bool]string{true: user.Name, false: "(unknown)"}[known], "source", hostOf(req.RemoteAddr))
		console.SignIn(w, http.StatusUnauthorized, "Name or password is wrong.")
	default:
		d.count("password")
		d.limiter.succeeded(try)
		d.letIn(w, req, user, "password")
	}
}

func (d *door) form(w http.ResponseWriter, req *http.Request, first, second string) (a, b string, ok bool) {
	req.Body = http.MaxBytesReader(w, req.Body, maxForm)
	if err := req.ParseForm(); err != nil {
		console.SignIn(w, http.StatusBadRequest, "The form was not understood. Try again.")
		return "", "", false
	}
	return req.PostForm.Get(first), req.PostForm.Get(second), true
}

// passwordOf checks a password; answered is false when it was not its turn in time.
func (d *door) passwordOf(ctx context.Context, name, password string) (right, answered bool) {
	ctx, cancel := context.WithTimeout(ctx, hasherWait)
	defer cancel()
	select {
	case d.hashers <- struct{}{}:
	case <-ctx.Done():
		return false, false
	}
	defer func() { <-d.hashers }()
	hash, known := d.hashes[name]
	if !known {
		hash = d.nobody
	}
	return hash.Matches(password) && known, true
}

func (d *door) tooMany(w http.ResponseWriter, wait time.Duration) {
	d.count("limited")
	secs := int(wait.Seconds()) + 1
	w.Header().Set("Retry-After", itoa(secs))
	console.SignIn(w, http.StatusTooManyRequests, "Too many tries. Wait "+longish(time.Duration(secs)*time.Second)+", then try again.")
}

func (d *door) oncePage(w http.ResponseWriter, req *http.Request) {
	code := req.URL.Query().Get("code")
	if code == "" || len(code) > 64 {
		console.SignIn(w, http.StatusBadRequest, sentence(errCode))
		return
	}
	console.Once(w, code)
}

// once uses a one-time code up. It takes a POST, so that a program that only looks at links cannot use it up.
func (d *door) once(w http.ResponseWriter, req *http.Request) {
	code, _, ok := d.form(w, req, "code", "")
	if !ok {
		return
	}
	try := newAttempt(req.RemoteAddr, "")
	if wait := d.limiter.wait(try, time.Now()); wait > 0 {
		d.tooMany(w, wait)
		return
	}
	name, err := d.codes.redeem(code, time.Now())
	user, known := d.user(name)
	if err != nil || !known {
		d.count("refused")
		d.log.Warn("one-time sign-in refused", "source", hostOf(req.RemoteAddr))
		console.SignIn(w, http.StatusUnauthorized, sentence(errCode))
		return
	}
	d.count("code")
	d.limiter.succeeded(try)
	d.letIn(w, req, user, "one-time code")
}

// signOut ends the session and, at once, what the person had open in rooms.
func (g *Gateway) signOut(w http.ResponseWriter, req *http.Request, s *session) {
	g.door.endOld(req)
	for _, r := range g.rooms {
		r.endSignedOut()
	}
	for _, name := range []string{plainCookie, secureCookie} {
		http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: req.TLS != nil})
	}
	g.log.Info("signed out", "user", s.user.Name, "session", s.id)
	http.Redirect(w, req, "/signin", http.StatusSeeOther)
}
