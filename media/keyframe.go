package media

import (
	"sync"
	"time"
)

// keyFrameEvery is the shortest time between two key frame requests passed on: a 720p key frame costs about five normal
// frames, and a decoder that asks again within half a second asks about the same loss.
const keyFrameEvery = 500 * time.Millisecond

// KeyFrameGate lets at most one key frame request through per Every. A request inside that time is held, not lost: it is
// due when the time has passed. The zero value is ready; any goroutine may call it.
type KeyFrameGate struct {
	// Every is the shortest time between two requests passed on; 0 means 500 ms. Set it before the first call.
	Every time.Duration

	mu    sync.Mutex
	last  time.Time // when a request was last passed on; zero: never
	until time.Time // nothing is passed on before
	held  bool
}

// Hold keeps requests back until then: while a replay is under way a decoder asks about what is coming, and a key frame is five
// frames' worth of bits on a link that has just taken over. A hold is never shortened.
func (g *KeyFrameGate) Hold(until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until.After(g.until) {
		g.until = until
	}
}

// Ask takes a request at now and says whether to pass it on at once. If not, it is held until Due says so.
func (g *KeyFrameGate) Ask(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = true
	return g.release(now)
}

// Anew is Ask where whatever was passed on before is lost, as after an outage: no time since then counts.
func (g *KeyFrameGate) Anew(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last, g.held = time.Time{}, true
	return g.release(now)
}

// Due says whether a held request is to be passed on at now. It says so once per request.
func (g *KeyFrameGate) Due(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held && g.release(now)
}

// Deadline is when a held request falls due; false when none is held.
func (g *KeyFrameGate) Deadline() (time.Time, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.last.Add(g.every())
	if g.until.After(at) {
		at = g.until
	}
	return at, g.held
}

func (g *KeyFrameGate) release(now time.Time) bool {
	if now.Before(g.until) || !g.last.IsZero() && now.Sub(g.last) < g.every() {
		return false
	}
	g.last, g.held = now, false
	return true
}

func (g *KeyFrameGate) every() time.Duration {
	if g.Every > 0 {
		return g.Every
	}
	return keyFrameEvery
}
