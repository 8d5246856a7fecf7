package agent

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scanside/failover"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each file in testdata/config stands beside what is said about it.
func TestConfigErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			got := "good\n"
			if _, err := LoadConfig(file); err != nil {
				got = strings.ReplaceAll(err.Error(), file, filepath.Base(file)) + "\n"
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("what is said (-want +got):\n%s", d)
			}
		})
	}
}

func TestConfigValues(t *testing.T) {
	cfg, err := LoadConfig("testdata/config/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Site = "mri-2"
	want.FarEnd = FarEnd{URL: "https://gateway.example.org", TokenFile: "/etc/scanside/token", TLS: TLS{Fingerprint: strings.Repeat("ab:", 31) + "cd"}}
	want.Uplinks = []Uplink{{Name: "primary", Interface: "eth0"}, {Name: "cellular", Interface: "wwan0", Metered: true, Budget: Budget{20, 15}}, {Name: "spare", Address: "192.0.2.7", DNS: []string{"192.0.2.53", "[2001:db8::53]:5353"}}}
	want.Protection = Protection{Voice: failover.Always, Video: failover.OnDoubt}
	want.Camera.Device, want.Microphone.Device = "usb-0:2", "none"
	want.Video = Video{Width: 640, Height: 360, FPS: 15, Bitrate: 800_000}
	want.Status = Status{
		Listen: "[::1]:8481", HTTPS: "0.0.0.0:8480", TLS: StatusTLS{"testdata/config/box.pem", "/etc/scanside/box-key.pem"}, Names: []string{"box.example.org"}, ViewAll: true,
		ScrapeTokenFile: "testdata/config/scrape-token", ScreenTokenFile: "testdata/config/screen-token", StateDir: "testdata/config/state",
	}
	want.StateDir = "testdata/config/state"
	if d := cmp.Diff(want, cfg); d != "" {
		t.Errorf("read (-want +got):\n%s", d)
	}
}

// What a file leaves open goes by cost and phase; what it says holds in every phase.
func TestProtectionByCost(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Uplinks = []Uplink{{Name: "a"}, {Name: "b"}}
	if p := cfg.policy().Protection; p != [2][2]failover.Protection{} {
		t.Errorf("without a metered uplink: %v", p)
	}
	cfg.Uplinks[1].Metered = true
	if p := cfg.policy().Protection; p != [2][2]failover.Protection{{failover.OnDoubt, failover.OnDoubt}, {failover.Always, failover.ByCost}} {
		t.Errorf("with a metered uplink: %v", p)
	}
	cfg.Protection.Video = failover.Never
	if p := cfg.policy().Protection; p != [2][2]failover.Protection{{failover.OnDoubt, failover.Never}, {failover.Always, failover.Never}} {
		t.Errorf("as told: %v", p)
	}
}

func TestFingerprint(t *testing.T) {
	for text, good := range map[string]bool{
		strings.Repeat("ab", 32):                                                  true,
		"sha256:" + strings.Repeat("AB", 32):                                      true,
		"SHA256 Fingerprint=" + strings.TrimRight(strings.Repeat("ab:", 32), ":"): true,
		strings.Repeat("ab", 31):                                                  false,
		strings.Repeat("xy", 32):                                                  false,
		"":                                                                        false,
	} {
		if _, err := parseFingerprint(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}
