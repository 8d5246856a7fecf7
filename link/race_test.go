package link

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// behaviour is how one address of a name behaves.
type behaviour struct {
	refuses bool
	from    time.Duration // it answers attempts that begin then or later; -1: never
}

// A dial goes to whichever address answers first, soon after an uplink came back in its middle, and leaves nothing behind.
func TestRace(t *testing.T) {
	const never = -1
	for _, c := range []struct {
		name  string
		hosts []behaviour
		took  time.Duration
		to    int // -1: it fails
	}{
		{"one that answers", []behaviour{{from: 0}}, 0, 0},
		{"one that refuses", []behaviour{{refuses: true}}, 0, -1},
		{"the first refuses", []behaviour{{refuses: true}, {from: 0}}, 0, 1},
		{"the first is silent", []behaviour{{from: never}, {from: 0}}, attemptPause, 1},
		{"silent until the uplink is back", []behaviour{{from: 2900 * time.Millisecond}}, 3 * time.Second, 0},
		{"two that are silent until then", []behaviour{{from: 2900 * time.Millisecond}, {from: 2900 * time.Millisecond}}, 3 * time.Second, 0},
		{"one that refuses and one that comes back", []behaviour{{refuses: true}, {from: time.Second}}, time.Second, 1},
		{"nobody", []behaviour{{from: never}, {from: never}}, 6 * time.Second, -1},
		{"no address", nil, 0, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				var addrs []netip.AddrPort
				for i := range c.hosts {
					addrs = append(addrs, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 443))
				}
				open := 0
				dial := func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
					h := c.hosts[to.Addr().As4()[3]]
					switch {
					case h.refuses:
						return nil, errors.New("refused")
					case h.from == never || time.Since(begun) < h.from:
						<-ctx.Done()
						return nil, ctx.Err()
					}
					near, far := net.Pipe()
					open++
					context.AfterFunc(ctx, func() { far.Close() })
					return near, nil
				}
				ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
				defer cancel()
				conn, to, err := race(ctx, addrs, dial)
				if took := time.Since(begun); took < c.took || took > c.took+attemptPause || (err == nil) != (c.to >= 0) {
					t.Errorf("%v after %v, want %v", err, took, c.took)
				}
				if err == nil {
					if to != addrs[c.to] || open != 1 {
						t.Errorf("connected to %v; %d connections were made", to, open)
					}
					conn.Close()
				}
			})
		})
	}
}
