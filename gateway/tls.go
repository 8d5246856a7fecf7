package gateway

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
	"strings"
	"time"
)

const (
	ownCert = "certificate.pem" // in the state folder, certificate and key in one file, so that they cannot part
	// ownCertLife is long because boxes are given the fingerprint by hand; a certificate from an authority is the way to
	// shorter ones.
	ownCertLife = 10 * 365 * 24 * time.Hour
)

// certificate loads or makes what the HTTPS port shows. fingerprint is what a box is given to know this gateway by.
func (c *Config) certificate(now time.Time) (cert tls.Certificate, fingerprint string, own bool, err error) {
	if c.TLS.Cert != "" {
		cert, err = tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key)
		if err != nil {
			return cert, "", false, fmt.Errorf("load tls.cert and tls.key: %w", err)
		}
		return cert, fingerprintOf(cert), false, nil
	}
	path := filepath.Join(c.StateDir, ownCert)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = c.makeCertificate(path, now)
	}
	if err != nil {
		return cert, "", true, fmt.Errorf("own certificate: %w", err)
	}
	cert, err = tls.X509KeyPair(text, text)
	if err != nil {
		return cert, "", true, fmt.Errorf("own certificate %s: %w; remove the file to have a new one made (boxes must then learn its fingerprint)", path, err)
	}
	return cert, fingerprintOf(cert), true, nil
}

// fingerprintOf is what `openssl x509 -fingerprint -sha256` prints.
func fingerprintOf(cert tls.Certificate) string {
	sum := sha256.Sum256(cert.Certificate[0])
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

func (c *Config) makeCertificate(path string, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "scanside gateway"},
		NotBefore:    now.Add(-time.Hour), // boxes whose clock is a little behind
		NotAfter:     now.Add(ownCertLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     append([]string{"localhost"}, c.Hosts...),
		IPAddresses:  c.ownAddresses(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	return text, replaceFile(path, text)
}

// ownAddresses are the addresses a browser may type: loopback, this machine's, and the public ones.
func (c *Config) ownAddresses() []net.IP {
	ips := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	for _, a := range c.PublicAddresses {
		if ip := net.ParseIP(a); ip != nil {
			ips = append(ips, ip)
		}
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return ips
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && p.Addr().IsGlobalUnicast() {
			ips = append(ips, p.Addr().AsSlice())
		}
	}
	return ips
}
