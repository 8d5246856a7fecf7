package gateway

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"scanside/config"
	"scanside/link"
)

// Config is everything a gateway is told. It is checked once, by New or LoadConfig, and never changed afterwards.
type Config struct {
	Listen   string    `yaml:"listen"`    // address of the HTTPS port: console, WHIP, WHEP, API
	StateDir string    `yaml:"state_dir"` // own certificate and waiting sign-in codes; needed unless tls has cert and key
	TLS      TLSConfig `yaml:"tls"`
	Hosts    []string  `yaml:"hosts"` // names people type to reach the console; a certificate's own names are added
	Ports    Ports     `yaml:"media"`
	// PublicAddresses replace the machine's own in what is offered to peers, for a server behind 1:1 NAT. Empty: its own.
	PublicAddresses []string      `yaml:"public_addresses"`
	Relays          []Relay       `yaml:"relays"` // handed out to boxes and consoles
	Metrics         MetricsConfig `yaml:"metrics"`
	// IdleTimeout signs a person out who has no room open and did nothing for so long. Zero: 30 minutes.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	Sites       []Site        `yaml:"sites"`
	Users       []User        `yaml:"users"`
	Republish   []Republish   `yaml:"republish"` // passes merged rooms on; empty: none leaves this gateway

	// GiveWay is a file that asks Run to end when nobody looks into any room, for a newer version. Empty: nobody asks.
	GiveWay string `yaml:"-"`
	// Media, when given, is used instead of opening the ports, and is not closed at the end. For tests and the demo.
	Media *link.API `yaml:"-"`
	// Net, when given, is what rooms are passed on over. For tests.
	Net link.Net `yaml:"-"`
	// Listener, when given, is served instead of Listen. Without both, Run serves no HTTP and Handler is all there is.
	Listener net.Listener `yaml:"-"`
}

// TLSConfig says how the HTTPS port proves who it is. Empty: a certificate of the gateway's own making, kept in StateDir.
type TLSConfig struct {
	Cert string `yaml:"cert"` // PEM file, chain included
	Key  string `yaml:"key"`  // PEM file
	Off  bool   `yaml:"off"`  // plain HTTP; allowed on a loopback address only
}

// Ports are the one UDP and the one TCP port that all media share. Empty: no such port; at least one is needed. TCP may be
// the same as listen: then console and media share it.
type Ports struct {
	UDP string `yaml:"udp"`
	TCP string `yaml:"tcp"`
}

// MetricsConfig is the port of /metrics, loopback only: numbers of all sites, no sign-in. Empty: none.
type MetricsConfig struct {
	Listen string `yaml:"listen"`
}

// Site is one scan room's box and the room it fills.
type Site struct {
	ID        string `yaml:"id"`         // in URLs and metrics: small letters, digits, . _ -; at most 64
	Name      string `yaml:"name"`       // for people; empty: the id
	TokenHash string `yaml:"token_hash"` // "sha256:HEX", from NewSiteToken
	TokenFile string `yaml:"token_file"` // instead: a file that holds the token, or its hash
}

// User is one person who may sign in.
type User struct {
	Name         string `yaml:"name"`          // typed at sign-in
	DisplayName  string `yaml:"display_name"`  // shown in the scan room; empty: Name
	Role         Role   `yaml:"role"`          // supervisor or observer
	PasswordHash string `yaml:"password_hash"` // argon2id in PHC form, from HashPassword; empty: one-time codes only
}

// Role is what a person may do.
type Role string

const (
	Supervisor Role = "supervisor" // sees and hears rooms, talks, counts as the supervisor who is present
	Observer   Role = "observer"   // sees and hears rooms; the room is told
)

// LoadConfig reads a YAML file. Its error shows every mistake with its line and a caret; hashes are not printed. Relative
// paths in the file are relative to its folder.
func LoadConfig(path string) (Config, error) {
	var cfg Config
	check := func() config.Mistakes {
		cfg.root(filepath.Dir(path))
		return cfg.check()
	}
	if err := config.Load(path, &cfg, check); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

// root makes relative paths relative to the file's folder, so that every command that reads the file means the same.
func (c *Config) root(folder string) {
	paths := []*string{&c.StateDir, &c.TLS.Cert, &c.TLS.Key}
	for i := range c.Sites {
		paths = append(paths, &c.Sites[i].TokenFile)
	}
	for i := range c.Relays {
		paths = append(paths, &c.Relays[i].SecretFile, &c.Relays[i].CredentialFile)
	}
	for i := range c.Republish {
		paths = append(paths, &c.Republish[i].TokenFile, &c.Republish[i].CAFile)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
}

// check finds everything that is wrong. It reads no file but token files, which it turns into hashes.
func (c *Config) check() config.Mistakes {
	var m config.Mistakes
	wrong := m.Add
	c.checkListen(wrong)
	c.checkMedia(wrong)
	c.checkRelays(wrong)
	c.checkSites(wrong)
	c.checkUsers(wrong)
	c.checkRepublish(wrong)
	switch {
	case c.IdleTimeout == 0:
		c.IdleTimeout = defaultIdle
	case c.IdleTimeout < time.Minute || c.IdleTimeout > maxSession:
		wrong("idle_timeout", "must be between 1m and %d h", maxSession/time.Hour)
	}
	return m
}

func (c *Config) checkListen(wrong func(string, string, ...any)) {
	if c.Listen != "" {
		if err := hostPort(c.Listen); err != nil {
			wrong("listen", "%v", err)
		} else if c.TLS.Off && !loopback(c.Listen) {
			wrong("tls.off", "plain HTTP is for a loopback address only (listen: 127.0.0.1:…); browsers give no microphone to anything else")
		}
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		wrong("tls", "cert and key belong together; give both, or neither for a certificate of the gateway's own")
	}
	if c.TLS.Off && c.TLS.Cert != "" {
		wrong("tls.off", "cannot be on while there is a cert")
	}
	if c.Listen != "" && !c.TLS.Off && c.TLS.Cert == "" && c.StateDir == "" {
		wrong("state_dir", "is needed to keep the gateway's own certificate; name a folder, or give tls.cert and tls.key")
	}
	for i, h := range c.Hosts {
		if h == "" || strings.ContainsAny(h, ":/ ") {
			wrong(fmt.Sprintf("hosts[%d]", i), "%q must be a bare host name, without scheme and port", h)
		}
	}
	if c.Metrics.Listen != "" {
		if err := hostPort(c.Metrics.Listen); err != nil {
			wrong("metrics.listen", "%v", err)
		} else if !loopback(c.Metrics.Listen) {
			wrong("metrics.listen", "must be a loopback address: metrics have no sign-in; let a collector on this machine pass them on")
		}
	}
}

// sharesPort reports whether media over TCP comes in at the HTTPS port.
func (c *Config) sharesPort() bool {
	return c.Ports.TCP != "" && c.Ports.TCP == c.Listen && c.Listener == nil && c.Media == nil
}

func (c *Config) checkMedia(wrong func(string, string, ...any)) {
	for i, a := range c.PublicAddresses {
		if _, err := netip.ParseAddr(a); err != nil {
			wrong(fmt.Sprintf("public_addresses[%d]", i), "%q is not an IP address", a)
		}
	}
	if c.Media != nil {
		return
	}
	if c.Ports.UDP == "" && c.Ports.TCP == "" {
		wrong("media", "needs a udp port, and a tcp port for sites whose firewall lets no UDP out")
	}
	for _, p := range []struct{ path, addr string }{{"media.udp", c.Ports.UDP}, {"media.tcp", c.Ports.TCP}} {
		if p.addr == "" {
			continue
		}
		if err := hostPort(p.addr); err != nil {
			wrong(p.path, "%v", err)
		}
	}
}

func (c *Config) checkSites(wrong func(string, string, ...any)) {
	if len(c.Sites) == 0 {
		wrong("sites", "name at least one site (id, name, token_hash)")
	}
	known := regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$`)
	for i := range c.Sites {
		s, path := &c.Sites[i], fmt.Sprintf("sites[%d]", i)
		if !known.MatchString(s.ID) {
			wrong(path+".id", "%q must be small letters, digits, dots, hyphens or underscores, at most 64, for it stands in addresses", s.ID)
		}
		for j, other := range c.Sites[:i] {
			if other.ID == s.ID {
				wrong(path+".id", "%q is the id of sites[%d] already", s.ID, j)
			}
		}
		if s.Name == "" {
			s.Name = s.ID
		}
		s.checkToken(path, wrong)
		for j, other := range c.Sites[:i] {
			if s.TokenHash != "" && other.TokenHash == s.TokenHash {
				wrong(path, "has the token of sites[%d]; a token tells which site a box belongs to, so each site needs its own", j)
			}
		}
	}
}

func (s *Site) checkToken(path string, wrong func(string, string, ...any)) {
	switch {
	case s.TokenHash != "" && s.TokenFile != "":
		wrong(path, "token_hash and token_file cannot both be given")
	case s.TokenHash == "" && s.TokenFile == "":
		wrong(path, "needs token_hash (made by the token command) or token_file")
	case s.TokenFile != "":
		text, err := os.ReadFile(s.TokenFile)
		if err != nil {
			wrong(path+".token_file", "cannot be read: %v", err)
			return
		}
		hash, err := tokenHashOf(strings.TrimSpace(string(text)))
		if err != nil {
			wrong(path+".token_file", "%v", err)
			return
		}
		s.TokenHash, s.TokenFile = hash, ""
	default:
		if _, err := parseTokenHash(s.TokenHash); err != nil {
			wrong(path+".token_hash", "%v", err)
		}
	}
}

func (c *Config) checkUsers(wrong func(string, string, ...any)) {
	for i := range c.Users {
		u, path := &c.Users[i], fmt.Sprintf("users[%d]", i)
		if u.Name == "" || len(u.Name) > maxName || strings.ContainsFunc(u.Name, unprintable) {
			wrong(path+".name", "must be 1 to %d printable characters", maxName)
		}
		for j, other := range c.Users[:i] {
			if other.Name == u.Name {
				wrong(path+".name", "%q is the name of users[%d] already", u.Name, j)
			}
		}
		if u.DisplayName == "" {
			u.DisplayName = u.Name
		}
		if len(u.DisplayName) > maxName || strings.ContainsFunc(u.DisplayName, unprintable) {
			wrong(path+".display_name", "must be at most %d printable characters", maxName)
		}
		if !slices.Contains([]Role{Supervisor, Observer}, u.Role) {
			wrong(path+".role", "%q is not a role; use supervisor or observer", string(u.Role))
		}
		if u.PasswordHash != "" {
			if _, err := parsePassword(u.PasswordHash); err != nil {
				wrong(path+".password_hash", "%v", err)
			}
		}
	}
}

// maxName bounds names of people; it is what fits a chip on a phone's screen, with room to spare.
const maxName = 64

func unprintable(r rune) bool {
	return r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || (r >= 0x202a && r <= 0x202e)
}

func hostPort(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q must be ADDRESS:PORT (an empty address means all of them)", addr)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("%q: %q is not a port", addr, port)
	}
	if _, err := netip.ParseAddr(host); host != "" && host != "localhost" && err != nil {
		return fmt.Errorf("%q: %q is not an IP address of this machine", addr, host)
	}
	return nil
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}
