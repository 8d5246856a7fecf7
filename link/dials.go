package link

import (
	"context"
	"net"
	"sync"
)

// dials makes the connections of one signaller and ends them with it: net/http dials ahead in the background, and such a
// dial would outlive the session.
type dials struct {
	net    Net
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu   sync.Mutex
	over bool
	open map[*dialled]struct{}
}

func newDials(n Net) *dials {
	d := &dials{net: n, open: map[*dialled]struct{}{}}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// dial is http.Transport's DialContext.
func (d *dials) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	if d.over {
		d.mu.Unlock()
		return nil, net.ErrClosed
	}
	d.wg.Add(1)
	d.mu.Unlock()
	defer d.wg.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()
	c, err := d.net.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	out := &dialled{Conn: c, of: d}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	d.open[out] = struct{}{}
	return out, nil
}

// close ends what is open and what is being dialled, and waits for the latter.
func (d *dials) close() {
	d.cancel()
	d.mu.Lock()
	d.over = true
	for c := range d.open {
		_ = c.Conn.Close()
	}
	clear(d.open)
	d.mu.Unlock()
	d.wg.Wait()
}

type dialled struct {
	net.Conn
	of *dials
}

func (c *dialled) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
