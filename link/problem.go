package link

import "time"

// Problem is a refusal in words: what a server's open function returns to say no, what goes over the wire (RFC 9457
// problem+json), and what Dial returns when the far end said no.
type Problem struct {
	Status int           // HTTP status
	Type   string        // a URI or a short code word naming the kind of problem; may be empty
	Title  string        // one plain sentence
	Detail string        // what exactly, and what to do next; may be empty
	After  time.Duration // Retry-After; 0: not said
	Do     string        // what was attempted ("publish to far.example"); set on the client side
}

// Error says what was attempted, what the far end answered, and when to try again.
func (p *Problem) Error() string { return p.Title }

// Permanent reports that asking the same again will not help until somebody changes something (a token, a URL, a
// configuration). Everything else is worth a retry, not before After.
func (p *Problem) Permanent() bool { return false }
