package agent

import (
	"context"
	"slices"
	"time"
)

// scoutPause is between rounds through the far ends that are looked for: a round costs a refused dial each at least.
const scoutPause = time.Second

// scout dials other far ends while the loop wants it, and holds the first that answers: that is the proof by which the room
// moves, and the connection it moves onto.
func (u *uplink) scout(ctx context.Context) {
	for ctx.Err() == nil {
		_, look, changed := u.looks()
		if len(look) == 0 {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		for _, far := range look {
			if c := u.seek(ctx, far); c != nil {
				u.guard(ctx, c)
				break
			}
			if _, now, _ := u.looks(); !slices.Equal(now, look) || ctx.Err() != nil {
				break
			}
		}
		pause(ctx, scoutPause)
	}
}

// seek dials a far end; nil: it does not answer, or is not looked for any more.
func (u *uplink) seek(ctx context.Context, far int) *conn {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for u.sought(far) {
			_, _, changed := u.looks()
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
		cancel()
	}()
	c := &conn{far: far}
	err := u.dial(ctx, c)
	cancel()
	<-watched
	if err != nil {
		u.log.Debug("another far end does not answer", "link", u.cfg.Name, "far_end", u.fars[far].name, "err", err)
		return nil
	}
	return c
}

// sought reports whether a far end is looked for, or is the one to be at.
func (u *uplink) sought(far int) bool {
	at, look, _ := u.looks()
	return at == far || slices.Contains(look, far)
}

// guard holds c until the uplink takes it over, it dies, or nobody looks for it any more.
func (u *uplink) guard(ctx context.Context, c *conn) {
	c.taken = make(chan struct{})
	u.mu.Lock()
	u.found = c
	u.mu.Unlock()
	u.post(event{kind: found, link: u.index, far: c.far, on: true})
	for held := true; held; {
		_, _, changed := u.looks()
		if !u.sought(c.far) {
			break
		}
		select {
		case <-changed:
		case <-c.session.Done():
			held = false
		case <-c.taken:
			held = false
		case <-ctx.Done():
			held = false
		}
	}
	u.post(event{kind: found, link: u.index, far: c.far, on: false})
	if u.takeFound(c.far) != nil { // nobody else did
		u.end(c)
	}
}

// takeFound is the connection that the scout holds at a far end; nil: none. It is the caller's from then on.
func (u *uplink) takeFound(far int) *conn {
	u.mu.Lock()
	defer u.mu.Unlock()
	c := u.found
	if c == nil || c.far != far {
		return nil
	}
	u.found = nil
	close(c.taken)
	return c
}
