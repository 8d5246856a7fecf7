package doctor

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"scanside/diagnosis"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// well is a box of which everything was seen, and nothing is wrong.
func well() Facts {
	up := diagnosis.Verdict{Cause: diagnosis.Well, Layer: diagnosis.NumLayers, Sentence: "It works."}
	return Facts{
		Agent:        Agent{Runs: Yes, Version: "1.0"},
		Devices:      []Device{{Name: "camera", Works: Yes, Sentence: "30 pictures a second."}, {Name: "microphone", Works: Yes, Sentence: "50 packets a second."}},
		Uplinks:      []Uplink{{Name: "primary", Looked: true, Verdict: up}, {Name: "cellular", Looked: true, Verdict: up}},
		Spare:        Spare{Known: true, Configured: 2, Proven: 2},
		FarEnd:       FarEnd{URL: "https://far", Reached: Yes},
		Clock:        Clock{Synced: Yes, Error: 30 * time.Millisecond},
		Disk:         Disk{Folder: "/var/lib/scanside", Known: true, Free: 5 << 30, Total: 20 << 30, Written: Yes, Took: 4 * time.Millisecond},
		Certificates: []Certificate{{Whose: "far", Name: "far", Seen: true, Until: noon.Add(90 * 24 * time.Hour)}},
		Places: []Place{
			{What: "camera", Path: "/dev/video0", Exists: true, Mode: 0o660, Group: "video", MayRead: true, MayWrite: true},
			{What: "state directory", Path: "/var/lib/scanside", Kind: Folder, Exists: true, Mode: 0o700, Owner: "scanside", MayRead: true, MayWrite: true},
			{What: "site token", Path: "/etc/scanside/token", Kind: Secret, Exists: true, Mode: 0o600, Owner: "scanside", MayRead: true},
		},
		Binds: []Bind{{Interface: "eth0", Done: Yes}},
		Power: Power{Supplies: []Supply{{Name: "AC", Online: true}}},
		User:  "scanside",
	}
}

// Each story spoils one thing of a box that is well, and names the check that must say so.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		story string
		spoil func(*Facts)
		check string
		want  Result
		says  string
	}{
		{"all is well", func(*Facts) {}, "agent", Passed, "runs"},
		{"the agent does not run", func(f *Facts) { f.Agent = Agent{} }, "agent", Unknown, "does not run"},
		{"the agent asks for a token", func(f *Facts) { f.Agent = Agent{Why: "it refused (401)"} }, "agent", Unknown, "refused (401)"},
		{"its loop is stuck", func(f *Facts) { f.Agent.Stuck = true }, "agent", Failed, "stands still"},
		{"no picture", func(f *Facts) {
			f.Devices[0] = Device{Name: "camera", Works: No, Sentence: "It froze.", Do: "Pull it."}
		}, "camera", Failed, "froze"},
		{"a device that nobody saw work", func(f *Facts) { f.Devices[0].Works = NotKnown }, "camera", Unknown, "30 pictures"},
		{"an uplink's fault", func(f *Facts) {
			f.Uplinks[0].Verdict = diagnosis.Verdict{Cause: diagnosis.NoCarrier, Layer: diagnosis.Carrier, Sentence: "No cable.", Next: "Plug it in."}
		}, "uplink:primary", Failed, "No cable"},
		{"an uplink that loses packets", func(f *Facts) { f.Uplinks[1].Weak = "cellular is degraded." }, "uplink:cellular", Failed, "degraded"},
		{"an uplink that has to prove itself", func(f *Facts) { f.Uplinks[1].Proving = true }, "uplink:cellular", Unknown, "long enough"},
		{"an uplink nobody looked at", func(f *Facts) { f.Uplinks[1] = Uplink{Name: "cellular"} }, "uplink:cellular", Unknown, "Nothing is known"},
		{"the same, quickly", func(f *Facts) { f.Uplinks[1] = Uplink{Name: "cellular"}; f.Quick = true }, "uplink:cellular", Unknown, "not looked at"},
		{"one uplink configured", func(f *Facts) { f.Spare = Spare{Configured: 1} }, "spare", Failed, "one uplink only"},
		{"one uplink proven", func(f *Facts) { f.Spare.Proven = 1 }, "spare", Failed, "Only one"},
		{"nobody proved any", func(f *Facts) { f.Spare = Spare{Configured: 2} }, "spare", Unknown, "not known"},
		{"the far end is not reached", func(f *Facts) { f.FarEnd.Reached = No }, "far-end", Failed, "not reached"},
		{"the far end refuses the token", func(f *Facts) { f.FarEnd.Refuses = true }, "far-end", Failed, "does not let this box in"},
		{"nothing keeps the clock", func(f *Facts) { f.Clock.Synced = No }, "clock", Failed, "not synchronised"},
		{"the clock is far from the far end's", func(f *Facts) { f.Clock.Skew, f.Clock.SkewKnown = -90*time.Second, true }, "clock", Failed, "ahead of the far end's by 1m30s"},
		{"NTP says nothing, the far end agrees", func(f *Facts) { f.Clock = Clock{Skew: -time.Second, SkewKnown: true} }, "clock", Passed, "agrees"},
		{"nobody says anything of the clock", func(f *Facts) { f.Clock = Clock{} }, "clock", Unknown, "not known"},
		{"the clock was just set", func(f *Facts) { f.Clock.SetAt, f.Clock.SetBy = noon.Add(-time.Minute), time.Hour }, "clock", Unknown, "was set by 1h0m0s"},
		{"the clock was set two hours ago", func(f *Facts) { f.Clock.SetAt, f.Clock.SetBy = noon.Add(-2*time.Hour), time.Hour }, "clock", Passed, "to within 30ms"},
		{"the disk is nearly full", func(f *Facts) { f.Disk.Free = leastFree - 1 }, "disk-space", Failed, "199 MB of 20 GB"},
		{"the disk is read-only", func(f *Facts) { f.Disk.Written, f.Disk.Why = No, "read-only file system" }, "disk-write", Failed, "read-only"},
		{"the disk is slow", func(f *Facts) { f.Disk.Took = 1500 * time.Millisecond }, "disk-write", Failed, "1.5s"},
		{"the audit log has a fault", func(f *Facts) { f.Disk.Log = "the key is gone" }, "disk-write", Failed, "the key is gone"},
		{"another user looks", func(f *Facts) { f.Disk.Written, f.Disk.Why = NotKnown, "this user may not" }, "disk-write", Unknown, "may not"},
		{"before the first start", func(f *Facts) { f.Disk.Absent, f.Disk.Written = true, NotKnown }, "disk-write", Unknown, "not there yet"},
		{"no state directory", func(f *Facts) { f.Disk = Disk{} }, "disk", Failed, "nothing is kept"},
		{"a certificate ends soon", func(f *Facts) { f.Certificates[0].Until = noon.Add(renewal - time.Hour) }, "certificate:far", Failed, "ends in 13 days"},
		{"a certificate has ended", func(f *Facts) { f.Certificates[0].Until = noon.Add(-time.Hour) }, "certificate:far", Failed, "ended on 24 November 2026"},
		{"a stranger's certificate", func(f *Facts) { f.Certificates[0].Wrong = "it is another's" }, "certificate:far", Failed, "another's"},
		{"a pinned one that has ended", func(f *Facts) { f.Certificates[0].Until, f.Certificates[0].Pinned = noon.Add(-time.Hour), true }, "certificate:far", Passed, "fingerprint"},
		{"a certificate that nobody saw", func(f *Facts) { f.Certificates[0] = Certificate{Whose: "far"} }, "certificate:far", Unknown, "not seen"},
		{"the camera belongs to a group", func(f *Facts) { f.Places[0].MayWrite = false }, "permission:camera", Failed, "may not be opened by scanside"},
		{"the state is open to all", func(f *Facts) { f.Places[1].Mode = 0o755 }, "permission:state-directory", Failed, "mode 0755"},
		{"the token is open to all", func(f *Facts) { f.Places[2].Mode = 0o644 }, "permission:site-token", Failed, "by others"},
		{"the token is gone", func(f *Facts) { f.Places[2].Exists = false }, "permission:site-token", Failed, "not there"},
		{"a kernel that forbids binding", func(f *Facts) { f.Binds[0] = Bind{Interface: "eth0", Done: No, Why: "operation not permitted"} }, "bind:eth0", Failed, "not permitted"},
		{"an interface that is not there", func(f *Facts) { f.Binds[0] = Bind{Interface: "wwan0"} }, "bind:wwan0", Unknown, "not there"},
		{"nothing says how the power is", func(f *Facts) { f.Power = Power{} }, "power", Unknown, "Nothing here says"},
		{"the mains are gone", func(f *Facts) {
			f.Power.Supplies = []Supply{{Name: "BAT0", Battery: true, Drains: true, Percent: 41}, {Name: "AC"}}
		}, "power", Failed, "41 %"},
		{"one of two plugs carries", func(f *Facts) { f.Power.Supplies = []Supply{{Name: "C1"}, {Name: "C2", Online: true}, {Name: "C3"}} }, "power", Passed, "on the mains"},
		{"too thin a cable", func(f *Facts) { f.Power.Sensors = []Sensor{{Name: "rpi_volt in0_lcrit", Low: true}} }, "power", Failed, "voltage is too low"},
		{"a sensor alone", func(f *Facts) { f.Power = Power{Sensors: []Sensor{{Name: "rpi_volt in0_lcrit"}}} }, "power", Passed, "high enough"},
	} {
		t.Run(c.story, func(t *testing.T) {
			f := well()
			c.spoil(&f)
			r := Judge(noon, f)
			found := false
			for _, k := range r.Checks {
				if k.Name != c.check {
					continue
				}
				found = true
				if k.Result != c.want || !strings.Contains(k.Sentence, c.says) {
					t.Errorf("%s: %v %q, want %v with %q", k.Name, k.Result, k.Sentence, c.want, c.says)
				}
			}
			if !found {
				t.Errorf("there is no check %q", c.check)
			}
			if r.Result != c.want {
				t.Errorf("the report is %v: %s", r.Result, r.Sentence)
			}
			check(t, r)
		})
	}
}

// check holds a report to K2 and K3.
func check(t *testing.T, r Report) {
	t.Helper()
	want, seen := Passed, map[string]bool{}
	for _, c := range r.Checks {
		switch {
		case c.Result == Failed:
			want = Failed
		case c.Result == Unknown && want == Passed:
			want = Unknown
		}
		if seen[c.Name] || c.Area == "" || c.Sentence == "" {
			t.Errorf("a check without name, area or sentence of its own: %+v", c)
		}
		if seen[c.Name] = true; (c.Do == "") != (c.Result == Passed) {
			t.Errorf("%s %v, and to do is %q", c.Name, c.Result, c.Do)
		}
	}
	if r.Result != want || (r.Exit() == ExitPassed) != (want == Passed) {
		t.Errorf("the report is %v with exit %d, want %v", r.Result, r.Exit(), want)
	}
}

// K1: nothing seen, nothing passed.
func TestNothingSeenIsUnknown(t *testing.T) {
	f := Facts{Devices: []Device{{Name: "camera"}}, Uplinks: []Uplink{{Name: "primary"}, {Name: "cellular"}}, Spare: Spare{Configured: 2},
		Disk: Disk{Folder: "/var/lib/scanside"}, Certificates: []Certificate{{Whose: "far"}}, Binds: []Bind{{Interface: "eth0"}}}
	for _, quick := range []bool{false, true} {
		f.Quick = quick
		r := Judge(noon, f)
		check(t, r)
		for _, c := range r.Checks {
			if c.Result != Unknown {
				t.Errorf("%s %v without a fact: %s", c.Name, c.Result, c.Sentence)
			}
		}
		if r.Exit() != ExitUnknown {
			t.Errorf("exit %d", r.Exit())
		}
	}
}

// K2 and K3 for whatever mixture of facts there may be.
func TestAnyFacts(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	answer := func() Answer { return Answer(draw.IntN(3)) }
	for range 5000 {
		f := well()
		f.Quick = draw.IntN(2) == 0
		f.Agent.Runs, f.Agent.Stuck = answer(), draw.IntN(4) == 0
		for i := range f.Devices {
			f.Devices[i].Works = answer()
		}
		for i := range f.Uplinks {
			u := &f.Uplinks[i]
			u.Looked, u.Proving = draw.IntN(2) == 0, draw.IntN(3) == 0
			u.Verdict.Cause = diagnosis.Causes()[draw.IntN(len(diagnosis.Causes()))]
		}
		f.Spare = Spare{Known: draw.IntN(2) == 0, Configured: draw.IntN(3), Proven: draw.IntN(3)}
		f.FarEnd.Reached, f.FarEnd.Refuses = answer(), draw.IntN(3) == 0
		f.Clock = Clock{Synced: answer(), SkewKnown: draw.IntN(2) == 0, Skew: time.Duration(draw.IntN(10)-5) * time.Second}
		f.Disk.Written, f.Disk.Known, f.Disk.Absent = answer(), draw.IntN(2) == 0, draw.IntN(5) == 0
		f.Certificates[0].Seen, f.Certificates[0].Until = draw.IntN(2) == 0, noon.AddDate(0, 0, draw.IntN(60)-30)
		for i := range f.Places {
			p := &f.Places[i]
			p.Exists, p.MayRead, p.MayWrite, p.Mode = draw.IntN(2) == 0, draw.IntN(2) == 0, draw.IntN(2) == 0, uint32(draw.IntN(0o1000))
		}
		f.Binds[0].Done = answer()
		f.Power.Supplies[0] = Supply{Name: "A", Battery: draw.IntN(2) == 0, Online: draw.IntN(2) == 0, Drains: draw.IntN(2) == 0, Percent: draw.IntN(101)}
		check(t, Judge(noon, f))
	}
}
