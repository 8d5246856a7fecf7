package agent

import (
	"fmt"
	"net"
	"strings"

	"scanside/config"
)

// Status says where the technician's page listens and for whom.
type Status struct {
	Listen  string    `yaml:"listen"`               // loopback host:port, plain HTTP, for the box's own screen and commands; "": none (Handler still works)
	HTTPS   string    `yaml:"https"`                // host:port for other machines; "": none
	TLS     StatusTLS `yaml:"tls"`                  // of HTTPS
	Names   []string  `yaml:"names"`                // host names by which a browser may call the box, besides addresses and localhost
	ViewAll bool      `yaml:"view_without_sign_in"` // whoever reaches HTTPS may look; acting asks for a user all the same
	// Tokens of programs and screens that cannot sign in as people do.
	ScrapeTokenFile string `yaml:"scrape_token_file"` // /metrics, and nothing else
	ScreenTokenFile string `yaml:"screen_token_file"` // the room's screen on another machine, and nothing else

	StateDir string `yaml:"-"` // where commands on this machine find the agent's console key: LoadConfig copies state_dir
}

// StatusTLS is the site's own certificate. The zero value: one that the box makes itself, and makes anew before it ends.
type StatusTLS struct {
	Cert string `yaml:"cert"` // PEM, with the chain; read again when it was renewed
	Key  string `yaml:"key"`
}

func (s *Status) files() []*string {
	return []*string{&s.TLS.Cert, &s.TLS.Key, &s.ScrapeTokenFile, &s.ScreenTokenFile}
}

func (s Status) check(m *config.Mistakes) {
	for i, name := range s.Names {
		if name == "" || strings.ContainsAny(name, "/: *") {
			m.Add(fmt.Sprintf("status.names[%d]", i), "%q is not a host name; write it without scheme and port", name)
		}
	}
	if host, ok := hostPort("status.listen", s.Listen, m); ok && !loopback(host) {
		m.Add("status.listen", "%s can be reached from other machines, and plain HTTP would show passwords to whoever listens; keep 127.0.0.1:8480 here and name it in status.https", s.Listen)
	}
	hostPort("status.https", s.HTTPS, m)
	if s.HTTPS != "" && s.HTTPS == s.Listen && !strings.HasSuffix(s.HTTPS, ":0") {
		m.Add("status.https", "%s is status.listen already; use another port", s.HTTPS)
	}
	if (s.TLS.Cert == "") != (s.TLS.Key == "") {
		m.Add("status.tls", "cert and key belong together; give both, or neither to have the box make a certificate")
	}
	if s.HTTPS == "" && s.TLS != (StatusTLS{}) {
		m.Add("status.tls", "a certificate is shown by status.https alone, which is not given")
	}
	if s.HTTPS == "" && s.ViewAll {
		m.Add("status.view_without_sign_in", "is about other machines, and none can reach the page without status.https")
	}
}

// hostPort reads an address to listen at; false: there is none.
func hostPort(path, address string, m *config.Mistakes) (host string, ok bool) {
	if address == "" {
		return "", false
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		m.Add(path, "%q is not host:port; write e.g. 127.0.0.1:8480", address)
	}
	return host, err == nil
}
