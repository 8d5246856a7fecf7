package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLoadConfig(t *testing.T) {
	dir := t.TempDir()
	token, hash := NewSiteToken()
	_, otherHash := NewSiteToken()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("token", token+"\n")
	path := write("good.yaml", `
listen: ":8443"
state_dir: `+dir+`
hosts: [gateway.example.org]
media:
  udp: ":8444"
  tcp: ":8444"
public_addresses: [203.0.113.7, "2001:db8::7"]
metrics:
  listen: 127.0.0.1:9467
idle_timeout: 15m
sites:
  - id: north
    token_file: `+filepath.Join(dir, "token")+`
  - id: south-2
    name: Southern clinic
    token_hash: `+otherHash+`
users:
  - name: ada
    role: supervisor
    password_hash: `+testHash()+`
`)
	cfg, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.IdleTimeout != 15*time.Minute || cfg.Sites[0].Name != "north" || cfg.Sites[0].TokenHash != hash || cfg.Sites[0].TokenFile != "" ||
		cfg.Users[0].DisplayName != "ada" || cfg.Ports.TCP != ":8444" {
		t.Errorf("read %+v", cfg)
	}
}

// All mistakes come together, each with its line; hashes are not repeated.
func TestLoadConfigMistakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.yaml")
	text := `listen: gateway.example.org:8443
tls:
  cert: only.pem
hosts: ["https://gateway"]
metrics:
  listen: ":9467"
public_address: [203.0.113.7]
public_addresses: [here]
idle_timeout: 10s
sites:
  - id: North Clinic
    token_hash: sha256:feedface
  - id: south
  - id: south
    token_file: /nowhere/token
users:
  - name: ada
    role: admin
    password_hash: $2a$10$secretsecretsecret
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := LoadConfig(path)
	if err == nil {
		t.Fatal("was taken")
	}
	got := err.Error()
	for _, want := range []string{
		"line 1: listen: gateway.example.org:8443\n                ^ listen:", "tls: cert and key belong together", "hosts[0]:", "metrics.listen: must be a loopback address",
		"line 7: public_address: [203.0.113.7]\n        ^ public_address: unknown key", "public_addresses[0]:", "idle_timeout:", "media: needs a udp port",
		"sites[0].id:", "sites[0].token_hash:", "sites[1]: needs token_hash", `sites[2].id: "south" is the id of sites[1]`, "sites[2].token_file:", "users[0].role:",
		"users[0].password_hash:",
	} {
		if !strings.Contains(got, want) && !strings.Contains(strings.ReplaceAll(got, "                ^ listen", "        ^ listen"), strings.ReplaceAll(want, "                ^ listen", "        ^ listen")) {
			t.Errorf("does not say %q", want)
		}
	}
	for _, secret := range []string{"feedface", "secretsecret"} {
		if strings.Contains(got, secret) {
			t.Errorf("repeats %q", secret)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestConfigChecks(t *testing.T) {
	good, _ := testConfig(t)
	good.Ports.UDP = "127.0.0.1:0"
	for _, c := range []struct {
		name  string
		spoil func(*Config)
		words string
	}{
		{"good", func(*Config) {}, ""},
		{"no sites", func(c *Config) { c.Sites = nil }, "at least one site"},
		{"plain HTTP to the world", func(c *Config) { c.Listen, c.TLS.Off = ":80", true }, "loopback address only"},
		{"plain HTTP on loopback", func(c *Config) { c.Listen, c.TLS.Off = "127.0.0.1:80", true }, ""},
		{"own certificate without a folder", func(c *Config) { c.Listen = ":443" }, "state_dir"},
		{"port in words", func(c *Config) { c.Ports.TCP = ":nonsense" }, "media.tcp"},
		{"two users of one name", func(c *Config) { c.Users = append(c.Users[:1:1], c.Users[0]) }, "users[0] already"},
		{"name that writes backwards", func(c *Config) { c.Users = []User{{Name: "x", DisplayName: "\u202egnp.exe", Role: Observer}} }, "display_name"},
		{"two sites with one token", func(c *Config) { c.Sites[1].TokenHash = c.Sites[0].TokenHash }, "has the token of sites[0]"},
		{"site that climbs", func(c *Config) { c.Sites = []Site{{ID: "..", TokenHash: c.Sites[0].TokenHash}} }, "sites[0].id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := good
			cfg.Sites = append([]Site(nil), cfg.Sites...)
			cfg.Users = append([]User(nil), cfg.Users...)
			c.spoil(&cfg)
			m := cfg.check()
			if (len(m) > 0) != (c.words != "") || len(m) > 0 && !strings.Contains(m.Error(), c.words) {
				t.Errorf("got %v, want %q", m, c.words)
			}
		})
	}
}

// A relative path means the same to every command, wherever it is run.
func TestPathsGoByTheFile(t *testing.T) {
	folder := t.TempDir()
	token, _ := NewSiteToken()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("token", token)
	write("gateway.yaml", "listen: 127.0.0.1:0\nstate_dir: state\nmedia:\n  udp: 127.0.0.1:0\nsites:\n  - id: a\n    token_file: token\n")
	cfg, err := LoadConfig(filepath.Join(folder, "gateway.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.StateDir != filepath.Join(folder, "state") {
		t.Errorf("state_dir is %q", cfg.StateDir)
	}
}
