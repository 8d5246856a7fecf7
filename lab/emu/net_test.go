package emu

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"
)

// inner is a virtual host whose TCP connections all lead to far, a listener of pipes.
type inner struct {
	*vnet.Net
	far chan net.Conn
}

func (n inner) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case n.far <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type world struct {
	set  *Set
	net  *Net
	in   inner
	echo net.PacketConn // a host at 10.0.0.2:7 that sends everything back
}

const far = "10.0.0.2:7"

func newWorld(t *testing.T, roundTrip time.Duration) *world {
	t.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: logging.NewDefaultLoggerFactory()})
	if err != nil {
		t.Fatal(err)
	}
	host := func(ip string) *vnet.Net {
		n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
		if err != nil {
			t.Fatal(err)
		}
		if err := router.AddNet(n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	room, other := host("10.0.0.1"), host("10.0.0.2")
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	w := &world{set: NewSet(1, Symmetric("primary", roundTrip)), in: inner{room, make(chan net.Conn)}}
	if w.net, err = w.set.Wrap("primary", w.in); err != nil {
		t.Fatal(err)
	}
	if w.echo, err = other.ListenPacket("udp4", far); err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		buf := make([]byte, 2000)
		for {
			size, addr, err := w.echo.ReadFrom(buf)
			if err != nil {
				return
			}
			w.echo.WriteTo(buf[:size], addr)
		}
	}()
	t.Cleanup(func() {
		w.echo.Close()
		<-answered
		w.set.Close()
		router.Stop()
	})
	return w
}

func (w *world) impair(t *testing.T, what string) {
	t.Helper()
	if err := w.set.Impair("primary", what); err != nil {
		t.Fatal(err)
	}
}

// ask sends one datagram and says how long the answer took; false after a second without one.
func ask(t *testing.T, c net.Conn) (time.Duration, bool) {
	t.Helper()
	start := time.Now()
	if _, err := c.Write([]byte("?")); err != nil {
		t.Fatalf("write: %v", err)
	}
	c.SetReadDeadline(start.Add(time.Second))
	defer c.SetReadDeadline(time.Time{})
	if _, err := c.Read(make([]byte, 10)); errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, false
	} else if err != nil {
		t.Fatalf("read: %v", err)
	}
	return time.Since(start), true
}

func TestDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20*time.Millisecond)
		c, err := w.net.Dial("udp4", far)
		if err != nil {
			t.Fatal(err)
		}
		if rtt, ok := ask(t, c); !ok || rtt != 20*time.Millisecond {
			t.Errorf("at rest: %v %v, want exactly 20 ms", rtt, ok)
		}
		w.impair(t, "delay")
		if rtt, ok := ask(t, c); !ok || rtt != 620*time.Millisecond {
			t.Errorf("+300 ms each way: %v %v, want 620 ms", rtt, ok)
		}
		w.impair(t, "restore")
		w.impair(t, "cut")
		if _, ok := ask(t, c); ok {
			t.Error("a black hole answered")
		}
		w.impair(t, "restore")
		if rtt, ok := ask(t, c); !ok || rtt != 20*time.Millisecond {
			t.Errorf("restored: %v %v, want 20 ms and nothing of what was lost", rtt, ok)
		}
		w.set.Unplug("primary", true)
		if _, err := c.Write([]byte("?")); !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("unplugged: %v, want ENETUNREACH", err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after close: %v", err)
		}
	})
}

// One direction dead: the far end still hears us, or the other way round.
func TestOneWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20*time.Millisecond)
		c, err := w.net.Dial("udp4", far)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		cut := func(_, now Shape) Shape { now.Cut = true; return now }
		for _, d := range []Direction{Up, Down} {
			w.impair(t, "restore")
			w.set.Change("primary", d, cut)
			if _, ok := ask(t, c); ok {
				t.Errorf("direction %d cut, and yet an answer", d)
			}
		}
		up, down, _ := w.set.Lines("primary")
		if up.Counters().Cut != 1 || down.Counters().Cut != 1 || down.Counters().Lost != 0 {
			t.Errorf("counters up %+v down %+v, want one cut each", up.Counters(), down.Counters())
		}
		if got := w.set.State("primary"); got != "down: cut" {
			t.Errorf("state %q, want down: cut", got)
		}
	})
}

func dialEcho(t *testing.T, w *world) net.Conn {
	t.Helper()
	go func() {
		far := <-w.in.far
		io.Copy(far, far)
		far.Close()
	}()
	c, err := w.net.DialContext(t.Context(), "tcp", "gateway:443")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20*time.Millisecond)
		start := time.Now()
		c := dialEcho(t, w)
		if took := time.Since(start); took != 20*time.Millisecond {
			t.Errorf("dialing took %v, want one round trip of 20 ms", took)
		}
		sent := bytes.Repeat([]byte("0123456789abcdef"), 100_000) // 1.6 MB: six windows
		go c.Write(sent)
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("what came back is not what was sent (%v)", err)
		}
		start = time.Now()
		c.Write([]byte("ping"))
		w.impair(t, "cut")
		go func() {
			time.Sleep(3 * time.Second)
			w.set.Impair("primary", "restore")
		}()
		if _, err := io.ReadFull(c, got[:4]); err != nil || string(got[:4]) != "ping" {
			t.Fatalf("through a cut: %q %v", got[:4], err)
		}
		if took := time.Since(start); took != 3010*time.Millisecond {
			t.Errorf("a cut of 3 s held the stream for %v, want 3.01 s", took)
		}
	})
}

func TestStreamDeadlinesAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20*time.Millisecond)
		c := dialEcho(t, w)
		c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v, want the deadline", err)
		}
		w.impair(t, "cut")
		c.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := c.Write(make([]byte, 2*window)); !errors.Is(err, os.ErrDeadlineExceeded) || n != window {
			t.Errorf("write: %d %v, want a window and then the deadline", n, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.net.DialContext(ctx, "tcp", "gateway:443"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial through a cut: %v, want the deadline", err)
		}
		w.set.Unplug("primary", true)
		if _, err := w.net.DialContext(t.Context(), "tcp", "gateway:443"); !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("dial unplugged: %v", err)
		}
	})
}

// The far end's close arrives after its last byte, one way later.
func TestStreamEndArrivesLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20*time.Millisecond)
		go func() {
			far := <-w.in.far
			far.Write([]byte("bye"))
			far.Close()
		}()
		c, err := w.net.DialContext(t.Context(), "tcp", "gateway:443")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if all, err := io.ReadAll(c); err != nil || string(all) != "bye" {
			t.Errorf("read %q, %v", all, err)
		}
	})
}

func TestSetSaysWhatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSet(1, Symmetric("primary", 20*time.Millisecond), Symmetric("cellular", 60*time.Millisecond))
		defer s.Close()
		for _, c := range []struct{ do, want string }{
			{"loss", "30 % loss"}, {"delay", "30 % loss, +300 ms"}, {"cut", "cut"}, {"restore", ""},
		} {
			if err := s.Impair("primary", c.do); err != nil {
				t.Fatal(err)
			}
			if got := s.State("primary"); got != c.want {
				t.Errorf("after %s: %q, want %q", c.do, got, c.want)
			}
		}
		if s.State("cellular") != "" || s.State("nobody") != "" {
			t.Error("an untouched or unknown uplink has a state")
		}
		for _, err := range []error{s.Impair("nobody", "cut"), s.Impair("primary", "melt"),
			s.Change("primary", Both, func(_, now Shape) Shape { now.Loss = 2; return now })} {
			if err == nil {
				t.Error("no error for an unknown uplink, an unknown word or an impossible shape")
			}
		}
	})
}
