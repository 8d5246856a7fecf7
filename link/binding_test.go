package link

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// A far end's media port answers the question of a box that looks for a fault, from the address it was sent to, and nothing
// that anybody else could want answered.
func TestBindingAnswered(t *testing.T) {
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	api, err := NewAPI(APIConfig{UDP: socket, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	c, err := net.Dial("udp4", socket.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	q, id, err := BindingQuestion()
	if err != nil {
		t.Fatal(err)
	}
	foreign := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewSoftware("long enough to be answered, were it ours"), stun.Fingerprint)
	for _, text := range [][]byte{foreign.Raw, []byte("not STUN at all, but as long as a question ought to be ......"), q} {
		if _, err := c.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 1500)
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := c.Read(buf)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	at, ok := BindingAnswer(buf[:n], id) // the first answer is to our own question: the others got none
	if !ok || at != c.LocalAddr().(*net.UDPAddr).AddrPort() {
		t.Errorf("answered %v %v to %v", at, ok, c.LocalAddr())
	}
	if n > len(q) {
		t.Errorf("an answer of %d bytes to a question of %d multiplies traffic", n, len(q))
	}
	if _, ok := BindingAnswer(buf[:n], [12]byte{}); ok {
		t.Error("the answer to another question is taken")
	}
}

func TestBindingAnswer(t *testing.T) {
	six := netip.MustParseAddrPort("[2001:db8::7]:4321")
	q, id, _ := BindingQuestion()
	a := bindingAnswer(q, six)
	if at, ok := BindingAnswer(a, id); !ok || at != six || len(a) > bindingQuestion {
		t.Errorf("IPv6: %v %v, %d bytes", at, ok, len(a))
	}
	signed := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(bindingUser), stun.NewSoftware("padding, padding"), stun.NewShortTermIntegrity("x"))
	for name, text := range map[string][]byte{
		"short": q[:20], "cut": q[:len(q)-3], "an answer": a,
		"another user":  stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("abcd:efgh"), stun.NewSoftware("padding, padding, padding")).Raw,
		"with a secret": signed.Raw,
	} {
		if got := bindingAnswer(text, six); got != nil {
			t.Errorf("%s: answered", name)
		}
	}
	b := &bindings{}
	now := time.Now()
	n := 0
	for range 3 * bindingsPerSecond {
		if b.may(now) {
			n++
		}
	}
	if n != bindingsPerSecond || !b.may(now.Add(time.Second)) {
		t.Errorf("%d answers in one second", n)
	}
}

func TestUDPPorts(t *testing.T) {
	got := udpPorts("v=0\r\na=candidate:1 1 udp 2130706431 192.0.2.1 8443 typ host\r\na=candidate:1 1 udp 2130706431 192.0.2.1 8443 typ host\r\n" +
		"a=candidate:2 1 tcp 1 192.0.2.1 8443 typ host tcptype passive\r\na=candidate:3 1 UDP 7 2001:db8::1 8443 typ srflx raddr :: rport 0\r\n" +
		"a=candidate:4 1 udp 7 x.local 8443 typ host\r\na=candidate:5 1 udp 7 192.0.2.9 1 typ relay\r\na=candidate:\r\n")
	if len(got) != 2 || got[0] != netip.MustParseAddrPort("192.0.2.1:8443") || got[1] != netip.MustParseAddrPort("[2001:db8::1]:8443") {
		t.Errorf("%v", got)
	}
}
