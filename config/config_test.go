package config_test

import (
	"strings"
	"testing"
	"time"

	"scanside/config"
)

type mode string

func (m *mode) UnmarshalText(text []byte) error {
	if string(text) != "calm" {
		return &badMode{string(text)}
	}
	*m = mode(text)
	return nil
}

type badMode struct{ word string }

func (b *badMode) Error() string { return `"` + b.word + `" is not a mode; use calm` }

type sample struct {
	Name    string        `yaml:"name"`
	Mode    mode          `yaml:"mode"`
	Size    int           `yaml:"size"`
	Quiet   bool          `yaml:"quiet"`
	Wait    time.Duration `yaml:"wait"`
	Hosts   []string      `yaml:"hosts"`
	Uplinks []struct {
		Interface string `yaml:"interface"`
		TokenHash string `yaml:"token_hash"`
	} `yaml:"uplinks"`
	Inner struct {
		Path string `yaml:"path"`
	} `yaml:"inner"`
	Secret func() `yaml:"-"`
}

func (s *sample) check() config.Mistakes {
	var m config.Mistakes
	if s.Name == "" {
		m.Add("name", "is missing")
	}
	if s.Inner.Path == "nowhere" {
		m.Add("inner.path", "%q does not exist", s.Inner.Path)
	}
	return m
}

func TestParse(t *testing.T) {
	s := sample{Size: 7, Name: "kept when left out"}
	err := config.Parse("c.yaml", []byte(`
mode: calm
quiet: true
wait: 90s
hosts: [a, b]
uplinks:
  - interface: eth0
  - interface: wwan0
    token_hash: sha256:00
inner:
  path: /x
`), &s, s.check)
	if err != nil {
		t.Fatal(err)
	}
	if s.Size != 7 || s.Name != "kept when left out" || s.Mode != "calm" || !s.Quiet || s.Wait != 90*time.Second ||
		len(s.Hosts) != 2 || len(s.Uplinks) != 2 || s.Uplinks[1].Interface != "wwan0" || s.Inner.Path != "/x" {
		t.Errorf("read %+v", s)
	}
}

func TestEveryMistakeAtOnce(t *testing.T) {
	var s sample
	err := config.Parse("c.yaml", []byte(`nam: x
mode: loud
size: big
quiet: perhaps
wait: soon
hosts: a
uplinks:
  - iface: eth0
    interfaze: eth1
    token_hash: [1]
inner:
  path: nowhere
`), &s, s.check)
	want := `c.yaml: 10 mistakes
name: is missing
line 1: nam: x
        ^ nam: unknown key; did you mean "name"?
line 2: mode: loud
        ^ mode: "loud" is not a mode; use calm
line 3: size: big
        ^ size: must be a whole number
line 4: quiet: perhaps
        ^ quiet: must be true or false
line 5: wait: soon
        ^ wait: must be a length of time such as 30m
line 6: hosts: a
        ^ hosts: must be a list (lines that begin with -, or [a, b])
line 8:   - iface: eth0
            ^ uplinks[0].iface: unknown key; known here: interface, token_hash
line 9:     interfaze: eth1
            ^ uplinks[0].interfaze: unknown key; did you mean "interface"?
line 10:     token_hash: …
             ^ uplinks[0].token_hash: must be text
line 12:   path: nowhere
           ^ inner.path: "nowhere" does not exist`
	want = strings.Replace(want, "10 mistakes", "11 mistakes", 1)
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestTornFile(t *testing.T) {
	for _, text := range []string{"a: [", "a: b: c", "\t- x", "{", "name: x\n---\nname: y", "\x00\xff"} {
		var s sample
		if err := config.Parse("c.yaml", []byte(text), &s, s.check); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	var s sample
	if err := config.Load("/nowhere/c.yaml", &s, s.check); err == nil || !strings.Contains(err.Error(), "/nowhere/c.yaml") {
		t.Errorf("a missing file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("name: x\nuplinks:\n  - interface: eth0\n")
	f.Add("inner: &a\n  path: *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		var s sample
		_ = config.Parse("c.yaml", []byte(text), &s, s.check) // must not panic
	})
}
