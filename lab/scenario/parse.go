package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// longest is how long a story may be: a suite of ten must stay bearable on real clocks.
const longest = time.Minute

// Parse reads a scenario. Its error names every mistake with its line and what to write instead.
func Parse(name, text string) (Scenario, error) {
	p := &parser{s: Scenario{Name: name, Voice: "always", Video: "always"}}
	for i, line := range strings.Split(text, "\n") {
		p.line = i + 1
		statement, comment, commented := strings.Cut(line, "#")
		if words := strings.Fields(statement); len(words) > 0 {
			p.statement(words)
			p.begun = true
		} else if commented && !p.begun {
			p.s.Story = strings.TrimSpace(p.s.Story + "\n" + strings.TrimSpace(comment))
		}
	}
	p.line = 0
	p.story()
	return p.s, errors.Join(p.errs...)
}

type parser struct {
	s     Scenario
	line  int           // 0: the file as a whole
	last  time.Duration // of the event above
	begun bool
	errs  []error
}

func (p *parser) wrong(format string, args ...any) {
	at := p.s.Name
	if p.line > 0 {
		at += ":" + strconv.Itoa(p.line)
	}
	p.errs = append(p.errs, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)))
}

func (p *parser) statement(words []string) {
	rest := words[1:]
	switch words[0] {
	case "length":
		p.length(rest)
	case "also":
		if p.s.Spaces = slices.Equal(rest, []string{"namespaces"}); !p.s.Spaces {
			p.wrong("write also namespaces when real programs in network namespaces are to play it too")
		}
	case "uplink":
		p.uplink(rest)
	case "protect":
		p.protect(rest)
	case "at":
		p.event(rest)
	case "expect", "owed":
		p.expect(rest, words[0] == "owed")
	case "end":
		p.end(rest)
	default:
		p.wrong("%q is not a statement; use length, also, uplink, protect, at, expect, owed or end", words[0])
	}
}

func (p *parser) length(words []string) {
	if len(words) != 1 {
		p.wrong("length takes one time; write e.g. length 60s")
		return
	}
	if p.s.Length = p.time(words[0]); p.s.Length > longest {
		p.wrong("a length of %v is more than %v; shorten the story", p.s.Length, longest)
	}
}

func (p *parser) uplink(words []string) {
	if len(words) < 2 || len(words) > 3 || (len(words) == 3 && words[2] != "metered") {
		p.wrong("an uplink has a name and a round trip, and may be metered; write e.g. uplink cellular 60ms metered")
		return
	}
	if p.known(words[0]) {
		p.wrong("uplink %s is there twice; give the second another name", words[0])
	}
	p.s.Uplinks = append(p.s.Uplinks, Uplink{words[0], p.time(words[1]), len(words) == 3})
}

func (p *parser) protect(words []string) {
	if len(words) != 2 || !slices.Contains([]string{"always", "on-doubt", "by-cost", "never", "default"}, words[1]) {
		p.wrong("write protect voice|video always|on-doubt|by-cost|never|default")
		return
	}
	switch words[0] {
	case "voice":
		p.s.Voice = words[1]
	case "video":
		p.s.Video = words[1]
	default:
		p.wrong("%q is not a stream; use voice or video", words[0])
	}
}

func (p *parser) end(words []string) {
	if len(words) == 2 && words[0] == "farend" && slices.Contains(FarEnds(), words[1]) {
		p.s.End = append(p.s.End, Route{"farend", words[1:]})
		return
	}
	if len(words) < 2 || (words[0] != "voice" && words[0] != "video") {
		p.wrong("write end voice|video and the uplinks that carry it, e.g. end voice primary cellular, or end farend %s", strings.Join(FarEnds(), "|"))
		return
	}
	for _, u := range words[1:] {
		if !p.known(u) {
			p.wrong("there is no uplink %q; name one of the uplinks above", u)
		}
	}
	p.s.End = append(p.s.End, Route{words[0], words[1:]})
}

func (p *parser) time(word string) time.Duration {
	d, err := time.ParseDuration(word)
	if err != nil || d < 0 {
		p.wrong("%q is not a time; write e.g. 20s or 300ms", word)
	}
	return d
}

func (p *parser) known(uplink string) bool {
	return slices.ContainsFunc(p.s.Uplinks, func(u Uplink) bool { return u.Name == uplink })
}

// story checks what no single line can be blamed for.
func (p *parser) story() {
	if p.s.Story == "" {
		p.wrong("has no story; begin with # lines that say in plain words what happens and what must be seen of it")
	}
	if p.s.Length == 0 {
		p.wrong("has no length; write e.g. length 60s")
	}
	if len(p.s.Uplinks) == 0 {
		p.wrong("has no uplink; write e.g. uplink primary 20ms")
	}
	if p.s.Spaces && p.s.MovesFarEnds() {
		p.wrong("its console counts through a far end's restart, which only the world in memory can; leave out also namespaces")
	}
	if len(p.s.Expect) == 0 {
		p.wrong("expects nothing; write e.g. expect voice.lost = 0")
	}
	slices.SortStableFunc(p.s.Events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	if n := len(p.s.Events); n > 0 && p.s.Events[n-1].At >= p.s.Length {
		p.wrong("its last event comes at %v, when it is over; lengthen it or bring the event forward", p.s.Events[n-1].At)
	}
}
