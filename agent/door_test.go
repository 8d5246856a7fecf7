package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"scanside/access"
	"scanside/selfsigned"
)

// loud is a log that may be read while it is written.
type loud struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *loud) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *loud) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A new box, as the one who mounts it has it: the code from its log makes the first site lead over HTTPS, whose certificate is the printed one; what is
// done then bears that name in the audit log.
func TestFirstRun(t *testing.T) {
	var said loud
	cfg := lonely(t)
	cfg.StateDir = t.TempDir()
	cfg.Status.HTTPS, cfg.Status.Names = "127.0.0.1:0", []string{"box.example.org"}
	ctx, end := context.WithCancel(t.Context())
	a, err := New(cfg, Parts{Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	defer func() { end(); <-done }()
	var code []string
	for deadline := time.Now().Add(time.Minute); code == nil || a.SecureAddr() == nil; time.Sleep(10 * time.Millisecond) {
		if code = regexp.MustCompile(`setup_code=(\S+)`).FindStringSubmatch(said.String()); time.Now().After(deadline) {
			t.Fatalf("no setup code, or no HTTPS: %s", said.String())
		}
	}
	var shown *x509.Certificate
	jar, _ := cookiejar.New(nil)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
		shown = s.PeerCertificates[0]
		if s.Version < tls.VersionTLS12 {
			return fmt.Errorf("TLS %x", s.Version)
		}
		return nil
	}}}
	defer transport.CloseIdleConnections()
	c := &http.Client{Jar: jar, Transport: transport}
	page := "https://" + a.SecureAddr().String()
	post := func(path string, form url.Values) (int, string) {
		t.Helper()
		res, err := c.PostForm(page+path, form)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(text)
	}
	if code, text := post("/api/v1/procedure", url.Values{"open": {"true"}}); code != 401 {
		// It is this machine that asks, over loopback: it may look, and not act.
		t.Errorf("acting before signing in: %d %s", code, text)
	}
	if code, text := post("/signin/first", url.Values{"code": {code[1]}, "name": {"ada"}, "password": {"correct horse battery"}, "again": {"correct horse battery"}}); code != 200 || !strings.Contains(text, "Signed in as <b>ada</b>, site lead.") {
		t.Fatalf("setting up: %d %.600s", code, text)
	}
	if code, text := post("/api/v1/procedure", url.Values{"open": {"true"}}); code != 204 {
		t.Errorf("acting: %d %s", code, text)
	}
	fingerprint, err := Fingerprint(cfg)
	if err != nil || fingerprint != selfsigned.Fingerprint(shown.Raw) || !strings.Contains(said.String(), fingerprint) {
		t.Errorf("the certificate's fingerprint: %q, %v", fingerprint, err)
	}
	if err := shown.VerifyHostname("box.example.org"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{certFile, "users.json", consoleFile} {
		if info, err := os.Stat(filepath.Join(cfg.StateDir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	// HTTPS takes no plain HTTP, and no TLS of the last century.
	if res, err := http.Get("http://" + a.SecureAddr().String() + "/"); err == nil {
		if res.Body.Close(); res.StatusCode != http.StatusBadRequest {
			t.Errorf("plain HTTP at the HTTPS port: %d", res.StatusCode)
		}
	}
	if conn, err := tls.Dial("tcp", a.SecureAddr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		conn.Close()
		t.Error("TLS 1.1 is spoken")
	}
	end()
	<-done
	done <- nil
	if strings.Contains(said.String(), "correct horse") || strings.Contains(said.String(), a.ConsoleKey()) {
		t.Error("a secret is in the log")
	}
	kinds := map[string][]string{}
	files, _ := filepath.Glob(filepath.Join(cfg.StateDir, "audit", "records-*.jsonl"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("correct horse")) || bytes.Contains(text, []byte("argon2")) {
			t.Error("a secret is in the audit log")
		}
		for line := range bytes.Lines(text) {
			var r struct {
				Kind string
				Data json.RawMessage
			}
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatal(err)
			}
			kinds[r.Kind] = append(kinds[r.Kind], string(r.Data))
		}
	}
	for kind, want := range map[string]string{"procedure": `"by":"ada"`, "sign_in": `"user":"ada","role":"site lead","allowed":true,"source":"127.0.0.1"`, "user": `"what":"first-site-lead"`, "certificate": `"self_made":true`} {
		if !slices.ContainsFunc(kinds[kind], func(data string) bool { return strings.Contains(data, want) }) {
			t.Errorf("the audit log has no %s with %s: %v", kind, want, kinds[kind])
		}
	}
}

// The box's own certificate is kept over a restart, made anew before it ends or for another name, and a torn one is replaced; the site's own is taken up when it
// was renewed, and a broken renewal changes nothing.
func TestCertificateIsRenewed(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	told := 0
	one := func(names ...string) *pageCertificate {
		return &pageCertificate{cfg: Status{Names: names}, store: store{dir}, now: func() time.Time { return now }, told: func(string, *x509.Certificate, error) { told++ }}
	}
	raw := func(c *pageCertificate) string {
		t.Helper()
		is, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(is.Certificate[0])
	}
	c := one("a.example.org")
	first := raw(c)
	if again := raw(one("a.example.org")); again != first {
		t.Error("another certificate after a restart")
	}
	now = now.Add(certLife - certRenew - time.Hour)
	if raw(c) != first {
		t.Error("renewed too early")
	}
	now = now.Add(2 * time.Hour)
	second := raw(c)
	if second == first {
		t.Error("not renewed before it ends")
	}
	if third := raw(one("a.example.org", "b.example.org")); third == second {
		t.Error("the certificate does not know its new name")
	}
	if err := os.WriteFile(filepath.Join(dir, certFile), []byte("-----BEGIN CERT"), 0o600); err != nil {
		t.Fatal(err)
	}
	raw(one())
	if told != 5 {
		t.Errorf("told of %d certificates, want 5: first, after the restart, renewed, another name, after the tear", told)
	}
	made, err := os.ReadFile(filepath.Join(dir, certFile))
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "own.pem")
	if err := os.WriteFile(own, made, 0o600); err != nil {
		t.Fatal(err)
	}
	c = one()
	c.cfg.TLS = StatusTLS{own, own}
	before := raw(c)
	if err := os.WriteFile(own, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if raw(c) != before {
		t.Error("a broken renewal took the certificate away")
	}
	if _, err := (&pageCertificate{cfg: c.cfg, now: c.now, told: c.told}).get(nil); err == nil {
		t.Error("a certificate that cannot be read from the start is shown")
	}
}

// A torn file of users is a problem on the page, which whoever stands at the box can read.
func TestTornUsersAreSaid(t *testing.T) {
	cfg := lonely(t)
	cfg.StateDir = t.TempDir()
	if err := os.WriteFile(filepath.Join(cfg.StateDir, "users.json"), []byte(`{"version":1,"us`), 0o600); err != nil {
		t.Fatal(err)
	}
	a := run(t, cfg, Parts{})
	until(t, a, time.Minute, "the problem", func(s *Snapshot) bool {
		for _, p := range s.Status.Problem {
			if p.ID == "users-unreadable" && strings.Contains(p.Text, "Nobody can sign in on this page") {
				return true
			}
		}
		return false
	})
	<-a.Ready()
	if page := get(t, a, "/signin"); !strings.Contains(page, "Nobody can sign in") || strings.Contains(page, "<form") {
		t.Errorf("the sign-in page: %s", page)
	}
	if _, err := os.Stat(filepath.Join(cfg.StateDir, "setup-code")); err == nil {
		t.Error("a setup code was made")
	}
	if _, err := access.SetupCode(cfg.StateDir); err == nil {
		t.Error("the console makes a setup code")
	}
}
