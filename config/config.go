package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Mistake is one thing that is wrong. Path is written as in the file: "uplinks[1].interface".
type Mistake struct {
	Path string
	Text string // what is wrong, and what to write instead
}

// Mistakes is everything that is wrong, together.
type Mistakes []Mistake

// Add appends a mistake.
func (m *Mistakes) Add(path, format string, args ...any) {
	*m = append(*m, Mistake{path, fmt.Sprintf(format, args...)})
}

// Error lists all mistakes, a line each.
func (m Mistakes) Error() string {
	var b strings.Builder
	b.WriteString("configuration: " + count(len(m)))
	for _, one := range m {
		fmt.Fprintf(&b, "\n  %s: %s", one.Path, one.Text)
	}
	return b.String()
}

// Err is m as an error, nil when there is no mistake.
func (m Mistakes) Err() error {
	if len(m) == 0 {
		return nil
	}
	return m
}

// Load reads the file at path into the struct that into points to, then asks check what is wrong with the values. The
// error holds every mistake of both.
func Load(path string, into any, check func() Mistakes) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, text, into, check)
}

// Parse is Load for a text that is in hand; name stands in the error.
func Parse(name string, text []byte, into any, check func() Mistakes) error {
	r := reader{lines: strings.Split(string(text), "\n"), at: map[string]*token.Token{}}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		var e yaml.Error
		if errors.As(err, &e) {
			return fmt.Errorf("%s is not YAML:\n%s", name, r.quote(e.GetToken(), e.GetMessage()))
		}
		return fmt.Errorf("%s is not YAML: %w", name, err)
	}
	if len(tree.Docs) > 1 && tree.Docs[1].Body != nil {
		return fmt.Errorf("%s holds more than one YAML document; keep one", name)
	}
	if len(tree.Docs) > 0 && tree.Docs[0].Body != nil {
		r.decode(tree.Docs[0].Body, into)
	}
	misread := len(r.wrong)
	for _, m := range check() {
		if !r.misread(m.Path, misread) {
			r.wrong = append(r.wrong, m)
		}
	}
	if len(r.wrong) > 0 {
		return fmt.Errorf("%s: %s", name, r.report())
	}
	return nil
}

// reader is one file while it is read.
type reader struct {
	lines []string
	at    map[string]*token.Token // where each path stands
	wrong Mistakes
}

// misread says whether one of the first n mistakes is about this path already: what could not be read needs no second
// complaint that it is missing.
func (r *reader) misread(path string, n int) bool {
	return slices.ContainsFunc(r.wrong[:n], func(m Mistake) bool {
		return m.Path == path || strings.HasPrefix(m.Path, path+".") || strings.HasPrefix(m.Path, path+"[")
	})
}

// report shows the mistakes in the order of the file.
func (r *reader) report() string {
	slices.SortStableFunc(r.wrong, func(a, b Mistake) int { return line(r.find(a.Path)) - line(r.find(b.Path)) })
	var b strings.Builder
	b.WriteString(count(len(r.wrong)))
	for _, m := range r.wrong {
		b.WriteString("\n" + r.quote(r.find(m.Path), m.Path+": "+m.Text))
	}
	return b.String()
}

// find gives the place of a path, or of the nearest section around it that is in the file.
func (r *reader) find(path string) *token.Token {
	for path != "" {
		if tok := r.at[path]; tok != nil {
			return tok
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return nil
}

func line(tok *token.Token) int {
	if tok == nil {
		return 0
	}
	return tok.Position.Line
}

// secrets leaves out of a line what people put into configurations though they should not: passwords, inline and in URLs.
func secrets(line string) string {
	line = regexp.MustCompile(`(?i)\b((?:password|passphrase|secret|credential|token)"?\s*:\s*)\S.*`).ReplaceAllString(line, "${1}…")
	return regexp.MustCompile(`://[^/@\s]*@`).ReplaceAllString(line, "://…@")
}

// quote shows the line, a caret below it, and the message. The value of a hash is left out.
func (r *reader) quote(tok *token.Token, message string) string {
	n := line(tok)
	if n < 1 || n > len(r.lines) {
		return message
	}
	text := strings.TrimRight(r.lines[n-1], "\r")
	if before, _, found := strings.Cut(text, "_hash:"); found {
		text = before + "_hash: …"
	}
	text = secrets(text)
	lead := fmt.Sprintf("line %d: ", n)
	column := min(tok.Position.Column-1, len(text))
	return fmt.Sprintf("%s%s\n%s^ %s", lead, text, strings.Repeat(" ", len(lead)+max(column, 0)), message)
}

func count(n int) string {
	if n == 1 {
		return "1 mistake"
	}
	return fmt.Sprintf("%d mistakes", n)
}
