package link

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"scanside/media"
)

const (
	// echoAttribute says at session level: this side sends (offer) or answers (answer) probes. Others ignore what they do
	// not know (RFC 8866 section 5.13).
	echoAttribute = "x-scanside-echo"

	// maxSDP is far above any browser's offer.
	maxSDP = 64 << 10
	// maxCandidates bounds how many addresses a peer may make us send checks to.
	maxCandidates = 64
)

// description is what we need to know of an SDP before pion sees it.
type description struct {
	kinds    []media.Kind
	streamID string // of the first msid
	echo     bool
}

// section is one m= line's part.
type section struct {
	kind      media.Kind
	known     bool // audio or video
	port      int
	direction string
	setup     string
	codec     bool // ours is among the formats
}

// parseSDP reads text far enough to judge it.
func parseSDP(text string) (*sdp.SessionDescription, []section, error) {
	if len(text) > maxSDP {
		return nil, nil, fmt.Errorf("longer than %d bytes", maxSDP)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return nil, nil, fmt.Errorf("not SDP: %s", clip(err.Error()))
	}
	if len(d.MediaDescriptions) == 0 {
		return nil, nil, fmt.Errorf("no m= section")
	}
	var sections []section
	candidates := 0
	for _, m := range d.MediaDescriptions {
		s := section{port: m.MediaName.Port.Value, direction: direction(&d, m), setup: attribute(&d, m, "setup")}
		switch m.MediaName.Media {
		case "audio":
			s.kind, s.known = media.Voice, true
		case "video":
			s.kind, s.known = media.Video, true
		}
		s.codec = hasCodec(m, s.kind)
		for _, a := range m.Attributes {
			if a.Key == "candidate" {
				candidates++
			}
		}
		sections = append(sections, s)
	}
	if candidates > maxCandidates {
		return nil, nil, fmt.Errorf("%d candidates; at most %d", candidates, maxCandidates)
	}
	return &d, sections, nil
}

// attribute looks at the section, then at the session (RFC 8866 section 5.13).
func attribute(d *sdp.SessionDescription, m *sdp.MediaDescription, key string) string {
	if v, ok := m.Attribute(key); ok {
		return v
	}
	v, _ := d.Attribute(key)
	return v
}

// direction defaults to sendrecv (RFC 8866 section 6.7).
func direction(d *sdp.SessionDescription, m *sdp.MediaDescription) string {
	words := []string{"sendonly", "recvonly", "sendrecv", "inactive"}
	for _, attributes := range [][]sdp.Attribute{m.Attributes, d.Attributes} {
		for _, a := range attributes {
			if slices.Contains(words, a.Key) {
				return a.Key
			}
		}
	}
	return "sendrecv"
}

// hasCodec reports whether a section offers Opus, or H.264 with packetization-mode 1.
func hasCodec(m *sdp.MediaDescription, k media.Kind) bool {
	want := "opus/48000"
	if k == media.Video {
		want = "h264/90000"
	}
	for _, a := range m.Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		format, name, _ := strings.Cut(a.Value, " ")
		if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(name)), want) {
			continue
		}
		if k == media.Voice || strings.Contains(fmtp(m, format), "packetization-mode=1") {
			return true
		}
	}
	return false
}

func fmtp(m *sdp.MediaDescription, format string) string {
	for _, a := range m.Attributes {
		if f, v, _ := strings.Cut(a.Value, " "); a.Key == "fmtp" && f == format {
			return v
		}
	}
	return ""
}

// judgeOffer says whether an offer can be answered. wrong are the directions that make no sense of it: a publisher must
// send (RFC 9725 4.2), a player must receive.
func judgeOffer(text string, wrong ...string) (*description, *Problem) {
	bad := func(format string, args ...any) *Problem {
		return &Problem{Status: http.StatusBadRequest, Title: "the offer is malformed", Detail: fmt.Sprintf(format, args...)}
	}
	no := func(format string, args ...any) *Problem {
		return &Problem{Status: http.StatusNotAcceptable, Title: "the offer cannot be accepted", Detail: fmt.Sprintf(format, args...)}
	}
	d, sections, err := parseSDP(text)
	if err != nil {
		return nil, bad("%v", err)
	}
	out := &description{echo: hasAttribute(d, echoAttribute)}
	for i, m := range d.MediaDescriptions {
		s := sections[i]
		switch {
		case !s.known:
			return nil, no("section %d is %q; only audio and video are taken", i+1, clip(m.MediaName.Media))
		case slices.Contains(out.kinds, s.kind):
			return nil, no("more than one %s section; one of a kind is taken (RFC 9725 section 4.4.2)", m.MediaName.Media)
		case slices.Contains(wrong, s.direction):
			return nil, no("the %s section says %s", m.MediaName.Media, s.direction)
		case s.setup != "actpass" && s.setup != "active":
			return nil, &Problem{Status: http.StatusUnprocessableEntity, Title: "the offer cannot be accepted",
				Detail: fmt.Sprintf("a=setup is %q; an offer says actpass (RFC 9725 section 4.4.4)", clip(s.setup))}
		case !s.codec:
			return nil, no("the %s section offers no codec of ours: Opus, and H.264 with packetization-mode=1", m.MediaName.Media)
		}
		for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint"} {
			if attribute(d, m, key) == "" {
				return nil, bad("no a=%s", key)
			}
		}
		if id, _, _ := strings.Cut(attribute(d, m, "msid"), " "); out.streamID == "" && id != "-" {
			out.streamID = id
		}
		out.kinds = append(out.kinds, s.kind)
	}
	return out, nil
}

// judgeAnswer says whether a server's answer is one that we can use: every section accepted, and in the direction that
// the standard demands of it.
func judgeAnswer(text, want string) (*description, error) {
	d, sections, err := parseSDP(text)
	if err != nil {
		return nil, fmt.Errorf("the far end's answer is unusable: %w", err)
	}
	out := &description{echo: hasAttribute(d, echoAttribute)}
	for i, s := range sections {
		switch {
		case s.port == 0:
			return nil, fmt.Errorf("the far end's answer refuses the %s section", d.MediaDescriptions[i].MediaName.Media)
		case s.direction != want:
			return nil, fmt.Errorf("the far end's answer says %s where it must say %s", s.direction, want)
		}
		out.kinds = append(out.kinds, s.kind)
	}
	return out, nil
}

func hasAttribute(d *sdp.SessionDescription, key string) bool {
	_, ok := d.Attribute(key)
	return ok
}

// editLines rewrites an SDP line by line; edit returns the lines that replace one (none: it goes).
func editLines(text string, edit func(line string) []string) string {
	var out strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue
		}
		for _, l := range edit(line) {
			out.WriteString(l)
			out.WriteString("\r\n")
		}
	}
	return out.String()
}

// finishOffer makes pion's offer the one that the standards ask for: rtcp-mux-only in every section (RFC 9725 4.4.1, RFC
// 8858), our own TCP candidates active (RFC 6544 section 4.5: they dial), and the word that we send probes.
func finishOffer(text string) string {
	text = strings.ReplaceAll(text, "a=rtcp-mux-only\r\n", "")
	said := false
	return editLines(text, func(line string) []string {
		switch {
		case strings.HasPrefix(line, "m=") && !said:
			said = true
			return []string{"a=" + echoAttribute + ":1", line}
		case line == "a=rtcp-mux":
			return []string{line, "a=rtcp-mux-only"}
		case isTCPCandidate(line):
			return []string{strings.Replace(line, "tcptype passive", "tcptype active", 1)}
		}
		return []string{line}
	})
}

// reachPassive makes the far end's passive TCP candidates ones that pion pairs with our own dialling socket (tcp.go): it
// pairs a passive one only with its own dialler, which is off, and ignores an active one.
func reachPassive(text string) string {
	return editLines(text, func(line string) []string {
		if isTCPCandidate(line) {
			line = strings.Replace(line, " tcptype passive", "", 1)
		}
		return []string{line}
	})
}

func isTCPCandidate(line string) bool {
	if !strings.HasPrefix(line, "a=candidate:") {
		return false
	}
	fields := strings.Fields(line)
	return len(fields) > 2 && strings.EqualFold(fields[2], "tcp")
}

// finishAnswer tells a peer that asked that we answer probes.
func finishAnswer(text string, echo bool) string {
	if !echo {
		return text
	}
	said := false
	return editLines(text, func(line string) []string {
		if strings.HasPrefix(line, "m=") && !said {
			said = true
			return []string{"a=" + echoAttribute + ":1", line}
		}
		return []string{line}
	})
}

// sdpToken makes an id usable in an SDP (RFC 8830: msid ids are tokens), "-" becoming the id of no stream.
func sdpToken(id string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}, id)
	if clean == "" {
		return "scanside"
	}
	return clean[:min(len(clean), 64)]
}

// udpPorts are the addresses of a description's UDP candidates (RFC 8839 section 5.1), each once. A name (mDNS) is none.
func udpPorts(text string) []netip.AddrPort {
	var out []netip.AddrPort
	for line := range strings.Lines(text) {
		value, ok := strings.CutPrefix(line, "a=candidate:")
		if !ok {
			continue
		}
		f := strings.Fields(value) // foundation, component, transport, priority, address, port, "typ", type
		if len(f) < 8 || !strings.EqualFold(f[2], "udp") || f[7] == "relay" {
			continue
		}
		if ap, err := netip.ParseAddrPort(net.JoinHostPort(f[4], f[5])); err == nil && !slices.Contains(out, ap) {
			out = append(out, ap)
		}
	}
	return out
}
