package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"scanside/agent/status"
	"scanside/failover"
	"scanside/history"
	"scanside/media"
)

const (
	historyFile  = "history.jsonl"
	noteEvery    = time.Second
	waitingLines = 8 // finished minutes that wait for the disk; what finds no room is missing after a restart
)

// chronicle is the last day by minutes (package history): the loop notes, a goroutine of its own writes.
type chronicle struct {
	day   *history.Day // the loop's
	noted time.Time    // likewise
	lost  [2]uint64    // by the far end's last word, likewise
	lines chan []byte
	drawn atomic.Pointer[status.History] // for the page, drawn anew each minute
	names []string
	store store
	log   *slog.Logger
}

func newChronicle(uplinks []Uplink, kept store, log *slog.Logger) *chronicle {
	c := &chronicle{day: &history.Day{}, lines: make(chan []byte, waitingLines), store: kept, log: log}
	for _, u := range uplinks {
		c.names = append(c.names, u.Name)
	}
	if kept.dir != "" {
		if text, err := os.ReadFile(filepath.Join(kept.dir, historyFile)); err == nil {
			c.day = history.Parse(time.Now(), text)
		}
	}
	c.drawn.Store(drawHistory(c.day.Minutes(time.Time{}), c.names))
	return c
}

// History implements status.Box.
func (b boxed) History() *status.History { return b.a.loop.chronicle.drawn.Load() }

// writeChronicle notes what is true now, once a second.
func (l *loop) writeChronicle(now time.Time, e failover.Snapshot) {
	c := l.chronicle
	if now.Sub(c.noted) < noteEvery {
		return
	}
	c.noted = now
	n := history.Note{Verdict: gradeOf(levelOf(l.verdict)), Open: l.procedure.open}
	if f := &l.flows[media.Voice]; f.source != nil && now.Sub(f.heard) < presenceFresh && f.far.RecentGap > 0 {
		n.Gap = f.far.RecentGap
	}
	for k := range c.lost {
		if total := uint64(l.flows[k].far.Lost); total > c.lost[k] {
			n.Lost[k] = total - c.lost[k]
		}
		c.lost[k] = uint64(l.flows[k].far.Lost) // less than before: another far end, or another session there
	}
	for i, v := range e.Links {
		one := history.LinkNote{Name: c.names[i], State: history.StandsBy, Loss: -1}
		s := &l.links[i]
		switch {
		case s.conn == nil || v.Verdict == failover.Down:
			one.State = history.Down
		case l.carries(i):
			one.State = history.Carries
		}
		if s.conn != nil && s.probes[0] > 0 {
			one.Loss = v.Loss
		}
		n.Links = append(n.Links, one)
	}
	finished, done := c.day.Note(now, n)
	if !done {
		return
	}
	c.drawn.Store(drawHistory(c.day.Minutes(time.Time{}), c.names))
	select {
	case c.lines <- finished.Line():
	default:
	}
}

// carries reports whether anything goes over an uplink now.
func (l *loop) carries(i int) bool {
	for k := range l.flows {
		if l.links[i].on[k] && l.flows[k].source != nil {
			return true
		}
	}
	return false
}

func gradeOf(level status.Level) history.Grade {
	switch level {
	case status.OK:
		return history.OK
	case status.Notice:
		return history.Notice
	case status.Warning:
		return history.Warning
	case status.Bad:
		return history.Bad
	}
	return history.Unknown
}

// Run writes finished minutes until ctx ends. A power cut may lose the last one: no line is worth a sync.
func (c *chronicle) Run(ctx context.Context) error {
	said, written := false, history.Kept // so that the first write makes the file short
	for {
		select {
		case <-ctx.Done():
			return nil
		case line := <-c.lines:
			if c.store.dir == "" {
				continue
			}
			if err := c.append(line, written >= history.Kept); err != nil && !said {
				said = true
				c.log.Warn("the history is not kept over a restart", "err", err)
			} else if err == nil {
				said = false
			}
			if written++; written > history.Kept {
				written = 1
			}
		}
	}
}

// append adds a line to the file; anew first drops what is older than a day.
func (c *chronicle) append(line []byte, anew bool) error {
	path := filepath.Join(c.store.dir, historyFile)
	if anew {
		text, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("read %s: %w", historyFile, err)
		}
		var kept strings.Builder
		for _, m := range history.Parse(time.Now(), text).Minutes(time.Time{}) {
			kept.Write(m.Line())
		}
		return c.store.write(historyFile, kept.String()+string(line))
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", historyFile, err)
	}
	_, err = f.Write(line)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
