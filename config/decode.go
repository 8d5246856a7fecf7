package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

func (r *reader) decode(n ast.Node, into any) { r.value(n, reflect.ValueOf(into).Elem(), "") }

// value reads n into v. "key:" with nothing behind it means not given.
func (r *reader) value(n ast.Node, v reflect.Value, path string) {
	if _, null := n.(*ast.NullNode); null || n == nil {
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(scalar(n))); err != nil {
			r.wrong.Add(path, "%v", err)
		}
		return
	}
	if v.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(scalar(n))
		if err != nil {
			r.wrong.Add(path, "must be a length of time such as 30m")
		}
		v.SetInt(int64(d))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		r.section(n, v, path)
	case reflect.Slice:
		r.list(n, v, path)
	case reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			r.wrong.Add(path, "must be true or false")
			return
		}
		v.SetBool(b.Value)
	case reflect.Int:
		i, err := strconv.Atoi(strings.ReplaceAll(scalar(n), "_", ""))
		if err != nil {
			r.wrong.Add(path, "must be a whole number")
		}
		v.SetInt(int64(i))
	case reflect.Float64:
		f, err := strconv.ParseFloat(strings.ReplaceAll(scalar(n), "_", ""), 64)
		if err != nil {
			r.wrong.Add(path, "must be a number")
		}
		v.SetFloat(f)
	case reflect.String:
		if _, ok := n.(ast.ScalarNode); !ok {
			r.wrong.Add(path, "must be text")
			return
		}
		v.SetString(scalar(n))
	default:
		panic("config: a field of kind " + v.Kind().String() + " cannot be read from a file")
	}
}

func (r *reader) list(n ast.Node, v reflect.Value, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrong.Add(path, "must be a list (lines that begin with -, or [a, b])")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	for i, one := range seq.Values {
		p := fmt.Sprintf("%s[%d]", path, i)
		r.at[p] = first(one)
		r.value(one, v.Index(i), p)
	}
}

func (r *reader) section(n ast.Node, v reflect.Value, path string) {
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		r.wrong.Add(path, "must be a section of its own (key: value lines, indented)")
		return
	}
	var known []string
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		if key := v.Type().Field(i).Tag.Get("yaml"); key != "" && key != "-" {
			known = append(known, key)
			fields[key] = v.Field(i)
		}
	}
	for _, kv := range pairs {
		key := kv.Key.GetToken().Value
		p := strings.TrimPrefix(path+"."+key, ".")
		r.at[p] = kv.Key.GetToken()
		field, ok := fields[key]
		switch like := nearest(key, known); {
		case ok:
			r.value(kv.Value, field, p)
		case like != "":
			r.wrong.Add(p, "unknown key; did you mean %q?", like)
		default:
			r.wrong.Add(p, "unknown key; known here: %s", strings.Join(known, ", "))
		}
	}
}

// scalar is the text of a single value, "" for anything else.
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

// nearest is the known word within a third of its letters of the typed one, or "".
func nearest(typed string, known []string) string {
	best, far := "", len(typed)+1
	for _, k := range known {
		if d := distance(strings.ToLower(typed), k); d < far && d <= max(1, len(k)/3) {
			best, far = k, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, slices.Min(row[j:j+2]))
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
