package status

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axeFile is put there by `make axe`, from npm.
const axeFile = "../../build/npm/node_modules/axe-core/axe.min.js"

// WCAG 2.2, levels A and AA, by axe-core in a real Chromium: both pages, every state that looks different, on a phone and on a wall,
// by day and by night. What it cannot judge, people must; what it finds fails.
func TestAxe(t *testing.T) {
	axe, err := os.ReadFile(axeFile)
	if err != nil {
		t.Skip("SKIPPED, LOUDLY: axe-core is not installed (make axe); no page was checked against WCAG")
	}
	ctx := chrome(t)
	for name, draw := range map[string]func(time.Time) *Status{"healthy": healthy, "cut": cut, "empty": empty, "private": private} {
		b := newBox(draw(time.Now()))
		srv := serve(t, b, Config{})
		for _, path := range []string{"/", "/room", "/support"} {
			b.set(draw(time.Now()))
			do(t, ctx, chromedp.Navigate(srv.URL+path), chromedp.WaitVisible("#verdict, #fetch"), chromedp.Evaluate[chromedp.Void](string(axe)))
			schemes := []string{"light", "dark"}
			if path == "/room" {
				schemes = schemes[1:] // it is always dark
			}
			for _, scheme := range schemes {
				for size, wh := range map[string][2]int64{"phone": {390, 844}, "wall": {1920, 1080}} {
					emulate(t, ctx, scheme)
					do(t, ctx, chromedp.EmulateViewport(wh[0], wh[1]))
					b.set(draw(time.Now()))
					becomes(t, ctx, `document.getElementById("nodata")?.hidden ?? true`)
					if path == "/" { // all there is, not what everybody needs alone
						do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.documentElement.dataset.view = "advanced"`))
						becomes(t, ctx, `!document.getElementById("graph") || !document.getElementById("graph").hidden`)
					}
					check(t, ctx, name+" "+path+" "+size+" "+scheme)
				}
			}
		}
	}
	signPages(t, ctx, string(axe))
	silent(t, ctx, string(axe), serve(t, newBox(healthy(time.Now())), Config{}))
}

// silent checks the pages that have lost the box.
func silent(t *testing.T, ctx context.Context, axe string, srv *httptest.Server) {
	t.Helper()
	for _, path := range []string{"/", "/room"} {
		do(t, ctx, chromedp.EmulateViewport(1920, 1080), chromedp.Navigate(srv.URL+path), chromedp.WaitVisible("#verdict"), chromedp.Evaluate[chromedp.Void](axe))
		for _, scheme := range []string{"light", "dark"} {
			emulate(t, ctx, scheme)
			becomes(t, ctx, `!document.getElementById("nodata").hidden`)
			check(t, ctx, "no data "+path+" "+scheme)
		}
	}
}

func emulate(t *testing.T, ctx context.Context, scheme string) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// check runs axe in the page and fails for each breach, with what axe says of it.
func check(t *testing.T, ctx context.Context, what string) {
	t.Helper()
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r =>
		JSON.stringify({passes: r.passes.length, breaches: r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html + " " + n.failureSummary))}))`, chromedp.EvalAwaitPromise))
	var r struct {
		Passes   int
		Breaches []string
	}
	if err == nil {
		err = json.Unmarshal([]byte(found), &r)
	}
	if err != nil || r.Passes < 10 {
		t.Fatalf("%s: axe did not work: %d rules passed, %v", what, r.Passes, err)
	}
	for _, b := range r.Breaches {
		t.Errorf("%s: %s", what, strings.ReplaceAll(b, "\n", " "))
	}
}
