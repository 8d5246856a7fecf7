package status

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// halfInstalled is a box whose camera has to be aimed, and whose power nothing sees.
func halfInstalled(at time.Time) Installation {
	return Installation{Config: strings.Repeat("c0", 32), Result: "open", Level: Notice, Sentence: "2 of 4 steps are done; 0 failed, 1 are open.", Done: 2, Total: 4, Steps: []Step{
		{Name: "place", Title: "Place", Do: "Mount them first.", Result: "unknown", Level: Unknown, Ask: "Are box and modem outside Zone IV?",
			Answer: Answer{Given: true, Yes: true, By: "ada", At: at.Add(-time.Hour)},
			Checks: []StepCheck{{Name: "power", Result: "unknown", Level: Unknown, Sentence: "Nothing here says how the power is.", Do: "Look at the plug.", At: at.Add(-time.Minute)}}},
		{Name: "cable", Title: "Cable", Do: "Plug it in.", Result: "done", Level: OK, Checks: []StepCheck{{Name: "uplink:primary", Result: "done", Level: OK, Sentence: "primary works.", At: at.Add(-time.Minute)}}},
		{Name: "camera", Title: "Camera", Do: "Aim it.", Result: "open", Level: Notice, Next: true, Ask: "Is the patient table fully in the picture?", Checks: []StepCheck{{Name: "camera", Result: "done", Level: OK, Sentence: "30 pictures a second.", At: at}}},
		{Name: "drill", Title: "Drill", Do: "Make one.", Result: "done", Level: OK, Checks: []StepCheck{{Name: "drill", Result: "done", Level: OK, Sentence: "Passed.", At: at}}},
	}}
}

// The page opens the next step and no other; the report says who answered what, what was not answered, and by which record the drill is
// vouched for.
func TestInstallationPages(t *testing.T) {
	b := newBox(healthy(time.Now()))
	s := server(t, b, Config{})
	get := func(path string) string {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8480"+path, nil))
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	page := get("/installation")
	if n := strings.Count(page, "<details") - strings.Count(page, `<details id="details-camera" open>`); n != 3 || strings.Count(page, " open>") != 1 {
		t.Errorf("another step is open, or none:\n%s", page)
	}
	for _, want := range []string{"Is the patient table fully in the picture?", "Yes, says ada", "not known to the box", "Look at the picture"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	report := get("/installation/report")
	for _, want := range []string{"b7c41f9a", "scanside 0.1.0", strings.Repeat("c0", 32), "not answered", "ada", "Record 412 of the audit log, hash", strings.Repeat("0b", 32), "signature", "voice paused for 41 ms", "demo: emulated uplinks"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if strings.Contains(report, "<script") || strings.Contains(report, "<input") || strings.Contains(report, "<textarea") {
		t.Error("the report is to be read and signed, and nothing else")
	}
	sent := map[string]string{"Content-Type": "application/json"}
	run(t, s, []request{
		{"yes", "POST", "/api/v1/installation", sent, `{"question": "camera", "answer": "yes"}`, 204, ""},
		{"a form", "POST", "/api/v1/installation", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "question=camera&answer=no", 204, ""},
		{"perhaps", "POST", "/api/v1/installation", sent, `{"question": "camera", "answer": "perhaps"}`, 400, "yes or no"},
		{"no such question", "POST", "/api/v1/installation", sent, `{"question": "weather", "answer": "yes"}`, 404, "no such question"},
		{"free text is not taken", "POST", "/api/v1/installation", sent, `{"question": "camera", "answer": {"note": "Mrs Smith"}}`, 400, "texts"},
	})
	if got := strings.Join(b.broken, ", "); got != "ada says true to camera, ada says false to camera" {
		t.Errorf("the box was told %q", got)
	}
}
