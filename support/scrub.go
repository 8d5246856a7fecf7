package support

import (
	"bytes"
	"cmp"
	"net/url"
	"regexp"
	"slices"
)

// Removed stands where a secret stood.
const Removed = "[removed]"

// shortest is how long a named secret must be to be looked for: replacing shorter ones would tear text apart, and they are none.
const shortest = 4

// scrub takes secrets out of text.
type scrub struct {
	secrets [][]byte // longest first, so that one within another leaves nothing
	words   *regexp.Regexp
	inURL   *regexp.Regexp
}

func newScrub(secrets []string) *scrub {
	s := &scrub{
		// A word that announces a secret, and what follows it up to the end of the value.
		words: regexp.MustCompile(`(?i)((?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|digest)\s+)?|\bbearer\s+|["']?\b(?:[a-z_-]*token|password|passwd|secret|credential|api[_-]?key|cookie)\b["']?\s*[:=]\s*["']?|\bcode=)([^\s"'&;,<>)\]}]+)`),
		inURL: regexp.MustCompile(`(\b[a-zA-Z][a-zA-Z0-9+.-]*:(?://)?)[^\s/@"'<>]+:[^\s/@"'<>]*@`),
	}
	for _, one := range secrets {
		for _, form := range []string{one, url.QueryEscape(one), url.PathEscape(one)} {
			if len(form) >= shortest && !slices.ContainsFunc(s.secrets, func(o []byte) bool { return string(o) == form }) {
				s.secrets = append(s.secrets, []byte(form))
			}
		}
	}
	slices.SortStableFunc(s.secrets, func(a, b []byte) int { return cmp.Compare(len(b), len(a)) })
	return s
}

func (s *scrub) text(in []byte) []byte {
	out := in
	for _, secret := range s.secrets {
		out = bytes.ReplaceAll(out, secret, []byte(Removed))
	}
	var clean bytes.Buffer
	for line := range bytes.Lines(out) {
		if bytes.IndexByte(line, '@') >= 0 {
			line = s.inURL.ReplaceAll(line, []byte("${1}"+Removed+"@"))
		}
		if announces(line) {
			line = s.words.ReplaceAll(line, []byte("${1}"+Removed))
		}
		clean.Write(line)
	}
	return clean.Bytes()
}

// announces reports whether a line may hold a word that announces a secret: most do not, and the rest is looked at closely.
func announces(line []byte) bool {
	low := bytes.ToLower(line)
	for _, stem := range []string{"token", "passw", "secret", "credential", "api", "cookie", "authorization", "bearer", "code="} {
		if bytes.Contains(low, []byte(stem)) {
			return true
		}
	}
	return false
}
