package netns

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"scanside/gateway"
	"scanside/lab/scenario"
)

const (
	site       = "room-1"
	physician  = "dr-lab"
	gatewayURL = "https://" + farAddress + ":8443"
	pageURL    = "http://127.0.0.1:8480"
	certValid  = 24 * time.Hour // a lab lasts minutes

	gatewayMetrics = "127.0.0.1:9480" // as in packaging/scanside-gateway.yaml
)

// files is where the programs' configurations and everything they name are.
type files struct {
	dir                         string
	agent, gateway, roots       string // configurations; PEM of the gateway's certificate
	gatewayState, tokenFilePath string
	fingerprint                 string
	tokenHash                   string
	foreign                     string // the WHIP endpoint that agents send to instead of the gateway; "": none
}

// writeFiles makes a certificate and a token and writes the gateway's configuration; agents come later.
func writeFiles(dir, republish string) (*files, error) {
	f := &files{dir: dir, gateway: filepath.Join(dir, "gateway.yaml"), roots: filepath.Join(dir, "gateway.crt"),
		gatewayState: filepath.Join(dir, "gateway-state"), tokenFilePath: filepath.Join(dir, "token")}
	key, err := f.certificate()
	if err != nil {
		return nil, err
	}
	token, hash := gateway.NewSiteToken()
	text := fmt.Sprintf(`listen: %[1]s:8443
state_dir: %[2]s
tls:
  cert: %[3]s
  key: %[4]s
metrics:
  listen: %[8]s
media:
  udp: %[1]s:3478
  tcp: %[1]s:3478
sites:
  - id: %[5]s
    name: Room 1
    token_hash: %[6]s
users:
  - name: %[7]s
    display_name: Dr Lab
    role: supervisor
`, farAddress, f.gatewayState, f.roots, key, site, hash, physician, gatewayMetrics)
	if republish != "" {
		text += fmt.Sprintf("republish:\n  - whip: %s\n", republish)
	}
	return f, errors.Join(
		os.MkdirAll(f.gatewayState, 0o700), os.MkdirAll(filepath.Dir(f.textfile()), 0o755),
		os.WriteFile(f.tokenFilePath, []byte(token+"\n"), 0o600),
		os.WriteFile(f.gateway, []byte(text), 0o600),
	)
}

// writeAgent writes an agent's configuration and returns its path. Each name has a state folder of its own. devices is what
// camera and microphone are: "test" (drawn), or "auto" (this machine's, if it has any).
func (f *files) writeAgent(name, devices, farURL string, s scenario.Scenario) (string, error) {
	var uplinks strings.Builder
	for _, u := range s.Uplinks {
		fmt.Fprintf(&uplinks, "  - name: %s\n    interface: %s\n    metered: %v\n", u.Name, u.Name, u.Metered)
	}
	path := filepath.Join(f.dir, name+".yaml")
	far := fmt.Sprintf(`far_end:
  url: %s
  token_file: %s
  tls:
    fingerprint: %s
%s`, farURL, f.tokenFilePath, f.fingerprint, protection(s))
	if f.foreign != "" {
		far = fmt.Sprintf("far_end:\n  whip: %q\n", f.foreign)
	}
	text := fmt.Sprintf(`site: %s
%suplinks:
%scamera:
  device: %s
loudspeaker:
  device: none
microphone:
  device: %s
status:
  listen: %s
state_dir: %s
metrics:
  textfile: %s
`, site, far, uplinks.String(), devices, devices,
		strings.TrimPrefix(pageURL, "http://"), filepath.Join(f.dir, name+"-state"), f.textfile())
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// textfile is where an agent writes its metrics for node_exporter; the folder is one that nothing else writes to.
func (f *files) textfile() string { return filepath.Join(f.dir, "textfile", "scanside.prom") }

// protection is that part of an agent's configuration; what the story leaves to the box is not in it.
func protection(s scenario.Scenario) string {
	text := ""
	for _, stream := range [][2]string{{"voice", s.Voice}, {"video", s.Video}} {
		if stream[1] != "default" {
			text += fmt.Sprintf("  %s: %s\n", stream[0], stream[1])
		}
	}
	if text == "" {
		return ""
	}
	return "protection:\n" + text
}

// certificate makes the gateway's own and returns its key's path.
func (f *files) certificate() (keyPath string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "scanside lab"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certValid), IPAddresses: []net.IP{net.ParseIP(farAddress), net.ParseIP(relayAddress)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(der)
	f.fingerprint = hex.EncodeToString(sum[:])
	keyPath = filepath.Join(f.dir, "gateway.key")
	return keyPath, errors.Join(
		os.WriteFile(f.roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
	)
}

// code makes a one-time sign-in code for the running gateway.
func (f *files) code() (string, error) { return gateway.WriteSignInCode(f.gatewayState, physician) }
