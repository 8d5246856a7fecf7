package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"scanside/link"
)

// Republish passes merged rooms on to a WHIP server, so that whoever may watch there sees what the consoles here see. It is the
// operator's doing alone: nothing that a box or a person sends can begin it or say where to.
type Republish struct {
	WHIP      string   `yaml:"whip"`       // endpoint; {site} is filled in
	TokenFile string   `yaml:"token_file"` // read again at each dial; empty: no token
	CAFile    string   `yaml:"ca_file"`    // PEM; instead of the system's authorities
	Sites     []string `yaml:"sites"`      // ids of sites; empty: all
}

// forSite stands for a site's id in whip.
const forSite = "{site}"

// onwards makes what passes rooms on.
func (g *Gateway) onwards() ([]*onward, error) {
	var all []*onward
	for i, c := range g.cfg.Republish {
		trust, err := c.trust()
		if err != nil {
			return nil, fmt.Errorf("republish[%d]: %w", i, err)
		}
		for _, r := range g.rooms {
			if !c.serves(r.site.ID) {
				continue
			}
			o := &onward{cfg: c, room: r, trust: trust, net: g.cfg.Net, state: OnwardWaiting, since: time.Now(), log: r.log.With("republish", i)}
			o.where = strings.ReplaceAll(c.WHIP, forSite, url.PathEscape(r.site.ID))
			if u, err := url.Parse(o.where); err == nil {
				o.host = u.Host
			}
			if o.net == nil {
				o.net = link.HostNet()
			}
			if g.cfg.StateDir != "" {
				o.kept = filepath.Join(g.cfg.StateDir, "republished", r.site.ID)
			}
			r.onward = o
			all = append(all, o)
		}
	}
	return all, nil
}

func (c *Republish) trust() (*tls.Config, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", c.CAFile)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

func (c *Republish) serves(site string) bool {
	return len(c.Sites) == 0 || slices.Contains(c.Sites, site)
}

func (c *Config) checkRepublish(wrong func(string, string, ...any)) {
	served := map[string]int{}
	for i, r := range c.Republish {
		path := fmt.Sprintf("republish[%d]", i)
		filled := strings.ReplaceAll(r.WHIP, forSite, "x")
		switch u, err := url.Parse(filled); {
		case r.WHIP == "":
			wrong(path+".whip", "is missing; give the server's WHIP endpoint, e.g. https://sfu.example.org/whip/{site}")
		case strings.ContainsAny(filled, "{}"):
			wrong(path+".whip", "has another placeholder than {site}")
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			wrong(path+".whip", "is not an address; write https://host/path")
		case u.Scheme == "http" && r.TokenFile != "" && !loopback(u.Host) && !loopback(u.Host+":80"):
			wrong(path+".whip", "would send the token unprotected; use https")
		case u.User != nil:
			wrong(path+".whip", "holds a user; use token_file")
		}
		for j, s := range r.Sites {
			if !slices.ContainsFunc(c.Sites, func(o Site) bool { return o.ID == s }) {
				wrong(fmt.Sprintf("%s.sites[%d]", path, j), "there is no site %q", s)
			}
		}
		var own []string
		for _, site := range c.Sites {
			if at, again := served[site.ID]; r.serves(site.ID) && again {
				wrong(path, "passes site %s on, as republish[%d] does; a room goes to one server", site.ID, at)
			} else if r.serves(site.ID) {
				served[site.ID] = i
				own = append(own, site.ID)
			}
		}
		if len(own) > 1 && r.WHIP != "" && !strings.Contains(r.WHIP, forSite) {
			wrong(path+".whip", "has no {site}; each room needs an endpoint of its own")
		}
	}
}
