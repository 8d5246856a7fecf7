package access

import (
	"net/netip"
	"time"
)

const (
	// A person mistypes a few times, a guesser needs thousands. After so many failures a key waits, twice as long each time.
	failuresPerSource = 8
	failuresPerUser   = 20 // higher, so that one stranger in one place locks nobody else out
	firstWait         = 15 * time.Second
	longestWait       = 15 * time.Minute
	forgetAfter       = 30 * time.Minute
	maxKeys           = 2048 // bounds memory against a flood of sources
)

// lockout slows down guessing, per source and per user name. Time is an argument; whoever holds it sees that one asks at a time. The zero
// value is ready.
type lockout struct{ keys map[string]*failures }

type failures struct {
	count int
	last  time.Time
	until time.Time // nobody is let try before
}

// source is what one guesser can be told by: an IPv4 address, or an IPv6 /64, which is what one network is given.
func source(from netip.Addr) string {
	if !from.IsValid() {
		return "source unknown"
	}
	from = from.Unmap().WithZone("")
	bits := 32
	if from.Is6() {
		bits = 64
	}
	p, _ := from.Prefix(bits) // valid for both lengths
	return "source " + p.String()
}

// begin says how long a try must wait; zero: go on. A try that goes on counts as a failure at once, so that many at the same time do not slip past
// the count; forgive takes it back. locked: this very try was the last one for a while.
func (l *lockout) begin(from netip.Addr, user string, now time.Time) (wait time.Duration, locked bool) {
	keys := [...]struct {
		key  string
		most int
	}{{source(from), failuresPerSource}, {"user " + user, failuresPerUser}}
	for _, k := range keys {
		if f := l.keys[k.key]; f != nil {
			wait = max(wait, f.until.Sub(now))
		}
	}
	if wait > 0 {
		return wait, false
	}
	if len(l.keys) >= maxKeys && !l.forget(now) {
		return firstWait, false
	}
	if l.keys == nil {
		l.keys = map[string]*failures{}
	}
	for _, k := range keys {
		f := l.keys[k.key]
		if f == nil || now.Sub(f.last) > forgetAfter {
			f = &failures{}
			l.keys[k.key] = f
		}
		f.count++
		f.last = now
		if over := f.count - k.most; over >= 0 {
			f.until, locked = now.Add(min(firstWait<<min(over, 10), longestWait)), true
		}
	}
	return 0, locked
}

// forgive forgets the failures of a source and a user who got in.
func (l *lockout) forgive(from netip.Addr, user string) {
	delete(l.keys, source(from))
	delete(l.keys, "user "+user)
}

// forget makes room when a flood has filled the table: everything goes that does not wait. False: all wait.
func (l *lockout) forget(now time.Time) bool {
	for key, f := range l.keys {
		if now.After(f.until) {
			delete(l.keys, key)
		}
	}
	return len(l.keys) < maxKeys
}
