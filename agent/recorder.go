package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"scanside/agent/status"
	"scanside/failover"
)

const (
	chunkLength = time.Minute
	keptChunks  = 10 // and the one under way: what happened in the last ten minutes
	keptTraces  = 20 // files; a busy ten minutes are about a megabyte
	saveQueue   = 4  // traces waiting to be written; further ones are not written, and counted
)

// recorder remembers every event that the engine was fed in the last ten minutes, so that a switchover can be replayed. The
// loop calls note, save and view; writing files is Run's, in a goroutine of its own.
//
// The ring is made of chunks of a minute, each with the engine's memory at its begin: the oldest chunk can be dropped and
// what is left still replays.
type recorder struct {
	store  store
	policy failover.Policy
	log    *slog.Logger
	post   func(event)

	chunks []*chunk
	jobs   chan job
	folder string

	saves   atomic.Uint64
	failed  atomic.Uint64
	trouble atomic.Pointer[string]
}

type chunk struct {
	from    failover.Instant
	state   failover.Snapshot
	records []failover.Record
}

// job is a trace to be written. The records are the chunks' own: they are only ever appended to.
type job struct {
	number uint64
	when   time.Time
	record *status.Switchover // to be kept beside it; nil: none
	state  failover.Snapshot
	parts  [][]failover.Record

	device *deviceChange // the job is this one's trace instead
}

// savedTrace is a file that was written.
type savedTrace struct {
	number uint64
	name   string // within the folder of traces
	sum    string // SHA-256, hex

	decisions string // likewise, of what it replays to

	device *deviceChange // it is this one's; nil: a switchover's
}

func newRecorder(s store, p failover.Policy, log *slog.Logger, post func(event)) *recorder {
	r := &recorder{store: s, policy: p, log: log, post: post, jobs: make(chan job, saveQueue)}
	if s.dir != "" {
		r.folder = filepath.Join(s.dir, "traces")
	}
	return r
}

// note remembers an event that the engine is about to be fed.
func (r *recorder) note(at failover.Instant, ev failover.Event, e *failover.Engine) {
	n := len(r.chunks)
	if n == 0 || at.Sub(r.chunks[n-1].from) >= chunkLength {
		room := 1024
		if n > 0 {
			room = len(r.chunks[n-1].records) + 64
		}
		c := &chunk{from: at, state: e.Snapshot(), records: make([]failover.Record, 0, room)}
		c.records = append(c.records, failover.Record{At: at, Wall: time.Now()})
		r.chunks = append(r.chunks, c)
		if n+1 > keptChunks+1 {
			r.chunks = slices.Delete(r.chunks, 0, 1)
		}
		n = len(r.chunks)
	}
	c := r.chunks[n-1]
	c.records = append(c.records, failover.Record{At: at, Event: ev})
}

// save has what is remembered now written to a file, and the record of the switchover, which names the file and its hashes,
// to another beside it. It does not wait.
func (r *recorder) save(number uint64, when time.Time, record *status.Switchover) {
	if r.folder == "" || len(r.chunks) == 0 {
		return
	}
	j := job{number: number, when: when, record: record, state: r.chunks[0].state}
	for _, c := range r.chunks {
		j.parts = append(j.parts, c.records[:len(c.records):len(c.records)])
	}
	r.offer(j)
}

// offer has a job done if there is room for it.
func (r *recorder) offer(j job) {
	if r.folder == "" {
		return
	}
	select {
	case r.jobs <- j:
	default:
		r.failed.Add(1)
		text := "too many switchovers at once: not every trace was written"
		r.trouble.Store(&text)
	}
}

// Run writes traces until ctx ends, and then those that are waiting.
func (r *recorder) Run(ctx context.Context) error {
	for {
		select {
		case j := <-r.jobs:
			r.write(j)
		case <-ctx.Done():
			for {
				select {
				case j := <-r.jobs:
					r.write(j)
				default:
					return nil
				}
			}
		}
	}
}

func (r *recorder) write(j job) {
	var saved savedTrace
	var err error
	if j.device != nil {
		saved.device, err = j.device, r.fileDevices(j.device)
	} else {
		saved, err = r.file(j)
	}
	if err != nil {
		r.failed.Add(1)
		text := err.Error()
		r.trouble.Store(&text)
		r.log.Error("write a trace", "number", j.number, "err", err)
		return
	}
	r.trouble.Store(nil)
	r.saves.Add(1)
	r.post(event{kind: traceSaved, saved: saved})
}

func (r *recorder) file(j job) (savedTrace, error) {
	t := failover.Trace{Policy: r.policy, State: &j.state, Records: slices.Concat(j.parts...)}
	// What was decided then is what replaying decides: the invariants' guard compares the two at each step (F5).
	again, err := t.Replay()
	if err != nil {
		return savedTrace{}, err
	}
	t.Want, t.HasWant = again.Decisions, true
	text := t.Text()
	s := savedTrace{
		number: j.number, name: fmt.Sprintf("%s-%d.trace", j.when.UTC().Format("20060102T150405Z"), j.number),
		sum: hashOf(text), decisions: hashOf([]byte(again.Decisions)),
	}
	if err := r.store.write(filepath.Join("traces", s.name), string(text)); err != nil {
		return savedTrace{}, err
	}
	if err := r.keep(s, j.record); err != nil {
		return savedTrace{}, err
	}
	return s, r.prune(false)
}

// keep writes a switchover's record beside its trace: with both, anybody can check that what is told is what was decided.
func (r *recorder) keep(s savedTrace, record *status.Switchover) error {
	if record == nil {
		return nil
	}
	record.Trace, record.SHA256, record.Decisions = s.name, s.sum, s.decisions
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return fmt.Errorf("write the record of switchover %d: %w", s.number, err)
	}
	return r.store.write(filepath.Join("traces", recordOf(s.name)), string(text)+"\n")
}

// recordOf is the name of the record beside a trace.
func recordOf(trace string) string { return strings.TrimSuffix(trace, ".trace") + ".json" }

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// prune removes the oldest traces beyond the number kept, of devices or of links. Their names begin with the time.
func (r *recorder) prune(devices bool) error {
	all, err := os.ReadDir(r.folder)
	if err != nil {
		return fmt.Errorf("look at the old traces: %w", err)
	}
	all = slices.DeleteFunc(all, func(e os.DirEntry) bool {
		return !strings.HasSuffix(e.Name(), ".trace") || strings.Contains(e.Name(), deviceMark) != devices
	})
	var errs []error
	for _, e := range all[:max(len(all)-keptTraces, 0)] {
		errs = append(errs, os.Remove(filepath.Join(r.folder, e.Name())))
		if err := os.Remove(filepath.Join(r.folder, recordOf(e.Name()))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (r *recorder) view() status.Recorder {
	v := status.Recorder{Saved: int(r.saves.Load()), Folder: r.folder}
	for _, c := range r.chunks {
		v.Held += len(c.records)
	}
	if t := r.trouble.Load(); t != nil {
		v.Error = *t
	}
	return v
}
