package agent

import (
	"context"
	"maps"
	"slices"

	"scanside/link"
)

// session is one that is open at a far end: only there may its token be shown.
type session struct {
	far int
	url string
}

// forget ends at a far end what an earlier run of this box, killed, or a connection that was lost, left open there: some
// servers refuse a second publisher until the first is gone. What cannot be ended now is tried again before the next dial,
// but not for ever. Those about which the far end said nothing are returned: that may be the network's fault, and counts
// only if the dial finds the network well.
func (u *uplink) forget(ctx context.Context, cfg link.Config, far int) (silent []session) {
	u.mu.Lock()
	var urls []string
	for _, s := range u.left {
		if s.far == far {
			urls = append(urls, s.url)
		}
	}
	u.mu.Unlock()
	if len(urls) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, forgetTime)
	defer cancel()
	var again, refused []session
	for _, f := range link.Delete(ctx, cfg, urls) {
		u.log.Debug("end an old session at the far end", "link", u.cfg.Name, "final", f.Final, "err", f.Err)
		if f.Final {
			continue
		}
		one := session{far, f.URL}
		again = append(again, one)
		if _, answered := asProblem(f.Err); answered {
			refused = append(refused, one)
		} else {
			silent = append(silent, one)
		}
	}
	u.drop(func(s session) bool {
		return s.far == far && slices.Contains(urls, s.url) && !slices.Contains(again, s)
	})
	u.giveUp(refused)
	return silent
}

// giveUp counts a failure to end each of some sessions, and drops those that failed often.
func (u *uplink) giveUp(some []session) {
	if len(some) == 0 {
		return
	}
	u.mu.Lock()
	if u.tries == nil {
		u.tries = map[session]int{}
	}
	for _, s := range some {
		u.tries[s]++
	}
	u.mu.Unlock()
	u.drop(func(s session) bool { return u.tries[s] >= forgetTries })
}

// drop takes off the list what need not, or cannot, be ended.
func (u *uplink) drop(which func(session) bool) {
	u.mu.Lock()
	u.left = slices.DeleteFunc(u.left, which)
	maps.DeleteFunc(u.tries, func(s session, _ int) bool { return !slices.Contains(u.left, s) })
	u.mu.Unlock()
	u.keep()
}

// leave puts sessions on the list of those to end before their far end is dialled again. Any goroutine may call it.
func (u *uplink) leave(some []session) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.left = append(u.left, some...)
	u.left = slices.Clone(u.left[max(len(u.left)-mostLeft, 0):])
}

// keep remembers on disk what is open at the far ends, so that the next run can end it if this one is killed. Any goroutine
// may call it.
func (u *uplink) keep() {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := slices.Clone(u.left)
	for _, c := range u.open {
		all = append(all, c.sessions()...)
	}
	if slices.Equal(all, u.kept) {
		return
	}
	u.kept = all
	if err := u.store.keepSessions(u.cfg.Name, all, u.fars); err != nil {
		u.log.Warn("remember the open sessions", "link", u.cfg.Name, "err", err)
	}
}
