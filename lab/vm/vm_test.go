package main

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The guest's own files and the lab's side of the cables have to agree.
func TestRecipeMatchesCables(t *testing.T) {
	root := t.TempDir()
	if err := writeRecipeRoot(root); err != nil {
		t.Fatal(err)
	}
	holds := func(file string, words ...string) {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if !strings.Contains(string(content), w) {
				t.Errorf("%s does not say %q", file, w)
			}
		}
	}
	for _, c := range cables() {
		near := netip.MustParsePrefix(c.near)
		if !near.Contains(netip.MustParseAddr(c.far)) {
			t.Errorf("%s: %s is not in %s", c.name, c.far, near)
		}
		holds("etc/systemd/network/10-"+c.name+".link", "MACAddress="+c.mac, "Name="+c.name)
		holds("etc/systemd/network/20-"+c.name+".network", "Name="+c.name, "Address="+c.far+"/24", "Gateway="+near.Addr().String())
	}
	holds("etc/hosts", gatewayAddress+" "+gatewayName)
	holds("etc/modprobe.d/lab.conf", "options vivid", "options snd-aloop", "RoomMic")
}

func TestRecipePackages(t *testing.T) {
	names, err := recipePackages()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"linux-image-amd64", "libopenh264-7", "libopus0", "libturbojpeg0", "libasound2", "v4l-utils"} {
		if !slices.Contains(names, want) {
			t.Errorf("the recipe has no %s in %q", want, names)
		}
	}
}

func TestSourcesFrom(t *testing.T) {
	for _, c := range []struct {
		name, targets string
		want          []string
		wrong         string
	}{
		{
			name: "the release, its updates and its security; other repositories and indexes left out",
			targets: `Packages bookworm main http://one.example/debian/
DEP-11 bookworm main http://one.example/debian/
Packages bookworm contrib http://one.example/debian/
Packages bookworm-security main http://two.example/debian-security/
Packages nodistro main http://three.example/
Packages bookworm main http://one.example/debian/
`,
			want: []string{"deb http://one.example/debian/ bookworm main", "deb http://two.example/debian-security/ bookworm-security main"},
		},
		{name: "another release only", targets: "Packages trixie main http://one.example/debian/\n", wrong: "no source for Debian bookworm"},
		{name: "security without the release", targets: "Packages bookworm-security main http://two.example/\n", wrong: "no source for Debian bookworm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := sourcesFrom(c.targets)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Fatalf("error %v, want one that says %q", err, c.wrong)
				}
				return
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q, %v\nwant %q", got, err, c.want)
			}
		})
	}
}

func TestListen(t *testing.T) {
	voice := voiceTone(2)
	if s := listen(voice); s.Tone < 0.95 || s.Jumps != 0 || s.RMS < 3400 || s.RMS > 3500 {
		t.Errorf("the test voice itself measures %+v", s)
	}
	looped := slices.Concat(voice, voice)
	if s := listen(looped); s.Jumps != 0 {
		t.Errorf("played in a loop it clicks: %+v", s)
	}
	if s := listen(make([]int16, sampleRate)); s.RMS != 0 || s.Tone != 0 {
		t.Errorf("silence measures %+v", s)
	}
	torn := slices.Concat(voice[:30005], voice[30040:])
	if s := listen(torn); s.Jumps == 0 {
		t.Errorf("35 lost samples went unnoticed: %+v", s)
	}
}

func TestPCMRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "voice.pcm")
	want := voiceTone(1)
	if err := writePCM(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := readPCM(path)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("read back %d samples, %v; wrote %d", len(got), err, len(want))
	}
}

// The line protocol against a real qemu that has no guest.
func TestMonitor(t *testing.T) {
	qemu, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		t.Skip("qemu-system-x86 is not installed; make vm installs it")
	}
	socket := filepath.Join(t.TempDir(), "qmp.sock")
	cmd := exec.CommandContext(t.Context(), qemu, "-machine", "none", "-nodefaults", "-display", "none", "-qmp", "unix:"+socket+",server=on,wait=off")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	var line *jsonLine
	if err := waitUntil(t.Context(), 20*time.Second, "the monitor", func() (err error) {
		line, err = dialJSONLine(socket)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer line.conn.Close()
	var greeting struct{ QMP any }
	if err := line.in.Decode(&greeting); err != nil || greeting.QMP == nil {
		t.Fatalf("greeting %v, %v", greeting, err)
	}
	if err := line.call("qmp_capabilities", nil, nil, answerWithin); err != nil {
		t.Fatal(err)
	}
	var status struct{ Running bool }
	if err := line.call("query-status", nil, &status, answerWithin); err != nil || !status.Running {
		t.Errorf("status %+v, %v", status, err)
	}
	if err := line.call("set_link", map[string]any{"name": "nobody", "up": true}, nil, answerWithin); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("a wrong name gave %v", err)
	}
}

func TestWaitUntilSaysWhatItWaitedFor(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := waitUntil(ctx, time.Minute, "the moon", func() error { return os.ErrNotExist })
	if err == nil || !strings.Contains(err.Error(), "the moon") || !strings.Contains(err.Error(), os.ErrNotExist.Error()) {
		t.Errorf("error %v", err)
	}
}
