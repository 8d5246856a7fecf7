package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// running is a gateway with real ports on loopback.
func running(t *testing.T, cfg Config) *Gateway {
	t.Helper()
	g, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(30 * time.Second): // 2 s of patience, on a busy machine
			t.Error("the gateway does not stop")
		}
	})
	select {
	case <-g.Ready():
	case err := <-done:
		done <- nil
		t.Fatalf("Run: %v", err)
	case <-time.After(20 * time.Second):
		t.Fatal("never ready")
	}
	return g
}

func trust(c *http.Client, t *testing.T, certFile string) {
	t.Helper()
	text, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		t.Fatal("no certificate in the file")
	}
	c.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
}

func TestMetricsPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cfg, _ := testConfig(t)
	cfg.Ports, cfg.Metrics.Listen = Ports{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0"}, addr
	running(t, cfg)
	got := send(t, browser(t), "GET", "http://"+addr+"/metrics", "", "")
	if got.status != 200 || !strings.Contains(got.body, `scanside_gateway_box_connected{site="north"} 0`) {
		t.Errorf("got %d", got.status)
	}
}

// A port that is taken is a plain error that names the key, and leaves nothing open.
func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, c := range []struct {
		name  string
		set   func(*Config)
		words string
	}{
		{"console", func(c *Config) { c.Listen, c.TLS.Off = l.Addr().String(), true }, "open listen"},
		{"metrics", func(c *Config) { c.Metrics.Listen = l.Addr().String() }, "metrics.listen"},
		{"media", func(c *Config) { c.Ports.TCP = l.Addr().String() }, "media.tcp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, _ := testConfig(t)
			cfg.Ports.UDP = "127.0.0.1:0"
			c.set(&cfg)
			g, err := New(cfg, nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := g.Run(ctx); err == nil || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v, want %q", err, c.words)
			}
		})
	}
}
