package gateway

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// LoadConfig reads a YAML file. Its error shows every mistake with its line and a caret; values that are secrets are not
// printed.
func LoadConfig(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read gateway configuration: %w", err)
	}
	cfg, err := parseConfig(text)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

func parseConfig(text []byte) (Config, error) {
	var cfg Config
	f := configFile{lines: strings.Split(string(text), "\n"), at: map[string]*token.Token{}}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		var e yaml.Error
		if errors.As(err, &e) {
			return cfg, errors.New("not YAML:\n" + f.quote(e.GetToken(), e.GetMessage()))
		}
		return cfg, fmt.Errorf("not YAML: %w", err)
	}
	switch {
	case len(tree.Docs) > 1 && tree.Docs[1].Body != nil:
		return cfg, errors.New("holds more than one YAML document")
	case len(tree.Docs) > 0 && tree.Docs[0].Body != nil:
		f.decode(tree.Docs[0].Body, reflect.ValueOf(&cfg).Elem(), "")
	}
	misread := len(f.wrong)
	for _, m := range cfg.check() {
		if !f.mentions(m.Path, misread) {
			f.wrong = append(f.wrong, m)
		}
	}
	if len(f.wrong) > 0 {
		return Config{}, f.error()
	}
	return cfg, nil
}

// configFile decodes the tree itself rather than by the library, because the library stops at the first mistake and
// prints the lines around it, which may hold a hash that belongs in no log.
type configFile struct {
	lines []string
	at    map[string]*token.Token // where each path stands
	wrong Mistakes
}

// mentions says whether one of the first n mistakes is about this path already: what could not be read needs no second
// complaint that it is missing.
func (f *configFile) mentions(path string, n int) bool {
	return slices.ContainsFunc(f.wrong[:n], func(m Mistake) bool { return m.Path == path || strings.HasPrefix(m.Path, path+".") })
}

func (f *configFile) bad(path, format string, args ...any) {
	f.wrong = append(f.wrong, Mistake{path, fmt.Sprintf(format, args...)})
}

func (f *configFile) decode(n ast.Node, v reflect.Value, path string) {
	if _, null := n.(*ast.NullNode); null || n == nil {
		return // "key:" with nothing behind it means not given
	}
	if v.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(scalar(n))
		if err != nil {
			f.bad(path, "must be a length of time such as 30m")
			return
		}
		v.SetInt(int64(d))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		f.decodeStruct(n, v, path)
	case reflect.Slice:
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			f.bad(path, "must be a list (lines that begin with -, or [a, b])")
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
		for i, one := range seq.Values {
			p := fmt.Sprintf("%s[%d]", path, i)
			f.at[p] = first(one)
			f.decode(one, v.Index(i), p)
		}
	case reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			f.bad(path, "must be true or false")
			return
		}
		v.SetBool(b.Value)
	case reflect.String:
		if _, ok := n.(ast.ScalarNode); !ok {
			f.bad(path, "must be text")
			return
		}
		v.SetString(scalar(n))
	}
}

func (f *configFile) decodeStruct(n ast.Node, v reflect.Value, path string) {
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		f.bad(path, "must be a section of its own (key: value lines, indented)")
		return
	}
	var known []string
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		if key := v.Type().Field(i).Tag.Get("yaml"); key != "-" {
			known = append(known, key)
			fields[key] = v.Field(i)
		}
	}
	for _, kv := range pairs {
		key := kv.Key.GetToken().Value
		p := key
		if path != "" {
			p = path + "." + key
		}
		f.at[p] = kv.Key.GetToken()
		field, ok := fields[key]
		if !ok {
			f.bad(p, "unknown key; known here: %s", strings.Join(known, ", "))
			continue
		}
		f.decode(kv.Value, field, p)
	}
}

func scalar(n ast.Node) string {
	switch n := n.(type) {
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value)
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		return ""
	default:
		return n.GetToken().Value
	}
}

// first is where a list's element begins; for a section that is its first key, not the colon behind it.
func first(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

func (f *configFile) error() error {
	type placed struct {
		tok *token.Token
		Mistake
	}
	var all []placed
	for _, m := range f.wrong {
		all = append(all, placed{f.find(m.Path), m})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return line(a.tok) - line(b.tok) })
	var b strings.Builder
	fmt.Fprintf(&b, "%d mistake", len(all))
	if len(all) > 1 {
		b.WriteString("s")
	}
	for _, p := range all {
		b.WriteString("\n" + f.quote(p.tok, p.Path+": "+p.What))
	}
	return errors.New(b.String())
}

// find gives the place of a path, or of the nearest section around it that is in the file.
func (f *configFile) find(path string) *token.Token {
	for path != "" {
		if tok := f.at[path]; tok != nil {
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

// quote shows the line, a caret below it, and the message; the value of a hash is left out.
func (f *configFile) quote(tok *token.Token, message string) string {
	n := line(tok)
	if n < 1 || n > len(f.lines) {
		return message
	}
	text := f.lines[n-1]
	for _, secret := range []string{"token_hash:", "password_hash:"} {
		if before, _, found := strings.Cut(text, secret); found {
			text = before + secret + " …"
		}
	}
	lead := fmt.Sprintf("line %d: ", n)
	return fmt.Sprintf("%s%s\n%s^ %s", lead, text, strings.Repeat(" ", len(lead)+max(tok.Position.Column-1, 0)), message)
}
