package agent

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"scanside/agent/status"
	"scanside/audit"
	"scanside/media"
)

const (
	journalQueue = 256         // entries waiting to be written; further ones are not, and counted
	journalRetry = time.Second // after a write that failed
	journalLook  = time.Minute // between two looks at the room that the records take, and at the clock
	journalStep  = time.Second // the least step of the clock that is recorded
)

// journal writes the audit log in a goroutine of its own. The loop notes and never waits.
type journal struct {
	dir     string // "": nothing is kept, and nobody is told
	started audit.Started
	log     *slog.Logger
	entries chan audit.Entry
	drilled func(*audit.Record) // is told of the record of a drill
	dropped atomic.Int64        // since the last entry that says so
	now     atomic.Pointer[journalState]
}

// journalState is what the page and the metrics say of the log.
type journalState struct {
	audit.Status
	room    audit.Room
	trouble string        // why records cannot be written; "": they can
	missed  int64         // ever, in this run
	setAt   time.Time     // when the clock was last set, in this run; zero: it was not
	setBy   time.Duration //
}

func newJournal(s store, version, config string, log *slog.Logger) *journal {
	j := &journal{started: audit.Started{Version: version, Config: config}, log: log, entries: make(chan audit.Entry, journalQueue)}
	if s.dir != "" {
		j.dir = filepath.Join(s.dir, "audit")
	}
	j.now.Store(&journalState{})
	return j
}

// note has an entry written soon.
func (j *journal) note(e audit.Entry) {
	if j.dir == "" {
		return
	}
	select {
	case j.entries <- e:
	default:
		j.dropped.Add(1)
	}
}

// Run writes until ctx ends, then what is left and that the run ended in order.
func (j *journal) Run(ctx context.Context) {
	if j.dir == "" {
		return
	}
	l := j.open(ctx)
	if l == nil {
		return
	}
	defer l.Close()
	w := &journalWriter{journal: j, log: l, wall: time.Now()}
	w.look()
	look := time.NewTicker(journalLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			w.take(j.queued()...)
			w.write(audit.Stopped{})
			return
		case e := <-j.entries:
			w.take(append([]audit.Entry{e}, j.queued()...)...)
		case <-w.again:
			w.take()
		case <-look.C:
			w.look()
		}
	}
}

// open opens the log, again and again until it works: nil when ctx ended first.
func (j *journal) open(ctx context.Context) *audit.Log {
	for said := false; ; {
		l, err := audit.Open(j.dir, audit.Options{})
		if err == nil {
			j.started.Clean = l.Clean()
			return l
		}
		if !said {
			said = true
			j.log.Error("records cannot be written; trying again", "err", err)
		}
		j.now.Store(&journalState{trouble: err.Error(), missed: j.dropped.Load()})
		if pause(ctx, 10*journalRetry); ctx.Err() != nil {
			return nil
		}
	}
}

func (j *journal) queued() []audit.Entry {
	var all []audit.Entry
	for range len(j.entries) {
		all = append(all, <-j.entries)
	}
	return all
}

// journalWriter is what only the journal's goroutine knows.
type journalWriter struct {
	*journal
	log     *audit.Log
	begun   bool
	pending []audit.Entry // not on disk yet: at most journalQueue
	missed  int           // since the last entry that says so
	since   time.Time     // of the first of those, or of the failure
	again   <-chan time.Time
	wall    time.Time // of the last look at the clock
	state   journalState
}

// take adds entries to those that wait, and writes all.
func (w *journalWriter) take(entries ...audit.Entry) {
	w.pending = append(w.pending, entries...)
	w.missed += int(w.dropped.Swap(0))
	if over := len(w.pending) - journalQueue; over > 0 {
		w.missed += over
		w.pending = w.pending[over:]
	}
	var first []audit.Entry
	if !w.begun {
		first = append(first, w.started)
	}
	if w.missed > 0 {
		first = append(first, audit.Missed{Records: w.missed, Seconds: time.Since(w.since).Seconds()})
		w.state.missed += int64(w.missed)
	}
	if w.write(append(first, w.pending...)...) {
		w.begun, w.missed, w.pending = true, 0, nil
	} else if w.missed > 0 {
		w.state.missed -= int64(w.missed)
	}
}

// write appends and says how it went.
func (w *journalWriter) write(entries ...audit.Entry) bool {
	w.again = nil
	var err error
	if len(entries) > 0 {
		var records []audit.Record
		records, err = w.log.Append(entries...)
		w.vouch(records)
	}
	if err != nil {
		w.again = time.After(journalRetry)
		if w.state.trouble == "" {
			w.since = time.Now()
			w.journal.log.Error("records cannot be written; trying again", "err", err)
		}
		w.state.trouble = err.Error()
	} else {
		w.since, w.state.trouble = time.Now(), ""
	}
	w.publish()
	return err == nil
}

// vouch signs at once what somebody will print, and tells of it.
func (w *journalWriter) vouch(records []audit.Record) {
	for i := range records {
		if _, is := records[i].Entry.(audit.Drill); is && w.drilled != nil {
			_, _ = w.log.Sign() // why not is in the log's status
			w.drilled(&records[i])
		}
	}
}

// look signs what is not signed yet, makes room, and compares the wall clock with the monotonic one.
func (w *journalWriter) look() {
	now := time.Now()
	if step := now.Round(0).Sub(w.wall.Round(0)) - now.Sub(w.wall); step.Abs() >= journalStep {
		w.state.setAt, w.state.setBy = now, step
		w.take(audit.ClockStep{BySeconds: step.Seconds()})
	} else {
		w.take()
	}
	w.wall = now
	_, _ = w.log.Sign() // why not is in the log's status
	room, err := w.log.Prune()
	w.state.room = room
	if err != nil {
		w.state.trouble = err.Error()
	}
	w.publish()
}

func (w *journalWriter) publish() {
	w.state.Status = w.log.Status()
	state := w.state
	if state.trouble == "" && state.Unsigned != nil {
		state.trouble = state.Unsigned.Error()
	}
	w.now.Store(&state)
}

// view is what the page says of the log.
func (j *journal) view() status.Audit {
	s := j.now.Load()
	v := status.Audit{Folder: j.dir, Records: s.Records, Signed: s.Checkpoint.Size, Last: s.Last, Exported: s.room.Exported, Missed: s.missed, Error: s.trouble}
	if s.room.Over {
		v.Error = fmt.Sprintf("the records take %d MB and nothing of them was exported that could be deleted", s.room.Bytes>>20)
	}
	return v
}

// note has the loop's news recorded.
func (l *loop) note(e audit.Entry) { l.agent.journal.note(e) }

// noteChange records what a story of streams that changed links came to.
func (l *loop) noteChange(c *change) {
	e := audit.Switchover{
		Number: c.number, From: l.list(c.from), To: l.list(c.to), Reason: c.reason.String(), Link: l.name(c.link), Replayed: c.replayed.bytes, Drill: c.drill,
	}
	for k, moved := range c.streams {
		if moved {
			e.Streams = append(e.Streams, media.Kind(k).String())
		}
	}
	if lossy(c.reason) {
		e.DetectMS = ms(c.detect)
	}
	gaps := viewGaps(c.gaps)
	e.VoiceGap, e.VideoGap = gaps.Voice, gaps.Video
	if c.known {
		e.Lost = &audit.Lost{Voice: uint64(c.lost[media.Voice]), Video: uint64(c.lost[media.Video])}
	}
	l.note(e)
}
