package link

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/pion/webrtc/v4"
)

// fragment is an SDP fragment of trickle ICE (RFC 8840 section 9): credentials and candidates of one ICE session.
type fragment struct {
	ufrag, pwd string
	candidates []string // "candidate:…"
	end        bool
}

// parseFragment reads body. Only what belongs to the first m= section counts: everything is bundled (RFC 9725 4.3.2).
func parseFragment(body string) (*fragment, *Problem) {
	bad := func(format string, args ...any) *Problem {
		return &Problem{Status: http.StatusBadRequest, Title: "the SDP fragment is malformed", Detail: fmt.Sprintf(format, args...)}
	}
	var f fragment
	sections, lines := 0, 0
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue
		}
		lines++
		if len(line) < 2 || line[1] != '=' {
			return nil, bad("line %d is not of the form x=value", lines)
		}
		key, value, _ := strings.Cut(line[2:], ":")
		switch {
		case line[0] == 'm':
			sections++
		case line[0] != 'a':
		case key == "ice-ufrag" && f.ufrag == "":
			f.ufrag = value
		case key == "ice-pwd" && f.pwd == "":
			f.pwd = value
		case key == "candidate" && sections <= 1:
			if len(f.candidates) == maxCandidates {
				return nil, bad("more than %d candidates", maxCandidates)
			}
			f.candidates = append(f.candidates, line[2:])
		case key == "end-of-candidates":
			f.end = true
		}
	}
	switch {
	case f.ufrag == "" && len(f.candidates) == 0 && !f.end:
		return nil, bad("neither credentials nor candidates in it")
	case !iceChars(f.ufrag, 4) || !iceChars(f.pwd, 22): // RFC 8839 section 5.4
		return nil, bad("a=ice-ufrag or a=ice-pwd is missing or not of the characters and length of RFC 8839")
	}
	return &f, nil
}

func iceChars(s string, least int) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '+' || r == '/') {
			return false
		}
	}
	return len(s) >= least && len(s) <= 256
}

// credentials are the first ones in an SDP.
func credentials(text string) (ufrag, pwd string) {
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if v, ok := strings.CutPrefix(line, "a=ice-ufrag:"); ok && ufrag == "" {
			ufrag = v
		}
		if v, ok := strings.CutPrefix(line, "a=ice-pwd:"); ok && pwd == "" {
			pwd = v
		}
	}
	return ufrag, pwd
}

// Trickle adds the candidates of an SDP fragment (RFC 8840). One that this side cannot use is passed over (RFC 9725 4.3.2).
// A refusal is a *Problem.
func (acc *accepted) Trickle(body string) error {
	f, problem := parseFragment(body)
	if problem != nil {
		return problem
	}
	acc.negotiating.Lock()
	defer acc.negotiating.Unlock()
	if f.ufrag != acc.ufrag || f.pwd != acc.pwd {
		return &Problem{Status: http.StatusPreconditionFailed, Title: "the candidates are of another ICE session",
			Detail: "their a=ice-ufrag and a=ice-pwd are not the ones of the offer; to restart ICE send If-Match: *"}
	}
	zero := uint16(0)
	for _, c := range f.candidates {
		_ = acc.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: c, SDPMLineIndex: &zero})
	}
	return nil
}

// Restart begins a new ICE session with the fragment's credentials and returns the answering fragment. On error the
// session goes on as it was. A refusal is a *Problem.
func (acc *accepted) Restart(body string) (string, error) {
	f, problem := parseFragment(body)
	if problem != nil {
		return "", problem
	}
	acc.negotiating.Lock()
	same := f.ufrag == acc.ufrag && f.pwd == acc.pwd
	offer := acc.offer
	acc.negotiating.Unlock()
	if same {
		return "", &Problem{Status: http.StatusBadRequest, Title: "the SDP fragment restarts nothing",
			Detail: "its a=ice-ufrag and a=ice-pwd are the current ones"}
	}
	answer, err := acc.negotiate(restartOffer(offer, f))
	if err != nil {
		return "", err
	}
	return sdpFragment(answer, ""), nil
}

// restartOffer is the earlier offer with the fragment's credentials and candidates.
func restartOffer(offer string, f *fragment) string {
	sections := 0
	return editLines(offer, func(line string) []string {
		switch {
		case strings.HasPrefix(line, "m="):
			sections++
		case strings.HasPrefix(line, "a=candidate:"), line == "a=end-of-candidates":
			return nil
		case strings.HasPrefix(line, "a=ice-ufrag:"):
			return []string{"a=ice-ufrag:" + f.ufrag}
		case strings.HasPrefix(line, "a=ice-pwd:"):
			lines := []string{"a=ice-pwd:" + f.pwd}
			if sections <= 1 {
				for _, c := range f.candidates {
					lines = append(lines, "a="+c)
				}
			}
			return lines
		}
		return []string{line}
	})
}

// sdpFragment is what an SDP says of its ICE session (RFC 8840 section 9): credentials, and the first section's candidates
// but those that known has already.
func sdpFragment(text, known string) string {
	ufrag, pwd := credentials(text)
	var out strings.Builder
	fmt.Fprintf(&out, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", ufrag, pwd)
	sections := 0
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.HasPrefix(line, "m=") {
			sections++
		}
		candidate := strings.HasPrefix(line, "a=candidate:")
		keep := strings.HasPrefix(line, "m=") || strings.HasPrefix(line, "a=mid:") || line == "a=end-of-candidates" ||
			candidate && !strings.Contains(known, line+"\r\n")
		if sections == 1 && keep {
			out.WriteString(line + "\r\n")
		}
	}
	return out.String()
}
