package agent

import (
	"slices"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/viewing"
)

// watched is what the room was told about those who look in; package viewing decides it.
type watched struct {
	room   viewing.Room
	now    viewing.Notice
	here   []string // who looks on the box's own status page
	sounds uint64   // so far
	silent uint64   // of these, how many the loudspeaker did not make: the room's screen makes them
}

// lookIn asks who watches, and tells the room: light, sound, and (with the next snapshot) names.
func (l *loop) lookIn(now time.Time) {
	word := viewing.Word{Here: l.lookHere(now), Reached: len(l.living()) > 0, Known: l.present.fresh(now), Watching: l.present.watching()}
	was := l.watched.now
	l.watched.now = l.watched.room.Look(now, word)
	if l.watched.now.Light != was.Light {
		l.agent.lamp.set(l.watched.now.Light)
		l.news = true
	}
	if l.watched.now.Sound {
		l.watched.sounds++
		if !l.agent.announce() {
			l.watched.silent++
		}
		l.tale.say(now, status.Notice, "A sound announced "+strings.Join(l.watched.now.Arrived, ", ")+" to the room.")
		l.news = true
	}
}

func (l *loop) viewWatched() status.Watched {
	return status.Watched{Light: l.watched.now.Light, Sounds: l.watched.sounds, Here: append([]string{}, l.watched.here...), OnScreen: l.watched.silent}
}

// hookProblems are those of the mute key and of the light.
func (l *loop) hookProblems(add func(id string, level status.Level, text, hint string)) {
	if t := l.agent.key.trouble.Load(); t != nil {
		add("mute-key-missing", status.Warning, sentence(*t), "Plug the key in, or correct room.mute_key.device; it is taken up again by itself.")
	}
	if t := l.agent.lamp.trouble.Load(); t != nil {
		add("light-failed", status.Warning, *t, "Correct room.light, or who may write to it; it is tried again by itself.")
	}
}

// watching names everybody who is given the room's picture or sound, or speaks to it, whether his window is in front or not.
func (p *presence) watching() []string {
	if p == nil {
		return nil
	}
	var names []string
	add := func(name string, does bool) {
		if does && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, s := range p.Supervisors {
		add(s.Name, s.Sees || s.Hears)
	}
	for _, w := range p.Watchers {
		add(w.Name, true)
	}
	if p.Talk != nil {
		add(p.Talk.Name, true)
	}
	return names
}
