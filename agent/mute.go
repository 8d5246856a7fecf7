package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"scanside/agent/status"
	"scanside/audit"
	"scanside/media"
	"scanside/supervision"
)

// deviceWords names a kind's device: in the API, on the pages, and in the names of the files that keep a mute.
var deviceWords = [media.NumKinds]string{media.Voice: "microphone", media.Video: "camera"}

// byKey stands in the record of a mute for whoever pressed the key: it asks nobody's name.
const byKey = "key"

// muteFlag says that people in the room have closed a device. They alone open it again; nothing does so by itself.
type muteFlag struct {
	on    bool
	since time.Time // of the present state; zero: as long as this run, or not known
}

// muting makes a turn of a mute one act, so that what was acknowledged survives a kill.
type muting struct {
	kept store
	mu   sync.Mutex
	on   [media.NumKinds]bool
}

// mute closes a device or lets it be opened again. Closing takes effect first and is kept then; opening is kept first, and if that
// fails the device stays closed. by is a user's name, "room" for the box's own screen, or byKey.
func (a *Agent) mute(k media.Kind, on bool, by string) error {
	a.muting.mu.Lock()
	defer a.muting.mu.Unlock()
	now := time.Now()
	if on {
		a.setMute(k, true)
	}
	err := a.muting.kept.keepMute(k, on, now)
	if err != nil && !on {
		err = fmt.Errorf("the %s stays muted: %w", deviceWords[k], err)
	} else {
		if !on {
			a.setMute(k, false)
		}
		if err != nil {
			err = fmt.Errorf("the %s is muted, but would not be after a restart: %w", deviceWords[k], err)
		}
		a.loop.post(event{kind: muted, media: k, on: on, by: by})
	}
	if err != nil {
		a.log.Error("a mute is not kept", "stream", k, "err", err)
	}
	return err
}

func (a *Agent) setMute(k media.Kind, on bool) {
	a.muting.on[k] = on
	if s := a.source(k); s != nil {
		s.mute(on)
	}
}

// pressed turns what a key stands for: it mutes, unless all of that is muted already.
func (a *Agent) pressed(kinds [media.NumKinds]bool) {
	a.muting.mu.Lock()
	now := a.muting.on
	a.muting.mu.Unlock()
	open := false
	for k, does := range kinds {
		open = open || does && !now[k]
	}
	for k, does := range kinds {
		if does {
			a.mute(media.Kind(k), open, byKey) // what is not kept is logged, and the page says it
		}
	}
}

// Mute implements status.Box.
func (b boxed) Mute(_ context.Context, by, device string, on bool) error {
	for k, word := range deviceWords {
		if word == device {
			return b.a.mute(media.Kind(k), on, by)
		}
	}
	return fmt.Errorf("%w: %q", status.ErrNoDevice, device)
}

// muteFile is there while a device is muted, and says since when. Whatever else it says or whatever keeps it from being read, the
// device is muted: to take an open one for muted costs a press of a button, to take a muted one for open costs privacy.
func muteFile(k media.Kind) string { return deviceWords[k] + "-muted" }

// muted is what the run before this left.
func (s store) muted(k media.Kind) muteFlag {
	if s.dir == "" {
		return muteFlag{}
	}
	text, err := os.ReadFile(filepath.Join(s.dir, muteFile(k)))
	if errors.Is(err, fs.ErrNotExist) {
		return muteFlag{}
	}
	since, _ := time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	return muteFlag{on: true, since: since}
}

// keepMute returns when the state would survive a power cut.
func (s store) keepMute(k media.Kind, on bool, now time.Time) error {
	switch {
	case s.dir == "":
		return nil
	case !on:
		return s.remove(muteFile(k))
	case s.muted(k).on: // since then; the name alone counts
		return s.sync(muteFile(k))
	}
	return s.write(muteFile(k), now.Format(time.RFC3339)+"\n")
}

// turnedMute notes a mute that was turned.
func (l *loop) turnedMute(now time.Time, e event) {
	if l.mutes[e.media].on == e.on {
		return
	}
	l.mutes[e.media] = muteFlag{e.on, now}
	done := map[bool]string{true: "was muted", false: "was opened again"}[e.on]
	with := "on the box's page or by its command"
	if e.by == byKey {
		with = "with the key"
	}
	l.tale.say(now, status.Notice, fmt.Sprintf("The %s %s %s.", deviceWords[e.media], done, with))
	l.log.Info("mute", "stream", e.media, "on", e.on)
	l.note(audit.Privacy{Device: deviceWords[e.media], Muted: e.on, By: e.by})
	l.news = true
}

// stillMuted tells what goes on being closed after a restart.
func (l *loop) stillMuted(now time.Time) {
	for k, m := range l.mutes {
		if m.on {
			l.tale.say(now, status.Notice, "The "+deviceWords[k]+" was muted when scanside stopped, and still is.")
		}
	}
}

func (l *loop) viewMutes(now time.Time) status.Privacy {
	var p status.Privacy
	for k, m := range l.mutes {
		one := status.Mute{Muted: m.on, Since: m.since, Sentence: "The " + deviceWords[k] + " is on.", Level: status.OK}
		src := l.flows[k].source
		one.There = src != nil
		switch {
		case m.on && src == nil:
			one.Closed, one.Level, one.Sentence = true, status.Warning, "The "+deviceWords[k]+" is muted. None is configured."
		case m.on && src.health(now).Muted:
			one.Closed, one.Level, one.Sentence = true, status.Warning, "The "+deviceWords[k]+" is muted: its device is closed."
		case m.on:
			one.Level, one.Sentence = status.Warning, "The "+deviceWords[k]+" is muted: nothing of it is sent, its device is being closed."
		case src == nil:
			one.Level, one.Sentence = status.Unknown, "No "+deviceWords[k]+" is configured."
		case !src.health(now).OK:
			one.Level, one.Sentence = status.Unknown, "The "+deviceWords[k]+" is not muted, but gives nothing."
		}
		if media.Kind(k) == media.Video {
			p.Camera = one
		} else {
			p.Microphone = one
		}
	}
	return p
}

func (l *loop) mutedInputs() supervision.Muted {
	return supervision.Muted{Camera: l.mutes[media.Video].on, Microphone: l.mutes[media.Voice].on}
}

func (l *loop) muteProblems(add func(id string, level status.Level, text, hint string)) {
	for k, m := range l.mutes {
		if m.on {
			word := deviceWords[k]
			does := map[media.Kind]string{media.Voice: "hear", media.Video: "see"}[media.Kind(k)]
			add(word+"-muted", status.Warning, fmt.Sprintf("The %s is muted: nobody can %s the room.", word, does),
				fmt.Sprintf("Only the room lifts it: on this page or the room's screen at the box itself, with its key, or with `scanside mute %s off`.", word))
		}
	}
}
