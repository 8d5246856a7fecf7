package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"scanside/agent/status"
	"scanside/lab/browser"
)

// The room's own picture on the status page of the real program, in a real Chromium: only when asked for, with the box's clock and
// the picture's age, announced to the room; closed by a mute, grey when the box says nothing, and over when nobody looks.
func TestPreviewIsALookAndIsAnnounced(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Chromium")
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("no chromium on this machine; `make test-deps` installs it")
	}
	b := newBox(t)
	page, err := browser.Start(t.Context(), browser.Config{Width: 390, Height: 844, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	becomes := func(what, js string) {
		t.Helper()
		for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			is, err := browser.Eval[bool](page, js)
			if is {
				return
			}
			if time.Since(began) > patience {
				text, _ := browser.Eval[string](page, `document.getElementById("picture").innerText`)
				t.Fatalf("not within %v: %s (%v); the page: %q", patience, what, err, text)
			}
		}
	}
	click := func(selector string) {
		t.Helper()
		if err := page.Click(selector); err != nil {
			t.Fatal(err)
		}
	}
	box := &http.Client{}
	defer box.CloseIdleConnections()
	looking := func(want ...string) {
		t.Helper()
		wait(t, box, "http://"+b.page, "who looks: "+strings.Join(want, ", "), func(s *status.Status) bool { return slices.Equal(s.Watched.Here, want) })
	}
	wait(t, box, "http://"+b.page, "the test picture", func(s *status.Status) bool { return len(s.Streams) == 2 && s.Streams[1].Level == status.OK })
	if err := page.Open("http://" + b.where + "/"); err != nil {
		t.Fatal(err)
	}
	becomes("the page", `Boolean(document.getElementById("preview-go")) && !document.getElementById("preview-buttons").hidden`)
	click("#preview-go")
	becomes("nobody sees without signing in", `document.getElementById("preview-veil").textContent.includes("Sign in first.") && document.getElementById("preview-go").textContent === "Show the picture"`)
	add := exec.Command(os.Args[0], "user", "add", "ada", "technician", "--config", b.config)
	add.Env, add.Stdin = append(os.Environ(), asProgram+"=1"), strings.NewReader("correct horse battery\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := page.Open("http://" + b.where + "/signin"); err != nil {
		t.Fatal(err)
	}
	becomes("the form", `Boolean(document.getElementById("name"))`)
	if _, err := browser.Eval[bool](page, `(document.getElementById("name").value = "ada", document.getElementById("password").value = "correct horse battery", document.querySelector("form button").click(), true)`); err != nil {
		t.Fatal(err)
	}
	becomes("signed in, the page", `Boolean(document.getElementById("preview-go")) && !document.getElementById("preview-buttons").hidden`)
	becomes("the microphone is heard", `document.getElementById("level-microphone").innerText.includes("We hear you.") && document.querySelector("#level-microphone .fill").getBoundingClientRect().width > 20`)
	looking() // nobody, before somebody asks
	click("#preview-go")
	const playing = `document.getElementById("preview-video").videoWidth === 320 && !document.getElementById("preview-stamp").hidden && document.getElementById("preview-veil").hidden`
	becomes("the picture is shown", playing)
	stamp, _ := browser.Eval[string](page, `document.getElementById("preview-stamp").textContent`)
	if box := time.Now().Format("15:04"); !strings.Contains(stamp, "mri-2 · "+box) && !strings.Contains(stamp, time.Now().Add(-2*time.Second).Format("15:04")) {
		t.Errorf("the stamp says %q, the box's time is %s", stamp, box)
	}
	looking("ada")
	s, err := read(box, "http://"+b.page)
	if err != nil || !s.Watched.Light || s.Watched.Sounds != 1 {
		t.Errorf("the room was told: %+v, %v", s.Watched, err)
	}

	click("#mute-camera button")
	becomes("what is muted is not shown", `document.getElementById("preview-veil").textContent === "Camera muted in the room" && getComputedStyle(document.getElementById("preview-video")).visibility === "hidden"`)
	click("#mute-camera button")
	becomes("and shown again", playing)

	b.swallow.Store(true) // the page's own connection: the box's word is missing, so the picture's age is not known to be good
	becomes("an old picture says so", `document.getElementById("preview").classList.contains("old") && /^No picture for \d+ s$/.test(document.getElementById("preview-veil").textContent)`)
	b.swallow.Store(false)
	becomes("and lives again", playing)

	click("#preview-go")
	looking()
	if s, err = read(box, "http://"+b.page); err != nil || !slices.ContainsFunc(s.Events, func(e status.Event) bool {
		return e.Text == "ada no longer looks at the room's picture on the status page."
	}) {
		t.Errorf("the story does not tell it: %+v, %v", s.Events, err)
	}
}
