package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/config"
	"scanside/media"
)

// Device names a camera or a microphone: "auto", "none", or the stable name that `scanside devices` prints. Or several of
// these names, the preferred one first.
type Device struct {
	Device  string   `yaml:"device"`
	Devices []string `yaml:"devices"`
}

// deviceAuto is what stands for the first device there is.
const deviceAuto = "auto"

// maxDevices is how many cameras or microphones stand in for each other: each is kept open, and costs a little.
const maxDevices = 4

// Names lists the devices in the order of preference; never empty.
func (d Device) Names() []string {
	if len(d.Devices) > 0 {
		return d.Devices
	}
	return []string{d.Device}
}

func (d Device) check(path string, m *config.Mistakes) {
	if len(d.Devices) > 0 && d.Device != deviceAuto {
		m.Add(path+".devices", "device and devices exclude each other; make %q the first entry of devices and remove device", d.Device)
	}
	if len(d.Devices) > maxDevices {
		m.Add(path+".devices", "there are %d; at most %d can stand in for each other", len(d.Devices), maxDevices)
	}
	for i, name := range d.Devices {
		at := fmt.Sprintf("%s.devices[%d]", path, i)
		switch {
		case name == "":
			m.Add(at, "is empty; give a name from `scanside devices`")
		case slices.Contains([]string{deviceAuto, "none", "test"}, name):
			m.Add(at, "%q cannot stand in a list; name each device as `scanside devices` does", name)
		case slices.Contains(d.Devices[:i], name):
			m.Add(at, "%q is used twice; a device cannot stand in for itself", name)
		}
	}
}

// tellOpen tells the sources whether a procedure is open: no device is changed for mere preference meanwhile.
func (l *loop) tellOpen(open bool) {
	for k := range l.flows {
		if s := l.flows[k].source; s != nil {
			if c, ok := s.src.(media.Chooser); ok {
				c.SetOpen(open)
			}
		}
	}
}

// viewDevices says which devices a source has, and which it uses.
func (l *loop) viewDevices(now time.Time, s *source) (list []status.Device, choice status.Choice) {
	c, ok := s.src.(media.Chooser)
	if !ok {
		return []status.Device{}, choice
	}
	seen := c.Choice()
	list = []status.Device{}
	for i, d := range seen.Devices {
		view := status.Device{Name: d.Name, Label: d.Health.Device, Condition: d.Condition, Used: i == seen.Used,
			Opens: d.Health.Opens, Hung: d.Health.Hung, Bad: d.Health.Bad, Level: status.OK, Sentence: "It works and stands by."}
		if view.Used {
			view.Sentence = "It is used."
		}
		switch {
		case d.Health.Muted:
			view.Level, view.Sentence = status.Unknown, "It is muted, and closed."
		case d.Condition == "unknown":
			view.Level, view.Sentence = status.Unknown, "It has not given anything yet."
		case d.Health.Reason != "":
			view.Level, view.Sentence = status.Bad, sentence(strings.TrimRight(d.Health.Reason, "."))
		}
		if d.Condition == "doubtful" {
			view.Level = status.Warning
		}
		list = append(list, view)
	}
	choice = status.Choice{Since: seen.Since, Takeovers: map[string]uint64{}, Breaches: seen.Breaches}
	for _, why := range []string{seen.Why, seen.Return} {
		if why != "" {
			choice.Sentence = strings.TrimSpace(choice.Sentence + " " + sentence(strings.TrimRight(why, ".")))
		}
	}
	for _, t := range seen.Takeovers {
		choice.Takeovers[t.Reason] = t.N
	}
	if seen.Since.After(s.told) {
		s.told = seen.Since
		level := status.Warning
		if seen.Used == 0 {
			level = status.Notice
		}
		l.tale.say(now, level, sentence(strings.TrimRight(seen.Why, ".")))
		l.saveChoice(s, c, seen)
	}
	if s.saved != nil && s.saved.When.Equal(seen.Since) {
		choice.Trace, choice.SHA256 = s.saved.Trace, s.saved.SHA256
	}
	return list, choice
}

// deviceProblems says what stands by and could not take over, and that a substitute is used.
func deviceProblems(st *status.Status, add func(id string, level status.Level, text, hint string)) {
	for _, s := range st.Streams {
		what := map[string]string{"video": "camera", "voice": "microphone"}[s.Kind]
		if len(s.Devices) < 2 {
			continue
		}
		for i, d := range s.Devices {
			if d.Level != status.Bad || d.Used {
				continue // the one used is a problem of the stream's
			}
			text := fmt.Sprintf("The %s %s cannot take over: %s", what, d.Name, lowerFirst(d.Sentence))
			if i == 0 {
				text = fmt.Sprintf("The preferred %s %s does not work: %s", what, d.Name, lowerFirst(d.Sentence))
			}
			add(what+"-spare:"+d.Name, status.Warning, text, "Check its cable; it is taken up again by itself.")
		}
	}
}
