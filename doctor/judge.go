package doctor

import (
	"fmt"
	"strings"
	"time"

	"scanside/diagnosis"
)

// Judge makes the checks, in the order in which people would look.
func Judge(now time.Time, f Facts) Report {
	var all []Check
	add := func(area string, checks ...Check) {
		for _, c := range checks {
			c.Area = area
			all = append(all, c)
		}
	}
	add("agent", f.Agent.check())
	for _, d := range f.Devices {
		add("devices", d.check())
	}
	for _, u := range f.Uplinks {
		add("uplinks", u.check(f.Quick))
	}
	add("uplinks", f.Spare.check())
	add("far-end", f.FarEnd.check(f.Quick))
	add("clock", f.Clock.check(now))
	add("disk", f.Disk.check()...)
	for _, c := range f.Certificates {
		add("certificates", c.check(now, f.Quick))
	}
	for _, p := range f.Places {
		add("permissions", p.check(f.User))
	}
	for _, b := range f.Binds {
		add("permissions", b.check())
	}
	add("power", f.Power.check())
	return conclude(now, f.Quick, all)
}

func (a Agent) check() Check {
	c := Check{Name: "agent"}
	switch {
	case a.Runs == Yes && a.Stuck:
		c.Result, c.Sentence, c.Do = Failed, "scanside answers, but its own work stands still.", "Its watchdog restarts it within 20 s; if not: systemctl restart scanside"
	case a.Runs == Yes:
		c.Result, c.Sentence = Passed, "scanside "+a.Version+" runs."
	case a.Why != "":
		c.Sentence, c.Do = "scanside could not be asked: "+a.Why+".", "Look at: systemctl status scanside"
	default:
		c.Sentence, c.Do = "scanside does not run here, so what only it can see is not known.", "Start it: systemctl start scanside"
	}
	return c
}

func (d Device) check() Check {
	c := Check{Name: d.Name, Sentence: d.Sentence, Do: d.Do}
	switch d.Works {
	case Yes:
		c.Result, c.Do = Passed, ""
	case No:
		c.Result = Failed
	}
	if c.Sentence == "" {
		c.Sentence = "Nothing is known of the " + d.Name + "."
	}
	if c.Result != Passed && c.Do == "" {
		c.Do = "Check it and its cable, and test the devices: scanside devices test"
	}
	return c
}

func (u Uplink) check(quick bool) Check {
	c := Check{Name: "uplink:" + u.Name, Sentence: u.Verdict.Sentence, Do: u.Verdict.Next, Layers: u.Findings.Layers, Layered: u.Looked}
	switch v := u.Verdict; {
	case u.Looked && v.IsFault():
		c.Result = Failed
	case u.Looked && u.Weak != "":
		c.Result, c.Sentence, c.Do = Failed, u.Weak, "If it lasts, look at its signal and cable, and at what else uses it."
	case u.Looked && u.Proving:
		c.Sentence, c.Do = u.Name+" answers, and has not carried media for long enough to be relied on.", "Look again in a minute."
	case u.Looked && (v.Cause == diagnosis.Well || v.Cause == diagnosis.Clear):
		c.Result, c.Do = Passed, ""
	case !u.Looked && quick:
		c.Sentence, c.Do = u.Name+" was not looked at: that takes up to 10 s.", "Leave out --quick."
	case c.Sentence == "" || !u.Looked:
		c.Sentence = "Nothing is known of " + u.Name + "."
	}
	if !strings.Contains(c.Sentence, u.Name) {
		c.Sentence = u.Name + ": " + c.Sentence
	}
	if c.Result != Passed && c.Do == "" {
		c.Do = "Have it examined: scanside doctor, without --quick"
	}
	return c
}

func (s Spare) check() Check {
	c := Check{Name: "spare", Do: "Look at the uplinks again in a minute; each has to carry media for a while before it counts."}
	switch {
	case s.Configured == 1:
		c.Result, c.Sentence, c.Do = Failed, "There is one uplink only: a cut ends supervision.", "Configure a second uplink."
	case !s.Known:
		c.Sentence, c.Do = "It is not known whether an uplink could stand in for another.", "Start scanside; it proves them with media."
	case s.Proven == 0:
		c.Result, c.Sentence = Failed, "No uplink is proven."
	case s.Proven == 1:
		c.Result, c.Sentence = Failed, "Only one uplink is proven: a cut of it would not be made up for."
	default:
		c.Result, c.Do = Passed, ""
		c.Sentence = fmt.Sprintf("%d uplinks are proven: one stands in for another.", s.Proven)
	}
	return c
}

func (f FarEnd) check(quick bool) Check {
	c := Check{Name: "far-end", Sentence: f.Why}
	switch {
	case f.Refuses:
		c.Result, c.Do = Failed, "Have the far end's administrator check site and token (`scanside-gateway token`)."
		c.orSay(f.URL + " answers, but does not let this box in.")
	case f.Reached == Yes:
		c.Result = Passed
		c.orSay(f.URL + " answers.")
	case f.Reached == No:
		c.Result, c.Do = Failed, "The uplinks' checks say where it ends."
		c.orSay(f.URL + " is not reached.")
	case quick:
		c.Sentence, c.Do = f.URL+" was not asked: that takes up to 10 s.", "Leave out --quick."
	default:
		c.Do = "The uplinks' checks say what was seen."
		c.orSay("It is not known whether " + f.URL + " is reached.")
	}
	return c
}

func (c *Check) orSay(s string) {
	if c.Sentence == "" {
		c.Sentence = s
	}
}
