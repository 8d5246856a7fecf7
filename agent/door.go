package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"scanside/access"
	"scanside/agent/status"
	"scanside/audit"
)

const (
	shortestToken = 20              // characters of a random token: about 100 bits
	doorEvery     = 2 * time.Second // between two looks at the users and the sessions
	consoleFile   = "console-key"   // by which commands on the box speak to the agent; another one at each start
)

// openDoor builds what decides who comes in.
func (a *Agent) openDoor(kept store) {
	a.console = newID(32)
	elsewhere := access.Nobody
	if a.cfg.Status.ViewAll {
		elsewhere = access.Viewer
	}
	dir := kept.dir
	if dir != "" {
		if err := kept.write(consoleFile, a.console+"\n"); err != nil {
			a.log.Error("commands on this box cannot speak to the agent", "err", err)
		}
	}
	a.door = access.NewDoor(access.Config{
		Dir: dir, ConsoleKey: a.console, Here: a.parts.Here, Elsewhere: elsewhere, Note: a.noteDoor,
		ScrapeToken: tokenOf(a.cfg.Status.ScrapeTokenFile), ScreenToken: tokenOf(a.cfg.Status.ScreenTokenFile),
	})
	a.shown = &pageCertificate{cfg: a.cfg.Status, store: kept, now: time.Now, told: a.tellCertificate}
}

// ConsoleKey is what a command on this machine shows as its token (Authorization: Bearer) to act as whoever has the box's console.
func (a *Agent) ConsoleKey() string { return a.console }

// ReadConsoleKey reads it where the agent runs in another process: root, and the agent's own account, can.
func ReadConsoleKey(stateDir string) (string, error) {
	key, err := readToken(filepath.Join(stateDir, consoleFile))
	if err != nil {
		return "", fmt.Errorf("read the agent's console key (root can, and the agent's own account): %w", err)
	}
	return key, nil
}

// tokenOf reads a token's file whenever it is asked for, so that another token needs no restart; nil: there is none.
func tokenOf(file string) func() (string, error) {
	if file == "" {
		return nil
	}
	return func() (string, error) {
		token, err := readToken(file)
		if err == nil && len(token) < shortestToken {
			err = fmt.Errorf("%s holds fewer than %d characters; make one with: openssl rand -hex 16", file, shortestToken)
		}
		return token, err
	}
}

func (a *Agent) newPages() (*status.Server, error) {
	return status.New(boxed{a}, status.Config{
		Door: a.door, Names: a.cfg.Status.Names, HSTS: a.cfg.Status.TLS.Cert != "", Room: a.screens, Log: a.log,
		Metrics: a.metricsHandler(),
	})
}

func (a *Agent) metricsHandler() http.Handler {
	return promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 2, Timeout: 5 * time.Second})
}

// watchDoor prints the setup code of a box without users, ends sessions that nobody uses and records what is done to the users, until ctx ends.
func (a *Agent) watchDoor(ctx context.Context) {
	for said, first := "", true; ctx.Err() == nil; pause(ctx, doorEvery) {
		err := a.door.Look(time.Now())
		text := ""
		if err != nil {
			text = err.Error()
			if text != said {
				a.log.Error("the users of the status page", "err", err)
			}
		}
		said = text
		a.userTrouble.Store(&text)
		if first && err == nil && a.parts.Here.Role == access.Nobody {
			first = false
			a.printSetupCode()
		}
	}
}

// printSetupCode tells whoever has the console how the first user is made.
func (a *Agent) printSetupCode() {
	if a.cfg.StateDir == "" {
		return
	}
	code, err := access.SetupCode(a.cfg.StateDir)
	switch {
	case err != nil:
		a.log.Error("no first user can be made", "err", err)
	case code != "":
		a.log.Warn("the box has no users: sign in on the status page with this setup code to make the first site lead", "setup_code", code)
	}
}

// pageTLS is TLS as the status page speaks it: 1.2 and later, with the standard library's choice of ciphers.
func (a *Agent) pageTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: a.shown.get, NextProtos: []string{"http/1.1"}}
}

// tellCertificate says by which fingerprint the box is known from now on.
func (a *Agent) tellCertificate(fingerprint string, c *x509.Certificate, unkept error) {
	own := a.cfg.Status.TLS.Cert == ""
	a.log.Info("the status page's certificate", "sha256", fingerprint, "until", c.NotAfter.Format(time.DateOnly), "self_made", own)
	if unkept != nil {
		a.log.Error("the certificate would be another one after a restart", "err", unkept)
	}
	sum, _ := hex.DecodeString(strings.ReplaceAll(fingerprint, ":", ""))
	a.journal.note(audit.Certificate{Sum: hex.EncodeToString(sum), Until: c.NotAfter.UTC(), Own: own})
}

func (a *Agent) doorProblems(add func(id string, level status.Level, text, hint string)) {
	if why := a.userTrouble.Load(); why != nil && *why != "" {
		add("users-unreadable", status.Warning, "Nobody can sign in on this page: "+*why+".", "Everything else works. On the box, as root: scanside user list.")
	}
}

// noteDoor records what happens at the door.
func (a *Agent) noteDoor(e access.Event) {
	role, from := "", ""
	if e.Role != access.Nobody {
		role = e.Role.String()
	}
	if e.Source.IsValid() {
		from = e.Source.String()
	}
	switch e.What {
	case access.SignedIn:
		a.log.Info("signed in", "user", e.User, "role", role, "source", from)
		a.journal.note(audit.SignIn{User: e.User, Role: role, Allowed: true, Source: from})
	case access.Refused:
		a.log.Warn("sign-in refused", "user", e.User, "source", from)
		a.journal.note(audit.SignIn{User: e.User, Role: role, Reason: "wrong", Source: from})
	case access.LockedOut:
		a.log.Warn("sign-ins have to wait after too many that were refused", "user", e.User, "source", from)
		a.journal.note(audit.LockOut{User: e.User, Source: from})
	case access.SignedOut, access.LoggedOff:
		a.log.Info("signed out", "user", e.User, "how", string(e.What))
		a.journal.note(audit.SignOut{User: e.User, Reason: string(e.What)})
	default:
		a.log.Info("users changed", "user", e.User, "role", role, "what", string(e.What))
		a.journal.note(audit.User{User: e.User, Role: role, What: string(e.What)})
	}
}
