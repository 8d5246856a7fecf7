package examination

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"scanside/diagnosis"
	"scanside/link"
)

// root is asked for where the far end has no name: any answer shows that name servers are reached.
const root = "."

// askNames asks each of the uplink's name servers for the far end's address, side by side. One that knows it is enough.
func (e *examination) askNames(ctx context.Context) {
	if ip, err := netip.ParseAddr(e.host); err == nil && ip.IsLoopback() {
		e.unseen(diagnosis.Names, "the far end is on this machine")
		return
	}
	servers := link.Nameservers(e.cfg.Net)
	if len(servers) == 0 {
		if e.found.IsInterface {
			if _, err := netip.ParseAddr(e.host); err != nil {
				e.failed(diagnosis.Names, diagnosis.NoServer, "no name server is configured")
			}
		}
		return
	}
	servers = servers[:min(len(servers), mostNames)]
	var list []string
	for _, s := range servers {
		list = append(list, s.Addr().String())
	}
	e.found.Layers[diagnosis.Names].Subject = strings.Join(list, ", ")
	ctx, cancel := context.WithTimeout(ctx, namesTime)
	defer cancel()
	words := make([]word, len(servers))
	var done sync.WaitGroup
	for i, s := range servers {
		done.Go(func() { words[i] = e.askServer(ctx, s) })
	}
	done.Wait()
	e.weigh(servers, words)
}

// word is a name server's.
type word struct {
	ips  []netip.Addr
	kind diagnosis.Kind // Unspecified: it knows the name
	note string
}

// weigh makes one finding of all servers' words.
func (e *examination) weigh(servers []netip.AddrPort, words []word) {
	// The most telling word counts: one that knows, then one that answers at all.
	rank := []diagnosis.Kind{diagnosis.Unspecified, diagnosis.NoSuchName, diagnosis.Trouble, diagnosis.Refused, diagnosis.Unreachable, diagnosis.Silent}
	best := words[0]
	for i, w := range words {
		answered := w.kind == diagnosis.Unspecified || w.kind == diagnosis.NoSuchName || w.kind == diagnosis.Trouble || w.kind == diagnosis.Refused
		if answered && !e.isNear(servers[i].Addr()) {
			e.found.Beyond = true
		}
		if slices.Index(rank, w.kind) < slices.Index(rank, best.kind) {
			best = w
		}
		for _, ip := range w.ips {
			if !slices.Contains(e.found.Addresses, ip) {
				e.found.Addresses = append(e.found.Addresses, ip)
			}
		}
	}
	if best.kind == diagnosis.Unspecified {
		e.ok(diagnosis.Names, best.note)
		return
	}
	e.failed(diagnosis.Names, best.kind, best.note)
}

func (e *examination) askServer(ctx context.Context, server netip.AddrPort) word {
	r := net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return e.direct.DialContext(ctx, network, server.String())
	}}
	if _, err := netip.ParseAddr(e.host); err == nil {
		if _, err := r.LookupNS(ctx, root); err != nil {
			return said(err)
		}
		return word{note: "name servers answer"}
	}
	name := e.host
	if strings.Contains(name, ".") {
		name = strings.TrimSuffix(name, ".") + "." // as it stands, without the machine's search list
	}
	ips, err := r.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return said(err)
	}
	for i := range ips {
		ips[i] = ips[i].Unmap()
	}
	return word{ips: ips, note: e.host + " is " + ips[0].String()}
}

// said reads the resolver's error.
func said(err error) word {
	var dns *net.DNSError
	switch kind := connection(err); {
	case kind == diagnosis.Refused:
		return word{kind: kind, note: "the name server's port is closed"}
	case kind == diagnosis.Unreachable:
		return word{kind: kind, note: "the way to the name servers ends before them"}
	case errors.As(err, &dns) && dns.IsNotFound:
		return word{kind: diagnosis.NoSuchName, note: "no such name"}
	case errors.As(err, &dns) && !dns.IsTimeout && strings.Contains(dns.Err, "misbehaving"):
		return word{kind: diagnosis.Trouble, note: "it answers with an error"}
	}
	return word{kind: diagnosis.Silent, note: "no answer"}
}
