package agent

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"scanside/config"
	"scanside/link"
)

// Relay is a TURN server that an uplink may go through where its network lets nothing better out.
type Relay struct {
	URL            string `yaml:"url"`             // turn:host[:port][?transport=udp|tcp] or turns:host[:port]
	Username       string `yaml:"username"`        // with secret_file: only a word for the relay's log
	CredentialFile string `yaml:"credential_file"` // holds the password; or
	SecretFile     string `yaml:"secret_file"`     // holds the secret shared with the relay, of which short-lived passwords are made
	CAFile         string `yaml:"ca_file"`         // PEM, for turns:; "": the system's authorities
}

// Proxy is an HTTP proxy that an uplink's TCP goes through by CONNECT. The zero value is none.
type Proxy struct {
	URL          string `yaml:"url"` // http://host:port
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"` // read again at each dial
}

const (
	maxRelays = 8 // of one uplink; each is asked at once when nothing better works
	// secretLasts is how long credentials made of a shared secret are good for: a relay checks them when the allocation is
	// made, and a box's clock may be some minutes off.
	secretLasts = 12 * time.Hour
)

// files are all paths that a relay and a proxy name.
func (u *Uplink) files() []*string {
	all := []*string{&u.Proxy.PasswordFile}
	for i := range u.Relays {
		r := &u.Relays[i]
		all = append(all, &r.CredentialFile, &r.SecretFile, &r.CAFile)
	}
	return all
}

func (u Uplink) checkWays(m *config.Mistakes, path string) {
	if len(u.Relays) > maxRelays {
		m.Add(path+".relays", "there are %d; at most %d are tried", len(u.Relays), maxRelays)
	}
	for i, r := range u.Relays {
		r.check(m, fmt.Sprintf("%s.relays[%d]", path, i))
	}
	u.Proxy.check(m, path+".proxy")
}

func (r Relay) check(m *config.Mistakes, path string) {
	if r.URL == "" {
		m.Add(path+".url", "is missing; write e.g. turns:turn.example.org:443")
	} else if err := link.CheckRelayURL(r.URL); err != nil {
		m.Add(path+".url", "%v", err)
	}
	switch {
	case r.CredentialFile == "" && r.SecretFile == "":
		m.Add(path, "needs credential_file (the user's password) or secret_file (the secret shared with the relay)")
	case r.CredentialFile != "" && r.SecretFile != "":
		m.Add(path+".secret_file", "credential_file and secret_file exclude each other; keep one")
	case r.CredentialFile != "" && r.Username == "":
		m.Add(path+".username", "is missing; a password without a user name opens nothing")
	}
	if strings.ContainsFunc(r.Username, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		m.Add(path+".username", "holds a space or a control character")
	}
	if r.CAFile != "" && !strings.HasPrefix(strings.ToLower(r.URL), "turns:") {
		m.Add(path+".ca_file", "is for turns: only; there is no certificate to check")
	}
}

func (p Proxy) check(m *config.Mistakes, path string) {
	if p.URL == "" {
		if p.User != "" || p.PasswordFile != "" {
			m.Add(path+".url", "is missing; write e.g. http://proxy.example.org:3128")
		}
		return
	}
	u, err := url.Parse(p.URL)
	switch {
	case err != nil || u.Hostname() == "" || u.Port() == "":
		m.Add(path+".url", "is not a proxy's address; write http://host:port")
	case u.User != nil:
		m.Add(path+".url", "holds a user; put it into user, and the password into a file that password_file names")
	case u.Scheme != "http":
		m.Add(path+".url", "is of the kind %s; only http proxies are supported, and what goes through is encrypted by itself", u.Scheme)
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		m.Add(path+".url", "holds more than host and port; write http://host:port")
	}
	if p.PasswordFile != "" && p.User == "" {
		m.Add(path+".user", "is missing; a password without a user opens nothing")
	}
}

// link is the proxy as package link takes it.
func (p Proxy) link() (link.Proxy, error) {
	u, err := url.Parse(p.URL)
	if err != nil {
		return link.Proxy{}, err
	}
	out := link.Proxy{Addr: net.JoinHostPort(u.Hostname(), u.Port()), User: p.User}
	if p.PasswordFile != "" {
		out.Password = func() (string, error) { return readSecret(p.PasswordFile) }
	}
	return out, nil
}

// link reads what a relay's files hold now.
func (r Relay) link(box string, now time.Time) (link.Relay, error) {
	out := link.Relay{URL: r.URL, Username: r.Username}
	file := r.CredentialFile
	if file == "" {
		file = r.SecretFile
	}
	secret, err := readSecret(file)
	if err != nil {
		return out, fmt.Errorf("the relay %s: %w", r.URL, err)
	}
	out.Credential = secret
	if r.SecretFile != "" {
		if out.Username == "" {
			out.Username = box
		}
		out.Username, out.Credential = link.ShortLived(secret, out.Username, now.Add(secretLasts))
	}
	if r.CAFile != "" {
		pool, err := authorities(r.CAFile)
		if err != nil {
			return out, fmt.Errorf("the relay %s: %w", r.URL, err)
		}
		out.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return out, nil
}

// relays are the uplink's own that can be used now. What is wrong with others is an error beside them: the uplink may well
// need none of them.
func (u *uplink) relays() (all []link.Relay, wrong error) {
	for _, r := range u.cfg.Relays {
		one, err := r.link(u.box, time.Now())
		if err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		all = append(all, one)
	}
	if wrong != nil {
		u.log.Warn("a relay cannot be used", "link", u.cfg.Name, "err", wrong)
	}
	return all, wrong
}

// pathWords say how a link goes, and why not better.
func pathWords(p link.Path) string {
	by := ""
	if p.Proxy != "" {
		by = " and through the proxy " + p.Proxy
	}
	relay := "a relay"
	if p.Relay != "" {
		relay = "the relay " + p.Relay
	}
	switch p.Kind {
	case link.PathUDP:
		return "Straight to the far end by UDP."
	case link.PathTCP:
		if p.Proxy != "" {
			return "To the far end by TCP through the proxy " + p.Proxy + ", because nothing came through by UDP."
		}
		return "Straight to the far end by TCP, because nothing came through by UDP."
	case link.PathRelayUDP:
		return "Over " + relay + " by UDP, because nothing came through straight to the far end."
	case link.PathRelayTCP:
		return "Over " + relay + " by TCP" + by + ", because nothing better came through."
	case link.PathRelayTLS:
		return "Over " + relay + " by TLS" + by + ", because nothing better came through."
	}
	return ""
}

// authorities reads a PEM file of certificates.
func authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return pool, nil
}

// readSecret reads a password from a file of one line. It may hold spaces.
func readSecret(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" || strings.ContainsAny(secret, "\r\n") {
		return "", fmt.Errorf("%s holds no secret: one line is expected", file)
	}
	return secret, nil
}
