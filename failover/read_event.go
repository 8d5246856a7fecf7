package failover

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// event reads the words of one event.
func (in *reader) event(f []string) (Event, error) {
	if len(f) == 0 {
		return Event{}, errors.New("a time without an event; write one behind it, like opened LINK")
	}
	switch f[0] {
	case "tick":
		if len(f) == 1 {
			return Tick(), nil
		}
	case "procedure":
		if len(f) == 2 && (f[1] == "open" || f[1] == "closed") {
			return Procedure(f[1] == "open"), nil
		}
	default:
		if len(f) >= 2 {
			return in.linkEvent(f[0], f[1], f[2:])
		}
	}
	return Event{}, notUnderstood(f)
}

func notUnderstood(f []string) error {
	return fmt.Errorf("%q is no event; write opened, closed, refused, pin or unpin LINK, carrier LINK up|down, echo, late or miss LINK TIME, report LINK SENT ARRIVED, estimate LINK RATE QUEUE, budget LINK enough|low|short|spent, procedure open|closed, tick, or wall TIME", strings.Join(f, " "))
}

func (in *reader) linkEvent(word, name string, f []string) (Event, error) {
	i := slices.IndexFunc(in.t.Policy.Links, func(l LinkPolicy) bool { return l.Name == name })
	if i < 0 {
		return Event{}, fmt.Errorf("no link is called %q; name it above with link %s", name, name)
	}
	l := Link(i)
	first := ""
	if len(f) > 0 {
		first = f[0]
	}
	switch {
	case word == "opened" && len(f) == 0:
		return Opened(l), nil
	case word == "closed" && len(f) == 0:
		return Closed(l), nil
	case word == "refused" && len(f) == 0:
		return SendFailed(l), nil
	case (word == "pin" || word == "unpin") && len(f) == 0:
		return Pinned(l, word == "pin"), nil
	case word == "carrier" && len(f) == 1 && (first == "up" || first == "down"):
		return Carrier(l, first == "up"), nil
	case word == "budget" && len(f) == 1:
		var left Allowance
		err := left.UnmarshalText([]byte(first))
		return Budget(l, left), err
	case (word == "echo" || word == "late" || word == "miss") && len(f) == 1:
		took, err := time.ParseDuration(first)
		if err != nil || took < 0 {
			return Event{}, fmt.Errorf("%q is no time; write it like 20ms", first)
		}
		return Sampled(l, Sample{Answered: word != "miss", Late: word == "late", RTT: took}), nil
	case word == "report" && len(f) == 2:
		sent, err1 := strconv.ParseUint(f[0], 10, 32)
		arrived, err2 := strconv.ParseUint(f[1], 10, 32)
		if err1 != nil || err2 != nil {
			return Event{}, fmt.Errorf("%q are no two counts; write report LINK SENT ARRIVED", strings.Join(f, " "))
		}
		return Reported(l, uint32(sent), uint32(arrived)), nil
	case word == "estimate" && len(f) == 2:
		rate, err1 := strconv.ParseUint(f[0], 10, 32)
		queue, err2 := time.ParseDuration(f[1])
		if err1 != nil || err2 != nil || rate > mostBits || queue < 0 {
			return Event{}, fmt.Errorf("%q is no estimate; write estimate LINK BITS-A-SECOND QUEUE, like 600000 120ms, and 0 for a rate that is not known", strings.Join(f, " "))
		}
		return Estimated(l, int(rate), queue), nil
	}
	return Event{}, notUnderstood(append([]string{word, name}, f...))
}

func parseSpan(text string) (span, error) {
	from, to, ok := strings.Cut(text, "..")
	a, err1 := parseInstant(from)
	b, err2 := parseInstant(to)
	if !ok || err1 != nil || err2 != nil || b < a {
		return span{}, fmt.Errorf("%q is no span of time; write FROM..TO in seconds, like 0.5..10", text)
	}
	return span{a, b}, nil
}

// parseInstant reads seconds with at most nine decimals, exactly.
func parseInstant(text string) (Instant, error) {
	whole, part, _ := strings.Cut(text, ".")
	s, err1 := strconv.ParseUint(whole, 10, 32)
	n, err2 := strconv.ParseUint((part + "000000000")[:max(9, len(part))], 10, 64)
	if err1 != nil || err2 != nil || len(part) > 9 {
		return 0, fmt.Errorf("%q is no time; write seconds since the start, with at most nine decimals, like 10.350", text)
	}
	return Instant(s*1e9 + n), nil
}
