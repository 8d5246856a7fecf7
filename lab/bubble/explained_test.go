package bubble

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scanside/agent/status"
	"scanside/failover"
)

// explained is the figure of G14: of so many switchovers for a need, how many were explained, and in what way.
type explained struct {
	Switchovers int `json:"switchovers"`
	Sentence    int `json:"with_sentence"`     // on the page
	Evidence    int `json:"with_evidence"`     // cause, and what was measured
	Gap         int `json:"with_measured_gap"` // both ways, voice and picture
	Replayed    int `json:"that_sent_again"`   // and say how many bytes
	Record      int `json:"with_record"`       // kept beside the trace, the same as on the page
	Same        int `json:"replayed_the_same"` // the trace replays to the decisions whose hash the record has
	Histogram   int `json:"in_histogram"`      // of the gaps
}

// G14: "Every switch explained: cause, evidence, measured gap, bytes replayed; on the page in a sentence, in a histogram, in the audit
// log, with a trace that replays to the same decision." Failures of all kinds, and the way back from each. SCANSIDE_RESULT names a file
// that gets the figure.
func TestExplained(t *testing.T) {
	inDayOf(t, alone(t), func(d *day) {
		time.Sleep(5 * time.Second) // the copies that brought the uplinks' proof have ended
		for _, how := range []string{"cut primary", "ifdown primary", "cut primary up", "cut primary down", "block primary udp"} {
			d.do(how)
			time.Sleep(5 * time.Second)
			d.do("restore primary")
			d.do("ifup primary")
			d.takes(6*time.Minute, "back to primary after "+how, d.allOver("primary"))
			time.Sleep(5 * time.Second)
		}
		st, err := d.box.Status(d.t.Context())
		if err != nil {
			d.t.Fatal(err)
		}
		var x explained
		for _, s := range st.Switchovers {
			if s.Routine {
				continue
			}
			x.Switchovers++
			x.add(d, s)
		}
		x.Histogram = int(d.w.metric(d.t, `scanside_switchover_gap_seconds_count{media="voice"}`))
		figures(d.t, x)
		if n := x.Switchovers; n < 5 || x.Sentence != n || x.Evidence != n || x.Gap != n || x.Record != n || x.Same != n || x.Replayed == 0 || x.Histogram < 5 {
			d.t.Errorf("not everything is explained: %+v", x)
		}
	})
}

// add looks at one switchover.
func (x *explained) add(d *day, s status.Switchover) {
	count := func(n *int, is bool, what string) {
		if is {
			*n++
			return
		}
		d.t.Logf("switchover %d, %q: %s", s.Number, s.Sentence, what)
	}
	count(&x.Sentence, s.Sentence != "", "no sentence")
	count(&x.Evidence, s.Cause != "" && s.Evidence != "", "no cause or no evidence")
	count(&x.Gap, s.Gap.Voice != nil && s.Gap.Video != nil && s.ReturnGap.Voice != nil && s.ReturnGap.Video != nil, "a gap is not measured")
	if s.Replayed > 0 && s.ReplayedBytes > 0 {
		x.Replayed++
	}
	trace := filepath.Join(d.state, "traces", s.Trace)
	record, err := os.ReadFile(strings.TrimSuffix(trace, ".trace") + ".json")
	var kept status.Switchover
	count(&x.Record, err == nil && json.Unmarshal(record, &kept) == nil && same(kept, s), fmt.Sprintf("the record is not the page's (%v)", err))
	text, err := os.ReadFile(trace)
	if err == nil {
		err = replays(text, kept)
	}
	count(&x.Same, err == nil, fmt.Sprint(err))
}

// replays says whether a trace is the one that its record names, and decides the same again.
func replays(text []byte, record status.Switchover) error {
	trace, err := failover.ReadTrace(bytes.NewReader(text))
	if err != nil {
		return err
	}
	again, err := trace.Replay()
	switch {
	case err != nil:
		return err
	case !again.OK():
		return fmt.Errorf("breaches %v, differs %s", again.Breaches, again.Differs)
	case hash(text) != record.SHA256 || hash([]byte(again.Decisions)) != record.Decisions:
		return fmt.Errorf("hashes %s and %s, the record has %s and %s", hash(text), hash([]byte(again.Decisions)), record.SHA256, record.Decisions)
	}
	return nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func same(a, b status.Switchover) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// metric reads one value from the box's /metrics, by its name with labels.
func (w *World) metric(t *testing.T, name string) (value float64) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+boxHTTP+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := w.atTheBox().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			if _, err := fmt.Sscan(text, &value); err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Fatalf("/metrics has no %s", name)
	return 0
}
