package gateway

import (
	"context"
	"os"
	"time"
)

const (
	wayLook = 2 * time.Second  // between two looks for the file that asks the gateway to end
	wayFree = 10 * time.Second // nobody has looked into any room for so long
)

// giveWay returns when a newer version is installed (a package's script says so by a file) and nobody has looked into any room
// for a while, or when ctx ends. Boxes find the far end again in about a second.
func (g *Gateway) giveWay(ctx context.Context) {
	look := time.NewTicker(wayLook)
	defer look.Stop()
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-look.C:
			switch _, err := os.Stat(g.cfg.GiveWay); {
			case err != nil || g.lookedInto(now):
				since = time.Time{}
			case since.IsZero():
				since = now
			case now.Sub(since) >= wayFree:
				g.log.Info("a newer version is installed and nobody looks into any room: ending, so that it takes over")
				return
			}
		}
	}
}

// lookedInto says whether anybody is in any room. The viewers of a server that a room is passed on to are not known, and count.
func (g *Gateway) lookedInto(now time.Time) bool {
	for _, r := range g.rooms {
		r.mu.Lock()
		p := r.presence(now)
		r.mu.Unlock()
		if p.Present || len(p.Watchers) > 0 {
			return true
		}
	}
	return false
}
