package access

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

var (
	here  = netip.MustParseAddr("192.0.2.7")
	other = netip.MustParseAddr("2001:db8:1:2::5")
)

// A source that guesses waits, twice as long each time; others, and that user elsewhere, do not.
func TestGuesserWaits(t *testing.T) {
	var l lockout
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for i := range failuresPerSource {
		wait, locked := l.begin(here, fmt.Sprint("user", i), now)
		if wait != 0 || locked != (i == failuresPerSource-1) {
			t.Fatalf("try %d: wait %v, locked %v", i+1, wait, locked)
		}
	}
	for _, want := range []time.Duration{firstWait, 2 * firstWait, 4 * firstWait} {
		if wait, _ := l.begin(here, "ada", now); wait != want {
			t.Fatalf("waits %v, want %v", wait, want)
		}
		now = now.Add(want)
		if wait, locked := l.begin(here, "ada", now); wait != 0 || !locked {
			t.Fatalf("after the wait: %v, %v", wait, locked)
		}
	}
	if wait, _ := l.begin(other, "ada", now); wait != 0 {
		t.Errorf("another source waits %v", wait)
	}
	if wait, _ := l.begin(netip.MustParseAddr("2001:db8:1:2:ffff::9"), "eve", now); wait != 0 || l.keys[source(other)].count != 2 {
		t.Errorf("the same /64 is told apart: %+v", l.keys)
	}
	l.forgive(here, "ada")
	if wait, _ := l.begin(here, "ada", now); wait != 0 {
		t.Errorf("who got in waits %v", wait)
	}
}

// Many sources that guess one user's password lock that user, later than a source.
func TestUserIsLocked(t *testing.T) {
	var l lockout
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	from := here
	for i := range failuresPerUser {
		from = from.Next()
		if wait, locked := l.begin(from, "ada", now); wait != 0 || locked != (i == failuresPerUser-1) {
			t.Fatalf("try %d: wait %v, locked %v", i+1, wait, locked)
		}
	}
	if wait, _ := l.begin(other, "ada", now); wait != firstWait {
		t.Errorf("the user waits %v", wait)
	}
	if wait, _ := l.begin(other, "bob", now); wait != 0 {
		t.Errorf("another user waits %v", wait)
	}
	if wait, _ := l.begin(other, "ada", now.Add(forgetAfter+longestWait)); wait != 0 || l.keys["user ada"].count != 1 {
		t.Errorf("nothing is forgotten: %v, %+v", wait, l.keys["user ada"])
	}
}

// A flood of sources fills the table and no more; who waits goes on waiting.
func TestTableIsBounded(t *testing.T) {
	var l lockout
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for range failuresPerSource {
		l.begin(here, "ada", now)
	}
	from := netip.MustParseAddr("10.0.0.0")
	for i := range 5 * maxKeys {
		from = from.Next()
		l.begin(from, fmt.Sprint("u", i), now.Add(time.Duration(i)*time.Millisecond))
		if len(l.keys) > maxKeys+1 {
			t.Fatalf("%d keys", len(l.keys))
		}
	}
	if wait, _ := l.begin(here, "ada", now.Add(time.Second)); wait <= 0 {
		t.Error("the flood let the guesser in again")
	}
}
