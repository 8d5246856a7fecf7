package failover

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// Instant is monotonic time since the agent started. Wall time never enters: it may jump.
type Instant time.Duration

// Sub is the time from u to t.
func (t Instant) Sub(u Instant) time.Duration { return time.Duration(t - u) }

// Add is the instant d later.
func (t Instant) Add(d time.Duration) Instant { return t + Instant(d) }

// MaxLinks is how many links a policy can name.
const MaxLinks = 8

// Link is an index into Policy.Links.
type Link uint8

// LinkSet is a set of links, one bit each. The zero value is empty.
type LinkSet uint8

// Links makes a set.
func Links(links ...Link) LinkSet {
	var s LinkSet
	for _, l := range links {
		s = s.With(l)
	}
	return s
}

// Has reports whether the link is in the set.
func (s LinkSet) Has(l Link) bool { return s>>l&1 == 1 }

// With is the set and the link.
func (s LinkSet) With(l Link) LinkSet { return s | 1<<l }

// Without is the set without the link.
func (s LinkSet) Without(l Link) LinkSet { return s &^ (1 << l) }

// Minus is the set without those in t.
func (s LinkSet) Minus(t LinkSet) LinkSet { return s &^ t }

// Len is how many links are in the set.
func (s LinkSet) Len() int { return bits.OnesCount8(uint8(s)) }

// first is the most preferred of a set that is not empty.
func (s LinkSet) first() Link { return Link(bits.TrailingZeros8(uint8(s))) }

// firstLinks is the set of the n most preferred links.
func firstLinks(n int) LinkSet { return LinkSet(1<<n - 1) }

// appendNames writes the set as {wired cellular}, in order of preference.
func (s LinkSet) appendNames(b []byte, p *Policy) []byte {
	b = append(b, '{')
	for l, more := Link(0), false; l < MaxLinks; l++ {
		if !s.Has(l) {
			continue
		}
		if more {
			b = append(b, ' ')
		}
		b, more = append(b, p.name(l)...), true
	}
	return append(b, '}')
}

// Stream is one of the kinds of media that are routed.
type Stream uint8

const (
	Voice Stream = iota
	Video
	NumStreams = 2
)

// Verdict is what the engine thinks of a link, worst first.
type Verdict uint8

const (
	Down     Verdict = iota // of no use
	Proving                 // answers, but has not yet carried media well for long enough
	Degraded                // works, with loss or delay that people notice
	Up                      // proven and good
)

// The words of the closed sets, as traces, JSON and metrics spell them: constant tables.
var (
	streamWords  = [...]string{"voice", "video"}
	verdictWords = [...]string{"down", "proving", "degraded", "up"}
)

func (s Stream) String() string  { return wordOf(streamWords[:], uint8(s)) }
func (v Verdict) String() string { return wordOf(verdictWords[:], uint8(v)) }

// MarshalText writes the word, so that JSON is readable.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads the word back.
func (v *Verdict) UnmarshalText(b []byte) error {
	return readWord((*uint8)(v), verdictWords[:], "verdict", b)
}

func wordOf(words []string, i uint8) string {
	if int(i) < len(words) {
		return words[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}

func readWord(to *uint8, words []string, what string, b []byte) error {
	for i, w := range words {
		if w == string(b) {
			*to = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no %s; use one of %s", b, what, strings.Join(words, ", "))
}
