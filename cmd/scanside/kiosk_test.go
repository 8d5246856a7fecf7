package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"scanside/lab/browser"
)

// asProgram makes this test's own binary the program: a process that can be stopped and killed.
const asProgram = "SCANSIDE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// box is `scanside run` in a process of its own, with a wire to its page that can be made to swallow everything.
type box struct {
	t           *testing.T
	config      string
	page, where string // address of the page itself, and through the wire
	swallow     atomic.Bool
	cmd         *exec.Cmd
}

func newBox(t *testing.T) *box {
	dir := t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, config: filepath.Join(dir, "scanside.yaml"), page: free.Addr().String()}
	free.Close()
	text := fmt.Sprintf(`site: mri-2
far_end: {url: "http://127.0.0.1:9", token_file: token}
uplinks: [{name: primary, address: 127.0.0.2}]
camera: {device: test}
microphone: {device: test}
video: {width: 320, height: 180, fps: 5, bitrate: 200000}
status: {listen: "%s"}
room: {phone: "+1 555 0100"}
state_dir: state
`, b.page)
	for name, text := range map[string]string{"scanside.yaml": text, "token": "token\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.wire()
	b.start()
	t.Cleanup(func() { b.kill() })
	return b
}

func (b *box) start() {
	b.cmd = exec.Command(os.Args[0], "run", "--config", b.config)
	b.cmd.Env = append(os.Environ(), asProgram+"=1")
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) kill() {
	b.cmd.Process.Kill()
	b.cmd.Wait()
}

// wire carries the page's connections; what comes while it swallows is lost, and nobody is told: a path that is half open.
func (b *box) wire() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	b.where = listener.Addr().String()
	var gone sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	keep := func(c net.Conn) {
		mu.Lock()
		open = append(open, c)
		mu.Unlock()
	}
	carry := func(to, from net.Conn) {
		for part := make([]byte, 32<<10); ; {
			n, err := from.Read(part)
			if err != nil {
				to.Close()
				return
			}
			if !b.swallow.Load() {
				to.Write(part[:n])
			}
		}
	}
	gone.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			keep(near)
			far, err := net.Dial("tcp", b.page)
			if err != nil {
				near.Close()
				continue
			}
			keep(far)
			gone.Go(func() { carry(far, near) })
			gone.Go(func() { carry(near, far) })
		}
	})
	b.t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		gone.Wait()
	})
}

// The room's screen in a real Chromium before the real program: stopped, half open, killed. Within 5 s it says that nothing comes
// from the box, with the number to phone, and it comes back by itself; what was muted before is muted still.
func TestRoomScreenLosesTheBox(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Chromium and takes half a minute")
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("no chromium on this machine; `make test-deps` installs it")
	}
	b := newBox(t)
	screen, err := browser.Start(t.Context(), browser.Config{Width: 1920, Height: 1080, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	becomes := func(what, js string) time.Duration {
		t.Helper()
		began := time.Now()
		for {
			is, err := browser.Eval[bool](screen, js)
			switch {
			case is:
				return time.Since(began)
			case time.Since(began) > patience:
				text, _ := browser.Eval[string](screen, "document.body.innerText")
				t.Fatalf("not within %v: %s (%v); the page: %.500s", patience, what, err, text)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		if err := screen.Open("http://" + b.where + "/room"); err == nil {
			if ok, _ := browser.Eval[bool](screen, `Boolean(document.getElementById("verdict"))`); ok {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the room's page never came")
		}
	}
	const (
		living = `document.getElementById("nodata").hidden && !document.getElementById("now").inert`
		dead   = `!document.getElementById("nodata").hidden && document.getElementById("now").inert`
	)
	becomes("the page lives", living)
	if err := screen.Click("#mute-camera button"); err != nil {
		t.Fatal(err)
	}
	becomes("the camera is muted by its button", `document.querySelector("#mute-camera button").innerText.includes("Camera OFF") && document.querySelector("#mute-camera button").innerText.includes("Device closed")`)

	lost := func(how string) {
		t.Helper()
		took := becomes(how+": NO DATA", dead)
		t.Logf("%s: NO DATA FROM BOX after %.1f s", how, took.Seconds())
		text, _ := browser.Eval[string](screen, `document.getElementById("nodata").innerText`)
		for _, want := range []string{"NO DATA FROM BOX", "Treat supervision as lost.", "+1 555 0100"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing in %q", how, want, text)
			}
		}
		if covered, _ := browser.Eval[bool](screen, `document.elementFromPoint(innerWidth/2, 40).closest("#nodata") !== null`); !covered {
			t.Errorf("%s: the old verdict can still be seen", how)
		}
	}
	back := func(how string) {
		t.Helper()
		t.Logf("%s: back after %.1f s", how, becomes(how+": back", living).Seconds())
	}
	b.cmd.Process.Signal(syscall.SIGSTOP)
	lost("stopped (SIGSTOP)")
	b.cmd.Process.Signal(syscall.SIGCONT)
	back("stopped (SIGSTOP)")

	b.swallow.Store(true)
	lost("half open")
	b.swallow.Store(false)
	back("half open")

	b.kill()
	lost("killed (SIGKILL)")
	b.start()
	back("killed (SIGKILL)")
	becomes("still muted after the kill", `document.querySelector("#mute-camera button").innerText.includes("Camera OFF") && document.querySelector("#verdict").innerText.length > 0`)
	if err := screen.Click("#mute-camera button"); err != nil {
		t.Fatal(err)
	}
	becomes("opened again by its button", `document.querySelector("#mute-camera button").innerText.includes("Camera on")`)
}
