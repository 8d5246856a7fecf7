package bubble

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"
)

// internet is one virtual network for datagrams and an exchange of pipes for HTTP.
type internet struct {
	router  *vnet.Router
	mu      sync.Mutex
	servers map[string]*exchange // by host:port
	silent  map[string]bool      // machines (addresses) and servers (host:port) that are off the network
}

func newInternet() (*internet, error) {
	quiet := &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: quiet})
	if err != nil {
		return nil, fmt.Errorf("make the virtual network: %w", err)
	}
	i := &internet{router: router, servers: map[string]*exchange{}, silent: map[string]bool{}}
	router.AddChunkFilter(func(c vnet.Chunk) bool {
		return !i.off(machine(c.SourceAddr())) && !i.off(machine(c.DestinationAddr()))
	})
	return i, nil
}

func machine(a net.Addr) string {
	host, _, _ := net.SplitHostPort(a.String())
	return host
}

// vanish takes a machine and its server off the network, or puts them back.
func (i *internet) vanish(ip, server string, on bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.silent[ip], i.silent[server] = on, on
}

func (i *internet) off(name string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.silent[name]
}

// host is one machine on the network. All of them are added before start.
func (i *internet) host(ip string) (*host, error) {
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
	if err == nil {
		err = i.router.AddNet(n)
	}
	if err != nil {
		return nil, fmt.Errorf("add virtual host %s: %w", ip, err)
	}
	return &host{n, i}, nil
}

// host satisfies link.Net.
type host struct {
	*vnet.Net
	internet *internet
}

// DialContext opens a pipe to the HTTP server at addr.
func (h *host) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if h.internet.off(addr) { // nothing answers, nothing refuses
		<-ctx.Done()
		return nil, ctx.Err()
	}
	h.internet.mu.Lock()
	to := h.internet.servers[addr]
	h.internet.mu.Unlock()
	if to == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("no virtual server at %s", addr)}
	}
	near, far := net.Pipe()
	select {
	case to.calls <- far:
		return near, nil
	case <-to.closed:
		return nil, &net.OpError{Op: "dial", Net: network, Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve answers HTTP at addr until stop is called, which waits.
func (i *internet) serve(addr string, h http.Handler) (stop func()) {
	x := &exchange{addr: addr, calls: make(chan net.Conn), closed: make(chan struct{})}
	i.mu.Lock()
	i.servers[addr] = x
	i.mu.Unlock()
	server := &http.Server{Handler: h}
	var gone sync.WaitGroup
	gone.Go(func() { _ = server.Serve(x) })
	return func() {
		i.mu.Lock()
		delete(i.servers, addr)
		i.mu.Unlock()
		_ = server.Close()
		gone.Wait()
	}
}

// exchange is the listener of a server of pipes.
type exchange struct {
	addr   string
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (x *exchange) Accept() (net.Conn, error) {
	select {
	case c := <-x.calls:
		return c, nil
	case <-x.closed:
		return nil, net.ErrClosed
	}
}

func (x *exchange) Close() error {
	x.once.Do(func() { close(x.closed) })
	return nil
}

func (x *exchange) Addr() net.Addr { return pipeAddr(x.addr) }

type pipeAddr string

func (a pipeAddr) Network() string { return "pipe" }
func (a pipeAddr) String() string  { return string(a) }
