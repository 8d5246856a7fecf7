package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"scanside/link"
)

func (g *Gateway) openMedia() (*link.API, error) {
	cfg := link.APIConfig{Log: g.log}
	for _, a := range g.cfg.PublicAddresses {
		ip, err := netip.ParseAddr(a)
		if err != nil {
			return nil, fmt.Errorf("public address %q: %w", a, err)
		}
		cfg.PublicAddresses = append(cfg.PublicAddresses, ip)
	}
	undo := func() {}
	if a := g.cfg.Ports.UDP; a != "" {
		c, err := net.ListenPacket("udp", a)
		if err != nil {
			return nil, fmt.Errorf("open media.udp: %w", err)
		}
		cfg.UDP, cfg.Loopback, undo = c, loopback(a), func() { c.Close() }
	}
	if a := g.cfg.Ports.TCP; a != "" {
		l, err := g.listenMedia(a)
		if err != nil {
			undo()
			return nil, err
		}
		cfg.TCP = l
		cfg.Loopback = cfg.Loopback || loopback(a)
	}
	api, err := link.NewAPI(cfg)
	if err != nil {
		undo()
		if cfg.TCP != nil {
			cfg.TCP.Close()
		}
		return nil, fmt.Errorf("open media ports: %w", err)
	}
	return api, nil
}

// listenMedia opens the TCP port for media, or shares the console's.
func (g *Gateway) listenMedia(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if g.cfg.sharesPort() {
		if err != nil {
			return nil, fmt.Errorf("open listen: %w", err)
		}
		g.port = share(l)
		return g.port.media, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open media.tcp: %w", err)
	}
	return l, nil
}

// server is one HTTP port.
type server struct {
	what string
	http *http.Server
	l    net.Listener
	tls  bool
}

func (s *server) serve() error {
	if s.tls {
		return s.http.ServeTLS(s.l, "", "")
	}
	return s.http.Serve(s.l)
}

// answerPatience is how long an answer may take from the request's head to its last byte: maxWait, and 15 s for a slow line. Who
// asks and does not read does not keep a connection.
const answerPatience = maxWait + 15*time.Second

func newServer(what string, l net.Listener, h http.Handler, log *slog.Logger) *server {
	return &server{what: what, l: l, http: &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      answerPatience, // the event stream renews it at each write
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // strangers' broken handshakes
	}}
}

func (g *Gateway) openServers() (all []*server, err error) {
	defer func() {
		if err != nil {
			for _, s := range all {
				s.l.Close()
			}
		}
	}()
	if l := g.cfg.Listener; l != nil {
		all = append(all, newServer("console", l, g.handler, g.log))
		g.address = l.Addr()
	} else if g.cfg.Listen != "" {
		s, err := g.openConsole()
		if err != nil {
			return all, err
		}
		all = append(all, s)
		g.address = s.l.Addr()
	}
	if a := g.cfg.Metrics.Listen; a != "" {
		l, err := net.Listen("tcp", a)
		if err != nil {
			return all, fmt.Errorf("open metrics.listen: %w", err)
		}
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", g.MetricsHandler())
		all = append(all, newServer("metrics", l, mux, g.log))
	}
	return all, nil
}

// MetricsHandler answers with the metrics of all sites, to whoever asks; it belongs on loopback.
func (g *Gateway) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(g.metrics.registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, MaxRequestsInFlight: 2, Timeout: 5 * time.Second,
	})
}

// prepareTLS loads or makes the certificate; its names are names the console answers to.
func (g *Gateway) prepareTLS() error {
	names := g.cfg.Hosts
	if g.cfg.Listen != "" && g.cfg.Listener == nil && !g.cfg.TLS.Off {
		cert, fingerprint, own, err := g.cfg.certificate(time.Now())
		if err != nil {
			return err
		}
		g.cert, g.fingerprint = &cert, fingerprint
		names = append(certNames(cert), names...)
		g.log.Info("certificate", "sha256", fingerprint, "own", own)
	}
	g.knownHost = knownHost(names)
	return nil
}

// Fingerprint is the SHA-256 of the HTTPS port's certificate, as openssl prints it, for a box's configuration; "" without TLS.
func (g *Gateway) Fingerprint() string { return g.fingerprint }

func (g *Gateway) openConsole() (*server, error) {
	var l net.Listener
	if g.port != nil {
		l = g.port.web
	} else {
		var err error
		if l, err = net.Listen("tcp", g.cfg.Listen); err != nil {
			return nil, fmt.Errorf("open listen: %w", err)
		}
	}
	s := newServer("console", l, g.handler, g.log)
	if g.cert != nil {
		s.tls = true
		s.http.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*g.cert}, MinVersion: tls.VersionTLS12}
	}
	return s, nil
}

// certNames are the names a certificate was made for: the console answers to them.
func certNames(cert tls.Certificate) []string {
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return nil
	}
	return leaf.DNSNames
}
