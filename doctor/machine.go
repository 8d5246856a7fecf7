package doctor

import (
	"fmt"
	"strings"
	"time"
)

const (
	// mostSkew is how far two clocks may be apart: records of both sides are put side by side. IHE Consistent Time asks for 1 s; the
	// far end's word has whole seconds (RFC 9110 5.6.7), so one more is our own doubt.
	mostSkew = 2 * time.Second
	// settling is how long after it was set a clock is not yet relied on.
	settling = time.Hour
	// leastFree is what a year of records, twenty traces and a day of the system's own log take, with something to spare.
	leastFree = 200 << 20
	// slowWrite is how long a small write may take: the audit log waits for each.
	slowWrite = time.Second
	// renewal is how long before its end a certificate is to be renewed: a site's administrator needs two weeks.
	renewal = 14 * 24 * time.Hour
)

// Judge says how the clock is kept.
func (k Clock) Judge(now time.Time) Check { return k.check(now) }

func (k Clock) check(now time.Time) Check {
	c := Check{Name: "clock", Do: "Let the box ask a time server (NTP, UDP port 123): timedatectl status, timedatectl set-ntp true"}
	switch {
	case k.SkewKnown && k.Skew.Abs() > mostSkew:
		c.Result, c.Sentence = Failed, fmt.Sprintf("The clock is %s the far end's by %s.", map[bool]string{true: "behind", false: "ahead of"}[k.Skew > 0], rounded(k.Skew.Abs()))
	case k.Synced == No:
		c.Result, c.Sentence = Failed, "The clock is not synchronised: records may carry wrong times."
	case !k.SetAt.IsZero() && now.Sub(k.SetAt) < settling:
		c.Sentence = fmt.Sprintf("The clock was set by %s at %s; records from before carry other times.", rounded(k.SetBy.Abs()), k.SetAt.UTC().Format("15:04:05 UTC"))
		c.Do = "If nobody did that, look at the time server; it counts as settled an hour later."
	case k.Synced == Yes:
		c.Result, c.Do, c.Sentence = Passed, "", "The clock is synchronised."
		if k.Error > 0 {
			c.Sentence = fmt.Sprintf("The clock is synchronised, to within %s.", rounded(k.Error))
		}
	case k.SkewKnown:
		c.Result, c.Do, c.Sentence = Passed, "", "The clock agrees with the far end's to the second or two that can be told."
	default:
		c.Sentence = "It is not known whether the clock is synchronised."
	}
	return c
}

func rounded(d time.Duration) time.Duration {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}

func (d Disk) check() []Check {
	if d.Folder == "" {
		return []Check{{Name: "disk", Result: Failed, Sentence: "No state directory is configured: nothing is kept over a restart.", Do: "Set state_dir in the configuration."}}
	}
	room := Check{Name: "disk-space", Sentence: "It is not known how much room there is at " + d.Folder + ".", Do: "Look at: df -h " + d.Folder}
	if d.Known {
		room.Sentence = fmt.Sprintf("%s of %s are free at %s.", bytes(d.Free), bytes(d.Total), d.Folder)
		room.Result = Failed
		room.Do = fmt.Sprintf("Make room: %s are needed for records. Exported ones may go: scanside audit export", bytes(leastFree))
		if d.Free >= leastFree {
			room.Result, room.Do = Passed, ""
		}
	}
	write := Check{Name: "disk-write", Do: "Run it as the service's user, or as root: sudo scanside doctor"}
	switch {
	case d.Log != "":
		write.Result, write.Sentence, write.Do = Failed, "The audit log is not as it should be: "+d.Log+".", "Check space and owner of "+d.Folder+"."
	case d.Written == No:
		write.Result, write.Sentence, write.Do = Failed, fmt.Sprintf("%s cannot be written: %s.", d.Folder, d.Why), "Check its owner, and whether its disk is full or read-only: mount | grep ' ro'"
	case d.Absent:
		write.Sentence, write.Do = d.Folder+" is not there yet, so nothing was written to it.", "Start scanside, which makes it: systemctl start scanside"
	case d.Written == NotKnown:
		write.Sentence = d.Folder + " was not written to."
		if d.Why != "" {
			write.Sentence = fmt.Sprintf("%s was not written to: %s.", d.Folder, d.Why)
		}
	case d.Took > slowWrite:
		write.Result, write.Sentence, write.Do = Failed, fmt.Sprintf("A write that lasts took %s.", rounded(d.Took)), "The disk is slow or failing: look at dmesg, and at what else writes to it."
	default:
		write.Result, write.Do, write.Sentence = Passed, "", fmt.Sprintf("A write that lasts took %s.", rounded(d.Took))
	}
	return []Check{room, write}
}

func bytes(n uint64) string {
	if n >= 10<<30 {
		return fmt.Sprintf("%d GB", n>>30)
	}
	return fmt.Sprintf("%d MB", n>>20)
}

func (k Certificate) check(now time.Time, quick bool) Check {
	c := Check{Name: "certificate:" + k.Whose, Do: "Have it renewed, and its name kept."}
	left := k.Until.Sub(now)
	switch {
	case !k.Seen && quick:
		c.Sentence, c.Do = "The certificate of "+k.Whose+" was not looked at: that takes up to 10 s.", "Leave out --quick."
	case !k.Seen:
		c.Sentence, c.Do = "The certificate of "+k.Whose+" was not seen.", "The uplinks' checks say whether it answers over HTTPS."
	case k.Wrong != "":
		c.Result, c.Sentence = Failed, fmt.Sprintf("The certificate of %s is not taken: %s.", k.Whose, k.Wrong)
	case k.Pinned:
		c.Result, c.Do, c.Sentence = Passed, "", fmt.Sprintf("The certificate of %s is the one whose fingerprint is configured.", k.Whose)
	case left <= 0:
		c.Result, c.Sentence = Failed, fmt.Sprintf("The certificate of %s ended on %s.", k.Whose, day(k.Until))
	case left < renewal:
		c.Result, c.Sentence = Failed, fmt.Sprintf("The certificate of %s ends in %d days, on %s.", k.Whose, int(left/(24*time.Hour)), day(k.Until))
	default:
		c.Result, c.Do, c.Sentence = Passed, "", fmt.Sprintf("The certificate of %s, for %s, is good until %s.", k.Whose, k.Name, day(k.Until))
	}
	return c
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// Bits of a file's mode (inode(7)).
const (
	othersRead  = 0o004
	othersWrite = 0o002
	groupWrite  = 0o020
	othersAny   = 0o007
	groupAny    = 0o070
)

func (p Place) check(user string) Check {
	c := Check{Name: "permission:" + strings.ReplaceAll(p.What, " ", "-"), Result: Failed}
	what := fmt.Sprintf("%s (%s)", p.Path, p.What)
	switch {
	case !p.Exists && p.Kind == DeviceFile:
		c.Result, c.Sentence, c.Do = Unknown, what+" is not there, so it is not known whether it may be opened.", "Plug it in, and look again."
	case !p.Exists && p.Kind == Folder:
		c.Result, c.Sentence, c.Do = Unknown, what+" is not there yet; scanside makes it at its start.", "Start scanside: systemctl start scanside"
	case !p.Exists:
		c.Sentence, c.Do = what+" is not there.", "Put it there, readable by the service alone."
	case p.Kind == DeviceFile && !(p.MayRead && p.MayWrite):
		c.Sentence, c.Do = what+" may not be opened by "+user+".", fmt.Sprintf("Add %s to the group %s, as the service's unit does, and start anew.", user, p.Group)
	case p.Kind == Folder && p.Mode&(othersAny|groupAny) != 0:
		c.Sentence, c.Do = fmt.Sprintf("%s is open to others (mode %04o).", what, p.Mode), "chmod 0700 "+p.Path
	case p.Kind == Folder && !p.MayWrite:
		c.Result, c.Sentence, c.Do = Unknown, fmt.Sprintf("%s belongs to %s, and %s may not write there.", what, p.Owner, user), "Run it as that user, or as root: sudo scanside doctor"
	case p.Kind == Secret && p.Mode&(othersRead|othersWrite|groupWrite) != 0:
		c.Sentence, c.Do = fmt.Sprintf("%s can be read or written by others (mode %04o).", what, p.Mode), "chmod 0600 "+p.Path+", and have a new secret made: this one may be known."
	case p.Kind == Secret && !p.MayRead:
		c.Result, c.Sentence, c.Do = Unknown, fmt.Sprintf("%s belongs to %s, and %s may not read it.", what, p.Owner, user), "Run it as the service's user, or as root: sudo scanside doctor"
	case p.Kind == DeviceFile:
		c.Result, c.Sentence = Passed, what+" may be opened by "+user+"."
	case p.Kind == Folder:
		c.Result, c.Sentence = Passed, fmt.Sprintf("%s belongs to %s alone, and %s may write there.", what, p.Owner, user)
	default:
		c.Result, c.Sentence = Passed, fmt.Sprintf("%s may be read by %s, and not by everybody.", what, user)
	}
	return c
}

func (b Bind) check() Check {
	c := Check{Name: "bind:" + b.Interface}
	switch b.Done {
	case Yes:
		c.Result, c.Sentence = Passed, "Sockets can be bound to "+b.Interface+"."
	case No:
		c.Result, c.Sentence = Failed, fmt.Sprintf("Sockets cannot be bound to %s: %s.", b.Interface, b.Why)
		c.Do = "It needs Linux 5.7 or newer; older kernels want AmbientCapabilities=CAP_NET_RAW in the unit."
	default:
		c.Sentence, c.Do = b.Interface+" is not there, so it is not known whether sockets can be bound to it.", "Plug it in, or correct the configuration; `ip -br link` lists what is there."
	}
	return c
}

func (p Power) check() Check {
	c := Check{Name: "power", Sentence: "Nothing here says how the power is: no supply and no sensor is known to the kernel.",
		Do: "Look at the plug and the UPS; a supply with a monitor of its own would be seen."}
	for _, s := range p.Sensors {
		if s.Low {
			c.Result, c.Sentence, c.Do = Failed, "The voltage is too low, says "+s.Name+".", "Use the power supply that belongs to the box, and a short cable."
			return c
		}
	}
	mains, battery := NotKnown, -1
	for _, s := range p.Supplies {
		switch {
		case s.Battery || mains == Yes:
		case s.Online:
			mains = Yes
		default:
			mains = No // unless another is on
		}
	}
	for _, s := range p.Supplies {
		if s.Battery && s.Drains {
			mains, battery = No, s.Percent
		}
	}
	switch {
	case mains == No && battery >= 0:
		c.Result, c.Sentence, c.Do = Failed, fmt.Sprintf("The box runs on its battery, %d %% of which are left.", battery), "Find out why the mains are gone; finish what is under way."
	case mains == No:
		c.Result, c.Sentence, c.Do = Failed, "The box does not run on the mains.", "Find out why the mains are gone; finish what is under way."
	case mains == Yes:
		c.Result, c.Sentence, c.Do = Passed, "The box runs on the mains.", ""
	case len(p.Sensors) > 0:
		c.Result, c.Sentence, c.Do = Passed, "The voltage is high enough, says "+p.Sensors[0].Name+".", ""
	}
	return c
}
