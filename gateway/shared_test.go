package gateway

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/transport/v5"

	"scanside/link"
)

// noUDP is an uplink behind a firewall that swallows every datagram.
type noUDP struct{ *link.BoundNet }

func (n noUDP) ListenUDP(network string, a *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.BoundNet.ListenUDP(network, a)
	return swallow{c}, err
}

type swallow struct{ transport.UDPConn }

func (swallow) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }

// freePort is a port of 127.0.0.1 that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Console, signalling and media share one TCP port; a box behind a firewall that lets only that port out connects, is told of
// the relays with credentials of its own, and nothing that a stranger sends or does not send is in the way.
func TestOnePort(t *testing.T) {
	cfg, tokens := testConfig(t)
	cfg.Listen = freePort(t)
	cfg.Ports = Ports{UDP: "127.0.0.1:0", TCP: cfg.Listen}
	cfg.StateDir = t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("north\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Relays = []Relay{{URL: "turns:127.0.0.9:443", SecretFile: secret}}
	g := running(t, cfg)
	for _, what := range []string{"", "\x00", "\x00\x64\x00\x01", "GET / HTTP/1.0\r\n\r\n", "\x16\x03"} {
		c, err := net.Dial("tcp", cfg.Listen)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte(what)); err != nil {
			t.Fatal(err)
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + cfg.Listen + "/healthz")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the console at the shared port: %v, %v", resp, err)
	}
	resp.Body.Close()
	n, err := link.BindAddress(netip.MustParseAddr("127.0.0.2"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, err := link.Dial(ctx, link.Config{
		Uplink: "wired", WHIP: "https://" + cfg.Listen + "/whip/north", Token: tokens[0], Run: "r", Box: "b",
		Net: noUDP{n}, TLS: &tls.Config{InsecureSkipVerify: true}, Loopback: true,
	}, link.Events{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := s.Path().Kind; got != link.PathTCP {
		t.Errorf("the path is %v, want tcp", got)
	}
	if all := g.relays(relayUser("site:north")); len(all) != 1 || !strings.HasSuffix(all[0].Username, ":north") || len(all[0].Credential) != 28 {
		t.Errorf("relays for the box: %+v", all)
	}
}

// A console is told of the relays in the words of RTCConfiguration, without the shared secret and without a person's name.
func TestRelayList(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hush hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	f.cfg.Relays = []Relay{{URL: "turn:relay.example:3478", SecretFile: secret}, {URL: "turns:relay.example:443", Username: "all", CredentialFile: secret},
		{URL: "turn:gone.example", SecretFile: secret + "x"}}
	got := send(t, f.signedInAs(t, "ada"), "GET", f.url+"/api/v1/relays", "", "")
	var list struct {
		Servers []struct{ URLs, Username, Credential string } `json:"iceServers"`
	}
	if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.status != 200 || len(list.Servers) != 2 {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	first, second := list.Servers[0], list.Servers[1]
	if !strings.HasSuffix(first.Username, ":console") || strings.Contains(first.Credential, "hush") || second.Credential != "hush hush" {
		t.Errorf("got %+v", list.Servers)
	}
	if got.header.Get("Cache-Control") != "no-store" {
		t.Error("credentials may be cached")
	}
}

func TestRelaysChecked(t *testing.T) {
	cfg, _ := testConfig(t)
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte("two\nlines"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Relays = []Relay{{URL: "stun:a"}, {URL: "turn:a", SecretFile: bad}, {URL: "turn:a", CredentialFile: bad}, {URL: "turn:a", SecretFile: bad + "x"}, {URL: "turn:a", SecretFile: bad, CredentialFile: bad}}
	got := cfg.check().Error()
	for _, want := range []string{"relays: there are 5", "relays[0].url: is not a relay's address", "relays[0]: needs secret_file", "holds no secret of one line",
		"relays[2].username: is missing", "no such file", "exclude each other"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
}
