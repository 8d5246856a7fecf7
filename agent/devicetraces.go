package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"scanside/audit"
	"scanside/media"
)

// deviceChange is the record beside the trace of a source that uses another device. Anybody can check with both, and
// `scanside replay`, that what is told is what was decided.
type deviceChange struct {
	Stream    string    `json:"stream"` // "voice", "video"
	When      time.Time `json:"when"`
	Sentence  string    `json:"sentence"`
	Devices   []string  `json:"devices"` // device1, device2 … of the trace, as the configuration names them
	Trace     string    `json:"trace"`   // file name in state_dir/traces
	SHA256    string    `json:"sha256"`  // of that file
	Decisions string    `json:"decisions_sha256"`

	kind media.Kind
	text []byte // of the trace
}

// deviceMark stands in the names of devices' traces, which are kept apart from links'.
const deviceMark = "-device"

// decisionsLine ends what a trace heard and begins what was decided.
const decisionsLine = "\n----\n"

// saveChoice has what a source's change of device was made from written to a file. It does not wait.
func (l *loop) saveChoice(s *source, c media.Chooser, seen media.Choice) {
	text := c.Trace()
	if len(text) == 0 {
		return // the source could not keep all of it
	}
	what := map[media.Kind]string{media.Video: "camera", media.Voice: "microphone"}[s.kind]
	d := &deviceChange{
		Stream: s.kind.String(), When: seen.Since.UTC(), Sentence: sentence(strings.TrimRight(seen.Why, ".")), kind: s.kind, text: text,
		Trace: fmt.Sprintf("%s%s-%s.trace", seen.Since.UTC().Format("20060102T150405.000Z"), deviceMark, what),
	}
	for _, device := range seen.Devices {
		d.Devices = append(d.Devices, device.Name)
	}
	l.rec.offer(job{device: d})
}

// fileDevices writes the trace of a device's change, and its record beside it.
func (r *recorder) fileDevices(d *deviceChange) error {
	_, decisions, _ := bytes.Cut(d.text, []byte(decisionsLine))
	d.SHA256, d.Decisions = hashOf(d.text), hashOf(decisions)
	if err := r.store.write(filepath.Join("traces", d.Trace), string(d.text)); err != nil {
		return err
	}
	record, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("write the record of a device's change: %w", err)
	}
	if err := r.store.write(filepath.Join("traces", recordOf(d.Trace)), string(record)+"\n"); err != nil {
		return err
	}
	return r.prune(true)
}

// saved notes a trace that the recorder wrote.
func (l *loop) saved(s savedTrace) {
	if d := s.device; d != nil {
		if of := l.flows[d.kind].source; of != nil {
			of.saved = d
		}
		return
	}
	l.tale.saved(s)
	l.note(audit.Trace{Switchover: s.number, Sum: s.sum, Decisions: s.decisions})
}
