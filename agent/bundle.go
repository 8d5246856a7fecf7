package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/diagnosis"
	"scanside/support"
)

const (
	bundleTraces  = 8       // the newest traces of switchovers, each with its record
	bundleTrace   = 1 << 20 // bytes of one
	bundleJournal = 2000    // lines
	journalWait   = 5 * time.Second
)

// SupportBundle implements status.Box.
func (b boxed) SupportBundle(ctx context.Context) (*support.Bundle, error) {
	a := b.a
	st := a.Snapshot().Status
	return support.Make(ctx, time.Now(), bundleName(st.Site), append([]support.Piece{
		{Name: "status.json", What: "everything the page shows", Text: asJSON(st)},
		{Name: "metrics.txt", What: "the metrics", Text: a.metricsText},
		{Name: "events.txt", What: "what happened, in plain words", Text: eventsText(st)},
		{Name: "diagnosis.txt", What: "each uplink, layer by layer, as last found", Text: faultsText(st)},
		{Name: "history.json", What: "the last day by minutes", Text: asJSON(b.History())},
	}, commonPieces(a.cfg, a.parts.Version)...), a.cfg.secrets())
}

// OfflineBundle is what can be collected while no agent runs.
func OfflineBundle(ctx context.Context, cfg Config, version string) (*support.Bundle, error) {
	return support.Make(ctx, time.Now(), bundleName(cfg.Site), append([]support.Piece{
		{Name: "diagnosis.txt", What: "each uplink, layer by layer, as found now", Text: func(ctx context.Context) ([]byte, error) { return diagnoseText(ctx, cfg) }},
		{Name: "history.jsonl", What: "the last day by minutes", Text: func(context.Context) ([]byte, error) {
			return os.ReadFile(filepath.Join(cfg.StateDir, historyFile))
		}},
	}, commonPieces(cfg, version)...), cfg.secrets())
}

func bundleName(site string) string {
	return "scanside-support-" + site + "-" + time.Now().UTC().Format("20060102-150405") + ".zip"
}

// commonPieces need no agent that runs.
func commonPieces(cfg Config, version string) []support.Piece {
	pieces := []support.Piece{
		{Name: "config.yaml", What: "the configuration in force, without secrets", Text: func(context.Context) ([]byte, error) { return cfg.redacted() }},
		{Name: "versions.txt", What: "the program, what it was built of, and the machine", Text: func(context.Context) ([]byte, error) { return versionsText(version), nil }},
		{Name: "journal.txt", What: "the newest lines of the service's log", Text: journalText},
	}
	if cfg.StateDir == "" {
		return pieces
	}
	folder := filepath.Join(cfg.StateDir, "traces")
	files, err := fs.Glob(os.DirFS(folder), "*")
	if err != nil {
		return pieces
	}
	slices.Sort(files) // their names begin with the time
	for _, name := range files[max(0, len(files)-2*bundleTraces):] {
		pieces = append(pieces, support.Piece{Name: "traces/" + name, What: "a recorded switchover, for scanside replay", Most: bundleTrace,
			Text: func(context.Context) ([]byte, error) { return os.ReadFile(filepath.Join(folder, name)) }})
	}
	return pieces
}

func asJSON(v any) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return json.MarshalIndent(v, "", "  ") }
}

func eventsText(st *status.Status) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		var b bytes.Buffer
		for _, e := range st.Events {
			fmt.Fprintf(&b, "%s %-7s %s\n", e.At.Format(time.RFC3339), e.Level, e.Text)
		}
		for _, p := range st.Problem {
			fmt.Fprintf(&b, "now since %s %-7s %s: %s %s\n", p.Since.Format(time.RFC3339), p.Severity, p.ID, p.Text, p.Hint)
		}
		return b.Bytes(), nil
	}
}

func faultsText(st *status.Status) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		var b bytes.Buffer
		for _, u := range st.Uplinks {
			fmt.Fprintf(&b, "%s (%s): %s. %s\n  %s\n  %s\n", u.Name, u.Device, u.Words, u.Reason, u.Fault.Sentence, u.Fault.Next)
			for _, l := range u.Fault.Layers {
				fmt.Fprintf(&b, "  %-8s %-8s %s %s\n", l.Name, l.Result, l.Subject, l.Note)
			}
		}
		return b.Bytes(), nil
	}
}

func diagnoseText(ctx context.Context, cfg Config) ([]byte, error) {
	found, err := Diagnose(ctx, cfg)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for i, v := range diagnosis.Judge(time.Now(), found) {
		fmt.Fprintf(&b, "%s: %s\n  %s\n", found[i].Uplink, v.Sentence, v.Next)
		for l, x := range found[i].Layers {
			fmt.Fprintf(&b, "  %-8s %-8s %s %s\n", diagnosis.Layer(l), x.Result, x.Subject, x.Note)
		}
	}
	return b.Bytes(), nil
}

// metricsText is what Prometheus would read.
func (a *Agent) metricsText(ctx context.Context) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return nil, err
	}
	w := &answer{header: http.Header{}, code: http.StatusOK}
	a.metricsHandler().ServeHTTP(w, r)
	if w.code != http.StatusOK {
		return nil, fmt.Errorf("the metrics answered %d", w.code)
	}
	return w.body.Bytes(), nil
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (w *answer) Header() http.Header         { return w.header }
func (w *answer) WriteHeader(code int)        { w.code = code }
func (w *answer) Write(b []byte) (int, error) { return w.body.Write(b) }

func versionsText(version string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "scanside %s, %s, %s/%s, %d processors\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, file := range []string{"/proc/version", "/etc/os-release", "/proc/uptime", "/proc/loadavg"} {
		if text, err := os.ReadFile(file); err == nil {
			fmt.Fprintf(&b, "\n%s:\n%s\n", file, bytes.TrimSpace(text))
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintf(&b, "\nbuilt of:\n%s", info)
	}
	return b.Bytes()
}

// journalText is the tail of the service's log, where systemd keeps one and this user may read it.
func journalText(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, "journalctl", "--unit", "scanside", "--lines", fmt.Sprint(bundleJournal), "--no-pager", "--quiet", "--output", "short-iso")
	var problem strings.Builder
	cmd.Stderr = &problem
	text, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("there is no journalctl here")
	case err != nil && problem.Len() > 0:
		return nil, errors.New(strings.TrimSpace(problem.String()))
	}
	return text, err
}
