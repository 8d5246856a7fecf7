package link

import (
	"encoding/json"
	"fmt"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

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
func (p *Problem) Error() string {
	var b strings.Builder
	if p.Do != "" {
		fmt.Fprintf(&b, "%s: ", p.Do)
	}
	if p.Do != "" {
		fmt.Fprintf(&b, "far end answered %d", p.Status)
		if name := http.StatusText(p.Status); name != "" {
			fmt.Fprintf(&b, " (%s)", name)
		}
		if p.Title != "" {
			b.WriteString(": ")
		}
	}
	b.WriteString(p.Title)
	if p.Detail != "" {
		if p.Title != "" || p.Do != "" {
			b.WriteString(": ")
		}
		b.WriteString(p.Detail)
	}
	if p.After > 0 {
		fmt.Fprintf(&b, " (asks to wait %v)", p.After)
	}
	return b.String()
}

// Permanent reports that asking the same again will not help until somebody changes something (a token, a URL, a
// configuration). Everything else is worth a retry, not before After. It goes by class, as RFC 9110 15 wants for codes one
// does not know: 4xx is the asker's fault, except those that speak of time or of the resource's present state.
func (p *Problem) Permanent() bool {
	switch p.Status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusPreconditionFailed, http.StatusLocked:
		return false
	}
	return p.Status >= 300 && p.Status < 500 && p.After == 0
}

// problemJSON is the wire form (RFC 9457 section 3.1).
type problemJSON struct {
	Type   string `json:"type,omitempty"`
	Title  string `json:"title,omitempty"`
	Status int    `json:"status,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// WriteProblem answers with p as application/problem+json (RFC 9457), Retry-After included.
func WriteProblem(w http.ResponseWriter, p *Problem) {
	if p.After > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.After.Seconds()))))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	status := p.Status
	if status < 400 || status > 599 {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problemJSON{Type: p.Type, Title: p.Title, Status: status, Detail: p.Detail})
}

// maxWords bounds how much of a foreign server's prose gets into an error.
const maxWords = 300

// readProblem turns a response that is not a success into a Problem. body is what was read of it.
func readProblem(do string, resp *http.Response, body []byte, now time.Time) *Problem {
	p := &Problem{Do: do, Status: resp.StatusCode, After: retryAfter(resp.Header.Get("Retry-After"), now)}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case kind == "application/problem+json" || kind == "application/json":
		var wire problemJSON
		if json.Unmarshal(body, &wire) == nil {
			p.Type, p.Title, p.Detail = clip(wire.Type), clip(wire.Title), clip(wire.Detail)
		}
	case kind == "text/plain", kind == "text/html" && !strings.Contains(string(body), "<"): // Express calls any text HTML
		p.Detail = clip(string(body))
	}
	return p
}

// clip keeps text short, on one line and printable.
func clip(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if r := []rune(s); len(r) > maxWords {
		s = string(r[:maxWords]) + "…"
	}
	return s
}

// maxRetryAfter keeps a mistaken server from sending a scan room away for a day.
const maxRetryAfter = 5 * time.Minute

// retryAfter reads seconds or an HTTP date (RFC 9110 10.2.3); 0 if there is none or it makes no sense.
func retryAfter(v string, now time.Time) time.Duration {
	var d time.Duration
	if s, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
		d = time.Duration(min(s, int(maxRetryAfter.Seconds()))) * time.Second
	} else if at, err := http.ParseTime(v); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}
