package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"scanside/agent/status"
	"scanside/failover"
)

const (
	listenRetry   = time.Second     // the address of a page on the room's network may come up after the box does
	endPages      = 2 * time.Second // for answers under way at the end
	watchdogEvery = 5 * time.Second // a quarter of the unit's WatchdogSec=20s
)

// serve keeps the status page up until ctx ends: by plain HTTP for this machine, by HTTPS for others.
func (a *Agent) serve(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() {
		if a.parts.Status != nil || a.cfg.Status.Listen != "" {
			if plain := a.listener(ctx, a.parts.Status, a.cfg.Status.Listen); plain != nil {
				addr := plain.Addr()
				a.addr.Store(&addr)
				a.log.Info("status page", "address", "http://"+addr.String()+"/")
				a.hold(ctx, plain, a.ready)
			}
			return
		}
		close(a.ready)
	})
	if a.cfg.Status.HTTPS != "" {
		all.Go(func() {
			if plain := a.listener(ctx, nil, a.cfg.Status.HTTPS); plain != nil {
				addr := plain.Addr()
				a.secure.Store(&addr)
				a.log.Info("status page for other machines", "address", "https://"+addr.String()+"/")
				if _, err := a.shown.get(nil); err != nil { // made and printed now; every caller tries again
					a.log.Error("the status page has no certificate yet", "err", err)
				}
				a.hold(ctx, tls.NewListener(plain, a.pageTLS()), nil)
			}
		})
	}
	all.Wait()
}

// listener listens, again and again until it works; nil: ctx ended first.
func (a *Agent) listener(ctx context.Context, given net.Listener, address string) net.Listener {
	if given != nil {
		return given
	}
	for said := ""; ctx.Err() == nil; pause(ctx, listenRetry) {
		l, err := net.Listen("tcp", address)
		if err == nil {
			return l
		}
		if err.Error() != said {
			said = err.Error()
			a.log.Error("the status page cannot listen; trying again", "listen", address, "err", err)
		}
	}
	return nil
}

// hold serves the pages until ctx ends, and closes ready when it does.
func (a *Agent) hold(ctx context.Context, listener net.Listener, ready chan struct{}) {
	server := &http.Server{
		Handler: a.pages, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },   // event streams end with the agent
		ErrorLog:    slog.NewLogLogger(a.log.Handler(), slog.LevelDebug), // strangers' broken handshakes
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("the status page ended", "err", err)
		}
	}()
	if ready != nil {
		close(ready)
	}
	<-ctx.Done()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPages)
	defer cancel()
	if server.Shutdown(limit) != nil {
		server.Close()
	}
	<-done
}

// boxed is the agent as the pages see it.
type boxed struct{ a *Agent }

func (b boxed) Status() (*status.Status, <-chan struct{}) {
	s := b.a.Snapshot()
	return s.Status, s.next
}

func (b boxed) Pin(_ context.Context, by, uplink string) error {
	at, on := b.a.uplink(uplink), true
	if uplink == "" {
		if at, on = b.a.uplink(b.a.Snapshot().Status.Pinned), false; at < 0 {
			return nil // nothing is pinned
		}
	}
	if at < 0 {
		return fmt.Errorf("%w: %q", status.ErrUnknown, uplink)
	}
	b.a.loop.post(event{kind: pinned, link: failover.Link(at), on: on, by: by})
	return nil
}

func (b boxed) MoveTo(_ context.Context, by, name string) error {
	at := slices.IndexFunc(b.a.fars, func(f place) bool { return f.name == name })
	if at < 0 {
		return fmt.Errorf("%w: %q", status.ErrNoFarEnd, name)
	}
	if st := b.a.Snapshot().Status; st.Procedure.Open && st.FarEnd.Reached && !st.FarEnd.All[at].Current {
		return status.ErrOpen
	}
	b.a.loop.post(event{kind: wished, far: at, by: by})
	return nil
}

func (b boxed) Examine(uplink string) error {
	at := b.a.uplink(uplink)
	if at < 0 {
		return fmt.Errorf("%w: %q", status.ErrUnknown, uplink)
	}
	b.a.examiner.ask(failover.Link(at))
	return nil
}

func (b boxed) Impair(uplink, what string) error {
	at := b.a.uplink(uplink)
	switch {
	case b.a.parts.Demo == nil:
		return status.ErrNotDemo
	case at < 0:
		return fmt.Errorf("%w: %q", status.ErrUnknown, uplink)
	}
	if err := b.a.parts.Demo.Impair(uplink, what); err != nil {
		return err
	}
	text := map[string]string{"cut": "Somebody cut ", "loss": "Somebody gave 30 % loss to ", "delay": "Somebody added 300 ms to ", "thin": "Somebody left 0.6 Mbit/s of ", "restore": "Somebody restored "}[what]
	b.a.loop.post(event{kind: impaired, link: failover.Link(at), text: text + uplink + "."})
	return nil
}

// notify tells systemd that the agent is ready, what the verdict is, and that it lives: while the loop publishes and the
// sources' goroutines run, whatever the network does.
func (a *Agent) notify(ctx context.Context) {
	if a.parts.Notify == nil {
		return
	}
	defer a.parts.Notify("STOPPING=1")
	ready := a.ready
	beat := time.NewTicker(watchdogEvery)
	defer beat.Stop()
	said := ""
	for {
		s := a.Snapshot()
		if text := "STATUS=" + s.Status.Verdict.Sentence; text != said {
			said = text
			a.parts.Notify(text)
		}
		select {
		case <-ctx.Done():
			return
		case <-ready:
			ready = nil
			a.parts.Notify("READY=1")
		case <-s.next:
			pause(ctx, time.Second)
		case <-beat.C:
			if time.Since(a.Snapshot().Status.At) < watchdogEvery {
				a.parts.Notify("WATCHDOG=1")
			}
		}
	}
}
