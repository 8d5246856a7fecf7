package gateway

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

const (
	// defaultIdle signs out a person who has no room open (45 CFR 164.312(a)(2)(iii), automatic logoff: the site sets the value).
	defaultIdle = 30 * time.Minute
	// maxSession is one working day with an open room: a console left on overnight shows nobody's patients.
	maxSession = 12 * time.Hour
	// maxSessions bounds memory; the oldest of the same person goes first.
	maxSessionsPerUser = 16
)

// session is one signed-in browser. Its secret is known to the browser alone; here only its hash is kept.
type session struct {
	id    string // public name: log lines, principal of its WHIP and WHEP resources
	user  User
	began time.Time
	done  chan struct{} // closed at sign-out or expiry

	mu   sync.Mutex
	seen time.Time
	open int // event streams
}

func (s *session) touch(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = now
}

// expiredAt says whether the session has been unused for idle, or has lasted a whole working day.
func (s *session) expiredAt(now time.Time, idle time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Sub(s.seen) >= idle || now.Sub(s.began) >= maxSession
}

// enter counts one more event stream, up to most.
func (s *session) enter(most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= most {
		return false
	}
	s.open++
	return true
}

func (s *session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
}

// sessions is every signed-in browser. Safe for concurrent use.
type sessions struct {
	idle time.Duration

	mu      sync.Mutex
	all     map[[sha256.Size]byte]*session
	changed bool      // somebody signed in or out since kept
	kept    time.Time // when the file was written
}

func newSessions(idle time.Duration) *sessions {
	return &sessions{idle: idle, all: map[[sha256.Size]byte]*session{}}
}

// begin signs a person in and returns the secret for the browser's cookie.
func (ss *sessions) begin(u User, now time.Time) (secret string, s *session) {
	secret = newSecret()
	s = &session{id: newSecret()[:12], user: u, began: now, seen: now, done: make(chan struct{})}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.makeRoom(u)
	ss.changed = true
	ss.all[sha256.Sum256([]byte(secret))] = s
	return secret, s
}

// makeRoom ends the person's oldest session when there are too many.
func (ss *sessions) makeRoom(u User) {
	var own [][sha256.Size]byte
	for key, s := range ss.all {
		if s.user.Name == u.Name {
			own = append(own, key)
		}
	}
	if len(own) < maxSessionsPerUser {
		return
	}
	oldest := slices.MinFunc(own, func(a, b [sha256.Size]byte) int { return ss.all[a].began.Compare(ss.all[b].began) })
	ss.end(oldest)
}

// find returns the living session of a cookie's secret, or nil. Keys are hashes, so the look-up's timing tells nothing
// about secrets.
func (ss *sessions) find(secret string, now time.Time) *session {
	if secret == "" || len(secret) > 64 {
		return nil
	}
	key := sha256.Sum256([]byte(secret))
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.all[key]
	if s != nil && s.expiredAt(now, ss.idle) {
		ss.end(key)
		return nil
	}
	return s
}

// finish signs one browser out.
func (ss *sessions) finish(secret string) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.end(sha256.Sum256([]byte(secret)))
}

// sweep ends what has expired.
func (ss *sessions) sweep(now time.Time) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for key, s := range ss.all {
		if s.expiredAt(now, ss.idle) {
			ss.end(key)
		}
	}
}

func (ss *sessions) end(key [sha256.Size]byte) {
	if s := ss.all[key]; s != nil {
		close(s.done)
		delete(ss.all, key)
		ss.changed = true
	}
}

func (ss *sessions) len() int {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return len(ss.all)
}

// over says whether the session has ended.
func (s *session) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}
