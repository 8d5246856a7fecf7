package examination

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"scanside/diagnosis"
	"scanside/link"
)

// pageLimit bounds what is read of any answer.
const pageLimit = 16 << 10

// askWeb asks the far end over HTTPS; if that fails, it looks for a portal over plain HTTP.
func (e *examination) askWeb(ctx context.Context, far *url.URL) {
	addresses := e.addresses()
	if len(addresses) == 0 && !e.proxy && e.found.Layers[diagnosis.Names].Result == diagnosis.Failed {
		e.unseen(diagnosis.Web, "the far end's address is not known")
		return
	}
	a := e.ask(ctx, far, addresses)
	defer a.close()
	a.shown(e.found)
	if a.trusted() {
		e.trusted(ctx, a)
		return
	}
	kind, note := a.fault()
	if far.Scheme == "https" && !e.proxy {
		if k, n := e.plainly(ctx, far, addresses, kind); k != diagnosis.Unspecified {
			kind, note = k, n
		}
	}
	e.failed(diagnosis.Web, kind, note)
	if kind == diagnosis.NotYetValid || kind == diagnosis.Expired {
		// A stranger's word about the time counts only where it explains the certificate, or agrees with us.
		if at, ok := a.date(); ok && (a.trust.at(a.trust.shown, at) == nil || at.Sub(a.when).Abs() < diagnosis.ClockLimit) {
			e.found.Skew, e.found.SkewKnown = at.Sub(a.when), true
		}
	}
}

// addresses are the far end's: what the name servers say now, then what was known.
func (e *examination) addresses() []netip.Addr {
	all := slices.Clone(e.found.Addresses)
	for _, ip := range e.cfg.Addresses {
		if !slices.Contains(all, ip) {
			all = append(all, ip)
		}
	}
	return all[:min(len(all), mostTried)]
}

// trusted judges the answer of a far end that is the one we trust.
func (e *examination) trusted(ctx context.Context, a *answer) {
	if at, ok := a.date(); ok {
		e.found.Skew, e.found.SkewKnown = at.Sub(a.when), true
	}
	switch {
	case a.status == http.StatusProxyAuthRequired:
		e.failed(diagnosis.Web, diagnosis.AsksProxy, a.said())
	case a.status >= 500:
		e.failed(diagnosis.Web, diagnosis.Trouble, a.said())
	case a.isOurs() && e.cfg.Token != "" && e.cfg.Site != "":
		e.askSite(ctx, a)
	default:
		e.ok(diagnosis.Web, a.said())
	}
}

// askSite asks a far end of our make whether it knows this site and its token.
func (e *examination) askSite(ctx context.Context, a *answer) {
	ctx, cancel := context.WithTimeout(ctx, siteTime)
	defer cancel()
	where := strings.TrimRight(e.cfg.URL, "/") + "/api/v1/sites/" + url.PathEscape(e.cfg.Site) + "/presence"
	a.trust.strict.Store(true)
	status := 0
	if req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil); err == nil {
		req.Header.Set("Authorization", "Bearer "+e.cfg.Token)
		if resp, err := a.client.Do(req); err == nil {
			status = resp.StatusCode
			_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, pageLimit))
			resp.Body.Close()
		}
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		e.failed(diagnosis.Web, diagnosis.Denied, fmt.Sprintf("it answered %d", status))
	case http.StatusNotFound:
		e.failed(diagnosis.Web, diagnosis.NoSuchSite, fmt.Sprintf("it answered %d", status))
	default:
		e.ok(diagnosis.Web, a.said()) // it answered a moment ago; what it says of the site is the dial's to tell
	}
}

// plainly looks at what answers plain HTTP in the far end's place. Only what a far end's own server would not say counts:
// that a portal wants something, or a passing redirect to another host (a site's own redirects are permanent).
func (e *examination) plainly(ctx context.Context, far *url.URL, addresses []netip.Addr, tried diagnosis.Kind) (diagnosis.Kind, string) {
	ctx, cancel := context.WithTimeout(ctx, plainTime)
	defer cancel()
	a := e.ask(ctx, &url.URL{Scheme: "http", Host: hostOnly(far)}, addresses)
	defer a.close()
	kind, note := a.portal()
	if kind == diagnosis.SignIn && a.status == http.StatusOK && tried != diagnosis.Stranger && tried != diagnosis.NotTLS {
		return diagnosis.Unspecified, "" // a page beside a far end that is down is nobody's portal
	}
	return kind, note
}

func hostOnly(u *url.URL) string {
	if strings.Contains(u.Hostname(), ":") {
		return "[" + u.Hostname() + "]"
	}
	return u.Hostname()
}

// answer is what came back of one question.
type answer struct {
	client   *http.Client
	trust    *trust // of the certificate
	secure   bool
	err      error
	status   int
	location string
	kind     string // media type
	body     []byte
	dated    string
	when     time.Time // by our clock, half way between question and answer
	host     string
}

// ask sends GET /healthz to the first of addresses that takes the connection, or to the name itself when none is known.
func (e *examination) ask(ctx context.Context, base *url.URL, addresses []netip.Addr) *answer {
	ctx, cancel := context.WithTimeout(ctx, webTime)
	defer cancel()
	a := &answer{trust: newTrust(e.cfg.TLS, base.Hostname()), secure: base.Scheme == "https", host: base.Hostname()}
	t := &http.Transport{TLSClientConfig: a.trust.config(), MaxIdleConnsPerHost: 1, IdleConnTimeout: webTime, MaxResponseHeaderBytes: pageLimit}
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return e.dial(ctx, network, addr, addresses)
	}
	a.client = &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	where := *base
	where.Path = strings.TrimRight(base.Path, "/") + "/healthz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil)
	if err != nil {
		a.err = err
		return a
	}
	begun := time.Now()
	resp, err := a.client.Do(req)
	if err != nil {
		a.err = err
		return a
	}
	defer resp.Body.Close()
	a.when = begun.Add(time.Since(begun) / 2)
	a.status, a.location, a.dated = resp.StatusCode, resp.Header.Get("Location"), resp.Header.Get("Date")
	a.kind, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	a.body, _ = io.ReadAll(io.LimitReader(resp.Body, pageLimit)) // what came is looked at
	return a
}

func (a *answer) close() { a.client.CloseIdleConnections() }

// dial tries the addresses in turn, each with its share of the time.
func (e *examination) dial(ctx context.Context, network, addr string, addresses []netip.Addr) (net.Conn, error) {
	if len(addresses) == 0 || e.proxy { // a proxy looks the name up itself
		return e.cfg.Net.DialContext(ctx, network, addr)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	for i, ip := range addresses {
		share, cancel := ctx, context.CancelFunc(func() {})
		if until, ok := ctx.Deadline(); ok && i < len(addresses)-1 {
			share, cancel = context.WithTimeout(ctx, time.Until(until)/2)
		}
		var c net.Conn
		c, failed := e.cfg.Net.DialContext(share, network, net.JoinHostPort(ip.String(), port))
		cancel()
		if failed == nil {
			return c, nil
		}
		// A refusal tells more than silence, and a missing way less than either.
		if err == nil || connection(failed) == diagnosis.Refused {
			err = failed
		}
	}
	return nil, err
}

// trusted reports an answer from the far end we trust, whatever it says; without TLS, one that is nobody's page.
func (a *answer) trusted() bool {
	if a.err != nil {
		return false
	}
	if a.secure {
		return a.trust.err == nil
	}
	kind, _ := a.portal()
	return kind == diagnosis.Unspecified
}

// isOurs reports a far end of our make, by what its health page says.
func (a *answer) isOurs() bool {
	var word struct {
		Status string `json:"status"`
	}
	return a.status == http.StatusOK && json.Unmarshal(a.body, &word) == nil && word.Status == "ok"
}

func (a *answer) date() (time.Time, bool) {
	at, err := http.ParseTime(a.dated)
	return at, err == nil && !a.when.IsZero()
}

func (a *answer) said() string {
	if a.isOurs() {
		return "it answers, and is well"
	}
	return fmt.Sprintf("it answered %d", a.status)
}

// portal reads an answer that may be somebody else's.
func (a *answer) portal() (diagnosis.Kind, string) {
	to, _ := url.Parse(a.location)
	elsewhere := to != nil && to.Host != "" && !strings.EqualFold(to.Hostname(), a.host)
	passing := a.status == http.StatusFound || a.status == http.StatusSeeOther || a.status == http.StatusTemporaryRedirect
	switch {
	case a.err != nil:
		return diagnosis.Unspecified, ""
	case a.status == http.StatusProxyAuthRequired:
		return diagnosis.AsksProxy, "it answered 407"
	case a.status == http.StatusNetworkAuthenticationRequired:
		return diagnosis.SignIn, "it answered 511"
	case passing && elsewhere:
		return diagnosis.Redirected, "it sends us to " + to.Host
	case a.status == http.StatusOK && a.kind == "text/html":
		return diagnosis.SignIn, "a page in place of the far end"
	}
	return diagnosis.Unspecified, ""
}

// fault says why an answer is not the far end's, or why there is none.
func (a *answer) fault() (diagnosis.Kind, string) {
	if kind, note := a.portal(); kind != diagnosis.Unspecified && !(a.secure && kind == diagnosis.SignIn && a.status == http.StatusOK) {
		return kind, note
	}
	var record tls.RecordHeaderError
	var proxy *link.ProxyError
	var alert tls.AlertError
	switch {
	case a.err == nil:
		return a.trust.fault()
	case errors.As(a.err, &proxy) && proxy.Status >= 500:
		return diagnosis.Unreachable, proxy.Error()
	case errors.As(a.err, &proxy):
		return diagnosis.ProxyFails, proxy.Error()
	case errors.As(a.err, &record):
		return diagnosis.NotTLS, "what answers does not speak TLS"
	case errors.As(a.err, &alert):
		return diagnosis.CutOff, alert.Error()
	case strings.Contains(a.err.Error(), "server gave HTTP response to HTTPS client"):
		return diagnosis.NotTLS, "plain HTTP answers"
	}
	kind := connection(a.err)
	return kind, map[diagnosis.Kind]string{
		diagnosis.Refused: "it refuses the connection", diagnosis.Unreachable: "there is no way to it", diagnosis.CutOff: "the connection is cut off",
		diagnosis.Silent: "no answer",
	}[kind]
}

// connection tells how a connection failed.
func connection(err error) diagnosis.Kind {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return diagnosis.Refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return diagnosis.Unreachable
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE):
		return diagnosis.CutOff
	}
	return diagnosis.Silent
}
