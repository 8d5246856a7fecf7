package status

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// examinedBox is a box of which one thing is wrong and one cannot be seen.
func examinedBox(at time.Time) Doctor {
	return Doctor{At: at.Add(-12 * time.Second), Result: "failed", Level: Bad, Sentence: "1 thing is not well: clock.", Checks: []DoctorCheck{
		{Name: "agent", Area: "agent", Result: "passed", Level: OK, Sentence: "scanside 0.1.0 runs."},
		{Name: "uplink:primary", Area: "uplinks", Result: "passed", Level: OK, Sentence: "primary works."},
		{Name: "clock", Area: "clock", Result: "failed", Level: Bad, Sentence: "The clock is not synchronised: records may carry wrong times.", Do: "Let the box ask a time server."},
		{Name: "power", Area: "power", Result: "unknown", Level: Unknown, Sentence: "Nothing here says how the power is.", Do: "Look at the plug and the UPS."},
	}}
}

// The card says first what is wrong, then what is not known; a box that nobody looked at is not called well.
func TestDoctorCard(t *testing.T) {
	for _, c := range []struct {
		story    string
		found    Doctor
		says     string
		level    Level
		disabled bool
	}{
		{"never looked at", Doctor{Level: Unknown}, "has not been looked at", Unknown, false},
		{"under way", Doctor{Running: true, Level: Unknown}, "is being examined", Notice, true},
		{"one thing is wrong", examinedBox(time.Now()), "1 thing is not well: clock.", Bad, false},
	} {
		t.Run(c.story, func(t *testing.T) {
			st := healthy(time.Now())
			st.Doctor = c.found
			w := httptest.NewRecorder()
			server(t, newBox(st), Config{}).ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8480/", nil))
			_, card, there := strings.Cut(w.Body.String(), `id="doctor"`)
			card, _, _ = strings.Cut(card, "</section>")
			if !there || !strings.Contains(card, c.says) || !strings.Contains(card, `class="card `+string(c.level)+`"`) || strings.Contains(card, "<button disabled") != c.disabled {
				t.Fatalf("the card:\n%s", card)
			}
			bad, unknown, good := strings.Index(card, "check-clock"), strings.Index(card, "check-power"), strings.Index(card, "check-agent")
			if len(c.found.Checks) > 0 && !(0 < bad && bad < unknown && unknown < good) {
				t.Errorf("the order is wrong:\n%s", card)
			}
		})
	}
}
