package machine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"scanside/doctor"
)

// tree makes files of a machine.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text+"\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestPower(t *testing.T) {
	const ps, hw = "sys/class/power_supply/", "sys/class/hwmon/hwmon0/"
	for _, c := range []struct {
		story string
		files map[string]string
		want  doctor.Power
	}{
		{"a desk machine says nothing", nil, doctor.Power{}},
		{"a mouse's battery is not the box's", map[string]string{ps + "m/type": "Battery", ps + "m/scope": "Device", ps + "m/status": "Discharging"}, doctor.Power{}},
		{"mains and battery", map[string]string{ps + "AC/type": "Mains", ps + "AC/online": "0", ps + "BAT0/type": "Battery", ps + "BAT0/status": "Discharging", ps + "BAT0/capacity": "41"},
			doctor.Power{Supplies: []doctor.Supply{{Name: "AC", Percent: -1}, {Name: "BAT0", Battery: true, Drains: true, Percent: 41}}}},
		{"undervoltage", map[string]string{hw + "name": "rpi_volt", hw + "in0_lcrit_alarm": "1", hw + "in0_max_alarm": "1"},
			doctor.Power{Sensors: []doctor.Sensor{{Name: "rpi_volt in0_lcrit", Low: true}}}},
	} {
		t.Run(c.story, func(t *testing.T) {
			got := power(tree(t, c.files))
			if len(got.Supplies) != len(c.want.Supplies) || len(got.Sensors) != len(c.want.Sensors) {
				t.Fatalf("%+v, want %+v", got, c.want)
			}
			for i := range got.Supplies {
				if got.Supplies[i] != c.want.Supplies[i] {
					t.Errorf("%+v, want %+v", got.Supplies[i], c.want.Supplies[i])
				}
			}
			for i := range got.Sensors {
				if got.Sensors[i] != c.want.Sensors[i] {
					t.Errorf("%+v, want %+v", got.Sensors[i], c.want.Sensors[i])
				}
			}
		})
	}
}

func TestClock(t *testing.T) {
	with, without := tree(t, map[string]string{timesyncMark: ""}), t.TempDir()
	for _, c := range []struct {
		story  string
		state  int
		status int32
		err    error
		root   string
		want   doctor.Answer
	}{
		{"kept right", 0, unix.STA_PLL, nil, without, doctor.Yes},
		{"kept by nobody", timeError, unix.STA_UNSYNC, nil, without, doctor.No},
		{"a mark from before does not outweigh the kernel", timeError, unix.STA_UNSYNC, nil, with, doctor.No},
		{"the unit forbids asking, timesyncd has set it", 0, 0, unix.EPERM, with, doctor.Yes},
		{"the unit forbids asking", 0, 0, unix.EPERM, without, doctor.NotKnown},
	} {
		t.Run(c.story, func(t *testing.T) {
			if got := clock(c.state, unix.Timex{Status: c.status}, c.err, c.root); got.Synced != c.want {
				t.Errorf("%v, want %v", got.Synced, c.want)
			}
		})
	}
	Clock() // this machine's: whatever it is, it can be asked
}

// What is written is gone again, and what cannot be written is told apart from what may not.
func TestDisk(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".doctor-left"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := Disk(dir)
	if left, _ := os.ReadDir(dir); d.Written != doctor.Yes || !d.Known || d.Free == 0 || d.Total < d.Free || len(left) != 0 {
		t.Errorf("%+v, left behind: %v", d, left)
	}
	if d := Disk(filepath.Join(dir, "not", "yet")); !d.Absent || d.Written != doctor.NotKnown || !d.Known {
		t.Errorf("before the first start: %+v", d)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if d := Disk(file); d.Written != doctor.No || d.Why == "" {
		t.Errorf("a file in the folder's place: %+v", d)
	}
	if d := Disk(""); d != (doctor.Disk{}) {
		t.Errorf("none: %+v", d)
	}
}

// Of several devices of a kind, the one that may not be opened counts.
func TestDevices(t *testing.T) {
	root := tree(t, map[string]string{"dev/video0": "", "dev/video1": "", "dev/snd/pcmC0D0c": ""})
	all := devices(root, true, true, true)
	if len(all) != 2 || all[0].What != "camera" || all[1].What != "microphone" || !all[0].MayRead || !all[0].Exists {
		t.Fatalf("%+v", all)
	}
	if os.Geteuid() == 0 {
		t.Log("SKIPPED: root may open anything")
		return
	}
	if err := os.Chmod(filepath.Join(root, "dev/video1"), 0); err != nil {
		t.Fatal(err)
	}
	if all := devices(root, true, false, false); all[0].MayRead || !strings.HasSuffix(all[0].Path, "video1") {
		t.Errorf("%+v", all)
	}
}

func TestPlaceAndBind(t *testing.T) {
	dir := t.TempDir()
	if p := Place("state directory", dir, doctor.Folder); !p.Exists || p.Mode != 0o755 || p.Owner == "" || !p.MayWrite {
		t.Errorf("%+v", p)
	}
	if p := Place("token", filepath.Join(dir, "none"), doctor.Secret); p.Exists {
		t.Errorf("%+v", p)
	}
	if b := Bind("lo"); b.Done != doctor.Yes {
		t.Errorf("lo: %+v", b)
	}
	if b := Bind("none0"); b.Done != doctor.NotKnown {
		t.Errorf("none0: %+v", b)
	}
}
