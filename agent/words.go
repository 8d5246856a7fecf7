package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"scanside/link"
)

// localFault is something wrong on this box that keeps an uplink from being dialled.
type localFault struct {
	what string
	err  error
}

func (f *localFault) Error() string { return f.what + ": " + f.err.Error() }
func (f *localFault) Unwrap() error { return f.err }

// errAbsent is in the chain of a dial's error when the uplink's interface does not exist.
var errAbsent = errors.New("the interface does not exist")

func asProblem(err error) (*link.Problem, bool) {
	var p *link.Problem
	ok := errors.As(err, &p)
	return p, ok
}

// needsSomebody reports whether dialling again will fail again until a person changes something.
func needsSomebody(err error) bool {
	if p, ok := asProblem(err); ok {
		return p.Permanent() || strings.HasSuffix(p.Type, ":old-run")
	}
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var local *localFault
	return errors.Is(err, errPin) || errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &local)
}

// taken reports whether the far end refused because another box, or a newer run of this one, serves the room there.
func taken(err error) bool {
	p, ok := asProblem(err)
	return ok && (strings.HasSuffix(p.Type, ":other-box") || strings.HasSuffix(p.Type, ":old-run"))
}

// dialWords says in a sentence why an uplink could not be dialled, and in another what to do.
func dialWords(err error, u Uplink) (text, hint string) {
	if p, ok := asProblem(err); ok {
		return problemWords(p)
	}
	var (
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		old     x509.CertificateInvalidError
		record  tls.RecordHeaderError
		local   *localFault
		proxy   *link.ProxyError
		noPath  *link.NoPathError
	)
	switch {
	case errors.As(err, &local):
		hint = "Correct far_end.token_file, or its owner and permissions."
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			hint = "The box's log has the details."
		}
		return "on this box, " + local.Error(), hint
	case errors.As(err, &proxy):
		return "the proxy " + proxy.Proxy + " " + proxy.Reason(), proxyHint(proxy)
	case errors.As(err, &noPath):
		text = "the far end answers, but no media gets through by UDP or TCP" + noPath.Relays
		if noPath.Relays == "" {
			return text, "The site's firewall must let UDP, or TCP, to the gateway's media port through; or name a relay or a proxy for this uplink."
		}
		return text, "The site's firewall must let one of these ways through; check the relay's address, user and credential."
	case errors.Is(err, errPin):
		return "the far end shows another certificate than the pinned one", "If the gateway's certificate was renewed, put its new fingerprint into far_end.tls.fingerprint. If not, somebody is in between."
	case errors.As(err, &unknown):
		return "the far end's certificate is signed by an authority that this box does not know", "Set far_end.tls.ca_file or far_end.tls.fingerprint."
	case errors.As(err, &name):
		return "the far end's certificate is for another name", "Correct far_end.url, or pin the certificate with far_end.tls.fingerprint."
	case errors.As(err, &old):
		return "the far end's certificate is not valid now", "Check this box's clock, then the gateway's certificate."
	case errors.As(err, &record):
		return "what answers at the far end's address does not speak TLS", "Check far_end.url: the port may be another server's, or a captive portal answers."
	case errors.Is(err, errAbsent), errors.Is(err, syscall.ENODEV):
		return fmt.Sprintf("the interface %s does not exist", u.Interface), "Plug the adapter or modem in, or correct the uplink's interface."
	case errors.As(err, &dns):
		return "the far end's name " + dns.Name + " cannot be looked up over this uplink", "Check that the uplink has internet access and a name server."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the far end's machine is there, but no gateway listens", "Check that the gateway runs, and the port in far_end.url."
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return "there is no way to the far end over this uplink", "Check that it has an address and a default route."
	case errors.Is(err, syscall.EHOSTUNREACH):
		return "the network says that the far end cannot be reached", "Check cable, modem and the far end's address."
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return "a firewall on this box does not let it out", "Check the box's own firewall rules."
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer from the far end within %d s", int(dialTimeout.Seconds())), "Check cable, modem and firewall; UDP to the gateway's media port must be let through."
	}
	return strings.TrimPrefix(plain(err), "dial uplink "+u.Name+": "), "The box's log has the details."
}

// proxyHint says what to do about a proxy that does not carry us.
func proxyHint(p *link.ProxyError) string {
	switch {
	case p.Status == 407:
		return "Correct the uplink's proxy.user, and the password in its password_file."
	case p.Status == 403:
		return "Ask whoever runs the proxy to allow CONNECT to " + p.To + "."
	case p.Status >= 500:
		return "Check far_end.url; the proxy looks the name up and dials by itself."
	}
	return "Check the uplink's proxy.url, and that the proxy runs."
}

func problemWords(p *link.Problem) (text, hint string) {
	switch kind := p.Type[strings.LastIndexByte(p.Type, ':')+1:]; {
	case kind == "other-box":
		return "another box is serving this site", "Stop the other box, or give this one a site of its own."
	case kind == "old-run":
		return "a newer run of this box has taken over", "Another scanside runs with the same state directory's identity; stop one."
	case kind == "unknown-site" || p.Status == 404:
		return "the far end does not know this site", "Check site and far_end.url; the gateway's configuration lists its sites."
	case (p.Status == 401 || p.Status == 403) && p.Type == "" && p.Detail != "":
		return fmt.Sprintf("the far end refuses (%d): %s", p.Status, strings.TrimRight(p.Detail, ".")),
			"Check the token, and that nobody else uses the endpoint: one that was left in use is free again when the server notices."
	case p.Status == 401 || p.Status == 403:
		return "the far end refuses this site's token", "Put the site's current token into far_end.token_file."
	case p.Status == 429:
		return "the far end asks us to come back later", "It does so by itself."
	case p.Status >= 500:
		return fmt.Sprintf("the far end is in trouble (it answered %d)", p.Status), "It is tried again by itself; look at the gateway."
	case p.Status == 0:
		return plain(p), "The box's log has the details."
	default:
		return fmt.Sprintf("the far end refused (%d): %s", p.Status, strings.TrimRight(p.Title, ".")), orElse(p.Detail, "Look at the gateway's log.")
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// plain shortens an error chain to its last, most telling part.
func plain(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "\n"); i >= 0 {
		text = text[:i]
	}
	if r := []rune(text); len(r) > 160 {
		text = "…" + string(r[len(r)-160:])
	}
	return text
}
