package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// What the far end and the box call each other.
const (
	site          = "scan-room"
	physician     = "physician"
	consolePort   = "8443"
	mediaPort     = "7000"
	gatewayWithin = 20 * time.Second
	endWithin     = 10 * time.Second
)

// farEnd is the real scanside-gateway, running outside the guest.
type farEnd struct {
	program, config string
	token           string // of the site
	fingerprint     string // of its certificate
	cmd             *exec.Cmd
	ended           chan struct{}
	log             string
}

// startFarEnd runs the gateway with a fresh state folder in dir; what it says goes to logs.
func startFarEnd(ctx context.Context, programs, dir, logs string) (*farEnd, error) {
	f := &farEnd{program: filepath.Join(programs, "scanside-gateway"), config: filepath.Join(dir, "gateway.yaml"), ended: make(chan struct{}),
		log: filepath.Join(logs, "gateway.log")}
	made, err := exec.CommandContext(ctx, f.program, "token").Output()
	token, hash, both := strings.Cut(strings.TrimSpace(string(made)), "\n")
	if err != nil || !both {
		return nil, fmt.Errorf("making the site's token with %s: %w (make build makes the program)", f.program, err)
	}
	f.token = token
	text := fmt.Sprintf(`listen: %[1]s:%[2]s
state_dir: %[3]s
hosts: [%[4]s]
media: {udp: "%[1]s:%[5]s", tcp: "%[1]s:%[5]s"}
sites:
  - {id: %[6]s, name: Scan room, token_hash: %[7]s}
users:
  - {name: %[8]s, display_name: Lab physician, role: supervisor}
`, gatewayAddress, consolePort, filepath.Join(dir, "gateway"), gatewayName, mediaPort, site, hash, physician)
	if err := os.WriteFile(f.config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, "gateway"), 0o700); err != nil {
		return nil, err
	}
	log, err := os.Create(f.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	f.cmd = exec.Command(f.program, "--config", f.config)
	f.cmd.Stdout, f.cmd.Stderr = log, log
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C reaches us, and we end it
	if err := f.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the gateway: %w", err)
	}
	go func() { f.cmd.Wait(); close(f.ended) }() // ends with the gateway; stop waits for it
	err = waitUntil(ctx, gatewayWithin, "the gateway", func() (err error) {
		f.fingerprint, err = f.certificate()
		return err
	})
	if err != nil {
		f.stop()
		said, _ := os.ReadFile(f.log)
		return nil, fmt.Errorf("%w\n%s", err, lastLines(string(said), 10))
	}
	return f, nil
}

// certificate is what a person copies from the gateway to the box: the fingerprint of what its port shows.
func (f *farEnd) certificate() (string, error) {
	dialer := &net.Dialer{Timeout: time.Second}
	conn, err := tls.DialWithDialer(dialer, "tcp", net.JoinHostPort(gatewayAddress, consolePort), &tls.Config{InsecureSkipVerify: true}) // it is what we ask for
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return fmt.Sprintf("%x", sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)), nil
}

// consoleURL is the physician's page.
func (f *farEnd) consoleURL() string {
	return "https://" + net.JoinHostPort(gatewayAddress, consolePort)
}

// signInLink signs the physician in, once.
func (f *farEnd) signInLink(ctx context.Context) (string, error) {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, f.program, "sign-in-code", "--config", f.config, physician)
	cmd.Stderr = &said
	path, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("making a sign-in code: %w: %s", err, said.String())
	}
	return f.consoleURL() + strings.TrimSpace(string(path)), nil
}

// stop ends the gateway as a service manager does, and waits. Its error says if it had to be killed or ended badly.
func (f *farEnd) stop() error {
	_ = f.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself, which the exit code tells
	select {
	case <-f.ended:
	case <-time.After(endWithin):
		_ = f.cmd.Process.Kill()
		<-f.ended
		return errors.New("the gateway did not end when asked to")
	}
	if code := f.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the gateway ended with %s; see %s", f.cmd.ProcessState, f.log)
	}
	return nil
}
