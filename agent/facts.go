package agent

import (
	"context"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/diagnosis"
	"scanside/doctor"
	"scanside/examination"
	"scanside/failover"
	"scanside/machine"
)

// doctorFacts is what the running agent knows of the box, for package doctor.
func (a *Agent) doctorFacts(s *Snapshot) doctor.Facts {
	st, now := s.Status, time.Now()
	stale := now.Sub(st.At) > 3*publishEvery
	f := doctor.Facts{Agent: doctor.Agent{Runs: doctor.Yes, Version: st.Version, Stuck: stale}}
	if stale {
		return f // everything it knows is old
	}
	f.Devices = deviceFacts(st)
	f.Spare = doctor.Spare{Known: now.Sub(st.Started) > starting, Configured: len(st.Uplinks)}
	for i, u := range st.Uplinks {
		one := doctor.Uplink{Name: u.Name, Verdict: s.judged[i], Findings: s.found[i], Looked: s.judged[i].Cause != diagnosis.Unknown}
		switch s.Engine.Links[i].Verdict {
		case failover.Up:
			f.Spare.Proven++
		case failover.Degraded:
			one.Weak = u.Name + " is degraded: " + lowerFirst(u.Reason)
		case failover.Proving:
			one.Proving = true
		}
		f.Uplinks = append(f.Uplinks, one)
		if s.found[i].SkewKnown {
			f.Clock.Skew, f.Clock.SkewKnown = s.found[i].Skew, true
		}
	}
	f.FarEnd = doctor.FarEnd{URL: st.FarEnd.URL, Reached: doctor.No, Why: st.FarEnd.Sentence}
	if st.FarEnd.Reached {
		f.FarEnd.Reached = doctor.Yes
	} else if now.Sub(st.Started) < starting {
		f.FarEnd.Reached = doctor.NotKnown
	}
	f.FarEnd.Refuses = refuses(s.judged)
	state := a.journal.now.Load()
	f.Clock.SetAt, f.Clock.SetBy = state.setAt, state.setBy
	f.Disk.Log = strings.TrimRight(st.Audit.Error, ".")
	f.Certificates = certificateFacts(a.fars)
	return f
}

// refuses reports a far end that answers and lets this box in over no uplink.
func refuses(all []diagnosis.Verdict) bool {
	said := false
	for _, v := range all {
		if v.Cause == diagnosis.Well || v.Cause == diagnosis.Clear {
			return false
		}
		said = said || v.Cause == diagnosis.FarEndRefuses
	}
	return said
}

// deviceFacts goes by what the devices give, and by the problems' hints.
func deviceFacts(st *status.Status) []doctor.Device {
	hint := func(device string) string {
		for _, p := range st.Problem {
			if strings.HasPrefix(p.ID, device) || p.ID == "no-"+device {
				return p.Hint
			}
		}
		return ""
	}
	camera := doctor.Device{Name: "camera", Works: doctor.No, Sentence: "The configuration names no camera.", Do: hint("camera")}
	microphone := doctor.Device{Name: "microphone", Works: doctor.No, Sentence: "The configuration names no microphone.", Do: hint("microphone")}
	for _, s := range st.Streams {
		d, muted := &microphone, st.Privacy.Microphone.Muted
		if s.Kind == "video" {
			d, muted = &camera, st.Privacy.Camera.Muted
		}
		d.Works, d.Sentence = works(s.Level), s.Source+": "+lowerFirst(s.Sentence)
		if s.Source == "" {
			d.Sentence = s.Sentence
		}
		if muted { // closed is not broken, and not seen to work either
			d.Works = doctor.NotKnown
		}
	}
	l := st.Loudspeaker
	speaker := doctor.Device{Name: "loudspeaker", Works: works(l.Level), Sentence: l.Sentence, Do: hint("loudspeaker")}
	if !l.Configured {
		speaker.Do = "Set loudspeaker.device in the configuration, or try by ear what plays the physician's voice instead."
	}
	return []doctor.Device{camera, microphone, speaker}
}

// works goes by a device's level. A notice is of something else: a picture made smaller for the uplinks' sake.
func works(l status.Level) doctor.Answer {
	switch l {
	case status.OK, status.Notice:
		return doctor.Yes
	case status.Unknown:
		return doctor.NotKnown
	}
	return doctor.No
}

func certificateFacts(fars []place) []doctor.Certificate {
	var all []doctor.Certificate
	for i := range fars {
		f := &fars[i]
		if !strings.HasPrefix(f.base(), "https:") {
			continue // there is none
		}
		c := doctor.Certificate{Whose: f.name, Pinned: f.TLS.Fingerprint != ""}
		if shown := f.shown.Load(); shown != nil {
			c.Seen, c.Until, c.Wrong = true, shown.NotAfter, shown.wrong
			c.Name = shown.Subject.CommonName
			if len(shown.DNSNames) > 0 {
				c.Name = shown.DNSNames[0]
			}
		}
		all = append(all, c)
	}
	return all
}

// machineFacts adds what the kernel says, as far as this process may see it.
func (c *Config) machineFacts(f *doctor.Facts) {
	clock := machine.Clock()
	f.Clock.Synced, f.Clock.Error = clock.Synced, clock.Error
	log := f.Disk.Log
	f.Disk = machine.Disk(c.StateDir)
	f.Disk.Log = log
	f.User = machine.User()
	has := func(names []string) bool { return names[0] != "none" && names[0] != "test" }
	f.Places = machine.Devices(has(c.Camera.Names()), has(c.Microphone.Names()), has(c.Loudspeaker.Names()))
	if c.StateDir != "" {
		f.Places = append(f.Places, machine.Place("state directory", c.StateDir, doctor.Folder))
	}
	for _, far := range c.farEnds() {
		if far.TokenFile != "" {
			f.Places = append(f.Places, machine.Place("token of "+hostOf(far), far.TokenFile, doctor.Secret))
		}
	}
	for _, secret := range []struct{ whose, file string }{
		{"token of the scraper", c.Status.ScrapeTokenFile}, {"token of the room's screen", c.Status.ScreenTokenFile}, {"key of the status page", c.Status.TLS.Key},
	} {
		if secret.file != "" {
			f.Places = append(f.Places, machine.Place(secret.whose, secret.file, doctor.Secret))
		}
	}
	for _, u := range c.Uplinks {
		if u.Interface != "" {
			f.Binds = append(f.Binds, machine.Bind(u.Interface))
		}
	}
	f.Power = machine.Power()
}

// Plugged says what devices of a kind there are, and whether the configured one is among them.
type Plugged struct {
	Name  string // "camera", "microphone", "loudspeaker"
	There bool
	Note  string // a sentence
}

// Checkup looks at the box without an agent that runs: why is that it could not be asked; "": it does not run. What only it could
// see is unknown.
func Checkup(ctx context.Context, cfg Config, quick bool, plugged []Plugged, why string) (status.Doctor, error) {
	f := doctor.Facts{Quick: quick, Agent: doctor.Agent{Why: why}, Spare: doctor.Spare{Configured: len(cfg.Uplinks)}}
	for _, p := range plugged {
		d := doctor.Device{Name: p.Name, Sentence: p.Note, Do: "Whether it works is seen while scanside runs: scanside devices test"}
		if !p.There {
			d.Works, d.Do = doctor.No, "Plug it in, or correct the configuration (\"scanside devices\")."
		}
		f.Devices = append(f.Devices, d)
	}
	fars, err := newPlaces(cfg.farEnds())
	if err != nil {
		return status.Doctor{}, err
	}
	f.FarEnd.URL = fars[0].base()
	if quick {
		for _, u := range cfg.Uplinks {
			f.Uplinks = append(f.Uplinks, doctor.Uplink{Name: u.Name})
		}
	} else {
		found, err := examineAll(ctx, cfg)
		if err != nil {
			return status.Doctor{}, err
		}
		examinedFacts(&f, found, fars)
	}
	f.Certificates = certificateFacts(fars)
	cfg.machineFacts(&f)
	now := time.Now()
	return viewDoctor(now, doctor.Judge(now, f)), nil
}

// examinedFacts adds what examinations found.
func examinedFacts(f *doctor.Facts, found []examination.Found, fars []place) {
	findings := make([]diagnosis.Findings, len(found))
	for i := range found {
		findings[i] = found[i].Findings
		if c := found[i].Certificate; c != nil && (fars[0].shown.Load() == nil || found[i].Untrusted == "") {
			fars[0].shown.Store(&certificate{c, found[i].Untrusted})
		}
		if found[i].SkewKnown {
			f.Clock.Skew, f.Clock.SkewKnown = found[i].Skew, true
		}
		switch found[i].Layers[diagnosis.Web].Result {
		case diagnosis.OK:
			f.FarEnd.Reached = doctor.Yes
		case diagnosis.Failed:
			if f.FarEnd.Reached != doctor.Yes {
				f.FarEnd.Reached = doctor.No
			}
		}
	}
	judged := diagnosis.Judge(time.Now(), findings)
	for i, v := range judged {
		f.Uplinks = append(f.Uplinks, doctor.Uplink{Name: findings[i].Uplink, Verdict: v, Findings: findings[i], Looked: v.Cause != diagnosis.Unknown})
	}
	f.FarEnd.Refuses = refuses(judged)
}
