package failover

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	traceTitle = "scanside trace 1"
	traceRule  = "----"

	mostRecords = 4_000_000 // of a trace: ten hours of two links probed 20 times a second, 200 MB
	mostLine    = 1 << 20   // bytes; a state is the longest line, a few kilobytes
)

// ReadTrace reads the text form of a trace. Errors name the line, and what to do.
func ReadTrace(r io.Reader) (Trace, error) { return readTrace(r, mostRecords) }

func readTrace(r io.Reader, most int) (Trace, error) {
	in := reader{most: most, t: Trace{Policy: DefaultPolicy()}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, mostLine)
	number := 0
	for lines.Scan() {
		number++
		if err := in.line(lines.Text()); err != nil {
			return Trace{}, fmt.Errorf("read trace: line %d: %w", number, err)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return Trace{}, fmt.Errorf("read trace: line %d is longer than %d bytes; this is no trace", number+1, mostLine)
	case err != nil:
		return Trace{}, fmt.Errorf("read trace: after line %d: %w", number, err)
	}
	if err := in.finish(); err != nil {
		return Trace{}, fmt.Errorf("read trace: %w", err)
	}
	return in.t, nil
}

// reader is the state of reading one trace.
type reader struct {
	t       Trace
	most    int
	titled  bool
	below   bool // the rule has been passed: what follows are decisions
	ticks   bool
	stalls  []span
	protect [NumStreams]bool
	want    strings.Builder
}

// span is a time from, included, to, excluded.
type span struct{ from, to Instant }

func (in *reader) line(text string) error {
	if in.below {
		in.want.WriteString(text)
		in.want.WriteByte('\n')
		return nil
	}
	text, _, _ = strings.Cut(text, "#")
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil
	case !in.titled:
		if in.titled = text == traceTitle; !in.titled {
			return fmt.Errorf("%.40q is not %q, which a trace begins with; is this a trace?", text, traceTitle)
		}
		return nil
	case text == traceRule:
		in.below, in.t.HasWant = true, true
		return nil
	}
	word, rest, _ := strings.Cut(text, " ")
	if word[0] >= '0' && word[0] <= '9' {
		return in.record(word, strings.Fields(rest))
	}
	return in.header(word, strings.TrimSpace(rest))
}

// header reads a line that says what the engine was, rather than what happened.
func (in *reader) header(word, rest string) error {
	f := strings.Fields(rest)
	p := &in.t.Policy
	switch {
	case len(in.t.Records) > 0 && word != "stall":
		return fmt.Errorf("%q after the first event; write the policy and the state before it", word)
	case word == "link" && (len(f) == 1 || len(f) == 2 && f[1] == "metered"):
		if len(p.Links) == MaxLinks {
			return fmt.Errorf("more than %d links; leave some out", MaxLinks)
		}
		p.Links = append(p.Links, LinkPolicy{Name: f[0], Metered: len(f) == 2})
	case word == "protection" && (len(f) == 2 || len(f) == 3):
		i := slices.Index(streamWords[:], f[0])
		if i < 0 {
			return fmt.Errorf("%q is no stream; use voice or video", f[0])
		}
		in.protect[i] = true
		return errors.Join(p.Protection[Idle][i].UnmarshalText([]byte(f[1])), p.Protection[InProcedure][i].UnmarshalText([]byte(f[len(f)-1])))
	case word == "set" && len(f) == 2:
		i := slices.IndexFunc(settings, func(s setting) bool { return s.name == f[0] })
		if i < 0 {
			return fmt.Errorf("%q is no threshold of the policy; see failover.Policy for their names", f[0])
		}
		usual := settings[i].text(p)
		if err := settings[i].set(p, f[1]); err != nil {
			return fmt.Errorf("%q is no value for %s; write %s for its default", f[1], f[0], usual)
		}
	case word == "state":
		in.t.State = new(Snapshot)
		d := json.NewDecoder(bytes.NewReader([]byte(rest)))
		d.DisallowUnknownFields()
		if err := d.Decode(in.t.State); err != nil {
			return fmt.Errorf("the state is damaged (%v); replay with the version that recorded it, or delete the line to start from nothing", err)
		}
	case word == "ticks" && len(f) == 0:
		in.ticks = true
	case word == "stall" && len(f) == 1:
		s, err := parseSpan(f[0])
		if err != nil {
			return err
		}
		in.stalls = append(in.stalls, s)
	default:
		return fmt.Errorf("%q is not understood; write link NAME [metered], protection STREAM HOW [HOW IN A PROCEDURE], set THRESHOLD VALUE, state JSON, ticks, stall FROM..TO, or an event that begins with its time", word+" "+rest)
	}
	return nil
}

// record reads "TIME EVENT" or "FROM..TO every STEP EVENT [missing N of M]".
func (in *reader) record(when string, f []string) error {
	if !strings.Contains(when, "..") {
		at, err := parseInstant(when)
		if err != nil {
			return err
		}
		if len(f) == 2 && f[0] == "wall" {
			wall, err := time.Parse(time.RFC3339Nano, f[1])
			if err != nil {
				return fmt.Errorf("%q is no wall-clock time; write it like 2026-11-01T01:30:00-04:00", f[1])
			}
			return in.add(Record{At: at, Wall: wall})
		}
		ev, err := in.event(f)
		if err != nil {
			return err
		}
		return in.add(Record{At: at, Event: ev})
	}
	s, err := parseSpan(when)
	if err != nil {
		return err
	}
	if len(f) < 3 || f[0] != "every" {
		return errors.New("a span of time lacks its step; write FROM..TO every STEP EVENT")
	}
	step, err := parseInstant(f[1])
	if err != nil || step <= 0 {
		return fmt.Errorf("%q is no step; write seconds above zero, like 0.050", f[1])
	}
	return in.repeat(s, step, f[2:])
}

// repeat adds one event over and over; of each M, N are missing, spread evenly.
func (in *reader) repeat(s span, step Instant, f []string) error {
	missing, of := 0, 1
	if n := len(f); n > 4 && f[n-4] == "missing" && f[n-2] == "of" {
		var err1, err2 error
		missing, err1 = strconv.Atoi(f[n-3])
		of, err2 = strconv.Atoi(f[n-1])
		if err1 != nil || err2 != nil || missing < 0 || of < 1 || missing > of || of > mostCount {
			return fmt.Errorf("%q is not understood; write missing N of M with N at most M", strings.Join(f[n-4:], " "))
		}
		f = f[:n-4]
	}
	ev, err := in.event(f)
	if err != nil {
		return err
	}
	if missing > 0 && (ev.kind != sampled || !ev.on) {
		return errors.New("only an echo can be missing; write echo LINK RTT missing N of M")
	}
	if int64(s.to-s.from)/int64(step) > int64(in.most) {
		return fmt.Errorf("more than %d events; cut the span or make the step longer", in.most)
	}
	for at, i := s.from, 0; at < s.to; at, i = at+step, i+1 {
		one := ev
		if (i+1)*missing/of > i*missing/of {
			one.on = false
		}
		if err := in.add(Record{At: at, Event: one}); err != nil {
			return err
		}
	}
	return nil
}

func (in *reader) add(r Record) error {
	if len(in.t.Records) >= in.most {
		return fmt.Errorf("more than %d events; cut the trace", in.most)
	}
	in.t.Records = append(in.t.Records, r)
	return nil
}

// finish orders the events, puts those that a stall delayed where we woke, and fills in the ticks that were asked for.
func (in *reader) finish() error {
	if !in.titled {
		return fmt.Errorf("it is empty; a trace begins with %q", traceTitle)
	}
	for s := range in.protect {
		if !in.protect[s] {
			in.t.Policy.Protect(Stream(s), in.usual(Stream(s)))
		}
	}
	if _, err := in.t.engine(); err != nil {
		return err
	}
	in.t.Want = in.want.String()
	records := in.t.Records
	for i := range records {
		records[i].At = in.awake(records[i].At)
	}
	slices.SortStableFunc(records, func(a, b Record) int { return int(min(1, max(-1, a.At-b.At))) })
	if !in.ticks || len(records) == 0 {
		return nil
	}
	in.t.Records = make([]Record, 0, 2*len(records))
	last, beat := records[0].At, Instant(in.t.Policy.Heartbeat)
	for _, r := range records {
		for due := in.awake(last + beat); due < r.At; due = in.awake(last + beat) {
			if err := in.add(Record{At: due, Event: Tick()}); err != nil {
				return err
			}
			last = due
		}
		if err := in.add(r); err != nil {
			return err
		}
		if r.Wall.IsZero() {
			last = r.At
		}
	}
	return nil
}

// usual is the protection that a trace need not write out: copies of voice always, and of video where no link is metered.
func (in *reader) usual(s Stream) Protection {
	if s == Video && slices.ContainsFunc(in.t.Policy.Links, func(l LinkPolicy) bool { return l.Metered }) {
		return OnDoubt
	}
	return Always
}

// awake is when we first can act at or after that instant.
func (in *reader) awake(at Instant) Instant {
	for moved := true; moved; {
		moved = false
		for _, s := range in.stalls {
			if at >= s.from && at < s.to {
				at, moved = s.to, true
			}
		}
	}
	return at
}
