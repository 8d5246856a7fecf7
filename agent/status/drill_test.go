package status

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// drilledBox has passed a drill, and may make another.
func drilledBox(at time.Time) Drill {
	return Drill{Uplink: "primary", Bounds: []string{"noticed within 1s", "voice paused for at most 500ms, both ways"}, Last: &DrillResult{
		At: at.Add(-50 * time.Hour), By: "ada", Uplink: "primary", Outcome: "passed", Level: OK, Reasons: []string{}, Cut: 20000, Detect: num(98), Switch: num(61), Back: num(11200),
		Sentence: "Passed: primary was cut for 20.0 s. Noticed after 98 ms; voice paused for 41 ms, the picture for 53 ms, at the far end. Back after 11.2 s.",
		Gap:      Gap{num(41), num(53)}, ReturnGap: Gap{num(38), nil}, Lost: Lost{Known: true}, Switchover: 1, Record: 412, Hash: strings.Repeat("0b", 32)}}
}

// The card says when a drill was last made and what it came to, what one does, and why none may be made; a drill under way can be seen.
func TestDrillCard(t *testing.T) {
	last := drilledBox(time.Now()).Last
	failed := *last
	failed.Outcome, failed.Level, failed.Sentence, failed.Gap.Voice = "failed", Warning, "Not passed, for voice paused for too long.", nil
	for _, c := range []struct {
		story    string
		drill    Drill
		says     []string
		level    Level
		disabled bool
	}{
		{"never made", Drill{Uplink: "primary", Overdue: true}, []string{"No drill was made yet", "A drill is due", "Cut primary for 20 s", "does not test a pulled cable"}, Warning, false},
		{"passed", Drill{Uplink: "primary", Last: last}, []string{"by ada", "voice paused for 41 ms", "Record 412"}, OK, false},
		{"long ago", Drill{Uplink: "primary", Last: last, Overdue: true}, []string{"A drill is due"}, Warning, false},
		{"not passed, and not measured", Drill{Uplink: "primary", Last: &failed}, []string{"Not passed", "not measured"}, Warning, false},
		{"refused", Drill{Uplink: "primary", Last: last, Refusal: "A procedure is open."}, []string{"A procedure is open."}, OK, true},
		{"under way", Drill{Uplink: "primary", Running: true, By: "ada", Until: time.Now(), Sentence: "primary is cut."}, []string{"primary is cut.", "Asked for by ada", "under way"}, Notice, true},
	} {
		t.Run(c.story, func(t *testing.T) {
			st := healthy(time.Now())
			st.Drill = c.drill
			w := httptest.NewRecorder()
			server(t, newBox(st), Config{}).ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8480/", nil))
			_, card, there := strings.Cut(w.Body.String(), `id="drill"`)
			card, _, _ = strings.Cut(card, "</section>")
			for _, want := range c.says {
				there = there && strings.Contains(card, want)
			}
			if !there || !strings.Contains(card, `class="card `+string(c.level)+`"`) || strings.Contains(card, "<button disabled") != c.disabled {
				t.Fatalf("the card:\n%s", card)
			}
		})
	}
}

// A drill is asked for in the name of whoever is signed in; a refusal is a sentence, with 409.
func TestDrillIsAskedFor(t *testing.T) {
	b := newBox(healthy(time.Now()))
	s, sent := server(t, b, Config{}), map[string]string{"Content-Type": "application/json"}
	run(t, s, []request{
		{"the usual one", "POST", "/api/v1/drill", sent, `{}`, 204, ""},
		{"for half a minute", "POST", "/api/v1/drill", sent, `{"seconds": "30"}`, 204, ""},
		{"for an hour", "POST", "/api/v1/drill", sent, `{"seconds": "3600"}`, 400, "seconds from 10 to 60"},
	})
	b.mu.Lock()
	asked := strings.Join(b.broken, ", ")
	b.err = Refusal("A procedure is open.")
	b.mu.Unlock()
	if asked != "drill of 0s by ada, drill of 30s by ada" {
		t.Errorf("the box was told %q", asked)
	}
	run(t, s, []request{{"refused", "POST", "/api/v1/drill", sent, `{}`, 409, "A procedure is open."}})
}
