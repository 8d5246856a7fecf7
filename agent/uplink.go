package agent

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
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
	longestWait   = 2 * time.Second        // while nothing answers: G12 wants media 2 s after a long outage ends
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
	far    FarEnd
	site   string
	box    string
	run    string
	tls    *tls.Config
	bind   func(Uplink) (link.Net, error)
	store  store
	back   *returnPath
	log    *slog.Logger
	local  bool        // gather loopback addresses too
	real   bool        // cfg.Interface is this machine's
	post   func(event) // waits for room; not for callbacks
	offer  func(event) // never waits
	sample func(link.Sample, failover.Link)
	live   [media.NumKinds]*media.Fanout // nil: no source of that kind
	asked  func(media.Kind)              // the far end wants a key frame
	every  atomic.Int64                  // probe cadence, nanoseconds; set by the loop
	wake   chan struct{}                 // carrier came back: dial now

	ending sync.WaitGroup // connections that are being taken apart

	mu   sync.Mutex
	net  link.Net // nil until first used
	left []string // session URLs that are open at the far end and should not be
	kept []string // as last written

	tries map[string]int // failures to end each of left; only Run's goroutine
}

// conn is one live session with its legs. The loop selects on the legs; the supervisor makes and closes everything.
type conn struct {
	session *link.Session
	legs    [media.NumKinds]*media.Leg
	left    [media.NumKinds]departures // what went through the legs
	from    *arrivals
}

// Run dials until ctx ends. It returns when nothing that it started is left.
func (u *uplink) Run(ctx context.Context) error {
	defer u.ending.Wait()
	u.kept = u.store.sessions(u.cfg.Name)
	u.leave(u.kept)
	wait := link.Backoff{Min: firstWait, Max: longestWait}
	for ctx.Err() == nil {
		u.post(event{kind: dialling, link: u.index})
		c, err := u.dial(ctx)
		if err == nil {
			u.post(event{kind: opened, link: u.index, conn: c})
			err = u.hold(ctx, c)
			u.post(event{kind: closed, link: u.index, conn: c, err: err})
			u.ending.Go(func() { u.end(c) })
			wait.Reset()
			continue
		}
		if ctx.Err() != nil {
			break
		}
		rest := u.rest(&wait, err)
		u.post(event{kind: refused, link: u.index, err: err, next: time.Now().Add(rest)})
		if u.sleep(ctx, rest) {
			wait.Reset()
		}
	}
	return nil
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

// sleep waits; true means that the carrier came back meanwhile.
func (u *uplink) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return false
	case <-u.wake:
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

func (u *uplink) dial(ctx context.Context) (*conn, error) {
	cfg, err := u.config()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	silent := u.forget(ctx, cfg)
	from := u.back.link(u.index, u.cfg.Name)
	c := &conn{from: from}
	var legs [media.NumKinds]atomic.Pointer[media.Leg]
	session, err := link.Dial(ctx, cfg, link.Events{
		Sample: func(s link.Sample) { u.sample(s, u.index) },
		Packet: func(k media.Kind, p *rtp.Packet) { from.take(k, p) },
		Repair: func(k media.Kind, seqs []uint16) {
			if leg := legs[k].Load(); leg != nil {
				leg.Resend(seqs)
			}
		},
		KeyFrame: func() { u.asked(media.Video) },
		Playing: func(on bool, reason string) {
			u.offer(event{kind: playing, link: u.index, on: on, text: reason})
		},
	})
	if _, refusal := asProblem(err); err == nil || refusal {
		u.giveUp(silent) // it is not the network that keeps them from being ended
	}
	if err != nil {
		from.close()
		if u.absent() {
			err = fmt.Errorf("%w: %w", errAbsent, err)
		}
		return nil, err
	}
	u.keep(session)
	c.session = session
	for k, fanout := range u.live {
		if fanout != nil {
			c.left[k].to = session.Leg(media.Kind(k))
			c.legs[k] = fanout.AddLeg(u.cfg.Name, &c.left[k])
			legs[k].Store(c.legs[k])
		}
	}
	from.open(session)
	return c, nil
}

// absent reports whether the uplink's interface does not exist now.
func (u *uplink) absent() bool {
	if !u.real || u.cfg.Interface == "" {
		return false
	}
	_, err := net.InterfaceByName(u.cfg.Interface)
	return err != nil
}

// config is what link needs; the token is read anew so that it can be changed without a restart.
func (u *uplink) config() (link.Config, error) {
	token, err := u.token()
	if err != nil {
		return link.Config{}, err
	}
	bound, err := u.network()
	if err != nil {
		return link.Config{}, err
	}
	base := strings.TrimRight(u.far.URL, "/")
	return link.Config{
		Uplink: u.cfg.Name, Token: token, Run: u.run, Box: u.box, Net: bound, TLS: u.tls, Loopback: u.local, Log: u.log,
		WHIP:       base + "/whip/" + url.PathEscape(u.site),
		WHEP:       base + "/whep/" + url.PathEscape(u.site),
		ProbeEvery: func() time.Duration { return time.Duration(u.every.Load()) },
	}, nil
}

func (u *uplink) token() (string, error) {
	if u.far.Token != "" {
		return u.far.Token, nil
	}
	token, err := readToken(u.far.TokenFile)
	if err != nil {
		return "", &localFault{"the site's token cannot be read", err}
	}
	return token, nil
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
		u.net = n
	}
	return u.net, nil
}

// forget ends at the far end what an earlier run of this box, killed, or a connection that was lost, left open there: some
// servers refuse a second publisher until the first is gone. What cannot be ended now is tried again before the next dial,
// but not for ever. Those about which the far end said nothing are returned: that may be the network's fault, and counts
// only if the dial finds the network well.
func (u *uplink) forget(ctx context.Context, cfg link.Config) (silent []string) {
	u.mu.Lock()
	left := slices.Clone(u.left)
	u.mu.Unlock()
	if len(left) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, forgetTime)
	defer cancel()
	var again, refused []string
	for _, f := range link.Delete(ctx, cfg, left) {
		u.log.Debug("end an old session at the far end", "link", u.cfg.Name, "final", f.Final, "err", f.Err)
		if f.Final {
			continue
		}
		again = append(again, f.URL)
		if _, answered := asProblem(f.Err); answered {
			refused = append(refused, f.URL)
		} else {
			silent = append(silent, f.URL)
		}
	}
	u.drop(func(at string) bool { return slices.Contains(left, at) && !slices.Contains(again, at) })
	u.giveUp(refused)
	return silent
}

// giveUp counts a failure to end each of urls, and drops those that failed often.
func (u *uplink) giveUp(urls []string) {
	if len(urls) == 0 {
		return
	}
	if u.tries == nil {
		u.tries = map[string]int{}
	}
	for _, at := range urls {
		u.tries[at]++
	}
	u.drop(func(at string) bool { return u.tries[at] >= forgetTries })
}

// drop takes off the list what need not, or cannot, be ended.
func (u *uplink) drop(which func(at string) bool) {
	u.mu.Lock()
	u.left = slices.DeleteFunc(u.left, which)
	maps.DeleteFunc(u.tries, func(at string, _ int) bool { return !slices.Contains(u.left, at) })
	u.mu.Unlock()
	u.keep(nil)
}

// leave puts sessions on the list of those to end before the next dial. Any goroutine may call it.
func (u *uplink) leave(urls []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.left = append(u.left, urls...)
	u.left = slices.Clone(u.left[max(len(u.left)-mostLeft, 0):])
}

// keep remembers on disk what is open at the far end, so that the next run can end it if this one is killed.
func (u *uplink) keep(s *link.Session) {
	u.mu.Lock()
	defer u.mu.Unlock()
	open := slices.Clone(u.left)
	if s != nil {
		open = append(open, s.Resources()...)
	}
	if slices.Equal(open, u.kept) {
		return
	}
	u.kept = open
	if err := u.store.keepSessions(u.cfg.Name, open); err != nil {
		u.log.Warn("remember the open sessions", "link", u.cfg.Name, "err", err)
	}
}

// hold waits for the connection's end.
func (u *uplink) hold(ctx context.Context, c *conn) error {
	look := time.NewTicker(keepEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.session.Done():
			return c.session.Err()
		case <-look.C:
			u.keep(c.session)
		case <-u.wake: // carrier came back while the session lives: its probes know best
		}
	}
}

// end takes a connection apart. It may take two seconds on a dead path, so the next dial does not wait for it.
func (u *uplink) end(c *conn) {
	c.from.close()
	c.session.Close() // unblocks the legs' writes
	for _, leg := range c.legs {
		if leg != nil {
			leg.Close()
		}
	}
	u.leave(c.session.Resources())
}
