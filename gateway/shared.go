package gateway

import (
	"net"
	"sync"
	"time"
)

// tellPatience is how long a new connection may take to show by its first byte what it is.
const tellPatience = 5 * time.Second

// shared is one TCP port for the console and for media, so that a site whose firewall lets nothing but 443 out needs no
// relay. The first byte tells them apart: a TLS record begins with 22, an HTTP request with a letter (RFC 8446 5.1, RFC 9110
// 9), the length before a peer's first STUN message (RFC 4571 2) with 0 or 1, for that message is shorter than 512 bytes.
type shared struct {
	port       net.Listener
	web, media *side
	wg         sync.WaitGroup

	mu      sync.Mutex
	over    bool
	pending map[net.Conn]struct{} // that have shown nothing yet
}

// share serves port until Close.
func share(port net.Listener) *shared {
	s := &shared{port: port, pending: map[net.Conn]struct{}{}}
	s.web, s.media = newSide(port.Addr()), newSide(port.Addr())
	s.wg.Go(s.serve)
	return s
}

func (s *shared) serve() {
	for {
		c, err := s.port.Accept()
		if err != nil {
			if t, ok := err.(interface{ Temporary() bool }); ok && t.Temporary() {
				time.Sleep(10 * time.Millisecond) // out of file descriptors: net/http waits likewise
				continue
			}
			return
		}
		s.wg.Go(func() { s.tell(c) })
	}
}

// tell reads the first byte and hands the connection on. A stranger's costs a goroutine for a while, as net/http's do.
func (s *shared) tell(c net.Conn) {
	if !s.wait(c) {
		_ = c.Close()
		return
	}
	first := make([]byte, 1)
	_ = c.SetReadDeadline(time.Now().Add(tellPatience))
	_, err := c.Read(first)
	s.mu.Lock()
	delete(s.pending, c)
	s.mu.Unlock()
	if err != nil {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	to := s.web
	if first[0] <= 1 {
		to = s.media
	}
	to.hand(&begun{Conn: c, first: first})
}

func (s *shared) wait(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.pending[c] = struct{}{}
	}
	return !s.over
}

// Close ends the port and both sides, and waits.
func (s *shared) Close() error {
	err := s.port.Close()
	s.mu.Lock()
	s.over = true
	for c := range s.pending {
		_ = c.Close()
	}
	s.mu.Unlock()
	_ = s.web.Close()
	_ = s.media.Close()
	s.wg.Wait()
	return err
}

// side is one of the two listeners that a shared port looks like.
type side struct {
	addr   net.Addr
	calls  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newSide(addr net.Addr) *side {
	return &side{addr: addr, calls: make(chan net.Conn), closed: make(chan struct{})}
}

// hand gives a connection to whoever accepts here.
func (l *side) hand(c net.Conn) {
	select {
	case l.calls <- c:
	case <-l.closed:
		_ = c.Close()
	}
}

func (l *side) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *side) Addr() net.Addr { return l.addr }
func (l *side) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }

// begun is a connection whose first byte has been read.
type begun struct {
	net.Conn
	first []byte
}

func (c *begun) Read(b []byte) (int, error) {
	if len(c.first) > 0 && len(b) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}
