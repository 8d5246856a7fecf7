package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

// cable is one network card of the guest and what it is plugged into. The addresses and MACs stand in the recipe's
// systemd-networkd files too; a test holds the two together.
type cable struct {
	name string // the interface's name in the guest
	mac  string
	tap  string // the other end, in the lab's namespace
	near string // address and prefix of that end
	far  string // the guest's address
}

const (
	gatewayAddress = "203.0.113.10" // RFC 5737 TEST-NET-3: a server on the internet, seen from both uplinks
	gatewayName    = "gateway.test" // RFC 6761; the guest knows it from /etc/hosts
)

func cables() []cable {
	return []cable{
		{name: "wired", mac: "52:54:00:00:07:01", tap: "tap0", near: "10.7.1.1/24", far: "10.7.1.2"},
		{name: "cellular", mac: "52:54:00:00:07:02", tap: "tap1", near: "10.7.2.1/24", far: "10.7.2.2"},
	}
}

// inWorldVariable tells the second run of this program that it is inside the namespaces.
const inWorldVariable = "SCANSIDE_VM_WORLD"

func insideWorld() bool { return os.Getenv(inWorldVariable) != "" }

// runInWorld runs this program again with the same arguments in a network, process and mount namespace of its own, and
// returns its exit code. When that process ends, however it ends, the kernel ends every process in it (qemu, gateway,
// browser) and takes the taps away.
func runInWorld(ctx context.Context) (int, error) {
	if os.Geteuid() != 0 {
		return 1, errors.New("the virtual machine's network needs root: run it with sudo")
	}
	self, err := os.Executable()
	if err != nil {
		return 1, fmt.Errorf("finding this program's own file: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), inWorldVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second // the guest is told to stop first
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, fmt.Errorf("making the lab's namespaces: %w", err)
	}
	return 0, nil
}

// enterWorld prepares the inside: its own /proc, because processes have other numbers here, and the network.
func enterWorld() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keeping mounts to ourselves: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mounting the namespace's own /proc: %w", err)
	}
	if err := addGatewayAddress(); err != nil {
		return err
	}
	for _, c := range cables() {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = c.tap
		tap := &netlink.Tuntap{LinkAttrs: attrs, Mode: netlink.TUNTAP_MODE_TAP, Flags: netlink.TUNTAP_ONE_QUEUE | netlink.TUNTAP_VNET_HDR}
		if err := netlink.LinkAdd(tap); err != nil {
			return fmt.Errorf("making %s (is /dev/net/tun there?): %w", c.tap, err)
		}
		if err := bringUp(tap, c.near); err != nil {
			return err
		}
	}
	return nil
}

// addGatewayAddress brings loopback up, and gives the gateway's address to one end of a virtual cable: WebRTC peers, browsers
// too, do not offer a loopback's address.
func addGatewayAddress() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("finding loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bringing loopback up: %w", err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "far0"
	far := &netlink.Veth{LinkAttrs: attrs, PeerName: "far1"}
	if err := netlink.LinkAdd(far); err != nil {
		return fmt.Errorf("making the gateway's interface: %w", err)
	}
	other, err := netlink.LinkByName(far.PeerName)
	if err != nil {
		return fmt.Errorf("finding the gateway's interface: %w", err)
	}
	if err := netlink.LinkSetUp(other); err != nil {
		return fmt.Errorf("bringing the gateway's interface up: %w", err)
	}
	return bringUp(far, gatewayAddress+"/24")
}

func bringUp(link netlink.Link, address string) error {
	name := link.Attrs().Name
	a, err := netlink.ParseAddr(address)
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(link, a); err != nil {
		return fmt.Errorf("giving %s the address %s: %w", name, address, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bringing %s up: %w", name, err)
	}
	return nil
}

// interrupted ends with the first SIGINT or SIGTERM.
func interrupted() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
}

// waitUntil asks ready until it says yes, ten times a second, for at most limit. Its error tells why it gave up and what
// ready said last.
func waitUntil(ctx context.Context, limit time.Duration, what string, ready func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not within %.0f s", limit.Seconds()))
	defer cancel()
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %w", what, context.Cause(ctx), err)
		case <-pause.C:
		}
	}
}

// listening says whether somebody answers at a TCP address.
func listening(address string) error {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}
