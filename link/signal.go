package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	typeSDP     = "application/sdp"
	typeSDPFrag = "application/trickle-ice-sdpfrag"

	postTimeout   = 10 * time.Second        // a far end that never answers
	undoTimeout   = 1 * time.Second         // for a POST that was given up, to learn what it made
	deleteTimeout = 2 * time.Second         // RFC 9725 wants a DELETE; a dead uplink must not hold a box up longer
	askTimeout    = 1500 * time.Millisecond // for "do you still know this session?"
	idleTimeout   = 5 * time.Second         // of a kept connection; NATs and carriers drop idle ones silently
	maxRedirects  = 5
)

// signaller is the client's HTTP half of WHIP and WHEP over one uplink.
type signaller struct {
	client *http.Client
	dials  *dials
	token  string
	hosts  []string // may see the token over https
	clear  []string // may see it over http too: their configured URL is http (the demo on one machine)
	log    *slog.Logger
}

func newSignaller(cfg *Config, log *slog.Logger) *signaller {
	dials := newDials(cfg.Net)
	transport := &http.Transport{
		DialContext:           dials.dial,
		TLSClientConfig:       cfg.TLS,
		TLSHandshakeTimeout:   postTimeout,
		ResponseHeaderTimeout: postTimeout,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConnsPerHost:   4,
	}
	// HTTP/1.1 only: a stalled HTTP/2 connection would hold every request of the session up with it.
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	s := &signaller{
		dials:  dials,
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		token:  bearer(cfg.Token),
		hosts:  slices.Clone(cfg.TokenHosts),
		log:    log,
	}
	for _, raw := range []string{cfg.WHIP, cfg.WHEP} {
		if u, err := url.Parse(raw); err == nil && u.Host != "" {
			s.hosts = append(s.hosts, u.Host)
			if u.Scheme == "http" {
				s.clear = append(s.clear, u.Host)
			}
		}
	}
	return s
}

// close ends every connection. Requests that still run fail.
func (s *signaller) close() {
	s.client.CloseIdleConnections()
	s.dials.close()
}

// bearer takes off a prefix that people paste along.
func bearer(token string) string {
	token = strings.TrimSpace(token)
	if len(token) > 7 && strings.EqualFold(token[:7], "bearer ") {
		token = strings.TrimSpace(token[7:])
	}
	return token
}

// mayTell reports whether the token may go to u: only to the configured hosts, and never in clear where it was not before.
func (s *signaller) mayTell(u *url.URL) bool {
	hosts := s.hosts
	if u.Scheme != "https" {
		hosts = s.clear
	}
	for _, h := range hosts {
		if strings.EqualFold(h, u.Host) || (!strings.Contains(h, ":") && strings.EqualFold(h, u.Hostname())) {
			return true
		}
	}
	return false
}

// call is one request of the session's. What is empty is not sent.
type call struct{ method, address, contentType, match, body string }

// do sends a request, following 307 and 308 (RFC 9725 4.5; 301 and 302 would make a GET of a POST and are refused).
// The token goes to allowed hosts alone. It returns the response with its body read, and the URL that answered.
func (s *signaller) do(ctx context.Context, r call) (*http.Response, []byte, *url.URL, error) {
	at, err := url.Parse(r.address)
	if err != nil {
		return nil, nil, nil, err
	}
	for range maxRedirects + 1 {
		req, err := http.NewRequestWithContext(ctx, r.method, at.String(), strings.NewReader(r.body))
		if err != nil {
			return nil, nil, nil, err
		}
		req.Header.Set("User-Agent", "scanside")
		if r.contentType != "" {
			req.Header.Set("Content-Type", r.contentType)
		}
		if r.match != "" {
			req.Header.Set("If-Match", r.match)
		}
		if s.token != "" && s.mayTell(at) {
			req.Header.Set("Authorization", "Bearer "+s.token)
		}
		resp, err := s.client.Do(req)
		if err != nil {
			return nil, nil, nil, plainURLError(err)
		}
		answer, err := io.ReadAll(io.LimitReader(resp.Body, maxSDP+1))
		_ = resp.Body.Close()
		if err != nil {
			return nil, nil, nil, fmt.Errorf("read the answer: %w", err)
		}
		if len(answer) > maxSDP {
			return nil, nil, nil, fmt.Errorf("the answer is longer than %d bytes", maxSDP)
		}
		if resp.StatusCode != http.StatusTemporaryRedirect && resp.StatusCode != http.StatusPermanentRedirect {
			return resp, answer, at, nil
		}
		next, err := at.Parse(resp.Header.Get("Location"))
		if err != nil || resp.Header.Get("Location") == "" {
			return nil, nil, nil, fmt.Errorf("redirected without a usable Location")
		}
		if at.Scheme == "https" && next.Scheme != "https" {
			return nil, nil, nil, fmt.Errorf("redirected from https to %s://%s; that would send the picture's keys in clear", next.Scheme, next.Host)
		}
		at = next
	}
	return nil, nil, nil, fmt.Errorf("redirected more than %d times", maxRedirects)
}

// plainURLError drops the URL that net/http puts into its errors: it may hold a stream key, and the caller names the far end.
func plainURLError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the far end hung up before it answered: %w", err)
	}
	return err
}

// created is what a POST made.
type created struct {
	resource string // session URL, absolute
	etag     string // of the ICE session, as sent; "": the far end takes no PATCH
	answer   string
	relays   []Relay // that the far end named
}

// post sends an offer. When ctx ends while the far end is still thinking, it waits a moment for what was made, in order to
// unmake it.
func (s *signaller) post(ctx context.Context, doing, endpoint, offer string) (*created, error) {
	ctx, stop := context.WithTimeoutCause(ctx, postTimeout, fmt.Errorf("no answer within %v", postTimeout))
	defer stop()
	reqCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	type result struct {
		made *created
		err  error
	}
	answered := make(chan result, 1)
	go func() {
		made, err := s.postOnce(reqCtx, doing, endpoint, offer)
		answered <- result{made, err}
	}()
	select {
	case r := <-answered:
		return r.made, r.err
	case <-ctx.Done():
	}
	undo := time.AfterFunc(undoTimeout, cancel)
	defer undo.Stop()
	if r := <-answered; r.made != nil {
		deleteCtx, done := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
		defer done()
		_ = s.delete(deleteCtx, r.made.resource)
	}
	return nil, fmt.Errorf("%s: %w", doing, context.Cause(ctx))
}

func (s *signaller) postOnce(ctx context.Context, doing, endpoint, offer string) (*created, error) {
	resp, body, at, err := s.do(ctx, call{method: http.MethodPost, address: endpoint, contentType: typeSDP, body: offer})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if c := counterOffered(resp, body, at); c != nil {
		return nil, c
	}
	if resp.StatusCode/100 != 2 {
		return nil, readProblem(doing, resp, body, time.Now())
	}
	location := resp.Header.Get("Location")
	resource, err := at.Parse(location)
	if err != nil || location == "" || (resource.Scheme != "https" && resource.Scheme != "http") {
		return nil, fmt.Errorf("%s: the far end answered %d without a usable Location, so the session could not be ended; is this a WHIP or WHEP URL?", doing, resp.StatusCode)
	}
	if at.Scheme == "https" && resource.Scheme != "https" {
		return nil, fmt.Errorf("%s: the far end is asked over https and answered %d with an http:// Location, which would send the token in clear; it should send a relative Location or an https:// one (behind a TLS proxy: tell the server its public URL)", doing, resp.StatusCode)
	}
	made := &created{resource: resource.String(), etag: resp.Header.Get("ETag"), answer: string(body), relays: named(iceServers(resp.Header.Values("Link")))}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != typeSDP {
		_ = s.delete(ctx, made.resource)
		return nil, fmt.Errorf("%s: the far end answered with %q instead of %s", doing, clip(kind), typeSDP)
	}
	return made, nil
}

// delete ends a session. No If-Match (RFC 9725 4.3.1); gone already is as good.
func (s *signaller) delete(ctx context.Context, resource string) error {
	ctx, cancel := context.WithTimeout(ctx, deleteTimeout)
	defer cancel()
	resp, body, _, err := s.do(ctx, call{method: http.MethodDelete, address: resource})
	if err != nil {
		return fmt.Errorf("end a session at the far end: %w", err)
	}
	if resp.StatusCode/100 == 2 || resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone {
		return nil
	}
	return readProblem("end a session at the far end", resp, body, time.Now())
}

// word is what a far end says when asked about a session.
type word uint8

const (
	silent word = iota // nothing: it cannot be reached now
	there              // it can be reached and does not deny the session
	gone               // it does not know the session
)

// ask asks whether the far end still has a session. Only 404 and 410 deny it: a session URL answers GET with 405 (RFC 9725
// 4.2), and a server in trouble (5xx) says nothing about the session.
func (s *signaller) ask(ctx context.Context, resource string) word {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	resp, _, _, err := s.do(ctx, call{method: http.MethodGet, address: resource})
	switch {
	case err != nil || resp.StatusCode >= 500:
		return silent
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return gone
	}
	return there
}

// Undeleted is a session that Delete could not end.
type Undeleted struct {
	URL   string
	Final bool // trying again is in vain: the far end answered 4xx, and neither 401 (a token can be changed) nor 429
	Err   error
}

// Delete ends sessions that an earlier run left behind, over cfg's Net, and returns those that it could not end. It needs
// Net, Token, TLS, and the hosts of WHIP, WHEP and TokenHosts, which alone see the token. Gone already (404) is success.
// Bounded by ctx and 2 s, all in parallel.
func Delete(ctx context.Context, cfg Config, urls []string) []Undeleted {
	ended := func(string) error { return errors.New("delete sessions: no Net given") }
	if cfg.Net != nil {
		s := newSignaller(&cfg, orSilent(cfg.Log))
		defer s.close()
		ended = func(u string) error { return s.delete(ctx, u) }
	}
	tried := make(chan Undeleted, len(urls))
	for _, u := range urls {
		go func() { tried <- Undeleted{URL: u, Err: ended(u)} }()
	}
	var failed []Undeleted
	for range urls {
		one := <-tried
		if one.Err == nil {
			continue
		}
		var p *Problem
		if errors.As(one.Err, &p) {
			one.Final = p.Status/100 == 4 && p.Status != http.StatusUnauthorized && p.Status != http.StatusTooManyRequests
		}
		failed = append(failed, one)
	}
	return failed
}
