package link

import (
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// Datagrams count exactly: payload, 8 bytes of UDP, and 20 or 40 of IP.
func TestMeterDatagrams(t *testing.T) {
	leaks(t)
	for _, c := range []struct {
		ip   string
		head int
	}{{"127.0.0.1", 28}, {"::1", 48}} {
		far, err := net.ListenPacket("udp", net.JoinHostPort(c.ip, "0"))
		if err != nil {
			t.Logf("%s: %v", c.ip, err)
			continue
		}
		defer far.Close()
		var m Meter
		n := Metered(bound(t, c.ip), &m)
		near, err := n.ListenUDP("udp", &net.UDPAddr{})
		must(t, err)
		defer near.Close()
		buf := make([]byte, 1500)
		_, err = near.WriteTo(buf[:100], far.LocalAddr())
		must(t, err)
		_, from, err := far.ReadFrom(buf)
		must(t, err)
		_, err = far.WriteTo(buf[:1000], from)
		must(t, err)
		_, _, err = near.ReadFrom(buf)
		must(t, err)
		if m.Sent() != uint64(100+c.head) || m.Received() != uint64(1000+c.head) {
			t.Errorf("%s: sent %d, received %d; want %d and %d", c.ip, m.Sent(), m.Received(), 100+c.head, 1000+c.head)
		}
	}
}

// HTTP and the look-up of its name are counted; a download of 1 MB costs its headers and acknowledgements too: 3 to 8 % of
// it, as captures show.
func TestMeterStreams(t *testing.T) {
	leaks(t)
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(t, err)
	var asked atomic.Pointer[net.UDPAddr]
	served := make(chan struct{})
	go func() { defer close(served); serveNames(server, &asked) }()
	defer func() { server.Close(); <-served }()
	const size = 1 << 20
	body := make([]byte, size)
	rand.Read(body)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }))
	defer web.Close()
	_, port, _ := net.SplitHostPort(web.Listener.Addr().String())

	var m Meter
	inner := bound(t, "127.0.0.2")
	inner.SetNameservers(server.LocalAddr().(*net.UDPAddr).AddrPort())
	n := Metered(inner, &m)
	c, err := n.DialContext(t.Context(), "tcp", "far.example:"+port)
	must(t, err)
	// A question of 12 + 13 + 4 bytes at least and its answer of 16 more; a SYN, its answer and the acknowledgement.
	if m.Sent() < 29+28+60+52 || m.Received() < 45+28+60 || m.Sent() > 400 || m.Received() > 400 {
		t.Errorf("a look-up and a handshake: sent %d, received %d", m.Sent(), m.Received())
	}
	must(t, c.Close())

	m = Meter{}
	client := &http.Client{Transport: &http.Transport{DialContext: n.DialContext, DisableKeepAlives: true}}
	answer, err := client.Get("http://127.0.0.1:" + port)
	must(t, err)
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	in, out := float64(m.Received())/size, float64(m.Sent())/size
	t.Logf("1 MiB over HTTP: received %.3f, sent %.3f of it", in, out)
	if in < 1.03 || in > 1.08 || out < 0.01 || out > 0.03 {
		t.Errorf("1 MiB over HTTP: received %.3f, sent %.3f of it", in, out)
	}
}
