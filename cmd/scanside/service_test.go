package main

import (
	"strings"
	"testing"

	"scanside/systemd"
)

func TestUnitFor(t *testing.T) {
	for _, c := range []struct{ program, config, want string }{
		{"/usr/local/bin/scanside", "/etc/s.yaml", "ExecStart=/usr/local/bin/scanside run --config /etc/s.yaml\n"},
		{"/opt/scan side/scanside", `/etc/100%/$a".yaml`, `ExecStart="/opt/scan side/scanside" run --config "/etc/100%%/$$a\".yaml"` + "\n"},
	} {
		got, err := unitFor(systemd.Unit, c.program, c.config)
		if err != nil || !strings.Contains(got, c.want) || strings.Count(got, "ExecStart=") != 1 {
			t.Errorf("%v: no %q in\n%s", err, c.want, got)
		}
	}
	if _, err := unitFor("[Service]\nExecStart=/bin/true\n", "a", "b"); err == nil {
		t.Error("a unit with another command was taken")
	}
}
