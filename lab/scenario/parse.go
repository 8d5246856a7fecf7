package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"scanside/lab/emu"
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
	p.whole()
	return p.s, errors.Join(p.errs...)
}

// ParseEvent reads what can stand behind "at TIME", with the uplinks that exist.
func ParseEvent(text string, uplinks []Uplink) (Event, error) {
	p := &parser{s: Scenario{Name: "event", Uplinks: uplinks}}
	p.event(append([]string{"0s"}, strings.Fields(text)...))
	if len(p.errs) > 0 {
		return Event{}, errors.Join(p.errs...)
	}
	return p.s.Events[0], nil
}

type parser struct {
	s     Scenario
	line  int // 0: the file as a whole
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
	case "uplink":
		p.uplink(rest)
	case "protect":
		p.protect(rest)
	case "at":
		p.event(rest)
	case "expect":
		p.expect(rest)
	case "end":
		p.end(rest)
	default:
		p.wrong("%q is not a statement; use length, uplink, protect, at, expect or end", words[0])
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
	if len(words) != 2 || !slices.Contains([]string{"always", "on-doubt", "never"}, words[1]) {
		p.wrong("write protect voice|video always|on-doubt|never")
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

func (p *parser) event(words []string) {
	if len(words) < 3 {
		p.wrong("an event has a time, a verb and an uplink; write e.g. at 20s cut primary")
		return
	}
	e := Event{At: p.time(words[0]), Verb: Verb(words[1]), Uplink: words[2]}
	if !p.known(e.Uplink) {
		p.wrong("there is no uplink %q; name one of the uplinks above", e.Uplink)
	}
	if n := len(p.s.Events); n > 0 && e.At < p.s.Events[n-1].At {
		p.wrong("%v lies before the event above; put events in the order of their times", e.At)
	}
	rest := words[3:]
	switch e.Verb {
	case Loss, Delay, Jitter, Rate:
		if len(rest) == 0 {
			p.wrong("%s needs an amount; write e.g. loss primary 30%%, delay primary 300ms, rate primary 1000", e.Verb)
			return
		}
		p.amount(&e, rest[0])
		e.Direction, rest = p.direction(rest[1:])
	case Cut:
		e.Direction, rest = p.direction(rest)
	case Restore, IfDown, IfUp:
	default:
		p.wrong("%q is nothing that happens to an uplink; use cut, loss, delay, jitter, rate, restore, ifdown or ifup", e.Verb)
		return
	}
	if len(rest) > 0 {
		p.wrong("%q is too much; leave it out", strings.Join(rest, " "))
	}
	p.s.Events = append(p.s.Events, e)
}

func (p *parser) amount(e *Event, word string) {
	switch e.Verb {
	case Loss:
		percent, isPercent := strings.CutSuffix(word, "%")
		n, err := strconv.ParseFloat(percent, 64)
		if err != nil || !isPercent || !(n >= 0 && n <= 100) { // NaN fails too
			p.wrong("%q is not a share; write e.g. 30%%", word)
		}
		e.Share = n / 100
	case Rate:
		n, err := strconv.Atoi(word)
		if err != nil || n <= 0 || n > 10_000_000 {
			p.wrong("%q is not a rate; write kbit/s as a whole number up to 10000000, e.g. 1000", word)
		}
		e.Rate = n * 1000
	default:
		e.By = p.time(word)
	}
}

func (p *parser) direction(words []string) (emu.Direction, []string) {
	if len(words) > 0 && words[0] == "up" {
		return emu.Up, words[1:]
	}
	if len(words) > 0 && words[0] == "down" {
		return emu.Down, words[1:]
	}
	return emu.Both, words
}

func (p *parser) expect(words []string) {
	if len(words) != 3 {
		p.wrong("an expectation is a name, = or <=, and a number, with spaces between; write e.g. expect voice.lost = 0")
		return
	}
	x := Expectation{Name: words[0], AtMost: words[1] == "<="}
	if !x.AtMost && words[1] != "=" {
		p.wrong("%q is not a comparison; use = or <=", words[1])
	}
	if !slices.Contains(Names(), x.Name) {
		p.wrong("%q is not in the result; use one of %s", x.Name, strings.Join(Names(), ", "))
	}
	var err error
	if x.Value, err = strconv.ParseFloat(words[2], 64); err != nil {
		p.wrong("%q is not a number; write e.g. 45", words[2])
	}
	p.s.Expect = append(p.s.Expect, x)
}

func (p *parser) end(words []string) {
	if len(words) < 2 || (words[0] != "voice" && words[0] != "video") {
		p.wrong("write end voice|video and the uplinks that carry it, e.g. end voice primary cellular")
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

// whole checks what no single line can be blamed for.
func (p *parser) whole() {
	if p.s.Story == "" {
		p.wrong("has no story; begin with # lines that say in plain words what happens and what must be seen of it")
	}
	if p.s.Length == 0 {
		p.wrong("has no length; write e.g. length 60s")
	}
	if len(p.s.Uplinks) == 0 {
		p.wrong("has no uplink; write e.g. uplink primary 20ms")
	}
	if len(p.s.Expect) == 0 {
		p.wrong("expects nothing; write e.g. expect voice.lost = 0")
	}
	if n := len(p.s.Events); n > 0 && p.s.Events[n-1].At >= p.s.Length {
		p.wrong("its last event comes at %v, when it is over; lengthen it or bring the event forward", p.s.Events[n-1].At)
	}
}
