package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"scanside/access"
	"scanside/agent/status"
	"scanside/audit"
	"scanside/failover"
	"scanside/link"
	"scanside/media"
)

// Parts is what the agent is built from besides its configuration. Every field may be left zero.
type Parts struct {
	Loudspeaker Loudspeaker                    // nil: the box plays no voice
	Ear         Ear                            // nil: the self-test cannot hear the microphone
	Sources     []media.Source                 // at most one of each kind; none: the page says so
	Net         func(Uplink) (link.Net, error) // nil: bind to the interface or the address for real
	Media       *link.API                      // serves the room page's picture, and is closed by whoever made it; nil: one is made
	Demo        Impairer                       // nil outside the demo
	Here        access.Person                  // who uses this machine, signed in without asking: the demo, and tests; zero: who acts signs in
	Status      net.Listener                   // for the status page; nil: Config.Status.Listen is listened to, again and again
	Notify      func(state string)             // sd_notify; nil: nobody is told
	GiveWay     string                         // a file that asks the run to end when the room is free, for a newer version; "": none
	Version     string
	Log         *slog.Logger // nil: silent
}

// Impairer spoils an emulated uplink. What is "cut", "loss", "delay", "thin" or "restore"; State is the present one, "" when nothing
// is spoiled.
type Impairer interface {
	Impair(uplink, what string) error
	State(uplink string) string
}

// Agent is the box. Run owns everything; all other methods may be called at any time from any goroutine.
type Agent struct {
	cfg    Config
	parts  Parts
	log    *slog.Logger
	box    string // this box, for ever
	unkept string // why the state directory cannot be used; "": it can
	run    string // this start of the program

	fars      []place
	loop      *loop
	uplinks   []*uplink
	sources   []*source
	back      *returnPath
	screens   *screens
	previews  *previews
	asker     *asker
	examiner  *examiner
	tester    *tester
	way       giveWay
	checkups  *checkups
	answers   *answers
	journal   *journal
	procedure switching
	muting    muting
	key       *muteKey
	lamp      *lamp
	metrics   *metrics
	textfile  *textfile
	pages     *status.Server
	door      *access.Door
	console   string // the key of commands on this box
	shown     *pageCertificate

	userTrouble atomic.Pointer[string] // why nobody can sign in; nil or "": people can

	latest atomic.Pointer[Snapshot]
	ready  chan struct{}
	addr   atomic.Pointer[net.Addr]
	secure atomic.Pointer[net.Addr]     // where it listens for other machines
	reach  atomic.Pointer[status.Reach] // nil: not looked at yet
	clock  atomic.Pointer[status.Clock] // likewise
	ran    atomic.Bool
	real   bool // uplinks are this machine's own interfaces
}

// New checks cfg and builds an agent that does nothing yet: no socket is opened and nobody is dialled before Run.
func New(cfg Config, parts Parts) (*Agent, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if parts.Log == nil {
		parts.Log = slog.New(slog.DiscardHandler)
	}
	a := &Agent{cfg: cfg, parts: parts, log: parts.Log, run: newID(4), ready: make(chan struct{})}
	if parts.Net == nil {
		a.parts.Net, a.real = bind, true
	}
	kept := store{cfg.StateDir}
	a.procedure.kept, a.muting.kept = kept, kept
	a.key, a.lamp = &muteKey{cfg: cfg.Room.MuteKey, press: a.pressed}, newLamp(cfg.Room.Light)
	if err := kept.open(); err != nil {
		a.unkept = err.Error()
		a.log.Error("the state directory cannot be used; nothing is kept over a restart", "err", err)
	}
	var err error
	if a.box, err = kept.boxID(); err != nil {
		a.unkept = err.Error()
		a.log.Error("the box has another identity after a restart", "err", err)
	}
	if a.fars, err = newPlaces(cfg.farEnds()); err != nil {
		return nil, err
	}
	a.back = newReturnPath()
	a.listen(parts.Loudspeaker, a.log)
	a.screens = newScreens(a.back, a.run, a.log)
	if err := a.addSources(parts.Sources); err != nil {
		return nil, err
	}
	a.previews = newPreviews(&a.screens.api, a.source(media.Video), a.run, a.log)
	a.journal = newJournal(kept, parts.Version, cfg.digest(), a.log)
	if a.loop, err = newLoop(a, kept); err != nil {
		return nil, err
	}
	a.journal.drilled = func(r *audit.Record) { a.loop.post(event{kind: drillRecorded, record: r}) }
	for k, m := range a.loop.mutes {
		a.setMute(media.Kind(k), m.on)
	}
	for i, u := range cfg.Uplinks {
		a.uplinks = append(a.uplinks, a.newUplink(failover.Link(i), u, kept))
	}
	a.examiner = newExaminer(a.uplinks, a.loop.post)
	a.asker = &asker{uplinks: a.uplinks, site: cfg.Site, post: a.loop.offer, moved: make(chan struct{})}
	a.tester = newTester(a)
	a.way.file = parts.GiveWay
	a.checkups = newCheckups(a)
	a.answers = newAnswers(kept, cfg.digest())
	a.metrics = newMetrics(a)
	a.openDoor(kept)
	a.textfile = a.newTextfile()
	if a.pages, err = a.newPages(); err != nil {
		return nil, err
	}
	a.loop.publish(a.loop.begun)
	return a, nil
}

func (a *Agent) addSources(all []media.Source) error {
	var there [media.NumKinds]bool
	for _, src := range all {
		k := src.Kind()
		if there[k] {
			return fmt.Errorf("build the agent: two sources of %v; pass one", k)
		}
		there[k] = true
		s := &source{src: src, kind: k, fanout: media.NewFanout(media.FanoutConfig{Kind: k}), log: a.log}
		if k == media.Video {
			src.SetRate(a.cfg.Video.Bitrate)
		}
		a.sources = append(a.sources, s)
	}
	return nil
}

// source returns the source of a kind; nil when the room has none.
func (a *Agent) source(k media.Kind) *source {
	for _, s := range a.sources {
		if s.kind == k {
			return s
		}
	}
	return nil
}

func (a *Agent) newUplink(i failover.Link, cfg Uplink, kept store) *uplink {
	u := &uplink{
		index: i, cfg: cfg, fars: a.fars, site: a.cfg.Site, box: a.box, run: a.run, bind: a.parts.Net, store: kept,
		memory: make([]link.Memory, len(a.fars)),
		back:   a.back, faults: a.faults, log: a.log, real: a.real, local: cfg.Address != "" && loopback(cfg.Address), wake: make(chan struct{}, 1), moved: make(chan struct{}, 1),
		post:  a.loop.post,
		offer: a.loop.offer,
	}
	u.order(a.loop.where.at, nil)
	u.every.Store(int64(a.loop.engine.ProbeEvery(i)))
	for k := range u.live {
		if s := a.source(media.Kind(k)); s != nil {
			u.live[k] = s.fanout
		}
	}
	u.asked = func(k media.Kind) {
		if s := a.source(k); s != nil {
			s.keyFrame(time.Now())
		}
	}
	return u
}

// bind is the real thing: every socket of an uplink on its interface, or on its address, and its name servers if somebody named them.
func bind(u Uplink) (link.Net, error) {
	n, err := bindTo(u)
	if err != nil {
		return nil, err
	}
	var servers []netip.AddrPort
	for _, text := range u.DNS {
		if server, ok := link.ParseNameserver(text); ok {
			servers = append(servers, server)
		}
	}
	n.SetNameservers(servers...)
	return n, nil
}

func bindTo(u Uplink) (*link.BoundNet, error) {
	if u.Interface != "" {
		return link.BindInterface(u.Interface)
	}
	ip, err := netip.ParseAddr(u.Address)
	if err != nil {
		return nil, err
	}
	return link.BindAddress(ip)
}

// uplink finds an uplink by its name; -1: there is none.
func (a *Agent) uplink(name string) int {
	for i, u := range a.cfg.Uplinks {
		if u.Name == name {
			return i
		}
	}
	return -1
}

// Run works until ctx ends, then ends the sessions at the far end and waits for everything it started. It can be called
// once. Trouble with devices, networks or the far end never ends it.
func (a *Agent) Run(ctx context.Context) error {
	if a.ran.Swap(true) {
		return errors.New("run the agent: it has run already; build another")
	}
	if a.parts.Media != nil {
		a.screens.api.Store(a.parts.Media)
	}
	ctx, a.way.end = context.WithCancel(ctx)
	defer a.way.end()
	// The loop and the page outlive the rest, so that what happens at the end is still noted and seen.
	late, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	a.loop.drills.stops = func() bool { return ctx.Err() != nil }
	var last sync.WaitGroup
	last.Go(func() { a.loop.Run(late) })
	last.Go(func() { a.serve(late) })
	last.Go(func() { a.watchDoor(late) })
	last.Go(func() { a.watchReach(late) })
	last.Go(func() { a.serveScreens(late) })
	last.Go(func() { a.loop.rec.Run(late) })
	last.Go(func() { a.loop.books.Run(late) })
	last.Go(func() { a.loop.chronicle.Run(late) })
	last.Go(func() { a.journal.Run(late) })
	last.Go(func() { a.keepDrills(store{a.cfg.StateDir}) })
	// A drill that is under way gives its uplink back before sessions are ended over it.
	defer context.AfterFunc(ctx, func() { a.loop.post(event{kind: stopping}) })()
	last.Go(func() { a.lamp.Run(late) })
	last.Go(func() { a.textfile.Run(late) })
	last.Go(func() { a.keepFarEnd(late, store{a.cfg.StateDir}) })

	var first sync.WaitGroup
	for _, u := range a.uplinks {
		first.Go(func() { u.Run(ctx) })
		first.Go(func() { u.scout(ctx) })
		first.Go(func() { a.watchCarrier(ctx, u) })
		first.Go(func() { a.watchAddresses(ctx, u) })
	}
	for _, s := range a.sources {
		first.Go(func() { s.Run(ctx) })
	}
	first.Go(func() { a.key.Run(ctx) })
	first.Go(func() { a.way.Run(ctx) })
	if a.parts.Loudspeaker != nil {
		first.Go(func() { a.parts.Loudspeaker.Run(ctx) })
	}
	first.Go(func() { a.back.Run(ctx) })
	first.Go(func() { a.screens.Run(ctx) })
	first.Go(func() { a.previews.Run(ctx) })
	first.Go(func() { a.asker.Run(ctx) })
	first.Go(func() { a.examiner.Run(ctx) })
	first.Go(func() { a.tester.Run(ctx) })
	first.Go(func() { a.checkups.Run(ctx) })
	a.notify(ctx)
	first.Wait()
	for _, s := range a.sources {
		s.fanout.Close()
	}
	for _, f := range a.back.out {
		f.Close()
	}
	stop()
	last.Wait()
	a.loop.books.save()
	return nil
}

// serveScreens gives the room's page its media port until ctx ends. While there is none the page says so, and all else works;
// it is tried again as the page's own listener is, for the address may come up after the box does.
func (a *Agent) serveScreens(ctx context.Context) {
	listen := a.cfg.Status.Listen
	if a.parts.Status != nil {
		listen = a.parts.Status.Addr().String()
	}
	wide := a.cfg.Status.HTTPS != ""
	if listen == "" {
		listen = a.cfg.Status.HTTPS
	}
	if a.parts.Media != nil || listen == "" {
		return
	}
	for said := false; ctx.Err() == nil; pause(ctx, listenRetry) {
		stop, err := a.screens.serve(listen, wide)
		if err == nil {
			<-ctx.Done()
			stop()
			return
		}
		if !said {
			said = true
			a.log.Error("the room's screen shows no picture yet; trying again", "err", err)
		}
	}
}

// Ready is closed when the configuration is in force and the status page answers. It does not wait for network, camera or
// far end.
func (a *Agent) Ready() <-chan struct{} { return a.ready }

// StatusAddr is where the status page listens; nil before it does.
func (a *Agent) StatusAddr() net.Addr {
	if p := a.addr.Load(); p != nil {
		return *p
	}
	return nil
}

// SecureAddr is where it listens for other machines, by HTTPS; nil before it does, and where it does not.
func (a *Agent) SecureAddr() net.Addr {
	if p := a.secure.Load(); p != nil {
		return *p
	}
	return nil
}

// Handler serves the pages, the API and /metrics.
func (a *Agent) Handler() http.Handler { return a.pages }
