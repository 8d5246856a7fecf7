package examination_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"scanside/diagnosis"
	"scanside/examination"
	"scanside/gateway"
	"scanside/link"
)

// The place: a room with two uplinks, a router on each, and behind both the far end's network with a name server.
//
//	room ─ eth0  192.0.2.7 ──── 192.0.2.1    router a ─┐
//	     └ wwan0 198.51.100.7 ─ 198.51.100.1 router b ─┴─ far: gateway 198.18.0.9:8443, name server 198.18.0.53
const (
	farName  = "far.example"
	farHost  = "198.18.0.9"
	nameHost = "198.18.0.53"
	site     = "mri-2"
)

// role is what this program is when a test starts it in a namespace.
const role = "SCANSIDE_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "examine":
		asChild(examine)
	case "gateway":
		asChild(serveGateway)
	case "pages":
		asChild(servePages)
	}
}

func asChild(f func(arg string) error) {
	if err := f(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// order says what a child is to examine.
type order struct {
	Uplink, Interface string
	Known             bool // the far end's address and its media port, from before
	Token, CA         string
}

func examine(arg string) error {
	var o order
	if err := json.Unmarshal([]byte(arg), &o); err != nil {
		return err
	}
	bound, err := link.BindInterface(o.Interface)
	if err != nil {
		return err
	}
	bound.SetNameservers(netip.MustParseAddrPort(nameHost + ":53"))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(o.CA))
	cfg := examination.Config{Uplink: o.Uplink, Interface: o.Interface, Net: bound, URL: "https://" + farName + ":8443",
		TLS: &tls.Config{RootCAs: roots}, Site: site, Token: o.Token}
	if o.Known {
		cfg.Addresses = []netip.Addr{netip.MustParseAddr(farHost)}
		cfg.Ports = []netip.AddrPort{netip.MustParseAddrPort(farHost + ":8443")}
	}
	found, err := examination.Examine(context.Background(), cfg)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

// serveGateway is a real gateway with the certificate in a folder.
func serveGateway(dir string) error {
	g, err := gateway.New(gateway.Config{
		Listen: farHost + ":8443", StateDir: filepath.Join(dir, "state"), Hosts: []string{farName},
		TLS:   gateway.TLSConfig{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")},
		Ports: gateway.Ports{UDP: farHost + ":8443"},
		Sites: []gateway.Site{{ID: site, TokenFile: filepath.Join(dir, "token")}},
		Users: []gateway.User{{Name: "physician", Role: gateway.Supervisor}},
	}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return errors.Join(g.Run(ctx), g.Close())
}

// pages is what else may answer: a portal, an interceptor, a far end with another time.
type pages struct {
	Addr, Cert, Key string // without Cert it is plain HTTP
	Location        string // where it sends everybody
	Skew            time.Duration
}

func servePages(arg string) error {
	var p pages
	if err := json.Unmarshal([]byte(arg), &p); err != nil {
		return err
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(p.Skew).UTC().Format(http.TimeFormat))
		if p.Location != "" {
			http.Redirect(w, r, p.Location, http.StatusFound)
			return
		}
		fmt.Fprintln(w, `{"status":"ok"}`)
	})
	if p.Cert != "" {
		return http.ListenAndServeTLS(p.Addr, p.Cert, p.Key, h)
	}
	return http.ListenAndServe(p.Addr, h)
}

// place is the namespaces and what runs in them.
type place struct {
	t    *testing.T // the test that is at work now
	root *testing.T // the one that everything ends with
	dir  string
	name string
	ca   string
	sign func(name string, from, to time.Time) (certFile, keyFile string)
}

func newPlace(t *testing.T) *place {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: a minute in network namespaces; run it without -short")
	}
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: needs root, for network namespaces")
	}
	for _, program := range []string{"ip", "nft", "dnsmasq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("SKIPPED: %v; install iproute2, nftables and dnsmasq-base", err)
		}
	}
	p := &place{t: t, root: t, dir: t.TempDir(), name: fmt.Sprintf("scanside-%d-where-", os.Getpid())}
	for _, ns := range []string{"room", "a", "b", "far"} {
		p.run("ip", "netns", "add", p.name+ns)
		t.Cleanup(func() { exec.Command("ip", "netns", "del", p.name+ns).Run() })
		p.ip(ns, "link set lo up")
		p.in(ns, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter; echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
	}
	p.cable("room", "eth0", "192.0.2.7/24", "a", "lan", "192.0.2.1/24")
	p.cable("room", "wwan0", "198.51.100.7/24", "b", "lan", "198.51.100.1/24")
	p.cable("a", "wan", "10.0.1.2/24", "far", "to-a", "10.0.1.1/24")
	p.cable("b", "wan", "10.0.2.2/24", "far", "to-b", "10.0.2.1/24")
	p.cable("far", "srv0", farHost+"/24", "far", "srv1", nameHost+"/32")
	p.ip("room", "route add default via 192.0.2.1 metric 100")
	p.ip("room", "route add default via 198.51.100.1 metric 200")
	p.ip("a", "route add default via 10.0.1.1")
	p.ip("b", "route add default via 10.0.2.1")
	p.ip("far", "route add 192.0.2.0/24 via 10.0.1.2")
	p.ip("far", "route add 198.51.100.0/24 via 10.0.2.2")
	p.authority()
	p.start("far", nil, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", "--listen-address="+nameHost,
		"--address=/"+farName+"/"+farHost, "--pid-file="+p.dir+"/dnsmasq.pid", "--user=root")
	return p
}

func (p *place) cable(ns1, dev1, addr1, ns2, dev2, addr2 string) {
	p.run("ip", "-n", p.name+ns1, "link", "add", dev1, "type", "veth", "peer", "name", dev2, "netns", p.name+ns2)
	p.ip(ns1, "addr add "+addr1+" dev "+dev1)
	p.ip(ns2, "addr add "+addr2+" dev "+dev2)
	p.ip(ns1, "link set "+dev1+" up")
	p.ip(ns2, "link set "+dev2+" up")
}

func (p *place) run(args ...string) {
	p.t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		p.t.Fatalf("%v: %v: %s", args, err, out)
	}
}

func (p *place) ip(ns, words string) {
	p.t.Helper()
	p.run(append([]string{"ip", "-n", p.name + ns}, strings.Fields(words)...)...)
}

func (p *place) in(ns string, args ...string) {
	p.t.Helper()
	p.run(append([]string{"ip", "netns", "exec", p.name + ns}, args...)...)
}

// nft puts rules in force in a namespace, in place of those before; "" takes them away.
func (p *place) nft(ns, rules string) {
	p.t.Helper()
	p.in(ns, "nft", "add table ip t; delete table ip t; table ip t {\n"+strings.ReplaceAll(rules, "} chain", "}\nchain")+"\n}")
}

// start runs a program in a namespace until stop, or the test's end.
func (p *place) start(ns string, env []string, args ...string) (stop func()) {
	p.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", p.name + ns}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = p.root.Output()
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	p.root.Cleanup(stop)
	return stop
}

func (p *place) gateway() (stop func()) {
	p.t.Helper()
	p.file("token", strings.Repeat("t", 43))
	cert, key := p.sign(farName, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	p.run("cp", cert, filepath.Join(p.dir, "cert.pem"))
	p.run("cp", key, filepath.Join(p.dir, "key.pem"))
	stop = p.start("far", []string{role + "=gateway"}, os.Args[0], p.dir)
	p.listens("far", farHost+":8443")
	return stop
}

func (p *place) pages(ns string, what pages) (stop func()) {
	p.t.Helper()
	arg, _ := json.Marshal(what)
	stop = p.start(ns, []string{role + "=pages"}, os.Args[0], string(arg))
	p.listens(ns, what.Addr)
	return stop
}

// listens waits until somebody listens on TCP.
func (p *place) listens(ns, addr string) {
	p.t.Helper()
	for range 200 {
		out, _ := exec.Command("ip", "netns", "exec", p.name+ns, "ss", "-ltnH").Output()
		if strings.Contains(string(out), addr+" ") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Fatalf("nobody listens on %s in %s", addr, ns)
}

func (p *place) file(name, text string) string {
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// authority makes one of our own, and a way to have it sign.
func (p *place) authority() {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(10, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		p.t.Fatal(err)
	}
	p.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	n := int64(1)
	p.sign = func(name string, from, to time.Time) (string, string) {
		n++
		own, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		c := &x509.Certificate{SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: to}
		der, err := x509.CreateCertificate(rand.Reader, c, root, own.Public(), key)
		if err != nil {
			p.t.Fatal(err)
		}
		raw, _ := x509.MarshalPKCS8PrivateKey(own)
		return p.file(fmt.Sprintf("%d.crt", n), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
			p.file(fmt.Sprintf("%d.key", n), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})))
	}
}

// examine has both uplinks examined, side by side, in processes of the room.
func (p *place) examine(orders ...order) []diagnosis.Findings {
	p.t.Helper()
	out := make([]diagnosis.Findings, len(orders))
	fail := make(chan error, len(orders))
	for i, o := range orders {
		o.CA = p.ca
		if o.Token == "" {
			o.Token = strings.Repeat("t", 43)
		}
		arg, _ := json.Marshal(o)
		cmd := exec.Command("ip", "netns", "exec", p.name+"room", os.Args[0], string(arg))
		cmd.Env = append(os.Environ(), role+"=examine")
		cmd.Stderr = p.t.Output()
		go func() {
			text, err := cmd.Output()
			if err == nil {
				err = json.Unmarshal(text, &out[i])
			}
			fail <- err
		}()
	}
	for range orders {
		if err := <-fail; err != nil {
			p.t.Fatal(err)
		}
	}
	return out
}
