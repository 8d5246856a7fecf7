package gateway

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// A person mistypes a few times; a guesser needs thousands. After so many failures the key waits, twice as long each time.
	failuresPerSource = 8
	failuresPerUser   = 20 // higher, so that a stranger cannot easily lock a physician out from one place
	firstWait         = 15 * time.Second
	longestWait       = 15 * time.Minute
	forgetAfter       = 30 * time.Minute
	// maxKeys bounds memory against a flood of sources.
	maxKeys = 10000
)

// limiter slows down guessing of passwords and codes, per source and per user name. Safe for concurrent use.
type limiter struct {
	mu   sync.Mutex
	keys map[string]*failures
}

type failures struct {
	count int
	last  time.Time
	until time.Time // nobody is let try before
}

func newLimiter() *limiter { return &limiter{keys: map[string]*failures{}} }

// sourceKey is what one guesser can be told by: an IPv4 address, or an IPv6 /64, which is what one customer is given.
func sourceKey(remote string) string {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return "source:unknown"
	}
	addr := ap.Addr().Unmap()
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits)
	return "source:" + p.String()
}

// attempt is one try: the keys it counts under, and after how many failures each begins to wait.
type attempt []struct {
	key  string
	most int
}

func newAttempt(remote, user string) attempt {
	a := attempt{{sourceKey(remote), failuresPerSource}}
	if user != "" {
		if len(user) > maxName {
			user = user[:maxName]
		}
		a = append(a, attempt{{"user:" + user, failuresPerUser}}...)
	}
	return a
}

// wait says how long this attempt must wait; zero: go on. An attempt that may go on is counted as a failure at once, so that
// many at the same time cannot slip past the count; succeeded takes it back.
func (l *limiter) wait(a attempt, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var longest time.Duration
	for _, k := range a {
		if f := l.keys[k.key]; f != nil {
			longest = max(longest, f.until.Sub(now))
		}
	}
	if longest > 0 {
		return longest
	}
	if len(l.keys) >= maxKeys && !l.forget(now) {
		return firstWait
	}
	for _, k := range a {
		f := l.keys[k.key]
		if f == nil || now.Sub(f.last) > forgetAfter {
			f = &failures{}
			l.keys[k.key] = f
		}
		f.count++
		f.last = now
		if over := f.count - k.most; over >= 0 {
			f.until = now.Add(min(firstWait<<min(over, 10), longestWait))
		}
	}
	return 0
}

// succeeded forgets the failures of a source and a user who got in.
func (l *limiter) succeeded(a attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range a {
		delete(l.keys, k.key)
	}
}

// forget makes room when a flood of sources has filled the table: everything goes that does not wait. False: all wait.
func (l *limiter) forget(now time.Time) bool {
	for key, f := range l.keys {
		if now.After(f.until) {
			delete(l.keys, key)
		}
	}
	return len(l.keys) < maxKeys
}
