package status

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The card says what the person in the room should do, what was found, and what to do about it; it cannot be pressed while
// a test runs or a procedure is open.
func TestSelfTestCard(t *testing.T) {
	passed := Check{Name: "camera", Pass: true, Sentence: "The camera gives fresh pictures."}
	failed := Check{Name: "say-something", Sentence: "Nobody was heard.", Do: "Speak louder."}
	for _, c := range []struct {
		story    string
		test     SelfTest
		open     bool
		says     []string
		disabled bool
	}{
		{"none made", SelfTest{}, false, []string{"Not made since this run began", "Test the devices now"}, false},
		{"under way", SelfTest{Running: true, Say: "Say something now.", Results: []Check{passed}}, false, []string{"Say something now.", "fresh pictures", "Testing"}, true},
		{"passed", SelfTest{At: time.Now(), Results: []Check{passed, passed, passed}}, false, []string{"passed at"}, false},
		{"failed", SelfTest{At: time.Now(), Results: []Check{passed, failed, passed}}, false, []string{"Not everything passed", "Nobody was heard.", "Speak louder."}, false},
		{"a procedure is open", SelfTest{}, true, []string{"Not while a procedure is open."}, true},
	} {
		t.Run(c.story, func(t *testing.T) {
			st := healthy(time.Now())
			st.SelfTest, st.Procedure.Open = c.test, c.open
			s, err := New(newBox(st), quiet(Config{}))
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8480/", nil))
			_, card, there := strings.Cut(w.Body.String(), `id="selftest"`)
			card, _, _ = strings.Cut(card, "</section>")
			if !there {
				t.Fatal("the page has no card")
			}
			for _, want := range c.says {
				if !strings.Contains(card, want) {
					t.Errorf("the card does not say %q:\n%s", want, card)
				}
			}
			if strings.Contains(card, "<button disabled") != c.disabled {
				t.Errorf("the button can be pressed: %v, want %v", c.disabled, !c.disabled)
			}
		})
	}
}
