package agent

import (
	"net/url"
	"os"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"

	"scanside/support"
)

// secrets are all that the configuration knows and nobody else may: what its files hold, passwords and tokens in addresses, and the
// paths of WHIP endpoints, which are often the key themselves. It goes by the fields' own names, so that a new one is found too.
func (c Config) secrets() []string {
	var all []string
	walk(reflect.ValueOf(&c).Elem(), "", func(name string, v *string) {
		switch {
		case *v == "":
		case strings.HasSuffix(name, "File"), name == "Key":
			if name != "CAFile" { // certificates are public
				if text, err := os.ReadFile(*v); err == nil {
					all = append(all, strings.TrimSpace(string(text)))
					if words := strings.Fields(string(text)); len(words) <= fewWords {
						all = append(all, words...)
					}
				}
			}
		case isSecret(name):
			all = append(all, *v)
		default:
			all = append(all, inAddress(name, *v)...)
		}
	})
	return all
}

// fewWords is how many words a file may hold for each to be a secret by itself ("Bearer" and a token); in longer ones, such as a list
// of users, ordinary words are among them.
const fewWords = 4

// longPart is how long a part of a WHIP endpoint's path must be to be a key by itself; shorter ones are words: whip, endpoint, live.
const longPart = 10

// redacted is the configuration as it may be shown to whoever helps.
func (c Config) redacted() ([]byte, error) {
	text, err := yaml.Marshal(c.bare())
	if err != nil {
		return nil, err
	}
	return append([]byte("# The configuration in force, defaults included; secrets were taken out.\n"), text...), nil
}

// bare is a copy without secrets.
func (c Config) bare() Config {
	c.FarEnds = append([]FarEnd(nil), c.FarEnds...)
	c.Uplinks = append([]Uplink(nil), c.Uplinks...)
	for i := range c.Uplinks {
		c.Uplinks[i].Relays = append([]Relay(nil), c.Uplinks[i].Relays...)
		c.Uplinks[i].DNS = append([]string(nil), c.Uplinks[i].DNS...)
	}
	for _, list := range []*[]string{&c.Camera.Devices, &c.Microphone.Devices, &c.Loudspeaker.Devices, &c.Status.Names} {
		*list = append([]string(nil), *list...)
	}
	walk(reflect.ValueOf(&c).Elem(), "", func(name string, v *string) {
		switch {
		case isSecret(name) && *v != "":
			*v = support.Removed
		default:
			*v = bareAddress(name, *v)
		}
	})
	return c
}

func isSecret(name string) bool {
	for _, word := range []string{"Token", "Password", "Secret", "Credential"} {
		if name == word {
			return true
		}
	}
	return false
}

// inAddress are the secrets in an address.
func inAddress(name, text string) (all []string) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" {
		return nil
	}
	if u.User != nil {
		password, has := u.User.Password()
		if all = append(all, password); !has {
			all = append(all, u.User.Username())
		}
	}
	for _, values := range u.Query() {
		all = append(all, values...)
	}
	if strings.HasPrefix(u.Scheme, "turn") {
		return nil // ?transport=udp is no secret, and a user in it is refused
	}
	if (name == "WHIP" || name == "WHEP") && len(u.Path) > 1 {
		all = append(all, strings.Trim(u.Path, "/"))
		for part := range strings.SplitSeq(u.Path, "/") {
			if len(part) >= longPart {
				all = append(all, part)
			}
		}
	}
	if u.Fragment != "" {
		all = append(all, u.Fragment)
	}
	return all
}

// bareAddress is an address without what may be secret in it.
func bareAddress(name, text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || len(inAddress(name, text)) == 0 {
		return text
	}
	if u.User != nil {
		u.User = url.User("removed")
	}
	if u.RawQuery != "" {
		u.RawQuery = "removed"
	}
	if name == "WHIP" || name == "WHEP" {
		u.Path, u.RawPath = "/removed", ""
	}
	u.Fragment = ""
	return u.String()
}

// walk visits every string in v with its field's name.
func walk(v reflect.Value, name string, visit func(name string, v *string)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				walk(f, v.Type().Field(i).Name, visit)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), name, visit)
		}
	case reflect.String:
		s := v.String()
		visit(name, &s)
		v.SetString(s)
	}
}
