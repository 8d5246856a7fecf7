package tun

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"scanside/lab/emu"
)

func run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v %s", args, err, out)
	}
}

// patience bounds a wait for something that comes in milliseconds; only a broken emulator uses it up.
const patience = 10 * time.Second

// Two real kernels' stacks joined by the emulator: delay, a cut, a device that goes down and up again.
func TestJoin(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes network namespaces and TUN devices")
	}
	room, far := fmt.Sprintf("ss%d-room", os.Getpid()), fmt.Sprintf("ss%d-far", os.Getpid())
	for _, ns := range []string{room, far} {
		run(t, "netns", "add", ns)
		t.Cleanup(func() { run(t, "netns", "del", ns) })
	}
	set := emu.NewSet(1, emu.Symmetric("primary", 20*time.Millisecond))
	defer set.Close()
	up, down, _ := set.Lines("primary")
	a, err := Open(room, "tun0")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(far, "tun0")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	j := Join(a, b, up, down, func([]byte) { seen++ }) // read after Close
	for ns, addr := range map[string]string{room: "10.77.0.1/24", far: "10.77.0.2/24"} {
		run(t, "-n", ns, "addr", "add", addr, "dev", "tun0")
		run(t, "-n", ns, "link", "set", "tun0", "up")
	}
	var server net.PacketConn
	if err := Within(far, func() (err error) { server, err = net.ListenPacket("udp4", "10.77.0.2:7"); return err }); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	defer j.Close()
	var client net.Conn
	if err := Within(room, func() (err error) { client, err = net.Dial("udp4", "10.77.0.2:7"); return err }); err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	ask := func(word string) time.Duration {
		t.Helper()
		start := time.Now()
		buf := make([]byte, 100)
		client.Write([]byte(word))
		server.SetReadDeadline(start.Add(patience))
		n, addr, err := server.ReadFrom(buf)
		if err != nil || string(buf[:n]) != word {
			t.Fatalf("far end got %q, %v; want %q", buf[:n], err, word)
		}
		server.WriteTo(buf[:n], addr)
		client.SetReadDeadline(start.Add(patience))
		if n, err = client.Read(buf); err != nil || string(buf[:n]) != word {
			t.Fatalf("room got %q, %v; want %q", buf[:n], err, word)
		}
		return time.Since(start)
	}
	if rtt := ask("first"); rtt < 20*time.Millisecond {
		t.Errorf("round trip %v, cannot be less than 20 ms", rtt)
	}
	set.Impair("primary", "cut")
	client.Write([]byte("lost"))
	for deadline := time.Now().Add(patience); up.Counters().Cut == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the cut line saw no packet")
		}
	}
	set.Impair("primary", "restore")
	ask("after the cut") // and not "lost"
	run(t, "-n", room, "link", "set", "tun0", "down")
	client.Write([]byte("refused by the kernel"))
	run(t, "-n", room, "link", "set", "tun0", "up")
	ask("after ifdown")
	j.Close()
	if seen < 3 {
		t.Errorf("the watcher was shown %d packets, want three or more", seen)
	}
}
