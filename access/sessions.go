package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// Automatic logoff (45 CFR 164.312(a)(2)(iii)). A session is used when its user presses a button or opens a page; a page that stands open and is drawn
// anew by itself does not use it.
const (
	ActFor      = 10 * time.Minute // unused for so long: acting asks for the password again, looking does not
	lookFor     = time.Hour        // unused for so long: signed out
	longest     = 12 * time.Hour   // one working day
	maxSessions = 64               // bounds memory; the one that was unused for longest goes
)

// session is one signed-in browser. Its secret is known to the browser alone; here only its hash is kept.
type session struct {
	user, password string // another password hash in the file of users ends it
	began, used    time.Time
}

func (s *session) over(now time.Time) bool {
	return now.Sub(s.used) >= lookFor || now.Sub(s.began) >= longest || now.Before(s.began)
}

// sessions is every signed-in browser. Time is an argument; whoever holds it sees that one asks at a time. The zero value is ready.
type sessions struct {
	all map[[sha256.Size]byte]*session
}

// begin signs a user in and returns the secret for the browser's cookie, and the user whose session had to go for it.
func (ss *sessions) begin(user User, now time.Time) (secret, ended string) {
	if ss.all == nil {
		ss.all = map[[sha256.Size]byte]*session{}
	}
	if len(ss.all) >= maxSessions {
		var oldest [sha256.Size]byte
		var found *session
		for key, s := range ss.all {
			if found == nil || s.used.Before(found.used) {
				oldest, found = key, s
			}
		}
		ended = found.user
		delete(ss.all, oldest)
	}
	secret = newSecret()
	ss.all[sha256.Sum256([]byte(secret))] = &session{user.Name, user.Password, now, now}
	return secret, ended
}

// find returns the living session of a cookie's secret, or nil. Keys are hashes, so the look-up's timing tells nothing about secrets.
func (ss *sessions) find(secret string, now time.Time) *session {
	if secret == "" || len(secret) > 64 {
		return nil
	}
	s := ss.all[sha256.Sum256([]byte(secret))]
	if s == nil || s.over(now) {
		return nil
	}
	return s
}

// finish signs one browser out and says whose it was; "": nobody's.
func (ss *sessions) finish(secret string) string {
	key := sha256.Sum256([]byte(secret))
	s := ss.all[key]
	if s == nil {
		return ""
	}
	delete(ss.all, key)
	return s.user
}

// sweep ends what has expired, and returns whose those were.
func (ss *sessions) sweep(now time.Time) (users []string) {
	for key, s := range ss.all {
		if s.over(now) {
			users = append(users, s.user)
			delete(ss.all, key)
		}
	}
	return users
}

// newSecret is 256 random bits as text that needs no quoting anywhere.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}
