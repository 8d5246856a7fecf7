package agent

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"scanside/failover"
	"scanside/link"
	"scanside/media"
)

// How an uplink is dialled.
const (
	dialTimeout   = 6 * time.Second        // one attempt: 4 round trips of ICE and DTLS, with two retransmissions of each
	firstWait     = 250 * time.Millisecond // between attempts, doubling
	longestWait   = time.Second            // while nothing answers: G12 wants media 2 s after a long outage ends, dial included
	refusedWait   = 10 * time.Second       // while the far end refuses for a time (409, 5xx)
	permanentWait = 30 * time.Second       // while somebody has to change something first (token, URL, certificate)
	forgetTime    = 3 * time.Second        // to end what an earlier run left open
	keepEvery     = 2 * time.Second        // session URLs change when the play half re-dials
	forgetTries   = 3                      // after as many failures a session is left to the far end, which ends it in time
	mostLeft      = 16                     // sessions to end, the newest
)

// uplink keeps one link up: it dials, hands the connection to the loop, waits for its end, and dials again. Its goroutine is
// the only one that touches its fields without a lock; the loop talks to it through wake.
type uplink struct {
	index  failover.Link
	cfg    Uplink
	orders // where to be
	fars   []place
	site   string
	box    string
	run    string
	bind   func(Uplink) (link.Net, error)
	store  store
	back   *returnPath
	faults func() link.Faults // what is wrong with the room's sources
	log    *slog.Logger
	local  bool                          // gather loopback addresses too
	real   bool                          // cfg.Interface is this machine's
	post   func(event)                   // waits for room; not for callbacks
	offer  func(event)                   // never waits
	live   [media.NumKinds]*media.Fanout // nil: no source of that kind
	asked  func(media.Kind)              // the far end wants a key frame
	every  atomic.Int64                  // probe cadence, nanoseconds; set by the loop
	brief  atomic.Bool                   // probes may leave out what another link says; set by the loop
	wake   chan struct{}                 // carrier came back: dial now
	here   atomic.Pointer[[]netip.Addr]  // the interface's addresses; nil: not watched
	moved  chan struct{}                 // they changed
	active atomic.Bool                   // at a far end of another make: the uplink in use; set by the loop
	known  *knownFars                    // what is known of the far ends' addresses over any uplink
	meter  link.Meter                    // of all its sockets
	memory []link.Memory                 // how its network lets media through to each far end

	ending sync.WaitGroup // connections that are being taken apart

	mu     sync.Mutex
	net    link.Net        // nil until first used
	cutter cutter          // nil: its sockets cannot be cut from inside
	uncut  *time.Timer     // ends a cut that the loop does not end
	open   []*conn         // sessions that live, or are being taken apart
	found  *conn           // one at another far end, held for the case that the room moves there
	left   []session       // open at a far end, and should not be
	kept   []session       // as last written
	tries  map[session]int // failures to end each of left
}

// conn is one live session with its legs. The loop selects on the legs; the supervisor makes and closes everything. One that
// a scout holds has no legs yet and tells nobody anything.
type conn struct {
	far     int
	session *link.Session
	path    link.Path
	legs    [media.NumKinds]*media.Leg
	left    [media.NumKinds]departures // what went through the legs
	from    *arrivals
	taken   chan struct{} // closed when it is no longer the scout's

	used atomic.Bool // it is the uplink's

	telling atomic.Bool                               // that a packet was refused is on its way to the loop
	bring   atomic.Pointer[arrivals]                  // from, for the session's goroutines
	repair  [media.NumKinds]atomic.Pointer[media.Leg] // legs, likewise
}

// Run dials until ctx ends. It returns when nothing that it started is left.
func (u *uplink) Run(ctx context.Context) error {
	defer u.ending.Wait()
	u.kept = u.store.sessions(u.cfg.Name, u.fars)
	u.leave(u.kept)
	wait := link.Backoff{Min: firstWait, Max: longestWait}
	for ctx.Err() == nil {
		far, stay := u.where()
		u.post(event{kind: dialling, link: u.index})
		c, err := u.connect(ctx, stay, far)
		if err == nil {
			u.post(event{kind: opened, link: u.index, conn: c})
			err = u.hold(ctx, stay, c)
			u.post(event{kind: closed, link: u.index, conn: c, err: err})
			u.ending.Go(func() { u.end(c) })
			wait.Reset()
			continue
		}
		if ctx.Err() != nil {
			break
		}
		if stay.Err() != nil {
			wait.Reset() // the room moved: what keeps us from where it was is no longer of interest
			continue
		}
		rest := u.rest(&wait, err)
		u.post(event{kind: refused, link: u.index, err: err, next: time.Now().Add(rest)})
		if u.sleep(ctx, stay, rest) {
			wait.Reset()
		}
	}
	return nil
}

// connect takes over what the scout holds at a far end, or dials it.
func (u *uplink) connect(ctx, stay context.Context, far int) (*conn, error) {
	if c := u.takeFound(far); c != nil {
		u.use(c)
		return c, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &conn{far: far, from: u.back.link(u.index, u.cfg.Name)}
	c.bring.Store(c.from)
	c.used.Store(true) // packets and samples can come before Dial returns
	dialled := make(chan error, 1)
	go func() { dialled <- u.dial(ctx, c) }()
	select {
	case err := <-dialled:
		if err != nil {
			c.from.close()
			return nil, err
		}
		u.use(c)
		return c, nil
	case <-stay.Done(): // a dial that is given up takes a second to clean up behind itself
		cancel()
		u.ending.Go(func() {
			if <-dialled == nil {
				u.end(c)
			} else {
				c.from.close()
			}
		})
		return nil, context.Cause(stay)
	}
}

// use makes a connection the uplink's own: legs for what leaves, a place for what comes.
func (u *uplink) use(c *conn) {
	if c.from == nil {
		c.from = u.back.link(u.index, u.cfg.Name)
		c.bring.Store(c.from)
	}
	for k, fanout := range u.live {
		if fanout != nil {
			c.left[k].to, c.left[k].refused = c.session.Leg(media.Kind(k)), func() { u.refused(c) }
			c.legs[k] = fanout.AddLeg(u.cfg.Name, &c.left[k])
			c.repair[k].Store(c.legs[k])
		}
	}
	c.from.open(c.session)
	c.used.Store(true)
}

// refused tells the loop that the kernel refused a packet, the quickest news of an uplink that went down: one event at a time.
func (u *uplink) refused(c *conn) {
	if !c.telling.Swap(true) {
		u.offer(event{kind: unsent, link: u.index, conn: c})
	}
}

// rest is how long to wait after err.
func (u *uplink) rest(wait *link.Backoff, err error) time.Duration {
	p, refusal := asProblem(err)
	switch {
	case needsSomebody(err):
		wait.Max = permanentWait
	case refusal:
		wait.Max = refusedWait
	default:
		wait.Max = longestWait
	}
	if refusal {
		return wait.Next(p.After)
	}
	return wait.Next(0)
}

// sleep waits; true means that something changed for the better meanwhile: carrier, an address, another far end.
func (u *uplink) sleep(ctx, stay context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return false
	case <-u.wake:
		return true
	case <-u.moved:
		return true
	case <-stay.Done():
		return true
	case <-ctx.Done():
		return false
	}
}

// retry makes a waiting supervisor dial at once. Any goroutine may call it.
func (u *uplink) retry() {
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// dial opens c's session.
func (u *uplink) dial(ctx context.Context, c *conn) error {
	cfg, err := u.config(c.far)
	if err != nil {
		return err
	}
	var wrong error
	cfg.Relays, wrong = u.relays()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	cfg.Word = func() []link.StreamReport {
		if !c.used.Load() {
			return nil // another far end's numbers would mislead it
		}
		return u.back.word()
	}
	cfg.Faults = u.faults
	silent := u.forget(ctx, cfg, c.far)
	session, err := link.Dial(ctx, cfg, link.Events{
		Sample: func(s link.Sample) {
			if c.used.Load() {
				u.offer(event{kind: sampled, link: u.index, conn: c, sample: s, came: c.came()})
			}
		},
		Packet: func(k media.Kind, p *rtp.Packet) {
			if u.fars[c.far].foreign() && !u.active.Load() {
				return // it numbers each session by itself: one at a time
			}
			if from := c.bring.Load(); from != nil {
				from.take(k, p)
			}
		},
		Repair: func(k media.Kind, seqs []uint16) {
			if leg := c.repair[k].Load(); leg != nil {
				leg.Resend(seqs)
			}
		},
		KeyFrame: func() {
			if c.used.Load() {
				u.asked(media.Video)
			}
		},
		Ports: func(udp []netip.AddrPort) { u.known.named(c.far, udp) },
		Playing: func(on bool, reason string) {
			if c.used.Load() {
				u.offer(event{kind: playing, link: u.index, on: on, text: reason})
			}
		},
	})
	if _, refusal := asProblem(err); err == nil || refusal {
		u.giveUp(silent) // it is not the network that keeps them from being ended
	}
	if err != nil {
		if wrong != nil {
			err = fmt.Errorf("%w (and %w)", err, wrong)
		}
		if u.absent() {
			err = fmt.Errorf("%w: %w", errAbsent, err)
		}
		return err
	}
	c.session, c.path = session, session.Path()
	u.mu.Lock()
	u.open = append(u.open, c)
	u.mu.Unlock()
	u.keep()
	return nil
}

// config is what link needs to dial a far end; the token is read anew so that it can be changed without a restart.
func (u *uplink) config(far int) (link.Config, error) {
	f := &u.fars[far]
	token, err := f.token()
	if err != nil {
		return link.Config{}, err
	}
	bound, err := u.network()
	if err != nil {
		return link.Config{}, err
	}
	whip, whep := f.endpoints(u.site, u.cfg.Name)
	return link.Config{
		Uplink: u.cfg.Name, Token: token, Run: u.run, Box: u.box, Net: bound, TLS: f.trust, Loopback: u.local, Log: u.log, Memory: &u.memory[far],
		WHIP: whip, WHEP: whep, AsIs: f.foreign(),
		Brief:      u.brief.Load,
		ProbeEvery: func() time.Duration { return time.Duration(u.every.Load()) },
	}, nil
}

// network is the uplink's sockets, made at the first use. Any goroutine may call it.
func (u *uplink) network() (link.Net, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.net == nil {
		n, err := u.bind(u.cfg)
		if err != nil {
			return nil, &localFault{"the uplink cannot be bound", err}
		}
		u.cutter, _ = n.(cutter)
		n = link.Metered(n, &u.meter)
		if u.cfg.Proxy.URL != "" {
			p, err := u.cfg.Proxy.link()
			if err != nil {
				return nil, &localFault{"the proxy's address cannot be read", err}
			}
			n = p.Wrap(n)
		}
		u.net = n
	}
	return u.net, nil
}

// hold waits for the connection's end, or for the room to move.
func (u *uplink) hold(ctx, stay context.Context, c *conn) error {
	look := time.NewTicker(keepEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-stay.Done():
			return nil
		case <-c.session.Done():
			return c.session.Err()
		case <-look.C:
			u.keep()
		case <-u.moved:
			if err := u.astray(c); err != nil {
				return err
			}
		case <-u.wake: // carrier came back while the session lives: its probes know best
		}
	}
}

// end takes a connection apart. It may take two seconds on a dead path, so the next dial does not wait for it.
func (u *uplink) end(c *conn) {
	if c.from != nil {
		c.from.close()
	}
	c.session.Close() // unblocks the legs' writes
	for _, leg := range c.legs {
		if leg != nil {
			leg.Close()
		}
	}
	u.mu.Lock()
	u.open = slices.DeleteFunc(u.open, func(o *conn) bool { return o == c })
	u.mu.Unlock()
	u.leave(c.sessions())
	u.keep()
}

// sessions are the URLs that are open at c's far end.
func (c *conn) sessions() []session {
	var all []session
	for _, at := range c.session.Resources() {
		all = append(all, session{c.far, at})
	}
	return all
}
