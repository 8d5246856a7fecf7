package agent

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// errPin is in the chain of every refusal of a certificate that is not the pinned one.
var errPin = errors.New("the far end's certificate is not the pinned one")

// parseFingerprint reads what `openssl x509 -fingerprint -sha256` or the gateway prints: 64 hex digits, colons, spaces and a
// leading "sha256:" allowed.
func parseFingerprint(s string) ([sha256.Size]byte, error) {
	var sum [sha256.Size]byte
	clean := strings.ToLower(strings.TrimSpace(s))
	for _, prefix := range []string{"sha256:", "sha256/", "sha256 fingerprint="} {
		clean = strings.TrimPrefix(clean, prefix)
	}
	clean = strings.NewReplacer(":", "", " ", "").Replace(clean)
	raw, err := hex.DecodeString(clean)
	if err != nil || len(raw) != len(sum) {
		return sum, errors.New("is not a SHA-256 fingerprint; copy the 64 hex digits that the gateway prints at its start")
	}
	copy(sum[:], raw)
	return sum, nil
}

// farEndTLS is how the far end is known to be the right one.
func farEndTLS(f FarEnd) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	switch {
	case f.TLS.Fingerprint != "":
		pin, err := parseFingerprint(f.TLS.Fingerprint)
		if err != nil {
			return nil, fmt.Errorf("tls.fingerprint of %s: %w", f.URL, err)
		}
		// The pin replaces chain and name: a box that ships with the gateway's fingerprint needs no authority.
		cfg.InsecureSkipVerify = true
		cfg.VerifyConnection = func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 {
				return errPin
			}
			got := sha256.Sum256(s.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare(got[:], pin[:]) != 1 {
				return fmt.Errorf("%w: it shows sha256:%x", errPin, got)
			}
			return nil
		}
	case f.TLS.CAFile != "":
		pool, err := authorities(f.TLS.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.ca_file of %s: %w", f.URL, err)
		}
		cfg.RootCAs = pool
	}
	return cfg, nil
}
