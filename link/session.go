package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"scanside/media"
)

// dialLimit bounds a whole Dial, whatever its context allows.
const dialLimit = 15 * time.Second

// Session is one live association over one uplink. All methods may be called from any goroutine.
type Session struct {
	cfg    Config
	ev     Events
	log    *slog.Logger
	sends  *sendWatch
	signal *signaller
	legs   [media.NumKinds]*leg
	pub    *half

	ctx      context.Context // ends with the session
	cancel   context.CancelFunc
	wg       sync.WaitGroup // keepPlaying, inquire, watch
	done     chan struct{}  // closed when over
	finished chan struct{}  // closed when nothing is left
	doubt    chan struct{}  // capacity 1
	doubted  atomic.Bool    // somebody outside doubts
	missing  atomic.Int32   // unanswered probes in a row
	answered atomic.Int64   // Unix nanoseconds of the last answer on the publish path
	ears     ears

	mu        sync.Mutex
	over      bool
	err       error
	player    *player // nil: not playing now
	resources []string
}

// check reports all mistakes together.
func (c *Config) check() error {
	var errs []error
	say := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !regexp.MustCompile(`^[a-z0-9_-]{1,31}$`).MatchString(c.Uplink) {
		say("Uplink %q: 1 to 31 of a-z 0-9 _ -", c.Uplink)
	}
	for name, raw := range map[string]string{"WHIP": c.WHIP, "WHEP": c.WHEP} {
		u, err := url.Parse(raw)
		switch {
		case raw == "" && name == "WHEP":
		case err != nil:
			say("%s: not a URL", name)
		case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
			say("%s: %q is not an http or https URL", name, u.Redacted())
		}
	}
	if c.Net == nil {
		say("Net: none given")
	}
	for i, r := range c.Relays {
		if _, err := parseRelay(r.URL); err != nil {
			say("Relays[%d]: %v", i, err)
		} else if r.Username == "" || r.Credential == "" {
			say("Relays[%d]: username and credential are needed", i)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("link configuration: %w", errors.Join(errs...))
}

// Dial opens a WHIP and a WHEP session in parallel and returns when both are connected (the play half may also be
// waiting: "nobody there yet"). On error everything is undone, the resources at the far end too. A refusal by the far
// end is a *Problem in the error's chain. It takes 15 s at most.
func Dial(ctx context.Context, cfg Config, ev Events) (*Session, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, dialLimit, fmt.Errorf("not connected within %v", dialLimit))
	defer cancel()
	if err := usable(cfg.Net, cfg.Loopback); err != nil {
		return nil, fmt.Errorf("dial uplink %s: %w", cfg.Uplink, err)
	}
	s := &Session{
		cfg: cfg, ev: ev, log: orSilent(cfg.Log).With("link", cfg.Uplink), sends: &sendWatch{Net: cfg.Net},
		done: make(chan struct{}), finished: make(chan struct{}), doubt: make(chan struct{}, 1),
	}
	s.signal = newSignaller(&cfg, s.log)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	player, playErr, err := s.open(ctx)
	if err != nil {
		s.cancel()
		s.signal.close()
		return nil, fmt.Errorf("dial uplink %s: %w", cfg.Uplink, err)
	}
	s.start(player, playErr)
	return s, nil
}

// open dials both halves. A play half that found nobody there is no error.
func (s *Session) open(ctx context.Context) (*player, error, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var p *player
	var playErr error
	played := make(chan struct{})
	go func() {
		defer close(played)
		if s.cfg.WHEP == "" {
			return
		}
		if p, playErr = s.dialPlay(ctx); playErr != nil && !nobodyThere(playErr) {
			cancel(playErr)
		}
	}()
	pub, err := s.dialPublish(ctx)
	if err != nil {
		cancel(err)
	}
	<-played
	if err == nil && playErr != nil && !nobodyThere(playErr) {
		pub.shut()
		s.unmake(pub.resource)
		return nil, nil, playErr
	}
	if err != nil {
		if p != nil {
			p.shut()
			s.unmake(p.resource)
		}
		if playErr != nil && !nobodyThere(playErr) && errors.Is(err, playErr) {
			return nil, nil, playErr // it was the play half that ended the publish half
		}
		return nil, nil, err
	}
	s.pub = pub
	return p, playErr, nil
}

// start begins what a live session does.
func (s *Session) start(p *player, playErr error) {
	s.answered.Store(time.Now().UnixNano())
	if s.pub.echo {
		s.pub.probe(s.legs[media.Voice].ssrc(), s.cfg.ProbeEvery, &s.ears, s.say, s.cfg.Brief, s.sampled)
	} else {
		s.measurePlain()
	}
	s.wg.Go(s.inquire)
	s.wg.Go(s.watch)
	if s.cfg.WHEP != "" {
		s.playing(p)
		s.wg.Go(func() { s.keepPlaying(p, playErr) })
	}
}

// watch ends the session with its publish half.
func (s *Session) watch() {
	select {
	case <-s.pub.done:
		s.end(s.pub.reason())
	case <-s.ctx.Done():
	}
}

// end begins the end, once: done closes at once, so that a new Dial can start while this session is being taken down.
func (s *Session) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.over, s.err = true, err
	close(s.done)
	s.cancel()
	go func() {
		defer close(s.finished)
		s.takeDown()
	}()
}

// takeDown ends the resources while the media halves close, and waits for all of it.
func (s *Session) takeDown() {
	var down sync.WaitGroup
	down.Go(func() { s.unmake(s.pub.resource) })
	down.Go(s.pub.shut)
	s.wg.Wait() // keepPlaying takes its half down
	down.Wait()
	s.signal.close()
}

// keep notes a resource that is open at the far end.
func (s *Session) keep(resource string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources = append(s.resources, resource)
}

// unmake ends a resource and forgets it if that worked. It is bounded, and works when the session's context is over.
func (s *Session) unmake(resource string) {
	if err := s.signal.delete(context.Background(), resource); err != nil {
		s.log.Debug("session left behind at the far end", "error", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources = slices.DeleteFunc(s.resources, func(r string) bool { return r == resource })
}

// Leg takes one kind's packets for this link. Its WriteRTP returns an error when the kernel refused or the session is over.
func (s *Session) Leg(k media.Kind) media.Sink { return s.legs[k] }

// AskRepair asks the far end to send these packets of the return media again over this link (RTCP NACK).
func (s *Session) AskRepair(k media.Kind, seqs []uint16) {
	if p := s.nowPlaying(); p != nil {
		p.askRepair(p.ssrcs[k].Load(), seqs)
	}
}

// AskKeyFrame asks the far end for a key frame of the return picture (RTCP PLI).
func (s *Session) AskKeyFrame() {
	if p := s.nowPlaying(); p != nil {
		p.askKeyFrame(p.ssrcs[media.Video].Load())
	}
}

// Hurry lets ProbeEvery be asked again now, when its answer has become shorter (media starts).
func (s *Session) Hurry() {
	if p := s.pub.prober.Load(); p != nil {
		p.again()
	}
}

// Echoes reports whether the far end answers probes. One that does not (a WHIP server of another make) gives Samples only
// as often as it sends receiver reports, and none if it never does; their Far has Highest and Lost alone.
func (s *Session) Echoes() bool { return s.pub.echo }

// Resources returns the session URLs that are open at the far end, for the agent to persist: a killed agent's next run
// hands them to Delete. After Close it returns those that could not be deleted.
func (s *Session) Resources() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.resources)
}

// Done is closed when the session is dead or closed. What is left of it is then being taken down; Close waits for that.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err says why the session is dead; nil while it lives and after a plain Close.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends the session: DELETE for both resources (2 s at most), then waits for everything it started. Idempotent. Not to
// be called from Events.
func (s *Session) Close() error {
	s.end(nil)
	<-s.finished
	return nil
}
