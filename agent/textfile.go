package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"scanside/agent/status"
	"scanside/config"
)

// Metrics says how metrics leave the box besides /metrics.
type Metrics struct {
	Textfile string `yaml:"textfile"` // a file for node_exporter's textfile collector; "": none is written
}

// textfileEvery is well below the 15 s and more at which node_exporter is usually read.
const textfileEvery = 5 * time.Second

// textfileEnd is what node_exporter goes by.
const textfileEnd = ".prom"

func (c Metrics) check(m *config.Mistakes) {
	switch {
	case c.Textfile == "":
	case !filepath.IsAbs(c.Textfile):
		m.Add("metrics.textfile", "%q is not a whole path; write e.g. /run/scanside/scanside.prom", c.Textfile)
	case !strings.HasSuffix(c.Textfile, textfileEnd):
		m.Add("metrics.textfile", "%q does not end in %s; node_exporter would not read it", c.Textfile, textfileEnd)
	}
}

// textfile keeps a file with the metrics while the agent runs. Each time it is put in place whole; it is gone when the agent has
// ended, so that nobody takes old values for present ones. After a kill scanside_snapshot_timestamp_seconds in it says how old
// they are, as node_exporter's own node_textfile_mtime_seconds does.
type textfile struct {
	path    string
	from    prometheus.Gatherer
	say     func(error) // once for each trouble
	trouble atomic.Pointer[string]
}

func (a *Agent) newTextfile() *textfile {
	return &textfile{path: a.cfg.Metrics.Textfile, from: own{a.metrics.registry}, say: func(err error) {
		a.log.Error("the metrics cannot be written for node_exporter; trying again", "err", err)
	}}
}

// Run writes until ctx ends, then takes the file away.
func (f *textfile) Run(ctx context.Context) {
	if f.path == "" {
		return
	}
	for ; ctx.Err() == nil; pause(ctx, textfileEvery) {
		f.note(prometheus.WriteToTextfile(f.path, f.from))
	}
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.say(err)
	}
}

func (f *textfile) note(err error) {
	if err == nil {
		f.trouble.Store(nil)
		return
	}
	why := err.Error()
	if f.trouble.Swap(&why) == nil {
		f.say(err)
	}
}

func (f *textfile) problem(add func(id string, level status.Level, text, hint string)) {
	if why := f.trouble.Load(); why != nil {
		add("textfile-not-written", status.Notice, "The metrics for node_exporter cannot be written: "+*why+".", "Check that the folder of metrics.textfile is there, and that the service may write to it.")
	}
}

// own is what is scanside's own: go_ and process_ would be taken for node_exporter's, which then reports none of the file.
type own struct{ all prometheus.Gatherer }

func (o own) Gather() ([]*dto.MetricFamily, error) {
	all, err := o.all.Gather()
	ours := all[:0]
	for _, f := range all {
		if strings.HasPrefix(f.GetName(), "scanside_") {
			ours = append(ours, f)
		}
	}
	return ours, err
}
