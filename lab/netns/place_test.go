package netns

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"scanside/lab/emu/tun"

	"golang.org/x/sys/unix"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes network namespaces and TUN devices")
	}
}

// emulate runs the emulator in this process; the returned function asks it.
func emulate(t *testing.T, p *place) func(line string) reply {
	t.Helper()
	in, tell := io.Pipe()
	hear, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- Emulator(p.room, p.far, uplinksOf(), nil, in, out) }()
	t.Cleanup(func() {
		tell.Close()
		if err := <-ended; err != nil {
			t.Errorf("emulator: %v", err)
		}
	})
	lines := bufio.NewScanner(hear)
	return func(line string) (r reply) {
		t.Helper()
		if _, err := io.WriteString(tell, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatalf("no answer to %q", line)
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
}

// dialBound is a UDP socket of the room that leaves by one interface only, as the agent's do.
func dialBound(t *testing.T, p *place, device string) (c net.Conn, err error) {
	t.Helper()
	bind := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		raw.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), device) })
		return err
	}}
	err = tun.Within(p.room, func() (err error) { c, err = bind.Dial("udp4", farAddress+":7"); return err })
	return c, err
}

// The far end's one address is reached over either uplink; an interface that goes down refuses, and works again afterwards.
func TestPlace(t *testing.T) {
	needRoot(t)
	p, err := newPlace()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.remove()
		if _, err := os.Stat("/run/netns/" + p.room); err == nil {
			t.Error("the namespace is still there")
		}
	})
	ask := emulate(t, p)
	ask("ready")
	if err := p.address(uplinksOf()); err != nil {
		t.Fatal(err)
	}
	var far net.PacketConn
	if err := tun.Within(p.far, func() (err error) { far, err = net.ListenPacket("udp4", farAddress+":7"); return err }); err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	echo := func(c net.Conn, what string) {
		t.Helper()
		buf := make([]byte, 100)
		if _, err := c.Write([]byte(what)); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		far.SetReadDeadline(time.Now().Add(patience))
		n, from, err := far.ReadFrom(buf)
		if err != nil || string(buf[:n]) != what {
			t.Fatalf("%s: the far end got %q, %v", what, buf[:n], err)
		}
		far.WriteTo(buf[:n], from)
		c.SetReadDeadline(time.Now().Add(patience))
		if n, err = c.Read(buf); err != nil || string(buf[:n]) != what {
			t.Fatalf("%s: the room got %q, %v", what, buf[:n], err)
		}
	}
	for _, u := range uplinksOf() {
		c, err := dialBound(t, p, u.Name)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		echo(c, "over "+u.Name)
		if err := p.ifDown(u.Name); err != nil {
			t.Fatal(err)
		}
		if _, err := dialBound(t, p, u.Name); err == nil {
			t.Errorf("%s is down and can be dialled", u.Name)
		}
		if err := p.ifUp(u.Name); err != nil {
			t.Fatal(err)
		}
		echo(c, u.Name+" again")
	}
	if r := ask("do cut primary up"); r.Error != "" {
		t.Error(r.Error)
	}
	if r := ask("do melt primary"); !strings.Contains(r.Error, "melt") {
		t.Errorf("melting the primary: %q", r.Error)
	}
	var traffic map[string]Traffic
	if err := json.Unmarshal(ask("counters").Value, &traffic); err != nil || traffic["cellular"].Up.Passed < 2 {
		t.Errorf("counters %v, %v", traffic, err)
	}
}

func TestIsMedia(t *testing.T) {
	packet := func(protocol, first, second byte) []byte {
		p := make([]byte, 20+8+12)
		p[0], p[9], p[28], p[29] = 0x45, protocol, first, second
		return p
	}
	for _, c := range []struct {
		name string
		p    []byte
		want bool
	}{
		{"voice", packet(17, 0x80, 111), true}, {"a picture's last packet", packet(17, 0x80, 108|0x80), true},
		{"RTCP report", packet(17, 0x80, 200), false}, {"a probe", packet(17, 0x80, 204), false},
		{"STUN", packet(17, 0x00, 0x01), false}, {"DTLS", packet(17, 22, 254), false},
		{"TCP", packet(6, 0x80, 111), false}, {"too short", packet(17, 0x80, 111)[:30], false},
	} {
		if isMedia(c.p) != c.want {
			t.Errorf("%s: %v, want %v", c.name, !c.want, c.want)
		}
	}
}

func TestUntilGivesUpInWords(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := until(ctx, time.Hour, time.Hour, "never", nil, func() error { return io.EOF }); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	err := until(t.Context(), time.Millisecond, time.Hour, "the moon turns blue", nil, func() error { return io.EOF })
	if err == nil || !strings.Contains(err.Error(), "the moon turns blue: not within 1ms") {
		t.Errorf("too late: %v", err)
	}
}
