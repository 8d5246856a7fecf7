package gateway

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"scanside/link"
)

// Relay is a TURN server that boxes and consoles may go through where nothing better gets through to the gateway.
type Relay struct {
	URL            string `yaml:"url"`             // turn:host[:port][?transport=udp|tcp] or turns:host[:port]
	SecretFile     string `yaml:"secret_file"`     // holds the secret shared with the relay (coturn: use-auth-secret); or
	Username       string `yaml:"username"`        // a user of the relay's,
	CredentialFile string `yaml:"credential_file"` // and a file with the password, which everybody who signs in can then read
}

const (
	maxRelays = 4 // each is one more way for every box and every browser to try
	// relayLasts is how long credentials made of a shared secret are good for; they are handed out anew at every connection.
	relayLasts = 6 * time.Hour
)

func (c *Config) checkRelays(wrong func(string, string, ...any)) {
	if len(c.Relays) > maxRelays {
		wrong("relays", "there are %d; at most %d are handed out", len(c.Relays), maxRelays)
	}
	for i, r := range c.Relays {
		path := fmt.Sprintf("relays[%d]", i)
		if err := link.CheckRelayURL(r.URL); err != nil {
			wrong(path+".url", "%v", err)
		}
		switch {
		case r.SecretFile == "" && r.CredentialFile == "":
			wrong(path, "needs secret_file (the secret shared with the relay), or username and credential_file")
		case r.SecretFile != "" && r.CredentialFile != "":
			wrong(path+".credential_file", "secret_file and credential_file exclude each other; keep secret_file, whose passwords end by themselves")
		case r.CredentialFile != "" && r.Username == "":
			wrong(path+".username", "is missing; a password without a user name opens nothing")
		case strings.ContainsFunc(r.Username, func(c rune) bool { return c <= ' ' || c > '~' }):
			wrong(path+".username", "must be printable, without spaces")
		default:
			if _, err := r.secret(); err != nil {
				wrong(path, "%v", err)
			}
		}
	}
}

// secret reads what the relay's file holds now.
func (r Relay) secret() (string, error) {
	file := r.SecretFile + r.CredentialFile
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("the relay's secret cannot be read: %w", err)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" || strings.ContainsAny(secret, "\r\n\"\\") {
		return "", fmt.Errorf("%s holds no secret of one line (quotes and backslashes are not possible)", file)
	}
	return secret, nil
}

// relays are what whoever has just been let in may use. One whose file cannot be read now is left out and logged.
func (g *Gateway) relays(who string) []link.Relay {
	var all []link.Relay
	for _, r := range g.cfg.Relays {
		secret, err := r.secret()
		if err != nil {
			g.log.Error("a relay is not handed out", "relay", r.URL, "err", err)
			continue
		}
		one := link.Relay{URL: r.URL, Username: r.Username, Credential: secret}
		if r.SecretFile != "" {
			one.Username, one.Credential = link.ShortLived(secret, who, time.Now().Add(relayLasts))
		}
		all = append(all, one)
	}
	return all
}

// relayUser names a principal to a relay's log: the site of a box, and nothing of a person.
func relayUser(principal string) string {
	if site, ok := strings.CutPrefix(principal, "site:"); ok {
		return site
	}
	return "console"
}

// relayList answers a console before it gathers, in the words of RTCConfiguration.
func (g *Gateway) relayList(w http.ResponseWriter, req *http.Request, _ *session) {
	type server struct {
		URLs       string `json:"urls"`
		Username   string `json:"username"`
		Credential string `json:"credential"`
	}
	list := []server{}
	for _, r := range g.relays(relayUser("")) {
		list = append(list, server{r.URL, r.Username, r.Credential})
	}
	writeJSON(w, map[string]any{"iceServers": list})
}
