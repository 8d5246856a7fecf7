package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"scanside/agent/status"
	"scanside/failover"
	"scanside/link"
	"scanside/media"
)

// What kept an uplink from being dialled, in words that a technician can act on.
func TestDialWords(t *testing.T) {
	u := Uplink{Name: "primary", Interface: "eth7"}
	dial := func(err error) error {
		return fmt.Errorf("dial uplink primary: %w", &net.OpError{Op: "dial", Net: "tcp", Err: err})
	}
	for _, c := range []struct {
		err        error
		text, hint string
		somebody   bool
	}{
		{dial(syscall.ENODEV), "the interface eth7 does not exist", "Plug the adapter", false},
		{dial(syscall.ECONNREFUSED), "no gateway listens", "Check that the gateway runs", false},
		{dial(syscall.ENETUNREACH), "no way to the far end", "default route", false},
		{dial(&net.DNSError{Name: "gateway.example.org", Err: "no such host"}), "gateway.example.org cannot be looked up", "name server", false},
		{dial(fmt.Errorf("tls: %w", errPin)), "another certificate than the pinned one", "fingerprint", true},
		{&localFault{"the site's token cannot be read", os.ErrNotExist}, "on this box, the site's token cannot be read", "far_end.token_file", true},
		{fmt.Errorf("x: %w", &link.Problem{Status: 403}), "refuses this site's token", "token_file", true},
		{fmt.Errorf("x: %w", &link.Problem{Status: 418, Title: "I am a teapot."}), "the far end refused (418): I am a teapot", "gateway's log", true},
		{fmt.Errorf("x: %w", &link.Problem{Status: 502}), "it answered 502", "tried again by itself", false},
		{errors.New("something new"), "something new", "log has the details", false},
	} {
		text, hint := dialWords(c.err, u)
		if !strings.Contains(text, c.text) || !strings.Contains(hint, c.hint) || needsSomebody(c.err) != c.somebody {
			t.Errorf("%v: %q %q %v", c.err, text, hint, needsSomebody(c.err))
		}
	}
}

// The far end's words can overtake each other on links of different speed; counting anew is something else.
func TestLedger(t *testing.T) {
	var g ledger
	step := func(sent, arrived uint64, ds, da uint32, ok bool) {
		t.Helper()
		if a, b, c := g.since(sent, arrived); a != ds || b != da || c != ok {
			t.Errorf("since(%d, %d) = %d, %d, %v, want %d, %d, %v", sent, arrived, a, b, c, ds, da, ok)
		}
	}
	step(1000, 900, 0, 0, false) // the first word is where counting begins
	step(1010, 905, 10, 5, true)
	step(1008, 903, 0, 0, false) // an old word
	step(1020, 914, 10, 9, true)
	step(1018, 915, 0, 1, true) // what had left is never taken back
	for range staleWords - 1 {
		step(1030, 3, 0, 0, false)
	}
	step(1040, 4, 0, 0, false) // the far end counts anew
	step(1050, 14, 10, 10, true)
}

// What had left when the far end counted is compared, not what is still under way.
func TestDepartures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got int
		d := &departures{to: media.SinkFunc(func(*rtp.Packet) error { got++; return nil })}
		begun := time.Now()
		for range 3 * departuresKept {
			d.WriteRTP(&rtp.Packet{})
			time.Sleep(time.Millisecond)
		}
		total := uint64(3 * departuresKept)
		at := func(n int) time.Time { return begun.Add(time.Duration(n) * time.Millisecond) }
		for _, c := range []struct {
			at   time.Time
			want uint64
		}{
			{at(1 << 20), total}, {at(int(total) - 1), total}, {at(int(total) - 11), total - 10}, {at(2*departuresKept + 5), 2*departuresKept + 6},
			{at(1), total - departuresKept}, // longer ago than is remembered
		} {
			if n := d.by(c.at); n != c.want {
				t.Errorf("by %v: %d, want %d", c.at.Sub(begun), n, c.want)
			}
		}
		if got != int(total) {
			t.Errorf("%d packets passed on", got)
		}
	})
}

// The state directory: an identity for ever, files whole or not at all, and no trouble without one.
func TestStore(t *testing.T) {
	s := store{t.TempDir()}
	if err := s.open(); err != nil {
		t.Fatal(err)
	}
	id, err := s.boxID()
	if again, _ := s.boxID(); err != nil || len(id) != 16 || again != id {
		t.Errorf("the box is %q, then %q (%v)", id, again, err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "box-id"), []byte("\x00torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if other, err := s.boxID(); err != nil || other == id || len(other) != 16 {
		t.Errorf("a torn id gives %q (%v)", other, err)
	}
	fars := []place{{FarEnd: FarEnd{URL: "https://far"}}, {FarEnd: FarEnd{URL: "https://other/"}}}
	if err := s.keepSessions("primary", []session{{1, "https://other/1"}, {0, "https://far/2"}}, fars); err != nil {
		t.Fatal(err)
	}
	if got := s.sessions("primary", fars); len(got) != 2 || got[0] != (session{1, "https://other/1"}) || got[1] != (session{0, "https://far/2"}) {
		t.Errorf("sessions %v", got)
	}
	if got := s.sessions("primary", fars[:1]); len(got) != 1 { // the other is configured no more, and so is its token
		t.Errorf("of two sessions, one at a far end that is gone, %v are known", got)
	}
	if err := s.keepFarEnd(fars, 1); err != nil || s.farEnd(fars) != 1 || s.farEnd(fars[:1]) != 0 {
		t.Errorf("the room was at %d (%v)", s.farEnd(fars), err)
	}
	if err := errors.Join(s.keepFarEnd(fars, 0), s.keepFarEnd(fars, 0)); err != nil || s.farEnd(fars) != 0 {
		t.Errorf("the room was at %d (%v)", s.farEnd(fars), err)
	}
	if err := errors.Join(s.keepSessions("primary", nil, fars), s.keepSessions("primary", nil, fars)); err != nil || len(s.sessions("primary", fars)) != 0 {
		t.Errorf("forgetting: %v", err)
	}
	none := store{}
	if id, err := none.boxID(); err != nil || id == "" || none.open() != nil || none.keepSessions("x", []session{{0, "y"}}, fars) != nil || none.sessions("x", fars) != nil || none.keepFarEnd(fars, 1) != nil {
		t.Error("without a state directory something failed")
	}
}

// What the recorder wrote replays to the same decisions, and there are never more files than allowed.
func TestRecorder(t *testing.T) {
	s := store{t.TempDir()}
	if err := s.open(); err != nil {
		t.Fatal(err)
	}
	policy := failover.DefaultPolicy(failover.LinkPolicy{Name: "a"}, failover.LinkPolicy{Name: "b"})
	e, err := failover.New(policy)
	if err != nil {
		t.Fatal(err)
	}
	var saved []savedTrace
	r := newRecorder(s, policy, logger(t), func(e event) { saved = append(saved, e.saved) })
	feed := func(at time.Duration, ev failover.Event) {
		r.note(failover.Instant(at), ev, e)
		e.Step(failover.Instant(at), ev)
	}
	feed(0, failover.Opened(0))
	feed(time.Millisecond, failover.Opened(1))
	const probe = 50 * time.Millisecond
	for at := probe; at < 15*time.Minute; at += probe {
		feed(at, failover.Sampled(0, failover.Sample{Answered: at < 14*time.Minute, RTT: 20 * time.Millisecond}))
		feed(at+time.Millisecond, failover.Sampled(1, failover.Sample{Answered: true, RTT: 60 * time.Millisecond}))
	}
	if n := len(r.chunks); n != keptChunks+1 {
		t.Errorf("%d minutes are held, want %d", n, keptChunks+1)
	}
	for i := range keptTraces + 5 {
		r.save(uint64(i), time.Date(2026, 11, 23, 10, i, 0, 0, time.UTC), &status.Switchover{Number: uint64(i)})
		r.write(<-r.jobs)
	}
	files, err := os.ReadDir(r.folder)
	if err != nil || len(files) != 2*keptTraces || len(saved) != keptTraces+5 { // each with its record
		t.Fatalf("%d files, %d saved, %v", len(files), len(saved), err)
	}
	last := saved[len(saved)-1]
	text, err := os.ReadFile(filepath.Join(r.folder, last.name))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != last.sum {
		t.Error("the hash is another file's")
	}
	trace, err := failover.ReadTrace(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	again, err := trace.Replay()
	if err != nil || !again.OK() || !strings.Contains(again.Decisions, "a up -> down") && !strings.Contains(again.Decisions, "-> down") {
		t.Errorf("replay: %v\n%s\n%s", err, again.Differs, again.Decisions)
	}
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	r.save(99, time.Now(), nil)
	r.write(<-r.jobs)
	if r.view().Error == "" {
		t.Error("a trace that could not be written is not mentioned")
	}
}

// Every label value is there from the start.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, stop := w.start(w.config())
		defer stop()
		time.Sleep(time.Second)
		rec := httptest.NewRecorder()
		atConsole(a).ServeHTTP(rec, httptest.NewRequest("GET", "http://127.0.0.1/metrics", nil))
		body, _ := io.ReadAll(rec.Body)
		for _, want := range []string{
			`scanside_link_state{link="primary",state="down"} 1`, `scanside_link_state{link="cellular",state="up"} 0`,
			`scanside_switchovers_total{media="voice",reason="probes_missed"} 0`, `scanside_leg_packets_total{link="cellular",media="video"} 0`,
			`scanside_link_probes_total{link="primary",outcome="missed"} 0`, `scanside_invariant_breaches_total{invariant="F10"} 0`,
			`scanside_return_packets_total{media="voice"} 0`, `scanside_supervision_qualifying 0`, `scanside_problems{severity="bad"}`,
		} {
			if !strings.Contains(string(body), want) {
				t.Errorf("/metrics lacks %s", want)
			}
		}
	})
}

// A counter never steps back, whatever is counted.
func TestHighest(t *testing.T) {
	var h highest
	for _, c := range [][2]uint64{{0, 0}, {5, 5}, {4, 5}, {6, 6}} {
		if got := h.of(c[0]); got != c[1] {
			t.Errorf("of(%d) = %d, want %d", c[0], got, c[1])
		}
	}
}
