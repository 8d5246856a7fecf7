package scenario

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"scanside/lab/emu"
)

const (
	rampStep   = time.Second // between two steps of a ramp
	mostEvents = 1000        // of a story, with everything that is repeated
)

// ParseEvent reads what can stand behind "at TIME", with the uplinks that exist; of several it is the first.
func ParseEvent(text string, uplinks []Uplink) (Event, error) {
	p := &parser{s: Scenario{Name: "event", Uplinks: uplinks}}
	p.event(append([]string{"0s"}, strings.Fields(text)...))
	if len(p.errs) > 0 {
		return Event{}, errors.Join(p.errs...)
	}
	return p.s.Events[0], nil
}

// event reads "at TIME [every TIME until TIME] VERB NAME[,NAME] AMOUNT… [up|down] [for TIME]".
func (p *parser) event(words []string) {
	if len(words) < 3 {
		p.wrong("an event has a time, a verb and an uplink; write e.g. at 20s cut primary")
		return
	}
	began := len(p.errs)
	first, words := p.time(words[0]), words[1:]
	if first < p.last {
		p.wrong("%v lies before the event above; put events in the order of their times", first)
	}
	p.last = first
	every, until, words := p.repeats(words)
	words, last := p.ends(words)
	steps := p.happening(words)
	if len(p.errs) > began {
		return
	}
	for at := first; at <= max(first, until); at += every {
		for _, e := range steps {
			e.At += at
			p.s.Events = append(p.s.Events, e)
			if last > 0 {
				p.s.Events = append(p.s.Events, e.undone(at+last))
			}
		}
		if len(p.s.Events) > mostEvents {
			p.wrong("more than %d events; repeat it less often", mostEvents)
			return
		}
		if every == 0 {
			return
		}
	}
}

// undone is what ends an event, at a time.
func (e Event) undone(at time.Duration) Event {
	switch e.Verb {
	case IfDown:
		return Event{At: at, Verb: IfUp, Uplink: e.Uplink}
	case Procedure:
		return Event{At: at, Verb: Procedure, What: "closed"}
	case FarEnd:
		return Event{At: at, Verb: FarEnd, What: "up", Whom: e.Whom}
	}
	return Event{At: at, Verb: Restore, Uplink: e.Uplink}
}

// repeats takes "every TIME until TIME" from the front.
func (p *parser) repeats(words []string) (every, until time.Duration, rest []string) {
	if words[0] != "every" {
		return 0, 0, words
	}
	if len(words) < 4 || words[2] != "until" {
		p.wrong("write what comes again as e.g. at 10s every 6s until 40s cut primary for 3s")
		return 0, 0, nil
	}
	if every, until = p.time(words[1]), p.time(words[3]); every == 0 {
		p.wrong("every %q is no pause; write e.g. every 3s", words[1])
	}
	return every, until, words[4:]
}

// ends takes "for TIME" from the end.
func (p *parser) ends(words []string) (rest []string, last time.Duration) {
	n := len(words)
	if n < 2 || words[n-2] != "for" {
		return words, 0
	}
	if last = p.time(words[n-1]); last == 0 {
		p.wrong("for %q is no time; write e.g. for 3s", words[n-1])
	}
	return words[:n-2], last
}

// happening reads a verb, its uplinks and its amounts: one event for each uplink and each step of a ramp.
func (p *parser) happening(words []string) (steps []Event) {
	if len(words) < 2 {
		p.wrong("an event has a time, a verb and an uplink; write e.g. at 20s cut primary")
		return nil
	}
	switch Verb(words[0]) {
	case Procedure:
		if len(words) != 2 || words[1] != "open" && words[1] != "closed" {
			p.wrong("write procedure open or procedure closed")
		}
		return []Event{{Verb: Procedure, What: words[1]}}
	case FarEnd:
		if len(words) != 3 || !slices.Contains([]string{"down", "up", "restart"}, words[1]) || !slices.Contains(FarEnds(), words[2]) {
			p.wrong("write farend down|up|restart %s", strings.Join(FarEnds(), "|"))
			return nil
		}
		return []Event{{Verb: FarEnd, What: words[1], Whom: words[2]}}
	}
	e, names := Event{Verb: Verb(words[0])}, strings.Split(words[1], ",")
	for _, name := range names {
		if !p.known(name) {
			p.wrong("there is no uplink %q; name one of the uplinks above", name)
		}
	}
	course, rest := p.amounts(e, words[2:])
	for i := range course {
		course[i].Direction, words = p.direction(e.Verb, rest)
	}
	if len(course) > 0 && len(words) > 0 {
		p.wrong("%q is too much; leave it out", strings.Join(words, " "))
	}
	for _, c := range course {
		for _, name := range names {
			c.Uplink = name
			steps = append(steps, c)
		}
	}
	return steps
}

// amounts reads what belongs to a verb: one event, or the steps of a ramp with their times.
func (p *parser) amounts(e Event, words []string) ([]Event, []string) {
	switch e.Verb {
	case Cut, Restore, IfDown, IfUp:
		return []Event{e}, words
	case Block, Loss, Burst, Duplicate, Delay, Jitter, Reorder, Rate, Trace, MTU:
	default:
		p.wrong("%q is nothing that happens to an uplink; use cut, block, loss, burst, duplicate, delay, jitter, reorder, rate, trace, mtu, restore, ifdown, ifup, procedure or farend", e.Verb)
		return nil, nil
	}
	if len(words) == 0 {
		p.wrong("%s needs an amount; write e.g. loss primary 30%%, delay primary 300ms, rate primary 1000, block primary udp", e.Verb)
		return nil, nil
	}
	amount, words := words[0], words[1:]
	from, to, ramp := strings.Cut(amount, "..")
	if !ramp || e.Verb == Block || e.Verb == Trace {
		p.amount(&e, amount)
		words = p.more(&e, words)
		return []Event{e}, words
	}
	if len(words) < 2 || words[0] != "over" {
		p.wrong("write a ramp as e.g. loss primary 5%%..60%% over 30s")
		return nil, nil
	}
	over := p.time(words[1])
	p.amount(&e, from)
	words = p.more(&e, words[2:])
	end := e
	p.amount(&end, to)
	return ramped(e, end, over), words
}

// ramped goes from one event to another in equal steps, in so much time.
func ramped(from, to Event, over time.Duration) (steps []Event) {
	n := int(min(over, longest) / rampStep)
	for i := range n + 1 {
		e, part := from, float64(i)/float64(max(n, 1))
		e.At = time.Duration(i) * rampStep
		e.Share = math.Round(1e4*(e.Share+part*(to.Share-from.Share))) / 1e4 // a hundredth of a percent
		e.By += time.Duration(part * float64(to.By-from.By))
		e.Rate += int(part * float64(to.Rate-from.Rate))
		e.Size += int(part * float64(to.Size-from.Size))
		steps = append(steps, e)
	}
	return steps
}

func (p *parser) amount(e *Event, word string) {
	switch e.Verb {
	case Block:
		if e.What = word; word != "udp" && word != "tcp" {
			p.wrong("%q is nothing that a firewall blocks; use udp or tcp", word)
		}
	case Loss, Burst, Duplicate:
		percent, isPercent := strings.CutSuffix(word, "%")
		n, err := strconv.ParseFloat(percent, 64)
		if err != nil || !isPercent || !(n >= 0 && n <= 100) { // NaN fails too
			p.wrong("%q is not a share; write e.g. 30%%", word)
		}
		e.Share = n / 100
	case Rate:
		e.Rate = 1000 * p.whole(word, 10_000_000, "rate; write kbit/s")
	case MTU:
		e.Size = p.whole(word, 65535, "size; write bytes")
	case Trace:
		if e.What = word; !regexp.MustCompile(`^\w[\w.-]*$`).MatchString(word) {
			p.wrong("%q is not the name of a trace; write the file's name without its folder", word)
		}
	default:
		e.By = p.time(word)
	}
}

func (p *parser) whole(word string, most int, what string) int {
	n, err := strconv.Atoi(word)
	if err != nil || n <= 0 || n > most {
		p.wrong("%q is not a %s as a whole number up to %d, e.g. 1000", word, what, most)
	}
	return n
}

// more reads what may stand behind an amount.
func (p *parser) more(e *Event, words []string) []string {
	if e.Verb == Burst {
		e.By = emu.DefaultBurst
		if len(words) > 0 && words[0] != "up" && words[0] != "down" {
			e.By, words = p.time(words[0]), words[1:]
		}
	}
	if e.Verb == Trace && len(words) > 1 && words[0] == "from" {
		e.By, words = p.time(words[1]), words[2:]
	}
	if (e.Verb == Rate || e.Verb == Trace) && len(words) > 1 && words[0] == "queue" {
		size, _ := strings.CutSuffix(words[1], "kB")
		e.Queue, words = 1000*p.whole(size, 100_000, "queue; write kB"), words[2:]
	}
	return words
}

func (p *parser) direction(v Verb, words []string) (emu.Direction, []string) {
	switch {
	case len(words) == 0 || v == Restore || v == IfDown || v == IfUp:
	case words[0] == "up":
		return emu.Up, words[1:]
	case words[0] == "down":
		return emu.Down, words[1:]
	}
	return emu.Both, words
}
