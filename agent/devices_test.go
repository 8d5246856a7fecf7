package agent

import (
	"context"
	"strings"
	"testing"
	"time"

	"scanside/agent/status"
	"scanside/media"
)

// twoDevices is a source with two devices whose choice a test sets.
type twoDevices struct {
	media.Source
	choice media.Choice
	open   bool
}

func (d *twoDevices) Choice() media.Choice                  { return d.choice }
func (d *twoDevices) SetOpen(open bool)                     { d.open = open }
func (d *twoDevices) Trace() []byte                         { return nil }
func (d *twoDevices) Run(context.Context, media.Sink) error { return nil }

// A takeover is told in the tale once, the page says which device is used and why, and the one that was lost is a problem
// although the room is seen.
func TestTakeoverIsTold(t *testing.T) {
	now := time.Now()
	d := &twoDevices{choice: media.Choice{
		Used: 1, Since: now, Why: "ceiling is used because front failed: camera front is gone: check its cable",
		Devices: []media.Device{
			{Name: "front", Condition: "failed", Health: media.Health{Reason: "camera front is gone: check its cable"}},
			{Name: "ceiling", Condition: "ok", Health: media.Health{OK: true}},
		},
		Takeovers: []media.Takeovers{{Reason: "failed", N: 1}},
	}}
	l := &loop{}
	l.flows[media.Video].source = &source{src: d, kind: media.Video}
	var s status.Stream
	for range 3 {
		s = status.Stream{Kind: "video"}
		s.Devices, s.Choice = l.viewDevices(now, l.flows[media.Video].source)
	}
	if len(l.tale.events) != 1 || !strings.Contains(l.tale.events[0].Text, "Ceiling is used because front failed") {
		t.Errorf("told: %+v", l.tale.events)
	}
	if s.Devices[0].Used || !s.Devices[1].Used || s.Devices[0].Level != status.Bad || s.Devices[1].Level != status.OK || s.Choice.Takeovers["failed"] != 1 {
		t.Errorf("the page says %+v, %+v", s.Devices, s.Choice)
	}
	var problems []string
	deviceProblems(&status.Status{Streams: []status.Stream{s}}, func(id string, level status.Level, text, _ string) {
		problems = append(problems, id+" "+text)
	})
	if len(problems) != 1 || problems[0] != "camera-spare:front The preferred camera front does not work: camera front is gone: check its cable." {
		t.Errorf("problems: %q", problems)
	}
	l.tellOpen(true)
	if !d.open {
		t.Error("the source was not told of the procedure")
	}
}
