package examination

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"scanside/diagnosis"
)

// trust takes any certificate, so that whoever answers can be looked at, and remembers whether it is one the link would take.
type trust struct {
	link  *tls.Config // what the link goes by
	host  string
	shown []*x509.Certificate
	err   error // why the link would not take it; nil: it would

	strict atomic.Bool // from now on nothing else is taken: a secret is about to be sent
}

func newTrust(link *tls.Config, host string) *trust {
	if link == nil {
		link = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &trust{link: link, host: host}
}

func (t *trust) config() *tls.Config {
	c := t.link.Clone()
	c.ServerName = t.host
	c.ClientSessionCache = nil // a resumed session shows no certificate
	c.InsecureSkipVerify = true
	c.VerifyConnection = func(s tls.ConnectionState) error {
		err := t.check(s)
		if t.strict.Load() {
			return err
		}
		t.shown, t.err = s.PeerCertificates, err
		return nil
	}
	return c
}

func (t *trust) check(s tls.ConnectionState) error {
	if err := t.at(s.PeerCertificates, time.Time{}); err != nil || t.link.VerifyConnection == nil {
		return err
	}
	return t.link.VerifyConnection(s)
}

// at checks name and chain as of a moment; zero: now. A pin replaces both.
func (t *trust) at(shown []*x509.Certificate, moment time.Time) error {
	if t.link.InsecureSkipVerify {
		return nil
	}
	if len(shown) == 0 {
		return errors.New("no certificate was shown")
	}
	o := x509.VerifyOptions{Roots: t.link.RootCAs, DNSName: t.host, CurrentTime: moment, Intermediates: x509.NewCertPool()}
	for _, c := range shown[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := shown[0].Verify(o)
	return err
}

// fault says why the link would not take the certificate.
func (t *trust) fault() (diagnosis.Kind, string) {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case errors.As(t.err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		return diagnosis.NotYetValid, "valid from " + day(invalid.Cert.NotBefore)
	case errors.As(t.err, &invalid) && invalid.Reason == x509.Expired:
		return diagnosis.Expired, "valid until " + day(invalid.Cert.NotAfter)
	case errors.As(t.err, &name) && len(t.shown) > 0:
		return diagnosis.Stranger, "it is another's: " + t.subject()
	}
	return diagnosis.Stranger, t.subject()
}

// shown keeps the certificate for whoever wants to know when it ends.
func (a *answer) shown(f *Found) {
	if len(a.trust.shown) == 0 {
		return
	}
	f.Certificate, f.Untrusted = a.trust.shown[0], ""
	if a.trust.err != nil {
		_, f.Untrusted = a.trust.fault()
	}
}

func (t *trust) subject() string {
	if len(t.shown) == 0 {
		return ""
	}
	c := t.shown[0]
	subject := c.Subject.CommonName
	if subject == "" && len(c.DNSNames) > 0 {
		subject = c.DNSNames[0]
	}
	return fmt.Sprintf("for %q by %q", subject, c.Issuer.CommonName)
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
