package agent

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"scanside/selfsigned"
)

const (
	certFile  = "certificate.pem"        // in the state folder, certificate and key in one file, so that they cannot part
	certLife  = 2 * 365 * 24 * time.Hour // phones refuse longer ones of their users' own making (825 days)
	certRenew = 30 * 24 * time.Hour      // before its end a new one is made
	certLook  = time.Minute              // between two looks at a certificate of the site's own, which something else renews
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
		c.told(selfsigned.Fingerprint(is.Certificate[0]), is.Leaf, c.unkept)
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
	text, err := selfsigned.Make("scanside box", c.cfg.Names, nil, now, certLife)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the box's own certificate: %w", err)
	}
	if c.store.dir != "" {
		c.unkept = c.store.write(certFile, string(text)) // 0600; on a full disk the page is needed all the same
	}
	return tls.X509KeyPair(text, text)
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
	return selfsigned.Fingerprint(block.Bytes), nil
}
