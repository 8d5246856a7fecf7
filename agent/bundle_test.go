package agent

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"scanside/agent/status"
	"scanside/support"
)

// packed is all that is in a bundle, names included.
func packed(t *testing.T, b *support.Bundle) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b.Zip), int64(len(b.Zip)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&all, "====", f.Name)
		io.Copy(&all, r)
	}
	return all.String()
}

// Secrets are planted in every place of the configuration that can hold a text, in the files that it names, and in what the box says
// of itself; none may come out. A field that is added to the configuration is planted too.
func TestBundleHoldsNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := lonely(t)
		cfg.Uplinks[0].Relays = []Relay{{}}
		cfg.FarEnds = []FarEnd{{}}
		a, err := New(lonely(t), Parts{Version: "1.2.3"})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.back.out {
			defer f.Close()
		}
		dir, n := t.TempDir(), 0
		var planted []string
		plant := func() string {
			n++
			planted = append(planted, fmt.Sprintf("PLANTED%03dx", n))
			return planted[n-1]
		}
		walk(reflect.ValueOf(&cfg).Elem(), "", func(name string, v *string) {
			switch {
			case name == "CAFile", *v != "" && name != "URL": // certificates are public; what makes the test's own configuration work stays
			case strings.HasSuffix(name, "File"):
				*v = filepath.Join(dir, fmt.Sprint(name, n))
				if err := os.WriteFile(*v, []byte("Bearer "+plant()+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			case isSecret(name):
				*v = plant()
			case name == "WHIP", name == "WHEP":
				*v = "https://whip.example.org/live/" + plant() + "?key=" + plant()
			case name == "URL", name == "Address", name == "Interface", name == "Device", name == "Username", name == "User":
				*v = "https://ada:" + plant() + "@host.example.org/path?token=" + plant() + "&room=" + plant() + "#" + plant()
			}
		})
		cfg.FarEnd.Token = plant()
		if n < 20 {
			t.Fatalf("only %d secrets were planted", n)
		}
		for i, secret := range planted { // the box says them of itself: in errors of its dialling, in its log
			a.loop.tale.events = append(a.loop.tale.events, status.Event{Text: fmt.Sprintf("primary cannot connect: error %d with %s in it", i, secret)})
		}
		a.cfg = cfg
		a.loop.publish(a.loop.begun)
		b, err := boxed{a}.SupportBundle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		text := packed(t, b)
		for _, secret := range planted {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s is in the bundle: …%.160s…", secret, text[max(0, at-80):])
			}
		}
		for _, want := range []string{"==== status.json", "==== metrics.txt", "==== config.yaml", "==== versions.txt", "==== CONTENTS.txt", "host.example.org", "# TYPE scanside_", "scanside 1.2.3", "site: mri-2"} {
			if !strings.Contains(text, want) {
				t.Errorf("the bundle lacks %q", want)
			}
		}
		t.Logf("%d secrets planted; the bundle: %d bytes packed, %d files", n, b.Bytes, len(b.Contents))
	})
}

// Without an agent that runs there is a bundle too.
func TestOfflineBundle(t *testing.T) {
	cfg := lonely(t)
	if err := (store{cfg.StateDir}).open(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cfg.StateDir, "traces", "20261124-1.trace"), []byte("scanside trace 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := OfflineBundle(t.Context(), cfg, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	text := packed(t, b)
	for _, want := range []string{"==== traces/20261124-1.trace", "==== diagnosis.txt", "absent0", "site: mri-2"} {
		if !strings.Contains(text, want) {
			t.Errorf("the bundle lacks %q:\n%.2000s", want, text)
		}
	}
}
