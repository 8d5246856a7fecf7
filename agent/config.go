package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"scanside/config"
	"scanside/failover"
	"scanside/link"
)

// Config is everything the agent is told. It is checked once by New and never changed afterwards. DefaultConfig holds the
// values that a file may leave out.
type Config struct {
	Site        string            `yaml:"site"`     // the room's id, as the gateway knows it
	FarEnd      FarEnd            `yaml:"far_end"`  // the only one, or
	FarEnds     []FarEnd          `yaml:"far_ends"` // several, in order: the next is taken when the one before is gone
	Uplinks     []Uplink          `yaml:"uplinks"`
	Protection  Protection        `yaml:"protection"`
	Camera      Device            `yaml:"camera"`
	Microphone  Device            `yaml:"microphone"`
	Loudspeaker LoudspeakerConfig `yaml:"loudspeaker"`
	Video       Video             `yaml:"video"`
	Status      Status            `yaml:"status"`
	Room        Room              `yaml:"room"`
	Metrics     Metrics           `yaml:"metrics"`
	StateDir    string            `yaml:"state_dir"` // "": nothing is kept over a restart (tests)
}

// FarEnd says where the gateway is and how it is known to be the right one.
type FarEnd struct {
	URL       string `yaml:"url"`        // https://host[:port][/path]
	WHIP      string `yaml:"whip"`       // instead: a WHIP server of another make, see foreign.go
	WHEP      string `yaml:"whep"`       // and where to play what comes back from it; "": nothing does
	TokenFile string `yaml:"token_file"` // read again at each dial, so that a token can be changed without a restart
	TLS       TLS    `yaml:"tls"`

	Token string `yaml:"-"` // for programs that hold the token already
}

// TLS replaces the system's authorities. The zero value keeps them.
type TLS struct {
	CAFile      string `yaml:"ca_file"`     // PEM
	Fingerprint string `yaml:"fingerprint"` // SHA-256 of the certificate, hex, colons allowed; replaces chain and name
}

// Uplink is a way out of the room: an interface (or a source address where there is none) and its cost. The order in the
// configuration is the preference.
type Uplink struct {
	Name      string  `yaml:"name"`
	Interface string  `yaml:"interface"`
	Address   string  `yaml:"address"`
	Metered   bool    `yaml:"metered"`
	Relays    []Relay `yaml:"relays"` // used where UDP and TCP straight to the gateway get nothing through
	Proxy     Proxy   `yaml:"proxy"`  // carries all TCP of the uplink
	// DNS are the name servers to ask over the uplink; left out: those that its network gave.
	DNS    []string `yaml:"dns"`
	Budget Budget   `yaml:"budget"` // of a metered one
}

// Protection says when a stream is sent over more than one uplink, whatever goes on in the room. A key that is left out
// leaves it to failover.DefaultPolicy, which spends more while a procedure is open.
type Protection struct {
	Voice failover.Protection `yaml:"voice"`
	Video failover.Protection `yaml:"video"`
}

// leftOpen stands for what the file does not say: failover.DefaultPolicy's word for each phase.
const leftOpen failover.Protection = 0xff

// Video is what the camera's picture is encoded to.
type Video struct {
	Width   int `yaml:"width"` // pixels
	Height  int `yaml:"height"`
	FPS     int `yaml:"fps"`     // pictures a second
	Bitrate int `yaml:"bitrate"` // bits a second
}

// Limits of the configuration, with where they come from.
const (
	maxUplinks   = failover.MaxLinks
	maxFarEnds   = 4          // each is dialled in turn while the present one is gone
	minBitrate   = 100_000    // below, H.264 at any size in question is a slide show
	maxBitrate   = 20_000_000 // above, a leg's queue of 512 packets holds less than 250 ms
	maxDimension = 3840       // 4K: what the widest room camera gives
	maxFPS       = 60         // likewise
	nameLetters  = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	siteLetters  = nameLetters + "."
	maxSite      = 64 // as the gateway's
	maxName      = 31 // an uplink's name is a metric's label and a word on a phone's screen
)

// DefaultConfig is a configuration that lacks only site, far end and uplinks.
func DefaultConfig() Config {
	return Config{
		Protection:  Protection{Voice: leftOpen, Video: leftOpen},
		Camera:      Device{Device: deviceAuto},
		Microphone:  Device{Device: deviceAuto},
		Loudspeaker: LoudspeakerConfig{Device: "auto", Volume: 70, Most: mostVolume, Echo: "cancel"},
		Video:       Video{Width: 1280, Height: 720, FPS: 30, Bitrate: 2_500_000},
		Status:      Status{Listen: "127.0.0.1:8480"},
		StateDir:    "/var/lib/scanside",
	}
}

// LoadConfig reads a configuration file. Its error holds all mistakes, each with line and caret. Relative paths in the
// file are relative to the file's folder.
func LoadConfig(path string) (Config, error) {
	cfg := DefaultConfig()
	if err := config.Load(path, &cfg, cfg.mistakes); err != nil {
		return Config{}, err
	}
	paths := append(cfg.Status.files(), &cfg.FarEnd.TokenFile, &cfg.FarEnd.TLS.CAFile, &cfg.StateDir)
	for i := range cfg.FarEnds {
		paths = append(paths, &cfg.FarEnds[i].TokenFile, &cfg.FarEnds[i].TLS.CAFile)
	}
	for i := range cfg.Uplinks {
		paths = append(paths, cfg.Uplinks[i].files()...)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(path), *p)
		}
	}
	cfg.Status.StateDir = cfg.StateDir
	return cfg, nil
}

// digest is a SHA-256 of the whole configuration, hex: it says that two are the same, and nothing of what is in them.
func (c Config) digest() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", c))
	return hex.EncodeToString(sum[:])
}

// Check finds all mistakes, or returns nil.
func (c *Config) Check() error { return c.mistakes().Err() }

func (c *Config) mistakes() config.Mistakes {
	var m config.Mistakes
	if c.Site == "" {
		m.Add("site", "is missing; give the room's id as the gateway knows it, e.g. mri-2")
	} else if strings.Trim(c.Site, siteLetters) != "" || len(c.Site) > maxSite {
		m.Add("site", "%q is not an id; use at most %d small letters, digits, '-', '_' and '.'", c.Site, maxSite)
	}
	c.checkFarEnds(&m)
	c.checkSole(&m)
	c.checkUplinks(&m)
	c.Loudspeaker.check(&m)
	c.Camera.check("camera", &m)
	c.Microphone.check("microphone", &m)
	c.Video.check(&m)
	c.Status.check(&m)
	c.Room.check(&m)
	c.Metrics.check(&m)
	return m
}

// policy is what the failover engine is to go by.
func (c *Config) policy() failover.Policy {
	links := make([]failover.LinkPolicy, len(c.Uplinks))
	for i, u := range c.Uplinks {
		links[i] = failover.LinkPolicy{Name: u.Name, Metered: u.Metered}
	}
	p := failover.DefaultPolicy(links...)
	if c.farEnds()[0].foreign() {
		p.Protect(failover.Voice, failover.Never)
		p.Protect(failover.Video, failover.Never)
		return p
	}
	for s, want := range [...]failover.Protection{failover.Voice: c.Protection.Voice, failover.Video: c.Protection.Video} {
		if want != leftOpen {
			p.Protect(failover.Stream(s), want)
		}
	}
	p.VideoRate = c.Video.Bitrate
	p.VideoFloor = min(p.VideoFloor, p.VideoRate)
	return p
}

// farEnds lists them in order; there is always one.
func (c *Config) farEnds() []FarEnd {
	if len(c.FarEnds) > 0 {
		return c.FarEnds
	}
	return []FarEnd{c.FarEnd}
}

func (c *Config) checkFarEnds(m *config.Mistakes) {
	if len(c.FarEnds) == 0 {
		c.FarEnd.check("far_end", m)
		c.checkForeign("far_end", c.FarEnd, m)
		return
	}
	if c.FarEnd != (FarEnd{}) {
		m.Add("far_ends", "far_end and far_ends exclude each other; make far_end the first entry of far_ends and remove it")
	}
	if len(c.FarEnds) > maxFarEnds {
		m.Add("far_ends", "there are %d; at most %d can be used", len(c.FarEnds), maxFarEnds)
	}
	for i, f := range c.FarEnds {
		path := fmt.Sprintf("far_ends[%d]", i)
		f.check(path, m)
		c.checkForeign(path, f, m)
		if slices.ContainsFunc(c.FarEnds[:i], func(o FarEnd) bool { return o.base() == f.base() }) {
			m.Add(path+".url", "%q is used twice; the same far end cannot stand in for itself", f.URL+f.WHIP)
		}
		if f.foreign() != c.FarEnds[0].foreign() {
			m.Add(path, "gateways (url) and WHIP servers of other makes (whip) cannot stand in for each other; list one sort")
		}
	}
}

// base is the URL that paths are added to; of a server of another make, the one that it is known by.
func (f FarEnd) base() string { return strings.TrimRight(f.URL+f.WHIP, "/") }

func (f FarEnd) check(path string, m *config.Mistakes) {
	switch u, err := url.Parse(f.URL); {
	case f.foreign():
	case f.URL == "":
		m.Add(path+".url", "is missing; give the gateway's address, e.g. https://gateway.example.org")
	case err != nil || u.Host == "":
		m.Add(path+".url", "%q is not an address; write https://host[:port]", f.URL)
	case u.Scheme != "https" && !(u.Scheme == "http" && (f.TokenFile == "" || loopback(u.Hostname()))):
		m.Add(path+".url", "%q would send the token unprotected; use https", f.URL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		m.Add(path+".url", "holds more than scheme, host and path; leave out user, query and fragment")
	}
	if f.Token == "" && f.TokenFile == "" && !f.foreign() {
		m.Add(path+".token_file", "is missing; give the file that holds the site's token from the gateway")
	}
	if f.TLS.CAFile != "" && f.TLS.Fingerprint != "" {
		m.Add(path+".tls", "ca_file and fingerprint exclude each other; keep one")
	}
	if f.TLS.Fingerprint != "" {
		if _, err := parseFingerprint(f.TLS.Fingerprint); err != nil {
			m.Add(path+".tls.fingerprint", "%v", err)
		}
	}
}

func (c *Config) checkUplinks(m *config.Mistakes) {
	if len(c.Uplinks) == 0 {
		m.Add("uplinks", "is missing; name at least one way out of the room, two to survive a cut")
	}
	if len(c.Uplinks) > maxUplinks {
		m.Add("uplinks", "there are %d; at most %d can be used", len(c.Uplinks), maxUplinks)
	}
	for i, u := range c.Uplinks {
		path := fmt.Sprintf("uplinks[%d]", i)
		before := c.Uplinks[:i]
		switch {
		case u.Name == "":
			m.Add(path+".name", "is missing; call it what people in the room call it, e.g. primary")
		case strings.Trim(u.Name, nameLetters) != "" || len(u.Name) > maxName:
			m.Add(path+".name", "%q is not a name; use at most %d small letters, digits, '-' and '_'", u.Name, maxName)
		case slices.ContainsFunc(before, func(o Uplink) bool { return o.Name == u.Name }):
			m.Add(path+".name", "%q is used twice", u.Name)
		}
		switch {
		case u.Interface == "" && u.Address == "":
			m.Add(path+".interface", "is missing; give the network interface, e.g. eth0 (`ip -br link` lists them)")
		case u.Interface != "" && u.Address != "":
			m.Add(path+".address", "interface and address exclude each other; keep interface where there is one")
		case u.Interface != "" && len(u.Interface) > 15:
			m.Add(path+".interface", "%q is longer than the 15 characters of an interface name", u.Interface)
		case u.Interface != "" && slices.ContainsFunc(before, func(o Uplink) bool { return o.Interface == u.Interface }):
			m.Add(path+".interface", "%q is used twice; two uplinks over one interface are not two ways out", u.Interface)
		}
		for j, server := range u.DNS {
			if _, ok := link.ParseNameserver(server); !ok {
				m.Add(fmt.Sprintf("%s.dns[%d]", path, j), "%q is not a name server's address; write 192.0.2.53, or \"[2001:db8::53]:53\" with a port", server)
			}
		}
		u.checkBudget(path, m)
		if u.Address != "" {
			if _, err := netip.ParseAddr(u.Address); err != nil {
				m.Add(path+".address", "%q is not an IP address", u.Address)
			}
		}
		u.checkWays(m, path)
	}
}

func (v Video) check(m *config.Mistakes) {
	size := func(path string, n int) {
		if n < 16 || n > maxDimension || n%2 != 0 {
			m.Add(path, "%d is not a size; use an even number from 16 to %d", n, maxDimension)
		}
	}
	size("video.width", v.Width)
	size("video.height", v.Height)
	if v.FPS < 1 || v.FPS > maxFPS {
		m.Add("video.fps", "%d is out of range; use 1 to %d pictures a second", v.FPS, maxFPS)
	}
	if v.Bitrate < minBitrate || v.Bitrate > maxBitrate {
		m.Add("video.bitrate", "%d is out of range; use %d to %d bits a second", v.Bitrate, minBitrate, maxBitrate)
	}
}

// loopback reports whether only this machine can reach host.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
