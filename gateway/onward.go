package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"scanside/link"
	"scanside/media"
)

const (
	// publishedFor is for how long a box may be away before the room is taken off the server: it dials again within seconds.
	publishedFor = 10 * time.Second
	// onwardProbe is the cadence of probes to the server: nothing is switched by them, they only tell a dead session.
	onwardProbe = time.Second
	refusedWait = 30 * time.Second // while somebody has to change something first
	triedWait   = 10 * time.Second // while the server cannot be reached
	glance      = 250 * time.Millisecond
)

// onward passes one room on.
type onward struct {
	cfg   Republish
	room  *room
	where string // the endpoint
	host  string // for people and labels
	net   link.Net
	trust *tls.Config
	kept  string // file that remembers the session at the server over a restart; "": none
	log   *slog.Logger

	mu       sync.Mutex
	state    OnwardState
	why      string
	since    time.Time
	session  *link.Session
	legs     [media.NumKinds]*media.Leg
	packets  [media.NumKinds]uint64 // of sessions that are over
	dropped  [media.NumKinds]uint64
	failures uint64
}

// OnwardState is a closed set.
type OnwardState string

const (
	OnwardWaiting OnwardState = "waiting" // the room is not published
	OnwardDialing OnwardState = "dialing"
	OnwardLive    OnwardState = "live"
	OnwardFailed  OnwardState = "failed" // and tried again
)

// Run passes the room on whenever it is published, until ctx ends.
func (o *onward) Run(ctx context.Context) {
	o.endLeft(ctx)
	wait := link.Backoff{Max: triedWait}
	for o.await(ctx) {
		began := time.Now()
		err := o.pass(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > triedWait {
			wait.Reset()
		}
		if err == nil {
			continue
		}
		rest := o.rest(&wait, err)
		o.log.Warn("the room is not passed on", "to", o.host, "reason", err, "again_in", rest.Round(time.Second))
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	}
}

// rest is how long to wait after err.
func (o *onward) rest(wait *link.Backoff, err error) time.Duration {
	wait.Max = triedWait
	var p *link.Problem
	if !errors.As(err, &p) {
		return wait.Next(0)
	}
	if p.Permanent() {
		wait.Max = refusedWait
	}
	return wait.Next(p.After)
}

// await waits until the room is published; false: ctx has ended.
func (o *onward) await(ctx context.Context) bool {
	for ctx.Err() == nil {
		if o.room.published() {
			return true
		}
		o.tell(OnwardWaiting, "")
		pause(ctx, glance)
	}
	return false
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// pass is one session at the server, from its beginning to its end.
func (o *onward) pass(ctx context.Context) error {
	o.tell(OnwardDialing, "")
	if err := o.dial(ctx); err != nil {
		o.mu.Lock()
		o.failures++
		o.mu.Unlock()
		o.tell(OnwardFailed, plainly(err))
		return err
	}
	o.log.Info("the room is passed on", "to", o.host)
	o.tell(OnwardLive, "")
	err := o.hold(ctx)
	o.end(err)
	return err
}

func (o *onward) dial(ctx context.Context) error {
	cfg, err := o.config()
	if err != nil {
		return err
	}
	o.endLeft(ctx) // a server may let nobody in while it thinks that the session before is alive
	ready := make(chan struct{})
	defer close(ready)
	s, err := link.Dial(ctx, cfg, link.Events{
		KeyFrame: func() { o.room.askKeyFrame(time.Now()) },
		Repair: func(k media.Kind, seqs []uint16) {
			<-ready
			if l := o.leg(k); l != nil {
				l.Resend(seqs)
			}
		},
	})
	if err != nil {
		return err
	}
	o.mu.Lock()
	o.session = s
	for k := range o.legs {
		o.legs[k] = o.room.out[k].fan.AddViewer("republish", s.Leg(media.Kind(k)))
	}
	o.mu.Unlock()
	if err := o.keep(s.Resources()); err != nil {
		o.log.Warn("a restart will not know the session", "err", err)
	}
	o.leg(media.Voice).Select(true)
	o.leg(media.Video).SelectAtKeyFrame()
	o.room.askKeyFrame(time.Now())
	return nil
}

func (o *onward) config() (link.Config, error) {
	token := ""
	if o.cfg.TokenFile != "" {
		text, err := os.ReadFile(o.cfg.TokenFile)
		if err != nil {
			return link.Config{}, fmt.Errorf("the token cannot be read: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	return link.Config{
		Uplink: "republish", WHIP: o.where, Token: token, AsIs: true, Run: o.room.site.ID, Net: o.net, TLS: o.trust, Log: o.log,
		Loopback:   true, // the server may be this machine
		ProbeEvery: func() time.Duration { return onwardProbe },
	}, nil
}

// hold waits for the end of the session, or of the room's being published; nil: it was we who ended it.
func (o *onward) hold(ctx context.Context) error {
	seen := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.session.Done():
			return o.session.Err()
		case now := <-time.After(glance):
			if o.room.published() {
				seen = now
			} else if now.Sub(seen) > publishedFor {
				return nil
			}
		}
	}
}

// end takes the session apart; what it counted is kept.
func (o *onward) end(why error) {
	_ = o.session.Close() // DELETE, and it unblocks the legs' writes
	left := o.session.Resources()
	o.mu.Lock()
	legs := o.legs
	o.mu.Unlock()
	for _, l := range legs {
		l.Close()
	}
	o.mu.Lock()
	for k, l := range legs {
		st := l.Stats()
		o.packets[k] += st.Sent
		o.dropped[k] += st.Dropped
	}
	o.legs, o.session = [media.NumKinds]*media.Leg{}, nil
	if why != nil {
		o.failures++
	}
	o.mu.Unlock()
	if err := o.keep(left); err != nil {
		o.log.Warn("a restart will not know the session", "err", err)
	}
	if why != nil {
		o.tell(OnwardFailed, plainly(why))
		return
	}
	o.tell(OnwardWaiting, "")
	o.log.Info("the room is no longer passed on", "to", o.host)
}

func (o *onward) leg(k media.Kind) *media.Leg {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.legs[k]
}

func (o *onward) tell(s OnwardState, why string) {
	o.mu.Lock()
	changed := o.state != s
	if changed {
		o.since = time.Now()
	}
	o.state, o.why = s, why
	o.mu.Unlock()
	if changed {
		o.room.review(time.Now())
	}
}

// keep remembers what is open at the server.
func (o *onward) keep(urls []string) error {
	switch {
	case o.kept == "":
		return nil
	case len(urls) == 0:
		if err := os.Remove(o.kept); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	return replaceFile(o.kept, []byte(strings.Join(urls, "\n")+"\n"))
}

// endLeft ends what a run that was killed left open at the server.
func (o *onward) endLeft(ctx context.Context) {
	if o.kept == "" {
		return
	}
	text, err := os.ReadFile(o.kept)
	if err != nil {
		return
	}
	cfg, err := o.config()
	if err != nil {
		return
	}
	var left []string
	for _, u := range link.Delete(ctx, cfg, strings.Fields(string(text))) {
		if !u.Final {
			left = append(left, u.URL)
		}
	}
	if err := o.keep(left); err != nil {
		o.log.Warn("forget sessions that are over", "err", err)
	}
}

// plainly is an error for people: the last part of the chain says most.
func plainly(err error) string {
	text := strings.TrimPrefix(err.Error(), "dial uplink republish: ")
	if r := []rune(text); len(r) > 200 {
		text = "…" + string(r[len(r)-200:])
	}
	return text
}

// published says whether the box brings media now.
func (r *room) published() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.run != nil && r.run.publishing() && r.run.alive(time.Now())
}
