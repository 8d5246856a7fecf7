package link

import (
	"context"
	"net"
	"sync"
	"time"
)

// pipeListener accepts in-memory connections with a delay each way.
type pipeListener struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	gates map[string]*gate // by client address
}

func (l *pipeListener) gate(ip string) *gate {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gates == nil {
		l.gates = map[string]*gate{}
	}
	if l.gates[ip] == nil {
		l.gates[ip] = newGate()
	}
	return l.gates[ip]
}

func (l *pipeListener) cut(ips map[string]bool) {
	for ip := range ips {
		l.gate(ip)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for ip, g := range l.gates {
		g.set(ips[ip])
	}
}

func (l *pipeListener) dial(ctx context.Context, ip string, delay time.Duration) (net.Conn, error) {
	g := l.gate(ip)
	if err := g.wait(ctx.Done(), nil); err != nil {
		return nil, ctx.Err()
	}
	select { // the handshake's round trip
	case <-time.After(2 * delay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	client, server := net.Pipe()
	here, there := newSlowConn(client, g, delay), newSlowConn(server, g, delay)
	select {
	case l.accept <- there:
		return here, nil
	case <-l.closed:
	case <-ctx.Done():
	}
	_, _ = here.Close(), there.Close()
	return nil, net.ErrClosed
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 443} }

// slowConn delays what is written by a constant, and stalls while its gate is shut.
type slowConn struct {
	net.Conn
	delay time.Duration
	queue chan slowWrite
	done  chan struct{}
	once  sync.Once
}

type slowWrite struct {
	at   time.Time
	data []byte
}

func newSlowConn(c net.Conn, g *gate, delay time.Duration) *slowConn {
	s := &slowConn{Conn: c, delay: delay, queue: make(chan slowWrite, 1024), done: make(chan struct{})}
	go func() {
		defer c.Close()
		for {
			select {
			case w := <-s.queue:
				time.Sleep(time.Until(w.at))
				if g.wait(s.done, nil) != nil {
					return
				}
				if _, err := c.Write(w.data); err != nil {
					return
				}
			case <-s.done:
				return
			}
		}
	}()
	return s
}

func (s *slowConn) Write(b []byte) (int, error) {
	select {
	case s.queue <- slowWrite{time.Now().Add(s.delay), append([]byte(nil), b...)}:
		return len(b), nil
	case <-s.done:
		return 0, net.ErrClosed
	}
}

// Close lets what was written arrive.
func (s *slowConn) Close() error {
	s.once.Do(func() { time.AfterFunc(2*s.delay+time.Millisecond, func() { close(s.done) }) })
	_ = s.Conn.SetReadDeadline(time.Unix(1, 0))
	return nil
}
