package link

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/pion/webrtc/v4"
)

// maxServers bounds what a far end may make us gather from.
const maxServers = 8

// iceServers reads STUN and TURN servers from Link headers (RFC 9725 4.6, RFC 8288): several links in one header or
// several headers; other relations are ignored.
func iceServers(headers []string) []webrtc.ICEServer {
	var out []webrtc.ICEServer
	for _, h := range headers {
		for _, l := range splitQuoted(h, ',') {
			if s, ok := iceServer(l); ok && len(out) < maxServers {
				out = append(out, s)
			}
		}
	}
	return out
}

func iceServer(link string) (webrtc.ICEServer, bool) {
	parts := splitQuoted(link, ';')
	target := strings.TrimSpace(parts[0])
	if len(target) < 2 || target[0] != '<' || target[len(target)-1] != '>' {
		return webrtc.ICEServer{}, false
	}
	target = target[1 : len(target)-1]
	if plain, err := url.PathUnescape(target); err == nil && !strings.Contains(target, ":") {
		target = plain // LiveKit percent-encodes the whole URI
	}
	parameters := map[string]string{}
	for _, p := range parts[1:] {
		name, value, _ := strings.Cut(p, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, again := parameters[name]; !again { // RFC 8288 3.3: the first rel counts
			parameters[name] = unquote(strings.TrimSpace(value))
		}
	}
	if !hasWord(parameters["rel"], "ice-server") {
		return webrtc.ICEServer{}, false
	}
	scheme, _, _ := strings.Cut(target, ":")
	switch strings.ToLower(scheme) {
	case "stun", "stuns":
		return webrtc.ICEServer{URLs: []string{target}}, true
	case "turn", "turns":
		if t := parameters["credential-type"]; t != "" && t != "password" {
			return webrtc.ICEServer{}, false
		}
		if parameters["username"] == "" || parameters["credential"] == "" {
			return webrtc.ICEServer{}, false
		}
		return webrtc.ICEServer{URLs: []string{target}, Username: parameters["username"], Credential: parameters["credential"]}, true
	}
	return webrtc.ICEServer{}, false
}

// relayLink is the other direction: a Link header for one relay.
func relayLink(r Relay) string {
	return fmt.Sprintf(`<%s>; rel="ice-server"; username="%s"; credential="%s"; credential-type="password"`, r.URL, quoted(r.Username), quoted(r.Credential))
}

// quoted escapes what a quoted-string cannot hold as it is (RFC 9110 5.6.4).
func quoted(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) }

// splitQuoted splits at sep outside of quotes and angle brackets.
func splitQuoted(s string, sep byte) []string {
	var out []string
	start, quoted, bracket := 0, false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			bracket = true
		case c == '>':
			bracket = false
		case c == sep && !bracket:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i+1 < len(s)-1 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func hasWord(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
