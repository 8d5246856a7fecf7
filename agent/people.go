package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/audit"
	"scanside/failover"
)

// viewFarEnd says whether the far end is there, and who.
func (l *loop) viewFarEnd(now time.Time, e failover.Snapshot) status.FarEnd {
	f := status.FarEnd{People: l.present.everybody(now), Known: l.present.fresh(now), URL: l.agent.fars[l.where.at].base(),
		Since: l.where.since, Why: l.where.why, All: l.viewPlaces()}
	var works failover.LinkSet
	for i, v := range e.Links {
		if l.links[i].conn != nil && v.Verdict != failover.Down {
			works = works.With(failover.Link(i))
		}
	}
	for k := range l.flows {
		if l.flows[k].heard.After(f.Heard) {
			f.Heard = l.flows[k].heard
		}
	}
	if l.present != nil {
		f.PeopleAge = *ms(now.Sub(l.present.heard))
		if l.present.heard.After(f.Heard) {
			f.Heard = l.present.heard
		}
	}
	f.Reached = works != 0
	switch {
	case f.Reached && f.Known:
		f.Level, f.Sentence = status.OK, "The far end is reached over "+l.names(works)+"."
	case f.Reached && l.foreign():
		f.Level, f.Sentence = status.Unknown, "The far end is reached over "+l.names(works)+". It is a WHIP server of another make: it shows the room to viewers of its own, and cannot say whether there are any."
	case f.Reached:
		f.Level, f.Sentence = status.Unknown, "The far end is reached over "+l.names(works)+", but does not say who is there."
	case f.Heard.IsZero():
		f.Level, f.Sentence = status.Bad, "The far end has not been reached since the box started."
	default:
		f.Level, f.Sentence = status.Bad, "The far end was last heard "+lasted(now.Sub(f.Heard))+" ago."
	}
	if !f.Reached && len(l.where.look) > 0 {
		f.Sentence += " Others are being dialled."
	}
	if f.Reached && f.Known && len(f.People) == 0 {
		f.Level, f.Sentence = status.Notice, f.Sentence+" Nobody is connected."
	}
	return f
}

// everybody lists who can see or hear this room, supervisors first.
func (p *presence) everybody(now time.Time) []status.Person {
	all := []status.Person{}
	if !p.fresh(now) {
		return all
	}
	find := func(name string) *status.Person {
		for i := range all {
			if all[i].Name == name {
				return &all[i]
			}
		}
		return nil
	}
	for _, s := range p.Supervisors {
		one := status.Person{Name: s.Name, Role: "supervisor", Since: s.Since, Sees: s.Sees, Hears: s.Hears, Talks: s.Talking}
		if age := time.Duration(s.HeardMS)*time.Millisecond + now.Sub(p.heard); age > supervisorFresh {
			one.Sees, one.Hears = false, false
			one.Silent = *ms(age)
		}
		all = append(all, one)
	}
	for _, w := range p.Watchers {
		if find(w.Name) == nil {
			all = append(all, status.Person{Name: w.Name, Role: w.Role, Sees: true})
		}
	}
	if t := p.Talk; t != nil {
		if one := find(t.Name); one != nil {
			one.Talks = true
		} else {
			all = append(all, status.Person{Name: t.Name, Role: t.Role, Since: t.Since, Talks: true})
		}
	}
	for i := range all {
		all[i].Level, all[i].Sentence = describePerson(all[i])
	}
	return all
}

// supervisorFresh is how long a console may be silent before its word about what it shows is not believed: it speaks every
// 2 s.
const supervisorFresh = 5 * time.Second

func describePerson(p status.Person) (status.Level, string) {
	var does []string
	switch {
	case p.Sees && p.Hears:
		does = append(does, "sees and hears this room")
	case p.Sees:
		does = append(does, "sees this room")
	case p.Hears:
		does = append(does, "hears this room")
	}
	if p.Talks {
		does = append(does, "talks to it")
	}
	switch {
	case p.Silent > 0:
		return status.Unknown, fmt.Sprintf("was connected; the console has been silent for %s.", lasted(time.Duration(p.Silent)*time.Millisecond))
	case len(does) == 0:
		return status.Warning, "is connected, but neither sees nor hears this room."
	case p.Role != "supervisor":
		return status.Notice, strings.Join(does, " and ") + " (" + orElse(p.Role, "observer") + ")."
	case !p.Sees:
		return status.Warning, strings.Join(does, " and ") + ", but does not see it."
	case !p.Hears:
		return status.Warning, strings.Join(does, " and ") + ", but does not hear it."
	}
	return status.OK, strings.Join(does, " and ") + "."
}

// met notes and records who came and who left, and who talks.
func (l *loop) met(now time.Time, before, after *presence) {
	t := &l.tale
	was, is := before.named(), after.named()
	for _, name := range is {
		if !slices.Contains(was, name) {
			t.say(now, status.OK, name+" connected.")
			l.note(audit.Viewer{Name: name, Present: true})
		}
	}
	for _, name := range was {
		if !slices.Contains(is, name) {
			t.say(now, status.Notice, name+" left.")
			l.note(audit.Viewer{Name: name, Present: false})
		}
	}
	talked, talks := before.talker(), after.talker()
	if talks != talked && talks != "" {
		t.say(now, status.Notice, talks+" talks to the room.")
	} else if talks != talked {
		t.say(now, status.Notice, talked+" no longer talks to the room.")
	}
}

func (p *presence) named() []string {
	if p == nil {
		return nil
	}
	var names []string
	for _, s := range p.Supervisors {
		names = append(names, s.Name)
	}
	for _, w := range p.Watchers {
		if !slices.Contains(names, w.Name) {
			names = append(names, w.Name)
		}
	}
	return names
}

func (p *presence) talker() string {
	if p == nil || p.Talk == nil {
		return ""
	}
	return p.Talk.Name
}
