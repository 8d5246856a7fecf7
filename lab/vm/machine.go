package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Accelerator is how qemu runs the guest's instructions.
type Accelerator string

const (
	Emulated Accelerator = "tcg"
	Hardware Accelerator = "kvm"
)

// arguments returns qemu's words for it. Nehalem has no AVX, whose code paths crawl when emulated; boxes with small
// processors lack AVX too.
func (a Accelerator) arguments() []string {
	if a == Hardware {
		return []string{"-accel", "kvm", "-cpu", "host"}
	}
	return []string{"-accel", "tcg,thread=multi,tb-size=512", "-cpu", "Nehalem"}
}

const (
	bootWithin     = 300 * time.Second // 15 s on an idle machine, more than 100 on a very busy one
	tryKVMFor      = 15 * time.Second  // a guest that has KVM answers within 5 s
	shutdownWithin = 5 * time.Second
)

// Machine is a guest that is running.
type Machine struct {
	*Guest
	Booted  time.Duration // from qemu's start to the guest agent's first answer
	Accel   Accelerator
	Console string // file with what the guest's kernel said
	Scratch string // folder of the lab's own that goes when the lab ends; the guest does not see it
	Share   string // folder that the guest sees as /lab
	qmp     *jsonLine
	cmd     *exec.Cmd
	ended   chan struct{} // closed when qemu is gone
}

// Boot starts the image and waits until the guest answers. The guest sees share as /lab; its disk is a copy that vanishes
// with the machine. Close it.
func Boot(ctx context.Context, image Image, accel Accelerator, share, dir string) (*Machine, error) {
	return bootWithinLimit(ctx, image, accel, share, dir, bootWithin)
}

// BootBest boots with KVM if a guest was ever seen to boot with it here, and else emulated. What was seen is kept beside
// the image, because /dev/kvm can answer and its guests still never start (some nested hosts).
func BootBest(ctx context.Context, image Image, share, dir string) (*Machine, error) {
	note := filepath.Join(image.Dir, "accelerator")
	seen, err := os.ReadFile(note)
	if err == nil {
		return Boot(ctx, image, Accelerator(seen), share, dir)
	}
	if f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0); err == nil {
		f.Close()
		if m, err := bootWithinLimit(ctx, image, Hardware, share, dir, tryKVMFor); err == nil {
			return m, os.WriteFile(note, []byte(Hardware), 0o644)
		}
	}
	m, err := Boot(ctx, image, Emulated, share, dir)
	if err != nil {
		return nil, err
	}
	return m, os.WriteFile(note, []byte(Emulated), 0o644)
}

func bootWithinLimit(ctx context.Context, image Image, accel Accelerator, share, dir string, limit time.Duration) (*Machine, error) {
	if err := needTools("qemu-system-x86_64"); err != nil {
		return nil, err
	}
	m := &Machine{Accel: accel, Share: share, Scratch: dir, Console: filepath.Join(dir, "console.log"), ended: make(chan struct{})}
	agent, monitor := filepath.Join(dir, "agent.sock"), filepath.Join(dir, "qmp.sock")
	args := append([]string{"-n", "5", "qemu-system-x86_64"}, qemuArguments(image, accel, share, m.Console, agent, monitor)...)
	// Not CommandContext: Close asks the guest to stop before it kills.
	m.cmd = exec.Command("nice", args...)
	log, err := os.Create(filepath.Join(dir, "qemu.log"))
	if err != nil {
		return nil, fmt.Errorf("making qemu's log: %w", err)
	}
	defer log.Close()
	m.cmd.Stdout, m.cmd.Stderr = log, log
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C reaches us, and we end it
	began := time.Now()
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting qemu: %w", err)
	}
	go func() { m.cmd.Wait(); close(m.ended) }() // ends with qemu; Close waits for it
	m.Guest = &Guest{socket: agent}
	if err := m.waitForGuest(ctx, monitor, limit); err != nil {
		m.Close()
		said, _ := os.ReadFile(filepath.Join(dir, "qemu.log"))
		return nil, fmt.Errorf("booting the guest with %s: %w\n%s", accel, err, lastLines(string(said), 5))
	}
	m.Booted = time.Since(began)
	return m, nil
}

func qemuArguments(image Image, accel Accelerator, share, console, agent, monitor string) []string {
	args := append(accel.arguments(),
		"-machine", "q35,sata=off,usb=off,smbus=off", "-nodefaults", "-display", "none", "-no-reboot",
		"-smp", "2", "-m", "1536", "-rtc", "base=utc",
		"-kernel", image.kernel(), "-initrd", image.initrd(),
		"-append", "root=/dev/vda rw console=ttyS0 quiet panic=-1 mitigations=off systemd.show_status=no",
		"-drive", "file="+image.root()+",format=raw,if=virtio,snapshot=on",
		"-virtfs", "local,path="+share+",mount_tag=lab,security_model=none",
		"-serial", "file:"+console,
		"-device", "virtio-rng-pci",
		"-device", "virtio-serial-pci",
		"-chardev", "socket,id=agent,server=on,wait=off,path="+agent,
		"-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
		"-qmp", "unix:"+monitor+",server=on,wait=off")
	for _, c := range cables() {
		args = append(args,
			"-netdev", "tap,id=net-"+c.name+",ifname="+c.tap+",script=no,downscript=no",
			"-device", "virtio-net-pci,id="+c.name+",netdev=net-"+c.name+",mac="+c.mac)
	}
	return args
}

func (m *Machine) waitForGuest(ctx context.Context, monitor string, limit time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-m.ended:
			cancel(errors.New("qemu ended"))
		case <-ctx.Done():
		}
	}()
	err := waitUntil(ctx, limit, "qemu's monitor", func() (err error) {
		m.qmp, err = dialJSONLine(monitor)
		return err
	})
	if err != nil {
		return err
	}
	var greeting struct{ QMP any }
	if err := m.qmp.in.Decode(&greeting); err != nil {
		return fmt.Errorf("reading the monitor's greeting: %w", err)
	}
	if err := m.qmp.call("qmp_capabilities", nil, nil, answerWithin); err != nil {
		return err
	}
	if err := waitUntil(ctx, limit, "the guest's agent", m.Hello); err != nil {
		return err
	}
	// The agent is up before the rest is. A unit that failed is no reason not to go on; it shows when it is needed.
	return waitUntil(ctx, limit, "the guest's start", func() error {
		state, err := m.Shell(ctx, "systemctl is-system-running --wait 2>&1")
		if state = strings.TrimSpace(state); state == "running" || state == "degraded" {
			return nil
		}
		return fmt.Errorf("systemd says %q: %w", state, err)
	})
}

// Cable plugs a network card's cable in or pulls it: the guest sees its carrier come or go.
func (m *Machine) Cable(name string, in bool) error {
	if err := m.qmp.call("set_link", map[string]any{"name": name, "up": in}, nil, answerWithin); err != nil {
		return fmt.Errorf("cable %s: %w", name, err)
	}
	return nil
}

// Close ends the guest at once, as if its power was cut (its disk is a copy), and waits until qemu is gone.
func (m *Machine) Close() {
	m.Guest.Close()
	if m.qmp != nil {
		// The answer may be lost with the process; what counts is that it ends.
		_ = m.qmp.call("quit", nil, nil, shutdownWithin)
		m.qmp.conn.Close()
	}
	select {
	case <-m.ended:
		return
	case <-time.After(shutdownWithin):
	}
	_ = m.cmd.Process.Kill()
	<-m.ended
}
