package agent

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"scanside/diagnosis"
	"scanside/examination"
	"scanside/failover"
	"scanside/link"
)

const (
	examineSoon    = 5 * time.Second  // between two examinations of an uplink that does not work, doubling
	examineSeldom  = 60 * time.Second // at most; below diagnosis.Fresh with an examination's own time
	examineAtLeast = 2 * time.Second  // between two, however often somebody asks
)

// examiner looks for the fault of uplinks that do not work: at once, then less and less often, once more when they work
// again, and whenever a person asks. An uplink that is well is left alone.
type examiner struct {
	uplinks []*uplink
	post    func(event)
	known   *knownFars
	looks   []*look
}

// look is what the loop and the pages want of one uplink's examiner.
type look struct {
	now chan struct{} // capacity 1: examine at once

	mu    sync.Mutex
	state string // of an uplink that does not work; "": it works
}

func newExaminer(uplinks []*uplink, post func(event)) *examiner {
	x := &examiner{uplinks: uplinks, post: post, known: &knownFars{}}
	for _, u := range uplinks {
		u.known = x.known
		x.looks = append(x.looks, &look{now: make(chan struct{}, 1)})
	}
	return x
}

// ask has an uplink examined at once. Any goroutine may call it; asking twice is asking once.
func (x *examiner) ask(l failover.Link) {
	select {
	case x.looks[l].now <- struct{}{}:
	default:
	}
}

// need says how an uplink is: "" well, else anything that changes when another look is worth it. Only the loop calls it.
func (x *examiner) need(l failover.Link, state string, again bool) {
	k := x.looks[l]
	k.mu.Lock()
	changed := state != k.state
	k.state = state
	k.mu.Unlock()
	if changed && (state != "" || again) {
		x.ask(l)
	}
}

func (k *look) wanted() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// Run examines until ctx ends.
func (x *examiner) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for i := range x.uplinks {
		all.Go(func() { x.watch(ctx, failover.Link(i)) })
	}
	all.Wait()
	return nil
}

func (x *examiner) watch(ctx context.Context, l failover.Link) {
	k := x.looks[l]
	wait := link.Backoff{Min: examineSoon, Max: examineSeldom}
	for state := ""; ; {
		var again <-chan time.Time
		if now := k.wanted(); now != "" {
			if now != state {
				wait.Reset()
			}
			again = time.After(wait.Next(0))
			state = now
		}
		select {
		case <-ctx.Done():
			return
		case <-k.now:
		case <-again:
			if k.wanted() == "" {
				continue
			}
		}
		x.post(event{kind: examining, link: l})
		x.post(event{kind: examined, link: l, findings: x.examine(ctx, l)})
		if pause(ctx, examineAtLeast); ctx.Err() != nil {
			return
		}
	}
}

// examine looks at an uplink's way to the far end where the room is.
func (x *examiner) examine(ctx context.Context, l failover.Link) diagnosis.Findings {
	u := x.uplinks[l]
	far, _ := u.where()
	cfg, err := u.examination(far)
	if err != nil {
		return diagnosis.Findings{Uplink: u.cfg.Name}
	}
	host := ""
	if at, err := url.Parse(cfg.URL); err == nil {
		host = at.Hostname()
	}
	for _, other := range x.uplinks {
		if n, err := other.network(); err == nil {
			if ip, ok := link.Remembered(n, host); ok {
				x.known.looked(far, []netip.Addr{ip})
			}
		}
	}
	cfg.Addresses, cfg.Ports = x.known.of(far)
	found, err := examination.Examine(ctx, cfg)
	if err != nil {
		u.log.Warn("look for the fault", "link", u.cfg.Name, "err", err)
		return diagnosis.Findings{Uplink: u.cfg.Name}
	}
	x.known.looked(far, found.Addresses)
	if found.Certificate != nil {
		u.fars[far].shown.Store(&certificate{found.Certificate, found.Untrusted})
	}
	return found.Findings
}

// examination is what to examine this uplink by, but for what others know.
func (u *uplink) examination(far int) (examination.Config, error) {
	bound, err := u.network()
	if err != nil {
		return examination.Config{}, err
	}
	f := &u.fars[far]
	cfg := examination.Config{Uplink: u.cfg.Name, Net: bound, URL: f.base(), TLS: f.trust}
	if at, err := url.Parse(cfg.URL); err == nil && f.foreign() {
		cfg.URL = at.Scheme + "://" + at.Host // any answer will do
	} else {
		cfg.Site = u.site
		cfg.Token, _ = f.token() // without one there is less to see; that it cannot be read, the dial says
	}
	if u.real {
		cfg.Interface = u.cfg.Interface
	}
	return cfg, nil
}

// knownFars remembers, over all uplinks, where far ends were found: so an uplink whose name servers are gone can still be
// told from one whose line is down. Safe for concurrent use; the zero value knows nothing.
type knownFars struct {
	mu        sync.Mutex
	addresses map[int][]netip.Addr
	ports     map[int][]netip.AddrPort
}

// mostKnown bounds what is remembered of a far end whose addresses change.
const mostKnown = 4

// looked adds addresses, the newest first.
func (k *knownFars) looked(far int, ips []netip.Addr) {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := slices.Clone(ips)
	for _, ip := range k.addresses[far] {
		if !slices.Contains(all, ip) {
			all = append(all, ip)
		}
	}
	if k.addresses == nil {
		k.addresses = map[int][]netip.Addr{}
	}
	k.addresses[far] = all[:min(len(all), mostKnown)]
}

// named replaces the media ports by those that the far end named last.
func (k *knownFars) named(far int, udp []netip.AddrPort) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ports == nil {
		k.ports = map[int][]netip.AddrPort{}
	}
	k.ports[far] = udp
}

func (k *knownFars) of(far int) ([]netip.Addr, []netip.AddrPort) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.addresses[far]), slices.Clone(k.ports[far])
}
