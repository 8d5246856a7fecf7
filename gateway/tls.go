package gateway

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"scanside/selfsigned"
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
		return cert, selfsigned.Fingerprint(cert.Certificate[0]), false, nil
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
	return cert, selfsigned.Fingerprint(cert.Certificate[0]), true, nil
}

func (c *Config) makeCertificate(path string, now time.Time) ([]byte, error) {
	var public []net.IP
	for _, a := range c.PublicAddresses {
		if ip := net.ParseIP(a); ip != nil {
			public = append(public, ip)
		}
	}
	text, err := selfsigned.Make("scanside gateway", c.Hosts, public, now, ownCertLife)
	if err != nil {
		return nil, err
	}
	return text, replaceFile(path, text)
}
