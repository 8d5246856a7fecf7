package examination

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"scanside/diagnosis"
	"scanside/link"
)

// Bounds of an examination. Each is several round trips of a slow cellular uplink (1 s), and all together less than a
// technician waits for.
const (
	routerTime = 3500 * time.Millisecond // ARP gives up after three tries a second apart (arp(7))
	namesTime  = 1500 * time.Millisecond // a server
	webTime    = 4 * time.Second         // TCP, TLS and the answer
	plainTime  = 2 * time.Second
	siteTime   = 2 * time.Second
	udpTime    = 2 * time.Second
	mostNames  = 3 // servers that are asked
	mostTried  = 3 // addresses of the far end, and of its media port
)

// Config says what to examine. Net and URL must be set.
type Config struct {
	Uplink    string
	Interface string // of this machine; "": the uplink is emulated or bound to an address, and what is below dns is not seen
	Net       link.Net
	URL       string      // the far end
	TLS       *tls.Config // as link gets it; nil: the system's authorities
	Site      string
	Token     string           // sent to a far end that is trusted only; "": never
	Addresses []netip.Addr     // of the far end, known from before or from another uplink
	Ports     []netip.AddrPort // the far end's media over UDP; none: they are not known yet
}

// Found is what an examination brought.
type Found struct {
	diagnosis.Findings
	Addresses []netip.Addr // of the far end, as this uplink's name servers say

	Certificate *x509.Certificate // that whoever answered showed; nil: none
	Untrusted   string            // why the link would not take it; "": it would
}

// examination is one that is under way. Each layer is written by one goroutine.
type examination struct {
	cfg    Config
	direct link.Net // without the uplink's proxy
	proxy  bool     // there is one
	found  *Found
	at     time.Time
	host   string
	router netip.Addr     // invalid: none is known
	near   []netip.Prefix // the uplink's own network
}

// Examine looks at every layer. It returns within 10 s, earlier when ctx ends: what was not seen by then is unknown.
func Examine(ctx context.Context, cfg Config) (Found, error) {
	far, err := url.Parse(cfg.URL)
	if err != nil || far.Host == "" || cfg.Net == nil {
		return Found{}, fmt.Errorf("examine uplink %s: the far end %q is not an address", cfg.Uplink, cfg.URL)
	}
	e := &examination{cfg: cfg, found: &Found{}, at: time.Now(), host: far.Hostname()}
	e.direct, e.proxy = link.Direct(cfg.Net)
	e.found.Uplink = cfg.Uplink
	e.found.Layers[diagnosis.Names].Subject = e.host
	e.found.Layers[diagnosis.Web].Subject = far.Host
	if ip, err := netip.ParseAddr(e.host); err == nil {
		e.cfg.Addresses = []netip.Addr{ip.Unmap()}
	}
	if !e.local() {
		return *e.found, nil
	}
	var done sync.WaitGroup
	done.Go(func() { e.askRouter(ctx) })
	if len(e.cfg.Ports) > 0 { // else guessPort asks
		done.Go(func() { e.askPorts(ctx, e.cfg.Ports) })
	}
	done.Go(func() {
		e.askNames(ctx)
		e.askWeb(ctx, far)
		e.guessPort(ctx, far)
	})
	done.Wait()
	e.agree()
	if ctx.Err() != nil {
		// What was cut short looks like silence.
		for l := range e.found.Layers {
			if f := &e.found.Layers[l]; f.Kind == diagnosis.Silent {
				*f = diagnosis.Finding{At: e.at, Subject: f.Subject}
			}
		}
	}
	return *e.found, nil
}

func (e *examination) ok(l diagnosis.Layer, note string) { e.set(l, diagnosis.OK, 0, note) }

func (e *examination) failed(l diagnosis.Layer, k diagnosis.Kind, note string) {
	e.set(l, diagnosis.Failed, k, note)
}

// unseen says why a layer was not looked at, or cannot be judged.
func (e *examination) unseen(l diagnosis.Layer, note string) { e.set(l, diagnosis.Untested, 0, note) }

func (e *examination) set(l diagnosis.Layer, r diagnosis.Result, k diagnosis.Kind, note string) {
	f := &e.found.Layers[l]
	f.Result, f.Kind, f.Note, f.At = r, k, clip(note), e.at
}

// agree takes back what another layer explains: a far end given by its address, or reached by a proxy, needs no name servers.
func (e *examination) agree() {
	names, web := &e.found.Layers[diagnosis.Names], e.found.Layers[diagnosis.Web]
	if names.Result != diagnosis.Failed || web.Result != diagnosis.OK {
		return
	}
	if _, err := netip.ParseAddr(e.host); err == nil {
		e.unseen(diagnosis.Names, "none answers; none is needed, for the far end is given by its address")
	} else if e.proxy {
		e.unseen(diagnosis.Names, "none answers; none is needed, for the proxy looks names up itself")
	}
}

// clip keeps what others sent short, on one line and printable.
func clip(s string) string {
	const most = 120
	out := make([]rune, 0, most)
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			r = ' '
		}
		if len(out) == most {
			return string(append(out[:most-1], '…'))
		}
		out = append(out, r)
	}
	return string(out)
}
