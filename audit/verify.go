package audit

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// maxProblems is how many problems Verify lists; it counts the rest.
const maxProblems = 100

// Report is what Verify found.
type Report struct {
	From, Until int64 // numbers of the records that are there: From to before Until
	First, Last time.Time
	Kinds       map[string]int64
	Unclean     int64 // starts after a crash, a kill or a loss of power
	Missed      int64 // records that could not be written, by the log's own word
	Torn        int64 // bytes that crashes left, by the log's own word

	Checkpoints int   // whose signature and root are right
	Signed      int64 // records that the newest of them vouches for
	Unsigned    int64 // records behind it: the chain alone protects them
	LastHash    string

	Problems []string // what is wrong, oldest first; nil: nothing
	More     int      // problems that are not listed
}

// OK reports whether nothing was found to be wrong.
func (r *Report) OK() bool { return len(r.Problems) == 0 }

func (r *Report) problem(format string, args ...any) {
	if len(r.Problems) == maxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// Verify reads a whole log, or an export of it, and checks every line, the chain, the tree, and every checkpoint with the
// public key, which should come from elsewhere than the folder. It changes nothing. The error is about reading; what is
// wrong with the log is in the report. trusted, which may be empty, is a checkpoint that was kept elsewhere: the log must
// contain all that it vouches for.
func Verify(dir fs.FS, public string, trusted string) (Report, error) {
	v := verification{report: Report{Kinds: map[string]int64{}}}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return v.report, fmt.Errorf("the public key: %w", err)
	}
	if err := v.checkpoints(dir, verifier); err != nil {
		return v.report, err
	}
	if trusted != "" {
		c, err := ParseCheckpoint(trusted, verifier)
		if err != nil {
			return v.report, fmt.Errorf("the checkpoint kept elsewhere: %w", err)
		}
		v.kept = &c
	}
	all, err := segments(dir)
	if err != nil {
		return v.report, err
	}
	if len(all) == 0 {
		return v.report, errors.New("no files of records (records-….jsonl) in this folder")
	}
	if err := v.before(dir, all[0].first); err != nil {
		return v.report, err
	}
	for _, s := range all {
		if err := v.segment(dir, s); err != nil {
			return v.report, err
		}
	}
	v.finish()
	return v.report, nil
}

type verification struct {
	report Report
	due    []Checkpoint // in order of size, not reached yet
	kept   *Checkpoint
	hashes []tlog.Hash // the tree's, as tlog stores them
	n      int64       // number of the next record
	prev   tlog.Hash
	known  bool // prev is known
}

// checkpoints reads them all. They must grow.
func (v *verification) checkpoints(dir fs.FS, verifier note.Verifier) error {
	text, err := fs.ReadFile(dir, "checkpoints")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	last := int64(-1)
	for number := 1; len(text) > 0; number++ {
		c, length, err := nextCheckpoint(text, verifier)
		if length == 0 {
			v.report.problem("checkpoint %d was not written to its end", number)
			return nil
		}
		text = text[length:]
		switch {
		case err != nil:
			v.report.problem("checkpoint %d: %v", number, err)
		case c.Size <= last:
			v.report.problem("checkpoint %d vouches for %d records, the one before for %d", number, c.Size, last)
		default:
			v.due, last = append(v.due, c), c.Size
		}
	}
	return nil
}

// before takes the hashes of records that were deleted after their export: their checkpoints vouch for them.
func (v *verification) before(dir fs.FS, first int64) error {
	v.report.From, v.n = first, first
	if first == 0 {
		v.known = true
		return nil
	}
	f, err := dir.Open("hashes")
	if err != nil {
		return fmt.Errorf("the records begin at %d, so the hashes of those before are needed: %w", first, err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	v.hashes = make([]tlog.Hash, tlog.StoredHashCount(first))
	for i := range v.hashes {
		if _, err := io.ReadFull(r, v.hashes[i][:]); err != nil {
			return fmt.Errorf("the file of hashes ends before record %d: %w", first, err)
		}
	}
	v.prev, v.known = v.hashes[tlog.StoredHashIndex(0, first-1)], true
	for len(v.due) > 0 && v.due[0].Size < first {
		v.check(v.due[0])
		v.due = v.due[1:]
	}
	return nil
}

func (v *verification) segment(dir fs.FS, s segment) error {
	f, err := dir.Open(s.name)
	if err != nil {
		return err
	}
	defer f.Close()
	if s.first != v.n {
		v.report.problem("records %d to %d are gone", v.n, s.first-1)
		return errors.New("the records have a hole, and nothing behind it can be judged: " + v.report.Problems[len(v.report.Problems)-1])
	}
	lines := bufio.NewReaderSize(f, maxLine+1)
	for number := 1; ; number++ {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		if err == io.EOF {
			v.report.problem("%s ends in %d bytes that are no whole record", s.name, len(line))
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", s.name, number, err)
		}
		v.line(s.name, number, bytes.TrimSuffix(line, []byte{'\n'}))
	}
}

func (v *verification) line(file string, number int, line []byte) {
	v.reached()
	r, err := parse(line)
	if err == nil {
		err = r.follows(v.prev, v.n)
	}
	if err != nil {
		v.report.problem("%s, line %d: %v", file, number, err)
	} else {
		v.count(&r)
	}
	v.prev = tlog.RecordHash(line)
	hashes, err := tlog.StoredHashesForRecordHash(v.n, v.prev, tlog.HashReaderFunc(v.read))
	if err != nil { // our own hashes are all there
		v.report.problem("%s, line %d: %v", file, number, err)
	}
	v.hashes = append(v.hashes, hashes...)
	v.n++
}

func (v *verification) count(r *Record) {
	if v.report.First.IsZero() {
		v.report.First = r.At
	}
	v.report.Last = r.At
	v.report.Kinds[r.Kind]++
	switch e := r.Entry.(type) {
	case *Started:
		if !e.Clean {
			v.report.Unclean++
		}
	case *Missed:
		v.report.Missed += int64(e.Records)
	case *Torn:
		v.report.Torn += int64(e.Bytes)
		if e.Acknowledged {
			v.report.problem("record %d says that records which a checkpoint vouches for were lost in a crash", r.Number)
		}
	case *Damaged:
		v.report.problem("record %d says that %s was found damaged at line %d", r.Number, e.File, e.Line)
	}
}

func (v *verification) read(indexes []int64) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		all[i] = v.hashes[at]
	}
	return all, nil
}

// reached checks the checkpoint, if there is one, that vouches for exactly the records read so far.
func (v *verification) reached() {
	for len(v.due) > 0 && v.due[0].Size == v.n {
		v.check(v.due[0])
		v.due = v.due[1:]
	}
	if v.kept != nil && v.kept.Size == v.n {
		if root, err := tlog.TreeHash(v.n, tlog.HashReaderFunc(v.read)); err != nil || root != v.kept.Root {
			v.report.problem("the checkpoint kept elsewhere vouches for other records than the first %d here: the log was rewritten", v.n)
		}
		v.kept = nil
	}
}

func (v *verification) check(c Checkpoint) {
	root := tlog.Hash{}
	if c.Size > 0 {
		var err error
		if root, err = tlog.TreeHash(c.Size, tlog.HashReaderFunc(v.read)); err != nil {
			v.report.problem("the checkpoint of %d records: %v", c.Size, err)
			return
		}
	}
	if root != c.Root {
		v.report.problem("the checkpoint of %d records vouches for other records than these", c.Size)
		return
	}
	v.report.Checkpoints++
	v.report.Signed = c.Size
}

func (v *verification) finish() {
	v.reached()
	for _, c := range v.due {
		v.report.problem("a checkpoint vouches for %d records, and only %d are there: the end was cut off", c.Size, v.n)
	}
	if v.kept != nil {
		v.report.problem("the checkpoint kept elsewhere vouches for %d records, and only %d are there: the end was cut off", v.kept.Size, v.n)
	}
	v.report.Until = v.n
	v.report.Unsigned = v.n - v.report.Signed
	v.report.LastHash = hex.EncodeToString(v.prev[:])
}
