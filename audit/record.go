package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// maxLine is the longest line that can be a record, in bytes.
const maxLine = 64 << 10

// Record is one line of the log.
type Record struct {
	Number int64     `json:"n"`     // from 0, without a hole
	At     time.Time `json:"at"`    // UTC, milliseconds; may go back where a ClockStep says so
	Up     int64     `json:"up_ms"` // milliseconds since the program started, by the monotonic clock
	Kind   string    `json:"kind"`
	Prev   string    `json:"prev"` // hash of the line before, hex; 64 zeros in the first
	Entry  Entry     `json:"-"`

	Data json.RawMessage `json:"data"`
	Hash tlog.Hash       `json:"-"` // of this line
}

// line is the record's line without a line feed, and fills in its hash.
func (r *Record) line() ([]byte, error) {
	data, err := json.Marshal(r.Entry)
	if err != nil {
		return nil, err
	}
	r.Data = data
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if len(text) > maxLine {
		return nil, fmt.Errorf("a record of kind %q has %d bytes; %d are the most", r.Kind, len(text), maxLine)
	}
	r.Hash = tlog.RecordHash(text)
	return text, nil
}

// parse reads a line, without its line feed. The error says what is wrong with it.
func parse(line []byte) (Record, error) {
	var r Record
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("not a record: %w", err)
	}
	if d.More() {
		return r, fmt.Errorf("not a record: something stands behind it")
	}
	var err error
	if r.Entry, err = decode(r.Kind, r.Data); err != nil {
		return r, err
	}
	r.Hash = tlog.RecordHash(line)
	return r, nil
}

// follows says what is wrong with r as the successor of the line whose hash is prev, as record number n; nil: nothing.
func (r *Record) follows(prev tlog.Hash, n int64) error {
	switch {
	case r.Number != n:
		return fmt.Errorf("record %d stands where %d should", r.Number, n)
	case r.Prev != hex.EncodeToString(prev[:]):
		return fmt.Errorf("record %d does not follow the line before it: one of them was changed", n)
	}
	return nil
}
