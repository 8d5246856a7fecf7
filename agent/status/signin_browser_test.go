package status

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"scanside/access"
)

// A technician's phone that may only look: a button leads to the sign-in page, which says what it is for and leads back to the button; then it works, and the
// page says who is signed in until he signs out.
func TestButtonLeadsToSignIn(t *testing.T) {
	ctx := chrome(t)
	b := newBox(healthy(time.Now()))
	door, _ := people(t, access.Config{Elsewhere: access.Viewer})
	srv := serveAfar(t, b, Config{Door: door}, false)
	do(t, ctx, chromedp.EmulateViewport(390, 844), chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible("#verdict"), chromedp.WaitVisible("#account a"))
	becomes(t, ctx, `document.getElementById("fresh").textContent.startsWith("updated")`)
	do(t, ctx, chromedp.Click("#view-advanced"), chromedp.Click("#uplink-primary .pin button"), chromedp.WaitVisible("#password"))
	if text := eval[string](t, ctx, `document.querySelector("main").innerText`); !strings.Contains(text, "Holding everything on one uplink needs a field technician or a site lead. Sign in first.") {
		t.Errorf("the sign-in page does not say what it is for: %s", text)
	}
	if len(b.pinned) > 0 {
		t.Error("it was done without signing in")
	}
	fill(t, ctx, "fay", "guess")
	arrives(t, ctx, `document.querySelector("#said")?.textContent === "Name or password is wrong."`)
	if kept := eval[string](t, ctx, `document.getElementById("name").value + " " + document.getElementById("password").value`); kept != "fay " {
		t.Errorf("the form keeps %q, want the name alone", kept)
	}
	fill(t, ctx, "fay", password)
	arrives(t, ctx, `location.pathname === "/" && location.hash === "#uplink-primary" && document.getElementById("account")?.innerText.includes("Signed in as fay, field technician.")`)
	b.set(healthy(time.Now()))
	becomes(t, ctx, `document.getElementById("fresh").textContent.startsWith("updated")`)
	do(t, ctx, chromedp.Click("#uplink-primary .pin button"))
	becomes(t, ctx, `!document.querySelector("[aria-busy]")`)
	b.mu.Lock()
	pinned, who := slices.Clone(b.pinned), slices.Clone(b.by)
	b.mu.Unlock()
	if !slices.Equal(pinned, []string{"primary"}) || !slices.Equal(who, []string{"fay"}) {
		t.Errorf("pinned %q by %q", pinned, who)
	}
	do(t, ctx, chromedp.Click("#account button"))
	arrives(t, ctx, `document.getElementById("account")?.innerText.includes("You may look.")`)
}

// arrives waits, over the loading of another page, until an expression is true, for at most 20 s.
func arrives(t *testing.T, ctx context.Context, js string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.readyState === \"complete\" && Boolean("+js+")"))
		switch {
		case err == nil && is:
			return
		case time.Now().After(deadline):
			t.Fatalf("never became true: %s (%v)", js, err)
		}
	}
}

func fill(t *testing.T, ctx context.Context, name, word string) {
	t.Helper()
	eval[any](t, ctx, `document.getElementById("name").value = "`+name+`", document.getElementById("password").value = "`+word+`", null`)
	do(t, ctx, chromedp.Click("button.main"))
}

// signPages checks what whoever signs in sees, on a phone, by day and by night.
func signPages(t *testing.T, ctx context.Context, axe string) {
	t.Helper()
	door, _ := people(t, access.Config{Elsewhere: access.Viewer})
	with := serveAfar(t, newBox(healthy(time.Now())), Config{Door: door}, false)
	without := serveAfar(t, newBox(healthy(time.Now())), Config{Door: access.NewDoor(access.Config{Dir: t.TempDir(), Elsewhere: access.Viewer})}, false)
	visit := func(srv *httptest.Server, path, what string) {
		t.Helper()
		do(t, ctx, chromedp.EmulateViewport(390, 844), chromedp.Navigate(srv.URL+path), chromedp.WaitVisible("h1"), chromedp.Evaluate[chromedp.Void](axe))
		if wide := eval[float64](t, ctx, `document.documentElement.scrollWidth`); wide > 390 {
			t.Errorf("%s is %v px wide on a phone of 390", what, wide)
		}
		small := eval[[]string](t, ctx, `[...document.querySelectorAll("button, a, input:not([type=hidden])")].filter(e => e.offsetParent && e.getBoundingClientRect().height < 44 && !e.matches(".skip")).map(e => e.outerHTML)`)
		if len(small) > 0 {
			t.Errorf("%s: smaller than a thumb (44 px): %q", what, small)
		}
		for _, scheme := range []string{"light", "dark"} {
			emulate(t, ctx, scheme)
			check(t, ctx, what+" "+scheme)
		}
	}
	visit(without, "/signin", "first run")
	visit(with, "/signin?for=9", "sign in for an act")
	visit(with, "/", "looking without signing in")
	visit(with, "/signin", "sign in")
	fill(t, ctx, "tec", "guess")
	arrives(t, ctx, `document.querySelector(".sign #said")`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](axe))
	check(t, ctx, "a wrong password")
	fill(t, ctx, "tec", password)
	arrives(t, ctx, `document.querySelector("#account button")`)
	visit(with, "/", "signed in")
}
