package link

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pion/ice/v4"
)

const (
	// udpHeadStart is how long ICE over UDP is alone: TCP and relays are for networks that drop UDP, and cost media stalls,
	// or a third party.
	udpHeadStart = 700 * time.Millisecond
	// tcpQueue bounds what waits for a stuck connection: a quarter of a second of media. The newest is dropped.
	tcpQueue = 64
)

var errTCPBroken = errors.New("the TCP connection that carried the media broke")

// tcpDialer is the active side of ICE over TCP (RFC 6544) through the uplink's own Net. pion's own dials with a bare
// net.Dialer, past the Net and so past the uplink's binding (ice active_tcp.go); this one is given to pion as its "mux" for
// local TCP candidates and dials when ICE first sends to an address. Framing is RFC 4571: two bytes of length.
type tcpDialer struct {
	net    Net
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	start  time.Duration
	broken func(error) // a connection that had worked broke; called at most once per connection

	mu      sync.Mutex
	settled bool // another path won: no more dialling
	conns   []*tcpLocal
}

var _ ice.TCPMux = (*tcpDialer)(nil)

// newTCPDialer makes a dialler that waits start out after a candidate's birth.
func newTCPDialer(n Net, start time.Duration, broken func(error)) *tcpDialer {
	d := &tcpDialer{net: n, start: start, broken: broken}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// GetConnByUfrag implements ice.TCPMux: a local candidate for one ICE session. Port 9 is RFC 6544's for active candidates.
func (d *tcpDialer) GetConnByUfrag(ufrag string, _ bool, local net.IP) (net.PacketConn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx.Err() != nil {
		return nil, net.ErrClosed
	}
	l := &tcpLocal{
		dialer: d, ufrag: ufrag, addr: &net.TCPAddr{IP: local, Port: 9}, born: time.Now(),
		in: make(chan tcpPacket, tcpQueue), closed: make(chan struct{}), remotes: map[string]*tcpRemote{},
	}
	d.conns = append(d.conns, l)
	return l, nil
}

// RemoveConnByUfrag implements ice.TCPMux.
func (d *tcpDialer) RemoveConnByUfrag(ufrag string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.conns {
		if l.ufrag == ufrag {
			l.shut()
		}
	}
}

// settle ends the TCP side when another path won.
func (d *tcpDialer) settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settled = true
	for _, l := range d.conns {
		l.hangUp()
	}
}

// Close implements io.Closer and waits.
func (d *tcpDialer) Close() error {
	d.cancel()
	d.mu.Lock()
	for _, l := range d.conns {
		l.shut()
	}
	d.mu.Unlock()
	d.wg.Wait()
	return nil
}

type tcpPacket struct {
	data []byte
	from net.Addr
}

// tcpLocal is one local candidate: a PacketConn over one connection per remote candidate.
type tcpLocal struct {
	dialer *tcpDialer
	ufrag  string
	addr   *net.TCPAddr
	born   time.Time
	in     chan tcpPacket
	once   sync.Once
	closed chan struct{}

	mu      sync.Mutex
	remotes map[string]*tcpRemote
}

// tcpRemote is one connection, or the attempt at one.
type tcpRemote struct {
	addr   net.Addr
	out    chan []byte
	cancel context.CancelFunc
}

func (l *tcpLocal) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-l.in:
		return copy(b, p.data), p.from, nil
	case <-l.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo queues b for addr, dialling on first use. It never blocks: what does not fit is dropped, as a full router does.
func (l *tcpLocal) WriteTo(b []byte, addr net.Addr) (int, error) {
	r, err := l.remote(addr)
	if err != nil {
		return 0, err
	}
	if r != nil {
		select {
		case r.out <- append([]byte(nil), b...):
		default:
			meterOf(l.dialer.net).drop()
		}
	}
	return len(b), nil
}

func (l *tcpLocal) remote(addr net.Addr) (*tcpRemote, error) {
	key := addr.String()
	l.mu.Lock()
	defer l.mu.Unlock()
	if r, ok := l.remotes[key]; ok {
		return r, nil
	}
	select {
	case <-l.closed:
		return nil, io.ErrClosedPipe
	default:
	}
	ctx, cancel := context.WithCancel(l.dialer.ctx)
	r := &tcpRemote{addr: addr, out: make(chan []byte, tcpQueue), cancel: cancel}
	l.remotes[key] = r
	l.dialer.wg.Add(1)
	go func() {
		defer l.dialer.wg.Done()
		defer cancel()
		l.carry(ctx, r)
	}()
	return r, nil
}

// carry waits the head start out, dials, and moves packets until the connection breaks.
func (l *tcpLocal) carry(ctx context.Context, r *tcpRemote) {
	select {
	case <-time.After(time.Until(l.born.Add(l.dialer.start))):
	case <-ctx.Done():
		return
	}
	dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := l.dialer.net.DialContext(dialCtx, "tcp", r.addr.String())
	if err != nil {
		return
	}
	defer c.Close()                                          // ends receive, also when stop comes before the func below
	stop := context.AfterFunc(ctx, func() { _ = c.Close() }) // ends a write that is stuck
	defer stop()
	l.dialer.wg.Add(1)
	go func() {
		defer l.dialer.wg.Done()
		l.receive(c, r.addr)
		_ = c.Close()
	}()
	for {
		select {
		case b := <-r.out:
			if err := writeFramed(c, b); err != nil {
				l.lost(ctx)
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (l *tcpLocal) receive(c net.Conn, from net.Addr) {
	r := bufio.NewReader(c)
	for {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			l.lost(l.dialer.ctx)
			return
		}
		data := make([]byte, binary.BigEndian.Uint16(head[:]))
		if _, err := io.ReadFull(r, data); err != nil {
			l.lost(l.dialer.ctx)
			return
		}
		select {
		case l.in <- tcpPacket{data, from}:
		case <-l.closed:
			return
		}
	}
}

// lost tells that the path is gone, unless we ended it ourselves.
func (l *tcpLocal) lost(ctx context.Context) {
	select {
	case <-l.closed:
	case <-ctx.Done():
	default:
		l.dialer.mu.Lock()
		settled := l.dialer.settled
		l.dialer.mu.Unlock()
		if !settled && l.dialer.broken != nil {
			l.dialer.broken(errTCPBroken)
		}
	}
}

func writeFramed(c net.Conn, b []byte) error {
	frame := make([]byte, 2, 2+len(b))
	binary.BigEndian.PutUint16(frame, uint16(len(b)))
	_, err := c.Write(append(frame, b...))
	return err
}

// hangUp ends the connections and leaves the candidate to pion.
func (l *tcpLocal) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.remotes {
		r.cancel()
	}
}

func (l *tcpLocal) shut() {
	l.once.Do(func() { close(l.closed) })
	l.hangUp()
}

// Close implements net.PacketConn.
func (l *tcpLocal) Close() error { l.shut(); return nil }

func (l *tcpLocal) LocalAddr() net.Addr              { return l.addr }
func (l *tcpLocal) SetDeadline(time.Time) error      { return nil }
func (l *tcpLocal) SetReadDeadline(time.Time) error  { return nil }
func (l *tcpLocal) SetWriteDeadline(time.Time) error { return nil }
