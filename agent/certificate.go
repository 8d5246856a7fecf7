package agent

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	certFile   = "certificate.pem"        // in the state folder, certificate and key in one file, so that they cannot part
	certLife   = 2 * 365 * 24 * time.Hour // phones refuse longer ones of their users' own making (825 days)
	certRenew  = 30 * 24 * time.Hour      // before its end a new one is made
	certLook   = time.Minute              // between two looks at a certificate of the site's own, which something else renews
	certBehind = time.Hour                // clocks of browsers that are a little behind
)

// pageCertificate is what the status page shows by HTTPS: the site's own, or one that the box made itself and makes anew before it ends.
type pageCertificate struct {
	cfg   Status
	store store
	now   func() time.Time // time.Now; a test's
	told  func(fingerprint string, c *x509.Certificate, unkept error)

	mu     sync.Mutex
	is     *tls.Certificate
	unkept error // why it is another one after a restart
	looked time.Time
}

// get is for tls.Config. A certificate that can no longer be read is not taken away from those who have it.
func (c *pageCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.is != nil && now.Sub(c.looked).Abs() < certLook {
		return c.is, nil
	}
	c.looked = now
	is, err := c.load(now)
	if err != nil {
		if c.is != nil {
			return c.is, nil
		}
		return nil, err
	}
	if c.is == nil || !slices.Equal(c.is.Certificate[0], is.Certificate[0]) {
		c.told(fingerprintOf(is.Certificate[0]), is.Leaf, c.unkept)
	}
	c.is = &is
	return c.is, nil
}

func (c *pageCertificate) load(now time.Time) (tls.Certificate, error) {
	if c.cfg.TLS.Cert != "" {
		is, err := tls.LoadX509KeyPair(c.cfg.TLS.Cert, c.cfg.TLS.Key)
		if err != nil {
			return is, fmt.Errorf("load status.tls.cert and status.tls.key: %w", err)
		}
		return is, nil
	}
	if c.store.dir == "" {
		return c.make(now)
	}
	path := filepath.Join(c.store.dir, certFile)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tls.Certificate{}, fmt.Errorf("read the box's own certificate: %w", err)
	}
	if is, err := tls.X509KeyPair(text, text); err == nil && c.lasts(is.Leaf, now) {
		return is, nil
	}
	return c.make(now)
}

// lasts says whether the box's own certificate may be shown for a while yet, under every name that the configuration gives.
func (c *pageCertificate) lasts(leaf *x509.Certificate, now time.Time) bool {
	for _, name := range c.cfg.Names {
		if leaf.VerifyHostname(name) != nil {
			return false
		}
	}
	return now.After(leaf.NotBefore) && leaf.NotAfter.Sub(now) > certRenew
}

func (c *pageCertificate) make(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "scanside box"},
		NotBefore:    now.Add(-certBehind),
		NotAfter:     now.Add(certLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     append([]string{"localhost"}, c.cfg.Names...),
		IPAddresses:  ownAddresses(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the box's own certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	if c.store.dir != "" {
		c.unkept = c.store.write(certFile, string(text)) // 0600; on a full disk the page is needed all the same
	}
	return tls.X509KeyPair(text, text)
}

// fingerprintOf is what `openssl x509 -fingerprint -sha256` prints, and what a browser shows of a certificate.
func fingerprintOf(der []byte) string {
	sum := sha256.Sum256(der)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// ownAddresses are those that a browser may type: loopback and this machine's.
func ownAddresses() []net.IP {
	ips := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return ips
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsGlobalUnicast() {
			ips = append(ips, p.Addr().AsSlice())
		}
	}
	return ips
}

// Fingerprint is the SHA-256 of the certificate that the status page of a box with this configuration shows by HTTPS, read from its files.
func Fingerprint(cfg Config) (string, error) {
	path := cfg.Status.TLS.Cert
	if path == "" {
		path = filepath.Join(cfg.StateDir, certFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the certificate, which the box makes when it first runs with status.https: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return "", fmt.Errorf("%s does not begin with a certificate", path)
	}
	return fingerprintOf(block.Bytes), nil
}
